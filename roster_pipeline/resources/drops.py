"""Looking for a drop, as the run does and as the sensor that starts it does."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import Drop, Search, search
from roster_pipeline.store import Landed
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.transport import Channel

# What arrived since the last landed drop belongs to today as well; a source that was silent for
# longer is one of which nothing is known.
_MEMORY: Final = timedelta(days=34)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


def find_drop(channel: Channel, source: Source, day: date, now: datetime, ledger: Ledger) -> Search:
    """The newest complete drop of a source for a date. Raises `TransportError`."""
    last = ledger.last_landed(source.id, day - _MEMORY, day)
    if last is None:
        return search(channel, source, day, now, after=_EVER)
    return search(channel, source, day, now, after=last.modified, last=last.files)


def is_landed(drop: Drop, landed: Landed | None) -> bool:
    """Whether this very drop is what was landed, by its path, the server's times and its size: some
    programs set the time that a file had before it was uploaded."""
    if landed is None or (landed.remote_path, landed.modified) != (drop.path, drop.modified):
        return False
    return landed.files == drop.files or (drop.names is None and not landed.files)


def accepted_drops(source: str, day: date, ledger: Ledger) -> list[Landed]:
    """What was landed up to a month before a date, and whose whole roster was accepted."""
    return ledger.accepted_packages(source, day - _MEMORY)
