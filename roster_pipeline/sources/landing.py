"""Lands a package: downloads it, and takes the secrets out before anything is kept.

The download lies in a file without a name, so a process that is killed leaves nothing behind.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from roster_pipeline import crashpoints
from roster_pipeline.sources.redaction import redacted, secret_columns
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.ahead import read_ahead
from roster_pipeline.tables.archive import ArchiveError, ZipReader, ZipWriter
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError
from roster_pipeline.transport.channel import Channel, RemoteFile

# Members that may be tables. Only the first kind is ever read as one, so only of that kind one is
# refused if it cannot be seen whether it holds secrets.
_CSV: Final = ".csv"
_LIKE_CSV: Final = (_CSV, ".txt", ".tsv")
# Small enough for parsing one block to go on beside inflating the next.
_SEARCHED: Final = 8 << 20
# What macOS adds beside each file of an archive: its attributes, not its content.
_ATTRIBUTES: Final = "._"


class LandingError(Exception):
    """A package that cannot be kept. `code` is that of the `ArchiveError` or `CsvError` behind it;
    the sentence names source, file and line, and holds no cells."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class LandedBytes:
    """A package that holds no secrets any more."""

    file: BinaryIO
    """What to keep, from its beginning; without a name, and gone when the `with` block ends."""
    original_hash: str
    """SHA-256, in hex, of the package as it was on the server."""
    blanked: Mapping[str, int] = field(default_factory=dict)
    """Member → how many of its rows are not as they came. Empty: `file` is the original."""


@contextmanager
def land(
    channel: Channel,
    remote: RemoteFile,
    *,
    source: str,
    secrets: Secrets,
    progress: Callable[[int], None] | None = None,
    scratch: Path | None = None,
) -> Iterator[LandedBytes]:
    """Download a zip and blank every secret column in it, for the time of a `with` block.

    The same original gives the same bytes. `source` is for sentences; `progress` gets the size of
    each block that arrived; `scratch` is a folder on a disk with room for the package twice.
    Raises `LandingError`, and `TransportError` from the channel.
    """
    with nameless(scratch) as original, nameless(scratch) as blanked:
        channel.download(remote, original, progress=_halfway(remote.size, progress))
        original.seek(0)
        original_hash = hashlib.file_digest(original, "sha256").hexdigest()
        try:
            changed = _blank(original, blanked, secrets)
        except (ArchiveError, _MemberError) as error:
            raise LandingError(error.code, f"{source}: {remote.path}: {error}") from None
        file = blanked if changed else original
        file.seek(0)
        yield LandedBytes(file, original_hash, changed)


def _blank(original: BinaryIO, out: BinaryIO, secrets: Secrets) -> dict[str, int]:
    """Write a zip without its secrets to `out`; nothing is written if there are none.

    Returns member → how many rows are not as they came. Members without secrets are copied as
    they lie. Raises `ArchiveError` and `_MemberError`.
    """
    with ZipReader(original) as reader:
        columns = {
            name: found for name in reader.names if (found := _columns(reader, name, secrets))
        }
        if not any(_has_secrets(reader, name, found) for name, found in columns.items()):
            return {}
        rows: dict[str, int] = {}
        with ZipWriter(out) as writer:
            for name in reader.names:
                if name not in columns:
                    writer.copy(reader, name)
                    continue
                with writer.open(name) as member:
                    rows[name] = _write(reader, name, columns[name], member)
        return {name: count for name, count in rows.items() if count}


@contextmanager
def nameless(folder: Path | None = None) -> Iterator[BufferedRandom]:
    """A file of mode 0600 that no directory knows, gone when closed or when the process dies."""
    where = folder or Path(tempfile.gettempdir())
    try:
        handle = os.open(where, os.O_TMPFILE | os.O_RDWR, 0o600)
    except (AttributeError, OSError):
        # Not Linux, or a file system without O_TMPFILE (overlayfs of old, NFS, FUSE).
        with tempfile.TemporaryFile(dir=where) as file:
            yield file
        return
    with os.fdopen(handle, "w+b") as file:
        yield file


class _MemberError(Exception):
    def __init__(self, member: str, error: CsvError) -> None:
        super().__init__(f"{member}: {error}")
        self.code = error.code


def _columns(reader: ZipReader, name: str, secrets: Secrets) -> tuple[int, ...]:
    """The secret columns of a member. Whatever it is called: people rename files."""
    path = PurePosixPath(name)
    ending = path.suffix.casefold()
    if ending not in _LIKE_CSV or path.name.startswith(_ATTRIBUTES):
        return ()
    try:
        with reader.open(name) as member:
            return secret_columns(CsvBlocks(member).header, secrets)
    except CsvError as error:
        if error.code == "no_header" or ending != _CSV:
            return ()
        raise _MemberError(name, error) from None


def _has_secrets(reader: ZipReader, name: str, columns: tuple[int, ...]) -> bool:
    """Whether any secret cell is filled, or may be in a row that is no row."""
    try:
        # Inflating goes on beside parsing.
        with reader.open(name) as member, read_ahead(member) as inflated:
            return any(
                block.anomalies or block.frame.notna().to_numpy().any()
                for block in CsvBlocks(inflated, only=columns, block_bytes=_SEARCHED)
            )
    except CsvError as error:
        raise _MemberError(name, error) from None


def _write(reader: ZipReader, name: str, columns: tuple[int, ...], out: BinaryIO) -> int:
    rows = 0
    try:
        with reader.open(name) as member:
            for part in redacted(CsvBlocks(member), columns):
                out.write(part.data)
                rows += part.rows
    except CsvError as error:
        raise _MemberError(name, error) from None
    return rows


def _halfway(size: int, progress: Callable[[int], None] | None) -> Callable[[int], None]:
    """Passes progress on, and marks the place where half of a download has arrived."""
    arrived = 0

    def more(count: int) -> None:
        nonlocal arrived
        before, arrived = arrived, arrived + count
        if before * 2 < size <= arrived * 2:
            crashpoints.reached("landing.half")
        if progress is not None:
            progress(count)

    return more
