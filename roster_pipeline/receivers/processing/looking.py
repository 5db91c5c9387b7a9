"""Looks whether a receiver has answered, and what the answer comes to."""

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Final

import pandas as pd

from roster_pipeline.receivers.processing.config import Grade, Reports
from roster_pipeline.receivers.processing.matching import Outcome, outcome
from roster_pipeline.receivers.processing.reading import MOST, ReportUnreadable, read_report
from roster_pipeline.store import Delivery
from roster_pipeline.transport.channel import Channel, RemoteFile
from roster_pipeline.transport.errors import NotFound

_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""By so much the receiver's clock may be behind ours."""


@dataclass(frozen=True)
class Answer:
    """What is known of how a package was taken."""

    outcome: Outcome
    report: str | None = None
    """The report's name."""
    counts: Mapping[Grade, int] = field(default_factory=dict)
    """Rows of each grade."""
    modified: datetime | None = None
    """When the report was written."""
    refused: pd.DataFrame | None = field(default=None, compare=False, repr=False)
    """The rows of grade `error`, where the report could be read; never to be logged or shown."""
    problem: str | None = None
    """What keeps a report that is there from being read, in a sentence."""

    def sentence(self) -> str:
        """All of it, for people."""
        if self.problem is not None:
            return f"The report {self.report} cannot be read. {self.problem}"
        if self.report is None:
            return f"There is {self.outcome}."
        said = [f"{count:,} {grade}" for grade, count in self.counts.items() if count]
        rows = f" Rows spoken of: {', '.join(said)}." if said else ""
        return f"The report {self.report} says: {self.outcome}.{rows}"


def brought(this: Delivery) -> datetime:
    """When the package of a delivery was brought: on a day with nothing new, on one before."""
    said = this.receipt.get("brought")
    return this.at if said is None else datetime.fromisoformat(said)


def newest(channel: Channel, reports: Reports, this: Delivery) -> RemoteFile | None:
    """The newest report on a source; where their names say it, on this package of it. None where
    there is none. Raises `TransportError`."""
    listed: list[RemoteFile] = []
    folder = reports.folder_for(this.source)
    with suppress(NotFound):
        listed = channel.list(folder, reports.pattern_for(this.source, this.path))
    return listed[-1] if listed else None


def speaks_of(report: RemoteFile, this: Delivery) -> bool:
    """Whether a report can be about what was delivered."""
    return report.modified >= brought(this) - _CLOCKS_DIFFER


def mark(channel: Channel, reports: Reports, this: Delivery) -> str | None:
    """What tells the newest report on a delivery from any other, without a look into it; None where
    there is none. Raises `TransportError`."""
    report = newest(channel, reports, this)
    if report is None or not speaks_of(report, this):
        return None
    return f"{brought(this).isoformat()} {report.modified.isoformat()} {report.size} {report.path}"


def fetch(channel: Channel, report: RemoteFile, into: BinaryIO) -> None:
    """Write a report into an empty stream, and go back to its beginning. Raises
    `ReportUnreadable` for one that is too large, and `TransportError`."""
    if report.size > MOST:
        raise ReportUnreadable(f"It has more than {MOST >> 20} MiB.")
    channel.download(report, into)
    into.seek(0)


def look(channel: Channel, reports: Reports, this: Delivery, now: datetime) -> Answer:
    """What is known of the package of a delivery. Raises `TransportError`."""
    report = newest(channel, reports, this)
    if report is None or not speaks_of(report, this):
        late = now - brought(this) > timedelta(hours=reports.within_hours)
        return Answer(Outcome.LATE if late else Outcome.WAITING)
    try:
        with tempfile.TemporaryFile() as scratch:
            fetch(channel, report, scratch)
            read = read_report(scratch, reports.read)
    except ReportUnreadable as error:
        return Answer(Outcome.UNREADABLE, report.name, problem=str(error))
    errors = read.rows[read.rows["grade"] == "error"]
    return Answer(outcome(read), report.name, read.counts(), report.modified, errors)
