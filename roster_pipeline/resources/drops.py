"""Looking for a drop, as the run does and as the sensor that starts it does."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import Search, search
from roster_pipeline.store import Landed
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.transport import Channel, RemoteFile

# What arrived since the last landed drop belongs to today as well; a source that was silent for
# longer is one of which nothing is known.
_MEMORY: Final = timedelta(days=34)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


def find_drop(channel: Channel, source: Source, day: date, now: datetime, ledger: Ledger) -> Search:
    """The newest complete drop of a source for a date. Raises `TransportError`."""
    return search(channel, source, day, now, after=_last_landed(source.id, day, ledger))


def is_landed(file: RemoteFile, landed: Landed | None) -> bool:
    """Whether this very drop is what was landed, by its path and the server's time."""
    return landed is not None and (landed.remote_path, landed.modified) == (
        file.path,
        file.modified,
    )


def _last_landed(source: str, day: date, ledger: Ledger) -> datetime:
    landed = ledger.last_landed(source, day - _MEMORY, day)
    return _EVER if landed is None else landed.modified
