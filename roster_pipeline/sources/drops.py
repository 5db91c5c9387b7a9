"""Which files on a server are the newest complete drop of a source for a date."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from roster_pipeline.sources.config import Source
from roster_pipeline.transport.channel import Channel, RemoteFile, in_order, joined

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
_GZIP: Final = ".gz"
_PGP: Final = (".pgp", ".gpg", ".asc")


class Wait(StrEnum):
    """Why a drop is not complete; of loose files, what is the matter with one of them."""

    EMPTY = "it has no bytes yet"
    CHANGING = "it is still changing"
    RECENT = "it was changed a moment ago"
    NO_MARKER = "its marker file is missing or older than it"
    MISSING = "it was there last time and is missing"
    NOT_AGAIN = "it is as it was last time, and newer files lie beside it"


@dataclass(frozen=True)
class Drop:
    """One file, or loose files together, that may be a drop."""

    path: str
    """Of the file; of loose files, the folder and the patterns of their names."""
    files: tuple[RemoteFile, ...]
    """By path; at least one."""
    day: date | None = None
    """The date that it belongs to; None where its name should state one and does not."""
    names: tuple[str, ...] | None = None
    """Of loose files what each is called in the package; None where the file is the package."""
    lacks: tuple[tuple[str, Wait], ...] = ()
    """Of loose files those that were waited for in vain, by name in the package."""

    @classmethod
    def of(cls, file: RemoteFile, day: date | None = None) -> "Drop":
        """A file that is a drop by itself."""
        return cls(file.path, (file,), day)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def modified(self) -> datetime:
        """The server's time of the newest file."""
        return max(file.modified for file in self.files)


@dataclass(frozen=True)
class Waiting:
    """A drop that is not complete."""

    drop: Drop
    path: str
    """The file that it is about."""
    why: Wait


@dataclass(frozen=True)
class Search:
    """What was looked for, what was found, and what was passed over."""

    source: Source
    day: date
    today: date
    """The date in the district when the search was made."""
    found: Drop | None
    waiting: tuple[Waiting, ...]
    """Newer drops for the date that are not complete."""
    others: tuple[Drop, ...]
    """Drops of other dates, or of none, oldest first."""

    def sentence(self) -> str:
        """What the search came to, for people."""
        folder = "its folder" if self.source.folder == "." else self.source.folder
        where = f"{folder} ({', '.join(self.source.patterns)})"
        if self.found is not None:
            what = "is the newest drop" if self.found.names is None else "are the newest drop"
            return f"{self.source.id}: {self.found.path} {what} for {self.day}"
        if self.waiting:
            first = self.waiting[0]
            whole = "" if first.path == first.drop.path else f"{first.drop.path} wait, as "
            return f"{self.source.id}: {whole}{first.path} is not complete: {first.why.value}"
        said = f"{self.source.id}: nothing in {where} is for {self.day}"
        if not self.others:
            return said
        last = self.others[-1]
        if last.day is None:
            path = last.files[-1].path
            return f"{said}; the name of {path} states no date as `date_from` describes"
        if last.day == self.day:
            return (
                f"{said} any more: {last.path} arrived that day, and a drop dated by its "
                "arrival is taken on that day only"
            )
        return f"{said}; the newest drop there, {last.path}, is for {last.day}"

    def remarks(self) -> tuple[str, ...]:
        """What somebody should know of loose files that were taken without others."""
        lacks = () if self.found is None else self.found.lacks
        said = []
        for why, what in (
            (Wait.MISSING, "are missing that were there last time"),
            (Wait.NOT_AGAIN, "are as they were last time"),
            (Wait.EMPTY, "have no bytes"),
        ):
            if names := [name for name, lack in lacks if lack is why]:
                said.append(
                    f"{self.source.id}: of its loose files these {what}: {', '.join(names)}. The "
                    f"others were taken. Ask the district whether its export was cut short."
                )
        return tuple(said)


