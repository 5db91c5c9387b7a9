"""What a folder somewhere can do, whatever carries the bytes."""

import logging
import posixpath
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Protocol, Self, TypeAlias

from roster_pipeline.crashpoints import reached
from roster_pipeline.transport.errors import Changed

BLOCK: Final = 128 * 1024
"""Bytes moved at a time: as fast as larger ones over SFTP, and under every server's limit."""

_logger = logging.getLogger(__name__)

_MOST_OF_ONE_NAME: Final = 1000

# What `surrogateescape` makes of bytes that are no UTF-8; controls; the separator.
_UNSOUND: Final = re.compile(r"[\ud800-\udfff\x00-\x1f\x7f/]")

_PART: Final = re.compile("[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file as it was when listed.

    `path` is as the channel takes it (relative to where the channel starts, `/` between parts),
    `size` is in bytes, `modified` is the server's own time of last change, in UTC.
    """

    path: str
    size: int
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name


RemoteFiles: TypeAlias = list[RemoteFile]


class Channel(Protocol):
    """A place with files in it. Use it from one thread at a time and close it.

    Every method raises a `TransportError`; errors of the local streams pass through unchanged.
    """

    @property
    def reads_back(self) -> bool:
        """Whether what was put there can be looked at, as `Outlet` has it."""
        return True

    def list(self, folder: str, pattern: str) -> RemoteFiles:
        """The regular files of one folder whose names match a shell pattern (case counts).

        Sorted by modification time, then path. Not recursive; as in a shell, names that begin
        with a dot match only a pattern that does too.
        """
        ...

    def stat(self, path: str) -> RemoteFile | None:
        """The regular file at a path, or None."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is a regular file at a path."""
        return self.stat(path) is not None

    def download(
        self,
        file: RemoteFile,
        into: BinaryIO,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write exactly the listed file to `into`, from where `into` stands.

        A lost connection is taken up again where it broke. `progress` is given the number of
        bytes of each block written. Raises `Changed` if size or time are no longer as listed.
        """
        ...

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """Put `size` bytes at a path, visible there only when complete; replaces what was there.

        Makes missing folders. The bytes go to a hidden name beside the target first, then that
        is renamed; hidden files that a killed upload to the same path left are removed.
        """
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """The blocks of a file, in order."""
        ...

    def move(self, old: str, new: str, *, expected: RemoteFile | None = None) -> str:
        """Give a file another path in one step, and say where it lies now.

        Makes missing folders. Never replaces: where something has that name, `-2`, `-3`, … is put
        before the name's ending. Raises `NotFound` if there is no regular file at `old`, and
        `Changed` if there is another than `expected`, which then stays where it is.
        """
        ...

    def remove(self, path: str, *, expected: RemoteFile | None = None) -> None:
        """Remove a file, for good; nothing to do if it is not there.

        Raises `Changed` if there is another than `expected`, which then stays.
        """
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know of the way in or out; sentences without a secret."""
        return ()

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def matching(names: Iterable[str], pattern: str, folder: str) -> list[str]:
    """The names in a folder that match a shell pattern, as `Channel.list` means it.

    A name that is no UTF-8, or has control characters or a slash in it, could be neither stored
    nor shown: it is passed over, and the log says so.
    """
    matched = [
        name
        for name in names
        if fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))
    ]
    sound = [name for name in matched if not _UNSOUND.search(name)]
    if len(sound) < len(matched):
        _logger.warning(
            "%d files in %s are passed over: their names are not valid UTF-8 text. Rename them.",
            len(matched) - len(sound),
            folder,
        )
    return sound


def joined(folder: str, name: str) -> str:
    """The path of a name in a folder, as `RemoteFile.path` has it."""
    return name if folder in ("", ".") else posixpath.join(folder, name)


def in_order(files: RemoteFiles) -> RemoteFiles:
    """Files as `Channel.list` gives them."""
    return sorted(files, key=lambda file: (file.modified, file.path))


def part_name(name: str) -> str:
    """A new hidden name for the upload of a file: no two uploads ever write to the same one."""
    return f".{name}.part-{secrets.token_hex(4)}"


def is_part_of(name: str, entry: str) -> bool:
    """Whether an entry of a folder is such a hidden name for a file, and not one for another
    file, or somebody else's."""
    return entry.startswith(f".{name}.part-") and bool(_PART.fullmatch(entry, len(name) + 7))


def free_names(path: str) -> Iterator[str]:
    """A path, and what a file may be called instead where that is taken."""
    stem, ending = posixpath.splitext(path)
    yield path
    for number in range(2, _MOST_OF_ONE_NAME + 1):
        yield f"{stem}-{number}{ending}"


def write_fully(into: BinaryIO, block: bytes) -> None:
    """Write all of a block, also to a raw file that takes only part of it at a time."""
    rest = memoryview(block)
    while rest:
        rest = rest[into.write(rest) :]


def mark_half_sent(before: int, now: int, size: int) -> None:
    """Mark the place where half of an upload is on its way. The counts are bytes."""
    if before * 2 < size <= now * 2:
        reached("upload.half")


def changed_sentence(file: RemoteFile, now: RemoteFile, place: str) -> str:
    """Says how a file differs from what was listed."""
    return (
        f"{file.path} on {place} changed while it was being downloaded: {_then_and_now(file, now)} "
        "It is probably still being written; it will be taken when it has come to rest."
    )


def require_unchanged(expected: RemoteFile | None, now: RemoteFile, place: str) -> None:
    """Raises `Changed` if a file is not the one that somebody read and is done with."""
    if expected is not None and (expected.size, expected.modified) != (now.size, now.modified):
        raise Changed(
            f"{now.path} on {place} is not the file any more that was read: "
            f"{_then_and_now(expected, now)} It stays where it is; it will be taken as a file of "
            "its own."
        )


def taken_sentence(path: str, place: str) -> str:
    """Says that no free name was found for a file to be moved."""
    return (
        f"{path} on {place} has {_MOST_OF_ONE_NAME:,} namesakes already. "
        "Clear that folder, or have the files put into folders by date."
    )


def _then_and_now(then: RemoteFile, now: RemoteFile) -> str:
    return (
        f"it had {then.size:,} bytes of {then.modified:%Y-%m-%d %H:%M:%S} UTC, now "
        f"{now.size:,} bytes of {now.modified:%Y-%m-%d %H:%M:%S} UTC."
    )


def size_sentence(path: str, found: str, announced: int) -> str:
    """Says that content to be uploaded is not as long as announced."""
    return (
        f"What is to be sent as {path} has {found} bytes, not the {announced:,} announced. "
        "Nothing was put in place; make the file again and repeat."
    )
