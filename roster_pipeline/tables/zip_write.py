"""ZIP archives written in one pass, the same bytes for the same members."""

import io
import struct
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from isal import isal_zlib

from roster_pipeline.tables.zip_directory import (
    CENTRAL,
    CENTRAL_MARK,
    DEFLATED,
    END,
    END64,
    END64_MARK,
    END_MARK,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_MARK,
    LOCATOR64,
    LOCATOR64_MARK,
    UTF8_NAME,
    ZIP64_FIELD,
    ArchiveError,
    check_name,
)
from roster_pipeline.tables.zip_read import ZipReader

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_BLOCK: Final = 1 << 20
_THREADS: Final = 2
_AHEAD: Final = 2 * _THREADS
_IN_MEMORY: Final = 8 << 20
# Midnight of 1 January 1980, the first moment that ZIP knows: the clock must not show in bytes.
_DATE: Final = (1 << 5) | 1
_PLAIN, _WIDE = 20, 45  # "version needed": 2.0 for Deflate, 4.5 for ZIP64
_UNIX: Final = 3 << 8
_MODE: Final = 0o100644 << 16
# Sizes are known only after a member: this much room in its local header becomes the ZIP64 field
# if they turn out to need it, and otherwise stays padding, which readers skip.
_PADDING_FIELD: Final = 0xD935
_ROOM: Final = struct.Struct("<2H2Q")
# What does not fit into 32 bits goes into a ZIP64 field; all ones there say so.
_TOO_WIDE: Final = FULL32


@dataclass(slots=True)
class _Written:
    name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int

    @property
    def wide(self) -> bool:
        return max(self.compressed, self.size) >= _TOO_WIDE

    def local(self) -> bytes:
        sizes = (FULL32, FULL32) if self.wide else (self.compressed, self.size)
        extra = (
            _ROOM.pack(ZIP64_FIELD, 16, self.size, self.compressed)
            if self.wide
            else _ROOM.pack(_PADDING_FIELD, 16, 0, 0)
        )
        version = _WIDE if self.wide else _PLAIN
        fixed = (version, self.flags, self.method, 0, _DATE, self.crc, *sizes)
        return LOCAL.pack(LOCAL_MARK, *fixed, len(self.name), len(extra)) + self.name + extra

    def central(self) -> bytes:
        values = (self.size, self.compressed, self.offset)
        size, compressed, offset = map(_narrow, values)
        wide = [value for value in values if value >= _TOO_WIDE]
        extra = struct.pack(f"<2H{len(wide)}Q", ZIP64_FIELD, 8 * len(wide), *wide) if wide else b""
        version = _WIDE if wide else _PLAIN
        return (
            CENTRAL.pack(
                *(CENTRAL_MARK, _UNIX | version, version, self.flags, self.method, 0, _DATE),
                *(self.crc, compressed, size, len(self.name), len(extra), 0, 0, 0, _MODE, offset),
            )
            + self.name
            + extra
        )


