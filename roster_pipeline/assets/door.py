"""The ways out to a destination, which are shut while it has to wait."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.tables import Filled, Tables
from roster_pipeline.receivers.timing import Wait
from roster_pipeline.resources.channels import Channels
from roster_pipeline.transport.outlet import Outlet


class NotYetError(Exception):
    """Something would have to be sent, and may not be now."""

    def __init__(self, wait: Wait) -> None:
        super().__init__()
        self.wait = wait


@dataclass(frozen=True)
class Door:
    """The ways out, each of which may be shut when somebody comes to it. Whoever finds that nothing
    needs to go out does not come."""

    channels: Channels
    wait: Callable[[], Wait | None]

    def destination(self, destination: Destination) -> Outlet:
        self.check()
        return self.channels.destination(destination)

    def tables(self, destination: Destination) -> Tables:
        return _TablesBehind(self, self.channels.tables(destination))

    def mask_key(self, destination: Destination) -> bytes | None:
        return self.channels.mask_key(destination)

    def check(self) -> None:
        """Raise `NotYetError` if it is shut."""
        if (wait := self.wait()) is not None:
            raise NotYetError(wait)


@dataclass(frozen=True)
class _TablesBehind:
    door: Door
    tables: Tables

    @property
    def place(self) -> str:
        return self.tables.place

    def replace(self, source: str, roster: Roster, **how: Any) -> Filled:
        self.door.check()
        return self.tables.replace(source, roster, **how)
