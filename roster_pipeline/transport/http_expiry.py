"""When credentials end, by the dates that somebody noted in the YAML as `expires`.

A note, and no fact: nothing is refused because of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from roster_pipeline.transport.http_config import HttpAuth

WARNING_DAYS: Final = 30
"""So many days before their end somebody is told."""


@dataclass(frozen=True)
class Expiry:
    """The end of credentials as it is seen on one day."""

    on: date
    """The last day on which they are good."""
    days: int
    """How many days are left after today; below 0 they have ended."""

    @property
    def state(self) -> Literal["fine", "soon", "over"]:
        """Whether to do nothing, to ask for new ones, or to look at once."""
        if self.days < 0:
            return "over"
        return "soon" if self.days <= WARNING_DAYS else "fine"

    def sentence(self) -> str:
        """When they end, and what to do about it."""
        if self.state == "over":
            return (
                f"The credentials ended on {self.on}. Put new ones under `auth`; if these are still"
                " taken, correct `expires`."
            )
        if self.state == "fine":
            return f"The credentials end on {self.on}."
        when = {0: "today", 1: "tomorrow"}.get(self.days, f"in {self.days} days")
        return (
            f"The credentials end {when}, on {self.on}. Ask for new ones and add them under `auth` "
            "as the second of a list; the first may then end."
        )


def expiry(auth: Sequence[HttpAuth], today: date) -> Expiry | None:
    """When the last of several credentials ends; None where one of them has no date."""
    ends = [login.expires for login in auth]
    last = max((end for end in ends if end is not None), default=None)
    if last is None or None in ends:
        return None
    return Expiry(last, (last - today).days)
