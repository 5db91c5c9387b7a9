"""Many requests in flight over one SFTP file, handed out and acknowledged in order.

In order is what makes a transfer resumable: everything before one offset is there, nothing after.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import asyncssh

from roster_pipeline.transport.channel import BLOCK

IN_FLIGHT: Final = 32 * BLOCK
"""Bytes asked for and not yet answered: 16 requests of the usual size. A server that takes only
smaller requests gets more of them."""

REQUEST: Final = 255 * 1024
"""Bytes of one read or write, where the server takes so many: with what SFTP adds they fill eight
packets of SSH, which 256 KiB would not. OpenSSH takes no more."""

AT_A_TIME: Final = 8
"""Blocks handed from or to the channel's thread at once: each hand-over costs as much as sending or
receiving one."""

File = asyncssh.SFTPClientFile
T = TypeVar("T")


class BlockReader:
    """Reads a file from an offset up to an end that is known before."""

    def __init__(self, file: File, *, offset: int, end: int, request: int, timeout: float) -> None:
        self._file = file
        self._ask_from = offset
        self._end = end
        self._request = request
        self._timeout = timeout
        self._asked: deque[tuple[int, int, asyncio.Task[bytes]]] = deque()
        self._failure: Exception | None = None

    async def next(self) -> list[bytes]:
        """The next blocks, `AT_A_TIME` of them or fewer; none at the end, or where the file has
        become shorter. A failure is raised once all that came before it was given."""
        if self._failure is not None:
            raise self._failure
        blocks: list[bytes] = []
        try:
            while len(blocks) < AT_A_TIME and (block := await self._block()):
                blocks.append(block)
        except Exception as error:
            if not blocks:
                raise
            self._failure = error
        return blocks

    async def _block(self) -> bytes:
        self._ask()
        if not self._asked:
            return b""
        offset, size, read = self._asked.popleft()
        async with asyncio.timeout(self._timeout):
            block = await read
        # A server may answer with less than was asked for.
        while block and len(block) < size:
            async with asyncio.timeout(self._timeout):
                rest = await _read(self._file, size - len(block), offset + len(block))
            if not rest:
                break
            block += rest
        if len(block) < size:
            self._drop(end=offset + len(block))
        return block

    def _ask(self) -> None:
        while self._ask_from < self._end and len(self._asked) < IN_FLIGHT // self._request:
            size = min(self._request, self._end - self._ask_from)
            read = _started(_read(self._file, size, self._ask_from))
            self._asked.append((self._ask_from, size, read))
            self._ask_from += size

    def _drop(self, *, end: int) -> None:
        """Want nothing behind an offset any more."""
        self._end = end
        while self._asked:
            self._asked.pop()[2].cancel()

    async def stat(self) -> asyncssh.SFTPAttrs:
        """The open file's size and time now."""
        async with asyncio.timeout(self._timeout):
            return await self._file.stat()

    async def close(self) -> None:
        """Drop what is still asked for."""
        self._drop(end=0)
        await self._file.close()


class BlockWriter:
    """Writes a file from an offset on. `acknowledged` is how far the server has it all."""

    def __init__(self, file: File, *, offset: int, request: int, timeout: float) -> None:
        self.acknowledged = offset
        self.request = request
        self._file = file
        self._send_to = offset
        self._timeout = timeout
        self._sent: deque[tuple[int, asyncio.Task[int]]] = deque()

    async def push(self, blocks: Sequence[bytes]) -> None:
        """Send blocks of at most `request` bytes each; waits only when too much is in flight."""
        for block in blocks:
            await self._push(block)

    async def _push(self, block: bytes) -> None:
        while len(self._sent) >= IN_FLIGHT // self.request:
            await self._acknowledge()
        write = _started(self._file.write(block, self._send_to))
        self._sent.append((len(block), write))
        self._send_to += len(block)

    async def finish(self) -> int | None:
        """Wait for all and close; the size the server says the file has, None if it is silent."""
        while self._sent:
            await self._acknowledge()
        # Onto the server's disk before the name appears, where the server can do that. It may
        # take long for a large file on a slow disk.
        with suppress(asyncssh.SFTPOpUnsupported):
            async with asyncio.timeout(10 * self._timeout):
                await self._file.fsync()
        async with asyncio.timeout(self._timeout):
            attrs = await self._file.stat()
            # Some servers tell a failed write only here, and rename no file that is open.
            await self._file.close()
        return attrs.size

    async def close(self) -> None:
        """Give up what is not acknowledged; nothing to do after `finish`."""
        while self._sent:
            self._sent.pop()[1].cancel()
        await self._file.close()

    async def _acknowledge(self) -> None:
        size, write = self._sent[0]
        async with asyncio.timeout(self._timeout):
            await write
        self._sent.popleft()
        self.acknowledged += size


async def _read(file: File, size: int, offset: int) -> bytes:
    return await file.read(size, offset)


def _started(request: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task whose failure may go unseen: one lost connection fails all that is in flight."""
    task = asyncio.ensure_future(request)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