class ZipWriter:
    """Writes members one after the other, deflated by ISA-L on two threads.

    The bytes depend on the members' names, order and content and on the level alone: not on the
    clock, on how the content is cut, or on whether `out` can seek. Where it can, sizes are put
    into a member's header afterwards; where it cannot, the deflated member waits in a temporary
    file without a name. Either way there is no data descriptor, and ZIP64 only from 4 GiB on.
    """

    def __init__(self, out: BinaryIO, *, level: int = 1) -> None:
        self._out = out
        self._level = level
        self._start = out.tell() if out.seekable() else None
        self._offset = 0
        self._written: list[_Written] = []
        self._broken = False
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A writable file that becomes the member `name`. One at a time.

        If the block ends with an exception the archive is never completed.
        """
        member = self._begin(name)
        self._broken = True
        with SpooledTemporaryFile(_IN_MEMORY) as waiting:
            if self._start is not None:
                self._put(member.local())
            deflater = _Deflater(
                waiting.write if self._start is None else self._put, member, self._level
            )
            try:
                yield cast(BinaryIO, deflater)
                deflater.finish()
            finally:
                deflater.stop()
            if self._start is None:
                waiting.seek(0)
                self._put(member.local())
                while data := waiting.read(_BLOCK):
                    self._put(data)
            else:
                self._out.seek(self._start + member.offset)
                self._out.write(member.local())
                self._out.seek(self._start + self._offset)
        self._written.append(member)
        self._broken = False

    def copy(self, reader: ZipReader, name: str) -> None:
        """Copy a member as it lies, without inflating it; its content is not proved."""
        raw = reader.raw(name)
        member = self._begin(name)
        member.method, member.crc = raw.method, raw.crc
        member.compressed, member.size = raw.compressed, raw.size
        self._broken = True
        self._put(member.local())
        for data in raw.data:
            self._put(data)
        self._written.append(member)
        self._broken = False

    def close(self) -> None:
        """Write the directory. The file stays open: it is its opener's to close."""
        if self._closed:
            return
        if self._broken:
            raise ValueError("a member of this archive was not finished")
        self._closed = True
        start = self._offset
        for member in self._written:
            self._put(member.central())
        self._put(self._end(start, self._offset - start))

    def _begin(self, name: str) -> _Written:
        if self._broken or self._closed:
            raise ValueError("the archive is closed, or another member is open or unfinished")
        check_name(name)
        encoded = name.encode()
        if any(member.name == encoded for member in self._written):
            raise ArchiveError("duplicate_member", f"the archive already holds {name}.")
        flags = 0 if name.isascii() else UTF8_NAME
        return _Written(encoded, flags, DEFLATED, 0, 0, 0, self._offset)

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._offset += len(data)

    def _end(self, start: int, size: int) -> bytes:
        count = len(self._written)
        wide = b""
        if count >= FULL16 or max(start, size) >= _TOO_WIDE:
            fixed = (END64.size - 12, _UNIX | _WIDE, _WIDE, 0, 0)
            wide = END64.pack(END64_MARK, *fixed, count, count, size, start)
            wide += LOCATOR64.pack(LOCATOR64_MARK, 0, self._offset, 1)
        count = min(count, FULL16)
        return wide + END.pack(END_MARK, 0, 0, count, count, _narrow(size), _narrow(start), 0)


def _narrow(value: int) -> int:
    return value if value < _TOO_WIDE else FULL32


class _Deflater(io.BufferedIOBase):
    """Deflates what is written to it, in blocks of 1 MiB that know nothing of each other."""

    def __init__(self, put: Callable[[bytes], object], member: _Written, level: int) -> None:
        super().__init__()
        self._put = put
        self._member = member
        self._level = level
        self._block = bytearray()
        self._waiting: deque[Future[bytes]] = deque()
        self._workers = ThreadPoolExecutor(_THREADS)

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer", /) -> int:
        with memoryview(data).cast("B") as view:
            start = 0
            while start < len(view):
                room = _BLOCK - len(self._block)
                self._block += view[start : start + room]
                start += room
                if len(self._block) == _BLOCK:
                    self._deflate_block()
            return len(view)

    def finish(self) -> None:
        """Put out all that is left, and the end of the member."""
        while self._waiting:
            self._put_first()
        self._count(self._block)
        self._put_deflated(self._deflated(bytes(self._block), isal_zlib.Z_FINISH))

    def stop(self) -> None:
        """Let the threads go."""
        self._workers.shutdown(cancel_futures=True)

    def _deflate_block(self) -> None:
        block = bytes(self._block)
        self._block.clear()
        self._count(block)
        if len(self._waiting) == _AHEAD:
            self._put_first()
        self._waiting.append(self._workers.submit(self._deflated, block, isal_zlib.Z_FULL_FLUSH))

    def _count(self, block: bytes | bytearray) -> None:
        self._member.size += len(block)
        self._member.crc = isal_zlib.crc32(block, self._member.crc)

    def _put_first(self) -> None:
        self._put_deflated(self._waiting.popleft().result())

    def _put_deflated(self, data: bytes) -> None:
        self._member.compressed += len(data)
        self._put(data)

    def _deflated(self, block: bytes, flush: int) -> bytes:
        machine = isal_zlib.compressobj(self._level, isal_zlib.DEFLATED, -15)
        return machine.compress(block) + machine.flush(flush)
