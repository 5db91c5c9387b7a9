"""A line to PostgreSQL that can be cut: what a server that goes away looks like from here."""

import asyncio
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from roster_pipeline.transport.loop import LoopThread


class Line:
    """A port on loopback behind which a server on a unix socket is, while the `with` block lasts.

    Cut, it drops every connection and refuses new ones.
    """

    def __init__(self, postgres_url: str) -> None:
        url = sa.make_url(postgres_url)
        self._socket = Path(str(url.query["host"])) / f".s.PGSQL.{url.port or 5432}"
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = LoopThread("line")
        self._listener = self._loop.run(self._listen())
        self.port = int(self._listener.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Let it be dead from now on."""
        self._loop.run(self._hang_up())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()
        self._loop.stop()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", 0)

    async def _hang_up(self) -> None:
        self._listener.close()
        for end in tuple(self._open):
            end.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(self._socket)
        ends = {writer, to_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pass_on(reader, to_writer), _pass_on(to_reader, writer))
        finally:
            self._open -= ends


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    writer.close()
