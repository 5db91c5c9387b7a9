"""Members of a ZIP archive, inflated as they are read."""

import io
import threading
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, Self, cast

from isal import igzip_lib, isal_zlib

from roster_pipeline.tables.zip_directory import (
    LOCAL,
    LOCAL_MARK,
    STORED,
    ArchiveError,
    Entry,
    Limits,
    read_directory,
)

_CHUNK: Final = 256 << 10
# The stubs call this class an instance.
_INFLATE_ERROR: Final = cast(type[Exception], igzip_lib.IsalError)


class RawMember(NamedTuple):
    """A member as it lies in the archive, still deflated."""

    data: Iterator[bytes]
    crc: int
    compressed: int
    size: int
    method: int


class ZipReader:
    """A ZIP archive on a seekable file.

    The whole directory is checked when the reader is made: names that would leave a folder,
    links, duplicates, overlaps, encryption, unknown methods, sizes and ratios. No member then
    gives more than the directory states, and its size and CRC are proved at its end. Whatever is
    wrong is an ArchiveError. Members may be read at the same time, also by several threads.
    Encrypted members are opened by `password`, and refused without one.
    """

    def __init__(
        self, file: BinaryIO, limits: Limits | None = None, *, password: str | None = None
    ) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._password = password
        entries = read_directory(file, limits or Limits(), locked=password is not None)
        self._entries = {entry.name: entry for entry in entries if not entry.is_folder}
        self.names: tuple[str, ...] = tuple(self._entries)
        """The members in the archive's order, without folders."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The file stays open: it is its opener's to close."""

    def size(self, name: str) -> int:
        """Size in bytes when inflated. KeyError if there is no such member."""
        return self._entries[name].size

    def open(self, name: str) -> BinaryIO:
        """The member's bytes, inflated as they are read. KeyError if there is no such member."""
        entry = self._entries[name]
        data = self._data(entry)
        if entry.is_encrypted and self._password is not None:
            from roster_pipeline.tables.zip_decrypt import decrypted

            data = decrypted(entry, data, self._password)
        return cast(BinaryIO, io.BufferedReader(_Member(entry, data), _CHUNK))

    def is_encrypted(self, name: str) -> bool:
        """Whether a password opens the member. KeyError if there is no such member."""
        return self._entries[name].is_encrypted

    def raw(self, name: str) -> RawMember:
        """The member as it lies in the archive, unproved, and encrypted if it is. KeyError if
        there is no such member."""
        entry = self._entries[name]
        return RawMember(self._data(entry), entry.crc, entry.compressed, entry.size, entry.method)

    def _data(self, entry: Entry) -> Iterator[bytes]:
        mark, *_, name_length, extra_length = LOCAL.unpack(
            self._read(entry, entry.offset, LOCAL.size)
        )
        if mark != LOCAL_MARK:
            raise ArchiveError("not_a_zip", f"{entry.name}: the archive is damaged where it is.")
        place = entry.offset + LOCAL.size + name_length + extra_length
        left = entry.compressed
        while left:
            data = self._read(entry, place, min(_CHUNK, left))
            place += len(data)
            left -= len(data)
            yield data

    def _read(self, entry: Entry, place: int, size: int) -> bytes:
        with self._lock:
            self._file.seek(place)
            data = self._file.read(size)
        if len(data) < size:
            raise ArchiveError("truncated", f"{entry.name}: the archive ends in the middle of it.")
        return data


class _Member(io.RawIOBase):
    """One member's bytes."""

    def __init__(self, entry: Entry, data: Iterator[bytes]) -> None:
        super().__init__()
        self._entry = entry
        self._pieces = data if entry.method == STORED else _inflate(entry, data)
        self._piece = memoryview(b"")
        self._size = 0
        self._crc = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # only C calls it
        if not self._piece:
            self._next_piece()
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def _next_piece(self) -> None:
        piece = next(self._pieces, b"")
        self._size += len(piece)
        self._crc = isal_zlib.crc32(piece, self._crc)
        entry = self._entry
        if self._size > entry.size:
            raise ArchiveError(
                "bomb", f"{entry.name} holds more than the {entry.size} bytes that it states."
            )
        crc = entry.crc if entry.has_crc else self._crc
        if not piece and (self._size, self._crc) != (entry.size, crc):
            raise ArchiveError(
                "bad_crc", f"{entry.name} is damaged: its checksum is wrong. Send it again."
            )
        self._piece = memoryview(piece)


def _inflate(entry: Entry, data: Iterator[bytes]) -> Iterator[bytes]:
    machine = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    while not machine.eof:
        fed = next(data, None) if machine.needs_input else b""
        if fed is None:
            raise ArchiveError("truncated", f"{entry.name} is cut off. Send the archive again.")
        try:
            piece: bytes = machine.decompress(fed, _CHUNK)
        except _INFLATE_ERROR:
            raise ArchiveError(
                "bad_crc", f"{entry.name} is damaged and cannot be inflated. Send it again."
            ) from None
        if piece:
            yield piece
    if entry.aes is not None:
        # Its signature stands behind all of it.
        for _ in data:
            pass
