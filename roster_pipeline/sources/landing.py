"""Lands a package: downloads it, opens it, and takes the secrets out before anything is kept.

Whatever lies on a disk before that lies in files without a name, so a process that is killed leaves
nothing behind.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from io import BufferedRandom
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from roster_pipeline import crashpoints
from roster_pipeline.sources.drops import Drop, is_gzip, without_pgp
from roster_pipeline.sources.pgp import PgpError, PgpKeys, decrypt
from roster_pipeline.sources.redaction import redacted, secret_columns
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.ahead import read_ahead
from roster_pipeline.tables.archive import ArchiveError, Limits, ZipReader, ZipWriter
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError
from roster_pipeline.tables.gunzip import gunzipped
from roster_pipeline.transport.channel import Channel, RemoteFile

# Members that may be tables. Of these only the first kind, and what a mapping names, is ever read
# as one, so only such a member is refused if it cannot be seen whether it holds secrets.
_CSV: Final = ".csv"
_LIKE_CSV: Final = (_CSV, ".txt", ".tsv")
# Small enough for parsing one block to go on beside inflating the next.
_SEARCHED: Final = 8 << 20
_COPIED: Final = 1 << 20
_LIMITS: Final = Limits()
# What macOS adds beside each file of an archive: its attributes, not its content.
_ATTRIBUTES: Final = "._"


class LandingError(Exception):
    """A package that cannot be kept. `code` is that of the `ArchiveError`, `CsvError` or `PgpError`
    behind it; the sentence names source, file and line, and holds no cells."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class LandedBytes:
    """A package that holds no secrets any more, and is not encrypted."""

    file: BinaryIO
    """What to keep, from its beginning; without a name, and gone when the `with` block ends."""
    original_hash: str
    """SHA-256, in hex, of the package as it was on the server; of loose files, of their names in
    the package and of their content."""
    blanked: Mapping[str, int] = field(default_factory=dict)
    """Member → how many of its rows are not as they came."""


@dataclass(frozen=True)
class Keys:
    """What opens a source's drops, if they are encrypted."""

    password: str | None = field(default=None, repr=False)
    """Of zips."""
    pgp: PgpKeys | None = None


@contextmanager
def land(
    channel: Channel,
    drop: Drop | RemoteFile,
    *,
    source: str,
    secrets: Secrets,
    tables: Collection[str] = (),
    keys: Keys | None = None,
    progress: Callable[[int], None] | None = None,
    scratch: Path | None = None,
) -> Iterator[LandedBytes]:
    """Download a drop and blank every secret column in it, for the time of a `with` block.

    Loose files become one zip. The same original gives the same bytes. `source` is for sentences;
    `tables` are shell patterns for the names of members that are read as tables, besides those of
    CSV; `progress` gets the size of each block that arrived; `scratch` is a folder on a disk with
    room for the package twice, and for one more file of it where `keys` open them one by one.
    Raises `LandingError`, and `TransportError` from the channel.
    """
    drop = Drop.of(drop) if isinstance(drop, RemoteFile) else drop
    with nameless(scratch) as original, nameless(scratch) as blanked:
        more = _halfway(drop.size, progress)
        fetch = _Fetch(channel, keys or Keys(), scratch, drop.path, more)
        try:
            _refuse_more(drop.size)
            if drop.names is None:
                original_hash = fetch.package(drop.files[0], original)
            else:
                original_hash = fetch.loose(drop, original)
            original.seek(0)
            changed = _blank(
                original, blanked, _Secrets(secrets, tuple(tables)), fetch.keys.password
            )
        except (ArchiveError, _FileError) as error:
            raise LandingError(error.code, f"{source}: {fetch.path}: {error}") from None
        file = original if changed is None else blanked
        file.seek(0)
        yield LandedBytes(file, original_hash, changed or {})


def _refuse_more(size: int) -> None:
    """Neither what is downloaded nor what is unpacked may fill a disk."""
    if size > _LIMITS.total_bytes:
        raise ArchiveError(
            "too_large",
            f"it has more than {_LIMITS.total_bytes >> 30} GiB. That is no roster.",
        )


class _FileError(Exception):
    def __init__(self, error: CsvError | PgpError, member: str = "") -> None:
        super().__init__(f"{member}: {error}" if member else str(error))
        self.code = error.code


