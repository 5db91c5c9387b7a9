"""A connection through a SOCKS 5 or an HTTP proxy, which looks up the server's name itself."""

import asyncio
import base64
import re
import socket
from contextlib import suppress
from typing import Final

from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    CredentialsUnusable,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.login import Proxy, SftpAddress

_LONGEST_ANSWER: Final = 16 * 1024
_NO_LIMIT: Final = 24 * 3600.0
"""Of its own for python-socks, in seconds: there is one around it."""

# RFC 1928, section 6, and RFC 9110: what a proxy answers that takes us, but not further.
_SOCKS_NOT_ALLOWED: Final = 2
_SOCKS_UNREACHABLE: Final = (1, 3, 4, 5, 6)
_HTTP_LOGIN: Final = 407
_HTTP_NOT_ALLOWED: Final = (403, 405)


async def through(proxy: Proxy, to: SftpAddress, timeout: float) -> socket.socket:
    """A socket that leads to a server. Raises a TransportError that names the proxy."""
    _require_sendable(proxy)
    connect = _by_socks if proxy.kind == "socks5" else _by_http
    try:
        async with asyncio.timeout(timeout):
            return await connect(proxy, to)
    except TimeoutError:
        raise Unreachable(
            f"The proxy {proxy} did not bring about a connection to {to} within {timeout:g} s. "
            "Check `host` and `port` of both, and whether a firewall stands in between."
        ) from None


async def _by_socks(proxy: Proxy, to: SftpAddress) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyError, ProxyType
    from python_socks.async_.asyncio import Proxy as Socks

    way = Socks(ProxyType.SOCKS5, proxy.host, proxy.port, proxy.username, proxy.password, rdns=True)
    try:
        return await way.connect(to.host, to.port, _NO_LIMIT)
    except ProxyConnectionError:
        raise _out_of_reach(proxy) from None
    except ProxyError as error:
        raise _socks_refusal(proxy, to, error.error_code) from None
    except OSError:
        raise _hung_up(proxy) from None


def _socks_refusal(proxy: Proxy, to: SftpAddress, code: int | None) -> TransportError:
    if code is None:
        return AuthenticationRefused(
            f"The proxy {proxy} does not take us, or does not speak SOCKS 5. Check `username` and "
            "`password` of `proxy`, and its `kind` and `port`."
        )
    if code == _SOCKS_NOT_ALLOWED:
        return _not_allowed(proxy, to)
    if code in _SOCKS_UNREACHABLE:
        return _no_further(proxy, to)
    return TransportError(
        f"The proxy {proxy} cannot make connections such as the one to {to}. Ask its owner."
    )


async def _by_http(proxy: Proxy, to: SftpAddress) -> socket.socket:
    opened = await _reached(proxy)
    try:
        status = await _asked_to_connect(opened, proxy, to)
    except BaseException:
        opened.close()
        raise
    if status // 100 == 2:
        return opened
    opened.close()
    raise _http_refusal(proxy, to, status)


async def _reached(proxy: Proxy) -> socket.socket:
    """A connection to the first of the proxy's addresses that takes one."""
    loop = asyncio.get_running_loop()
    with suppress(OSError, UnicodeError):
        found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            opened = socket.socket(family, kind, protocol)
            try:
                opened.setblocking(False)
                await loop.sock_connect(opened, address)
            except OSError:
                opened.close()
            except BaseException:
                opened.close()
                raise
            else:
                return opened
    raise _out_of_reach(proxy)


async def _asked_to_connect(opened: socket.socket, proxy: Proxy, to: SftpAddress) -> int:
    loop = asyncio.get_running_loop()
    host = f"[{to.host}]" if ":" in to.host else to.host.encode("idna").decode("ascii")
    lines = [f"CONNECT {host}:{to.port} HTTP/1.1", f"Host: {host}:{to.port}"]
    if proxy.username is not None:
        login = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {login}")
    answer = bytearray()
    try:
        await loop.sock_sendall(opened, ("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        # One byte at a time: right after the answer comes the server's greeting, which is not ours.
        while not answer.endswith(b"\r\n\r\n") and len(answer) < _LONGEST_ANSWER:
            byte = await loop.sock_recv(opened, 1)
            if not byte:
                raise _hung_up(proxy)
            answer += byte
    except OSError:
        raise _hung_up(proxy) from None
    status = re.match(rb"HTTP/1\.[01] ([1-5][0-9]{2})\b", answer)
    if status is None:
        raise TransportError(
            f"The proxy {proxy} does not answer as an HTTP proxy. Check `kind` and `port` of "
            "`proxy`."
        )
    return int(status[1])


def _http_refusal(proxy: Proxy, to: SftpAddress, status: int) -> TransportError:
    if status == _HTTP_LOGIN:
        return AuthenticationRefused(
            f"The proxy {proxy} does not take us. Check `username` and `password` of `proxy`."
        )
    if status in _HTTP_NOT_ALLOWED:
        return _not_allowed(proxy, to)
    return _no_further(proxy, to)


def _require_sendable(proxy: Proxy) -> None:
    said = (proxy.username or "", proxy.password or "")
    fits = all(len(text.encode(errors="replace")) <= 255 for text in said)
    # RFC 1929 names no encoding and the client knows ASCII only; in HTTP a colon ends the name.
    if proxy.kind == "socks5":
        sound = fits and all(text.isascii() for text in said)
    else:
        sound = ":" not in said[0]
    if not sound:
        raise CredentialsUnusable(
            f"The `username` or `password` of the proxy {proxy} cannot be sent to it: to SOCKS 5 "
            "go at most 255 letters of ASCII each, to HTTP no username with a colon."
        )


def _out_of_reach(proxy: Proxy) -> TransportError:
    return Unreachable(
        f"The proxy {proxy} cannot be reached. Check `host` and `port` of `proxy`, that it runs, "
        "and whether a firewall lets this machine through."
    )


def _hung_up(proxy: Proxy) -> TransportError:
    return Unreachable(
        f"The proxy {proxy} hung up. Check `kind` and `port` of `proxy`, and that it lets this "
        "machine through."
    )


def _not_allowed(proxy: Proxy, to: SftpAddress) -> TransportError:
    return TransportError(
        f"The proxy {proxy} does not let this machine go to {to}. Ask its owner to allow that."
    )


def _no_further(proxy: Proxy, to: SftpAddress) -> TransportError:
    return Unreachable(
        f"The proxy {proxy} cannot reach {to}. Check that server's `host` and `port`, and that it "
        "runs; a proxy looks up names by its own network."
    )
