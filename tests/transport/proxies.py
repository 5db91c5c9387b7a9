"""A SOCKS 5 and an HTTP proxy on loopback, which write down where they were asked to go."""

import asyncio
import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from roster_pipeline.transport.login import ProxyKind
from roster_pipeline.transport.loop import LoopThread

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class RunningProxy:
    """`login` is who is taken, None for everybody; `refuse` is answered to every request.

    The first `cuts` connections are cut after `cut_after` bytes in either direction.
    """

    kind: ProxyKind
    login: tuple[str, str] | None = None
    refuse: int | None = None
    cut_after: int = 0
    cuts: int = 0
    port: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its last."""
        greet = self._socks if self.kind == "socks5" else self._http
        with suppress(OSError, asyncio.IncompleteReadError):
            answer = await greet((reader, writer))
            if answer is not None:
                await self._relay((reader, writer), answer)
        writer.close()

    async def _socks(self, client: Pair) -> bytes | None:
        reader, writer = client
        methods = await reader.readexactly((await reader.readexactly(2))[1])
        wanted = 0 if self.login is None else 2
        writer.write(bytes([5, wanted if wanted in methods else 255]))
        if wanted not in methods:
            return None
        if self.login is not None and not await self._takes(client):
            return None
        kind = (await reader.readexactly(4))[3]
        size = 4 if kind == 1 else (await reader.readexactly(1))[0]
        host = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((".".join(map(str, host)) if kind == 1 else host.decode(), port))
        if self.refuse is not None:
            writer.write(bytes([5, self.refuse, 0, 1, 0, 0, 0, 0, 0, 0]))
            return None
        return bytes([5, 0, 0, 1, 127, 0, 0, 1, 0, 1])

    async def _takes(self, client: Pair) -> bool:
        reader, writer = client
        await reader.readexactly(1)
        username = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        right = (username.decode(), password.decode()) == self.login
        writer.write(bytes([1, int(not right)]))
        return right

    async def _http(self, client: Pair) -> bytes | None:
        reader, writer = client
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = re.match(r"CONNECT (\S+):(\d+) HTTP/1.1\r\n", request)
        assert found is not None
        self.asked.append((found[1], int(found[2])))
        status = self.refuse
        if self.login is not None:
            token = base64.b64encode(":".join(self.login).encode()).decode()
            status = status if f"Proxy-Authorization: Basic {token}\r\n" in request else 407
        if status is not None:
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            return None
        return b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n"

    async def _relay(self, client: Pair, answer: bytes) -> None:
        host, port = self.asked[-1]
        there = await asyncio.open_connection("127.0.0.1" if "." not in host else host, port)
        # The worst case for who reads too much: the server's greeting in the answer's packet.
        client[1].write(answer + await there[0].read(65536))
        left = self.cut_after if self.cuts > 0 else None
        self.cuts -= 1
        try:
            await asyncio.wait(
                (
                    asyncio.ensure_future(_copy(client[0], there[1], left)),
                    asyncio.ensure_future(_copy(there[0], client[1], left)),
                ),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            there[1].close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
) -> None:
    with suppress(OSError):
        while block := await reader.read(65536):
            writer.write(block if left is None else block[:left])
            await writer.drain()
            if left is not None:
                left -= len(block)
                if left <= 0:
                    return


@contextmanager
def proxy(
    kind: ProxyKind,
    *,
    login: tuple[str, str] | None = None,
    refuse: int | None = None,
    cut_after: int = 0,
    cuts: int = 0,
) -> Iterator[RunningProxy]:
    """A proxy that runs while the block lasts. Names without a dot are this machine to it."""
    running = RunningProxy(kind, login, refuse, cut_after, cuts)
    loop = LoopThread("proxy")

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(running.take, "127.0.0.1", 0)

    async def close(server: asyncio.Server) -> None:
        server.close()

    server = loop.run(listen())
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        loop.run(close(server))
        loop.stop()