class _Fetch:
    """Downloads files and opens them."""

    def __init__(
        self,
        channel: Channel,
        keys: Keys,
        scratch: Path | None,
        drop_path: str,
        progress: Callable[[int], None],
    ) -> None:
        self._channel = channel
        self.keys = keys
        self._scratch = scratch
        self._progress = progress
        self.path = drop_path
        """The file that is at hand, for sentences."""

    def package(self, file: RemoteFile, into: BufferedRandom) -> str:
        """Write a package to `into`; the hash of its file."""
        self.path = file.path
        if self.keys.pgp is None:
            return self._downloaded(file, into)
        with nameless(self._scratch) as encrypted:
            original_hash = self._downloaded(file, encrypted)
            self._decrypt(encrypted, into, self.keys.pgp)
        return original_hash

    def loose(self, drop: Drop, into: BinaryIO) -> str:
        """Write a zip of loose files to `into`; the hash of all of them."""
        total, size = hashlib.sha256(), 0
        with ZipWriter(into) as writer:
            for name, file in sorted(zip(drop.names or (), drop.files, strict=True)):
                with self._opened(file) as opened:
                    total.update(f"{name}\0".encode())
                    with writer.open(name) as member:
                        for piece in self._unpacked(file, opened):
                            size += len(piece)
                            _refuse_more(size)
                            total.update(piece)
                            member.write(piece)
                    total.update(b"\0")
        self.path = drop.path
        return total.hexdigest()

    @contextmanager
    def _opened(self, file: RemoteFile) -> Iterator[BinaryIO]:
        with nameless(self._scratch) as opened:
            self.package(file, opened)
            opened.seek(0)
            yield opened

    def _unpacked(self, file: RemoteFile, opened: BinaryIO) -> Iterator[bytes]:
        name = file.name if self.keys.pgp is None else without_pgp(file.name)
        if is_gzip(name):
            size = opened.seek(0, os.SEEK_END)
            opened.seek(0)
            return gunzipped(opened, size, name)
        return iter(lambda: opened.read(_COPIED), b"")

    def _downloaded(self, file: RemoteFile, into: BufferedRandom) -> str:
        self._channel.download(file, into, progress=self._progress)
        into.seek(0)
        return hashlib.file_digest(into, "sha256").hexdigest()

    def _decrypt(self, encrypted: BinaryIO, into: BinaryIO, keys: PgpKeys) -> None:
        try:
            decrypt(encrypted, into, keys)
        except PgpError as error:
            raise _FileError(error) from None


@dataclass(frozen=True)
class _Secrets:
    """Where secrets are looked for."""

    words: Secrets
    tables: tuple[str, ...]

    def is_table(self, name: str) -> bool:
        """Whether a member is ever read as a table."""
        path = PurePosixPath(name.casefold())
        return path.suffix == _CSV or any(
            fnmatchcase(path.name, pattern.casefold()) for pattern in self.tables
        )


def _blank(
    original: BinaryIO, out: BinaryIO, secrets: _Secrets, password: str | None
) -> dict[str, int] | None:
    """Write a zip without its secrets, and decrypted, to `out`; None, and nothing is written, if it
    has no secrets and is not encrypted.

    Returns member → how many rows are not as they came. Members without secrets are copied as
    they lie. Raises `ArchiveError` and `_FileError`.
    """
    with ZipReader(original, password=password) as reader:
        columns = {
            name: found for name in reader.names if (found := _columns(reader, name, secrets))
        }
        locked = any(map(reader.is_encrypted, reader.names))
        secret = any(_has_secrets(reader, name, found) for name, found in columns.items())
        if not secret and not locked:
            return None
        rows: dict[str, int] = {}
        with ZipWriter(out) as writer:
            for name in reader.names:
                if name not in columns and not reader.is_encrypted(name):
                    writer.copy(reader, name)
                    continue
                with writer.open(name) as member:
                    if name in columns:
                        rows[name] = _write(reader, name, columns[name], member)
                    else:
                        with reader.open(name) as plain:
                            shutil.copyfileobj(plain, member, _COPIED)
        blanked = {name: count for name, count in rows.items() if count}
        return blanked if blanked or locked else None


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


def _columns(reader: ZipReader, name: str, secrets: _Secrets) -> tuple[int, ...]:
    """The secret columns of a member. Whatever it is called: people rename files."""
    path, table = PurePosixPath(name), secrets.is_table(name)
    like = table or path.suffix.casefold() in _LIKE_CSV
    if not like or name.endswith("/") or path.name.startswith(_ATTRIBUTES):
        return ()
    try:
        with reader.open(name) as member:
            return secret_columns(CsvBlocks(member).header, secrets.words)
    except CsvError as error:
        if error.code == "no_header" or not table:
            return ()
        raise _FileError(error, name) from None


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
        raise _FileError(error, name) from None


def _write(reader: ZipReader, name: str, columns: tuple[int, ...], out: BinaryIO) -> int:
    rows = 0
    try:
        with reader.open(name) as member:
            for part in redacted(CsvBlocks(member), columns):
                out.write(part.data)
                rows += part.rows
    except CsvError as error:
        raise _FileError(error, name) from None
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
