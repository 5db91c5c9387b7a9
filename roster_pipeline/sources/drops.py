"""Which file on a server is the newest complete drop of a source for a date."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from roster_pipeline.sources.config import Source
from roster_pipeline.transport.channel import Channel, RemoteFile

# Names that upload programs give to files under way (WinSCP, browsers, FileZilla, editors).
_UNDER_WAY: Final = (
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".crdownload",
    ".uploading",
    ".upload",
    "~",
)
# A file that has rested this long is not listed a second time: longer than any upload stalls
# without being cut, and a cut zip is recognised when it is opened.
_RESTED: Final = timedelta(minutes=1)


class Wait(StrEnum):
    """Why a drop is not complete."""

    EMPTY = "it has no bytes yet"
    CHANGING = "it is still changing"
    RECENT = "it was changed a moment ago"
    NO_MARKER = "its marker file is missing or older than it"


@dataclass(frozen=True)
class Drop:
    """One file that may be a drop."""

    file: RemoteFile
    day: date | None
    """The date that it belongs to; None where its name should state one and does not."""


@dataclass(frozen=True)
class Search:
    """What was looked for, what was found, and what was passed over."""

    source: Source
    day: date
    today: date
    """The date in the district when the search was made."""
    found: RemoteFile | None
    waiting: tuple[tuple[RemoteFile, Wait], ...]
    """Newer drops for the date that are not complete."""
    others: tuple[Drop, ...]
    """Drops of other dates, or of none, oldest first."""

    def sentence(self) -> str:
        """What the search came to, for people."""
        folder = "its folder" if self.source.folder == "." else self.source.folder
        where = f"{folder} ({self.source.pattern})"
        if self.found is not None:
            return f"{self.source.id}: {self.found.path} is the newest drop for {self.day}"
        if self.waiting:
            file, why = self.waiting[0]
            return f"{self.source.id}: {file.path} is not complete: {why.value}"
        said = f"{self.source.id}: nothing in {where} is for {self.day}"
        if not self.others:
            return said
        last = self.others[-1]
        if last.day is None:
            return f"{said}; the name of {last.file.path} states no date as `date_from` describes"
        if last.day == self.day:
            return (
                f"{said} any more: {last.file.path} arrived that day, and a drop dated by its "
                "arrival is taken on that day only"
            )
        return f"{said}; the newest drop there, {last.file.path}, is for {last.day}"


def search(
    channel: Channel,
    source: Source,
    day: date,
    now: datetime,
    *,
    after: datetime | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Search:
    """Look for the newest complete drop of a source for a date.

    A drop dated by its name is for that date, however old. A drop dated by its arrival is for the
    day, in the district's timezone, on which it was last modified; as a server's times can be
    trusted for fresh files only, no date but today's has such drops. With `after`, the time of the
    newest drop that was landed (or the beginning of time where none was), today also has the drops
    of earlier days that arrived since: a file of 23:50 is not lost to a run at 02:30.

    `now` is an aware moment; `sleep` waits between two listings. Of drops modified in the same
    moment the one whose path sorts last is taken. Raises `TransportError`.
    """
    today = source.date_of(now)
    drops = _drops(channel, source)
    mine = [drop.file for drop in drops if _is_for(drop, source, day, today, after)]
    others = tuple(drop for drop in drops if drop.file not in mine)
    complete = _Completeness(channel, source, now, sleep)
    waiting: list[tuple[RemoteFile, Wait]] = []
    for file in reversed(mine):
        why = complete.lacks(file)
        if why is None:
            return Search(source, day, today, file, tuple(waiting), others)
        waiting.append((file, why))
    return Search(source, day, today, None, tuple(waiting), others)


def is_under_way(name: str) -> bool:
    """Whether a file's name says that it is hidden, temporary or still being uploaded."""
    return name.startswith((".", "~")) or name.casefold().endswith(_UNDER_WAY)


def _drops(channel: Channel, source: Source) -> tuple[Drop, ...]:
    marker = source.complete.marker
    return tuple(
        Drop(file, source.date_of_drop(file.name, file.modified))
        for file in channel.list(source.folder, source.pattern)
        if not is_under_way(file.name) and not _is_marker(file.name, marker)
    )


def _is_marker(name: str, marker: str | None) -> bool:
    """Markers match wide patterns such as `*` and are no drops themselves."""
    if marker is None:
        return False
    before, _, behind = marker.replace("{stem}", "{name}").partition("{name}")
    return bool(before or behind) and name.startswith(before) and name.endswith(behind)


def _is_for(drop: Drop, source: Source, day: date, today: date, after: datetime | None) -> bool:
    if source.date_from.name is not None:
        return drop.day == day
    if day != today or drop.day is None:
        return False
    return drop.day == day or (after is not None and drop.day < day and drop.file.modified > after)


class _Completeness:
    """Asks of one drop after the other whether it is complete, listing again at most once."""

    def __init__(
        self, channel: Channel, source: Source, now: datetime, sleep: Callable[[float], None]
    ) -> None:
        self._channel = channel
        self._source = source
        self._now = now
        self._sleep = sleep
        self._second: dict[str, RemoteFile] | None = None

    def lacks(self, file: RemoteFile) -> Wait | None:
        """What a drop lacks to be complete."""
        rule = self._source.complete
        if file.size == 0:
            return Wait.EMPTY
        if rule.marker is not None:
            return self._lacks_marker(file, rule.marker)
        if rule.quiet_seconds is not None:
            rested = self._now - file.modified >= timedelta(seconds=rule.quiet_seconds)
            return None if rested else Wait.RECENT
        if self._now - file.modified >= _RESTED:
            return None
        return (
            None if self._again(rule.stable_seconds or 0).get(file.path) == file else Wait.CHANGING
        )

    def _lacks_marker(self, file: RemoteFile, pattern: str) -> Wait | None:
        path = PurePosixPath(file.path)
        name = pattern.replace("{name}", path.name).replace("{stem}", path.stem)
        marker = self._channel.stat(path.with_name(name).as_posix())
        if marker is None or marker.modified < file.modified.replace(microsecond=0):
            return Wait.NO_MARKER
        return None

    def _again(self, seconds: int) -> dict[str, RemoteFile]:
        if self._second is None:
            self._sleep(seconds)
            listed = self._channel.list(self._source.folder, self._source.pattern)
            self._second = {file.path: file for file in listed}
        return self._second