def search(
    channel: Channel,
    source: Source,
    day: date,
    now: datetime,
    *,
    after: datetime | None = None,
    last: Sequence[RemoteFile] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Search:
    """Look for the newest complete drop of a source for a date.

    A drop dated by its name is for that date, however old. A drop dated by its arrival is for the
    day, in the district's timezone, on which it was last modified; as a server's times can be
    trusted for fresh files only, no date but today's has such drops. With `after`, the time of the
    newest drop that was landed (or the beginning of time where none was), today also has the drops
    of earlier days that arrived since: a file of 23:50 is not lost to a run at 02:30.

    Loose files are one drop: those whose names state the same date, or all of them, dated by the
    arrival of the newest. Each has to be complete. `last` are the files that were landed last; for
    those of them that did not come again the drop waits as long as the source says.

    `now` is an aware moment; `sleep` waits between two listings. Of drops modified in the same
    moment the one whose path sorts last is taken. Raises `TransportError`.
    """
    today = source.date_of(now)
    first = _listed(channel, source)
    drops = _drops(source, first)
    mine = [drop for drop in drops if _is_for(drop, source, day, today, after)]
    others = tuple(drop for drop in drops if drop not in mine)
    complete = _Completeness(channel, source, now, first, last, sleep)
    waiting: list[Waiting] = []
    for drop in reversed(mine):
        made = complete.whole(drop)
        if isinstance(made, Drop):
            return Search(source, day, today, made, tuple(waiting), others)
        waiting.append(made)
    return Search(source, day, today, None, tuple(waiting), others)


def is_under_way(name: str) -> bool:
    """Whether a file's name says that it is hidden, temporary or still being uploaded."""
    return name.startswith((".", "~")) or name.casefold().endswith(_UNDER_WAY)


def marker_of(source: Source, file: RemoteFile) -> str | None:
    """The path of the marker file of a drop of a single file; None where it has none."""
    pattern = source.complete.marker
    if pattern is None or source.files is not None:
        return None
    path = PurePosixPath(file.path)
    name = pattern.replace("{name}", path.name).replace("{stem}", path.stem)
    return path.with_name(name).as_posix()


def name_in_package(source: Source, file_name: str) -> str:
    """What a loose file is called in the package: without its date, and as it is unpacked."""
    name = source.date_from.without_date(file_name)
    if source.encryption is not None and name.casefold().endswith(_PGP):
        name = name[: name.rindex(".")]
    return name[: -len(_GZIP)] if is_gzip(name) else name


def is_gzip(name: str) -> bool:
    """Whether a file's name says that it is packed by gzip; `name` has no ending of PGP."""
    return name.casefold().endswith(_GZIP)


def without_pgp(name: str) -> str:
    """A file's name without the ending that PGP gives it."""
    return name[: name.rindex(".")] if name.casefold().endswith(_PGP) else name


def _listed(channel: Channel, source: Source) -> list[RemoteFile]:
    """The files that may be drops, or of them, in the order of `Channel.list`."""
    found = {
        file.path: file
        for pattern in source.patterns
        for file in channel.list(source.folder, pattern)
        if not is_under_way(file.name) and not _is_marker(file.name, source.complete.marker)
    }
    return in_order(list(found.values()))


def _drops(source: Source, files: Iterable[RemoteFile]) -> list[Drop]:
    """Oldest first; of the same moment, by path."""
    if source.files is None:
        return [Drop.of(file, source.date_of_drop(file.name, file.modified)) for file in files]
    by_day: dict[date | None, list[RemoteFile]] = {}
    for file in files:
        day = source.date_from.date_in(file.name)
        by_day.setdefault(day, []).append(file)
    drops = [_together(source, by_day[day], day) for day in by_day]
    return sorted(drops, key=lambda drop: drop.modified)


def _together(source: Source, files: Iterable[RemoteFile], stated: date | None) -> Drop:
    """Loose files as one drop; of two with one name in the package, the newer."""
    by_name = {name_in_package(source, file.name): file for file in files}
    pairs = sorted(by_name.items(), key=lambda pair: pair[1].path)
    path = ", ".join(joined(source.folder, pattern) for pattern in source.patterns)
    drop = Drop(path, tuple(file for _, file in pairs), stated, tuple(name for name, _ in pairs))
    if source.date_from.name is not None:
        return drop
    return replace(drop, day=source.date_of(drop.modified))


def _is_marker(name: str, marker: str | None) -> bool:
    """Markers match wide patterns such as `*` and are no drops themselves."""
    if marker is None:
        return False
    before, placeholder, behind = marker.replace("{stem}", "{name}").partition("{name}")
    if not placeholder:
        return name == marker
    return bool(before or behind) and name.startswith(before) and name.endswith(behind)


def _is_for(drop: Drop, source: Source, day: date, today: date, after: datetime | None) -> bool:
    if source.date_from.name is not None:
        return drop.day == day
    if day != today or drop.day is None:
        return False
    return drop.day == day or (after is not None and drop.day < day and drop.modified > after)


class _Completeness:
    """Asks of one drop after the other whether it is complete, listing again at most once."""

    def __init__(
        self,
        channel: Channel,
        source: Source,
        now: datetime,
        first: Iterable[RemoteFile],
        last: Iterable[RemoteFile],
        sleep: Callable[[float], None],
    ) -> None:
        self._channel = channel
        self._source = source
        self._now = now
        self._first = {file.path for file in first}
        self._last = tuple(last)
        self._sleep = sleep
        self._second: dict[str, RemoteFile] | None = None

    def whole(self, drop: Drop) -> Drop | Waiting:
        """The drop, with what it is taken without; or what it lacks to be complete."""
        if drop.names is None:
            (file,) = drop.files
            why = Wait.EMPTY if file.size == 0 else self._unrest(file)
            return drop if why is None else Waiting(drop, file.path, why)
        if self._source.complete.marker is not None:
            # Whoever lays a marker says that nothing more comes.
            why = self._lacks_marker(drop.modified, self._marker_of_files())
            return drop if why is None else Waiting(drop, drop.path, why)
        for file in drop.files:
            if (why := self._unrest(file)) is not None:
                return Waiting(drop, file.path, why)
        if (path := self._newcomer(drop)) is not None:
            return Waiting(drop, path, Wait.CHANGING)
        lacks = tuple(self._lacks(drop, drop.names))
        if lacks and not self._was_waited_for(drop):
            return Waiting(drop, *lacks[0])
        return replace(drop, lacks=lacks)

    def _unrest(self, file: RemoteFile) -> Wait | None:
        """Why a file cannot be taken to be as it will stay; None where it can."""
        rule, age = self._source.complete, self._now - file.modified
        if rule.marker is not None:
            marker = marker_of(self._source, file) or ""
            return self._lacks_marker(file.modified, marker)
        if rule.quiet_seconds is not None:
            return None if age >= timedelta(seconds=rule.quiet_seconds) else Wait.RECENT
        if age >= _RESTED:
            return None
        return None if self._again().get(file.path) == file else Wait.CHANGING

    def _newcomer(self, drop: Drop) -> str | None:
        """A file that came between two looks at fresh ones."""
        rule = self._source.complete
        if rule.stable_seconds is None or self._now - drop.modified >= _RESTED:
            return None
        return next((path for path in self._again() if path not in self._first), None)

    def _lacks(self, drop: Drop, names: Iterable[str]) -> Iterator[tuple[str, Wait]]:
        """What seems to be still to come, by name in the package."""
        if drop.files == self._last:
            return
        here = dict(zip(names, drop.files, strict=True))
        last = {
            name_in_package(self._source, file.name): file
            for file in self._last
            if any(fnmatchcase(file.name, pattern) for pattern in self._source.patterns)
        }
        for name in sorted(here.keys() | last.keys()):
            if name not in here:
                yield name, Wait.MISSING
            elif here[name].size == 0:
                yield name, Wait.EMPTY
            elif self._source.date_from.name is None and here[name] == last.get(name):
                yield name, Wait.NOT_AGAIN

    def _was_waited_for(self, drop: Drop) -> bool:
        files = self._source.files
        return files is not None and self._now - drop.modified >= timedelta(
            minutes=files.wait_minutes
        )

    def _marker_of_files(self) -> str:
        return joined(self._source.folder, self._source.complete.marker or "")

    def _lacks_marker(self, modified: datetime, path: str) -> Wait | None:
        marker = self._channel.stat(path)
        if marker is None or marker.modified < modified.replace(microsecond=0):
            return Wait.NO_MARKER
        return None

    def _again(self) -> dict[str, RemoteFile]:
        if self._second is None:
            self._sleep(self._source.complete.stable_seconds or 0)
            listed = _listed(self._channel, self._source)
            self._second = {file.path: file for file in listed}
        return self._second
