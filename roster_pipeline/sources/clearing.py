"""Moves away, or removes, drops that were read and whose roster was accepted; no others."""

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from roster_pipeline import crashpoints
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import marker_of
from roster_pipeline.sources.drops_config import DATE
from roster_pipeline.store import Landed
from roster_pipeline.transport import Channel, RemoteFile, TransportError
from roster_pipeline.transport.channel import joined
from roster_pipeline.transport.config import TransportConfig


@dataclass(frozen=True)
class Cleared:
    """What was done on the server."""

    files: int = 0
    """How many were moved or removed."""
    trouble: str | None = None
    """Why the others were not, in a sentence."""


def clear(
    channel: Channel,
    source: Source,
    accepted: Iterable[Landed],
    *,
    others: Mapping[str, "Waits"] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Cleared:
    """Do with the files of accepted drops what the source says, if they still lie there.

    A file that is not the very one that was read stays, whatever it is called, and so does one that
    another source (by id, in `others`) has yet to accept. A drop's marker goes before it, so that
    whatever stops this, the next time goes on with it. `check` is asked before
    each effect. Never raises `TransportError`: a drop that cannot be moved is no failed sync.
    """
    cleared, waited_for = 0, set[str]()
    try:
        there = {
            (file.path, file.size, file.modified): file
            for pattern in source.patterns
            for file in channel.list(source.folder, pattern)
        }
        for package in accepted:
            for read in package.files:
                if (file := there.get((read.path, read.size, read.modified))) is None:
                    continue
                if wait := {name for name, other in (others or {}).items() if other.for_(file)}:
                    waited_for |= wait
                    continue
                for one in _with_marker(channel, source, file):
                    check()
                    crashpoints.reached("clearing.before")
                    _clear(channel, source, one, package)
                cleared += 1
    except TransportError as error:
        return Cleared(cleared, _sentence(source, error))
    return Cleared(cleared, _waiting(source, waited_for) if waited_for else None)


@dataclass(frozen=True)
class Waits:
    """What another source of the same folder may still have to take."""

    source: Source
    accepted: Collection[tuple[str, int, datetime]]
    """Path, size and time of the files that it need not take any more."""

    def for_(self, file: RemoteFile) -> bool:
        """Whether it may take a file, and did not yet."""
        its = any(fnmatchcase(file.name, pattern) for pattern in self.source.patterns)
        return its and (file.path, file.size, file.modified) not in self.accepted


def share_a_folder(one: Source, other: Source) -> bool:
    """Whether two sources look for their drops in the same folder, as far as their files say."""
    if one.transport is None or other.transport is None:
        return False
    same = _server(one.transport) == _server(other.transport)
    return same and posixpath.normpath(one.folder) == posixpath.normpath(other.folder)


def _server(transport: TransportConfig) -> tuple[object, ...]:
    if (sftp := transport.sftp) is not None:
        return sftp.host.casefold(), sftp.port, sftp.username
    return (transport.folder,)


def _waiting(source: Source, others: Collection[str]) -> str:
    named = ", ".join(sorted(others))
    return f"{source.id}: drops of its folder stay there until {named} has accepted them, too."


def _with_marker(channel: Channel, source: Source, file: RemoteFile) -> Iterator[RemoteFile]:
    """A file behind its marker. That of loose files stays: the next ones are newer than it."""
    path = marker_of(source, file)
    marker = None if path is None else channel.stat(path)
    if marker is not None:
        yield marker
    yield file


def _clear(channel: Channel, source: Source, file: RemoteFile, package: Landed) -> None:
    if source.archive is None:
        channel.remove(file.path, expected=file)
        return
    folder = source.archive.replace(DATE, package.date.isoformat())
    there = (PurePosixPath(joined(source.folder, folder)) / file.name).as_posix()
    channel.move(file.path, there, expected=file)


def _sentence(source: Source, error: TransportError) -> str:
    key, what = ("delete", "removed") if source.archive is None else ("archive", "moved away")
    return (
        f"{source.id}: the roster is accepted, but its drop could not be {what}: {error} It will "
        f"be tried again with the next sync. Ask for the right to do so, or take `{key}` out."
    )
