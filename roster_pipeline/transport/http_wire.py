"""One exchange by HTTP: bounded in time and in size, and its failures said to people.

No sentence holds a query, for there filters and tokens may stand, nor a path beyond what was
configured and one step below it, for there ids of people may stand.
"""

import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from http.cookiejar import Cookie
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.cookies import RequestsCookieJar

from roster_pipeline.transport.errors import (
    HostUnknown,
    Interrupted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.http_watch import Watchdog

# Their remarks hold whole addresses, with the names of people that a query asks for; who wants them
# sets the level before.
for _library in ("urllib3", "oauthlib", "requests_oauthlib"):
    if not logging.getLogger(_library).level:
        logging.getLogger(_library).setLevel(logging.ERROR)

CONNECT_TIMEOUT: Final = 15.0
"""Seconds until a server must have taken the connection."""
_PATIENCE: Final = 10
"""One answer may take this many times as long as the server may be silent."""
_BLOCK: Final = 1 << 16

# What requests and the urllib3 below it raise; anything else is a fault of ours and shows as one.
_FAILURES: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


_Kinds = tuple[type[BaseException], ...]

# The first that fits says it. requests wraps urllib3's errors, and they the system's.
_EXPLANATIONS: Final[tuple[tuple[_Kinds, type[TransportError], str], ...]] = (
    (
        (
            requests.exceptions.ProxyError,
            requests.exceptions.InvalidProxyURL,
            urllib3.exceptions.ProxyError,
        ),
        Unreachable,
        "The proxy in front of {host} does not let this machine through. Check the variables "
        "HTTPS_PROXY and NO_PROXY.",
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        TransportError,
        "{host} does not prove to be the right server: its certificate is not one to trust. "
        "Nothing was sent. Ask the server's owner; if they have a certificate authority of their "
        "own, name its certificate as `ca_file`.",
    ),
    (
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError),
        HostUnknown,
        "{host} cannot be the name of a host. Check the address.",
    ),
    (
        (urllib3.exceptions.NameResolutionError, socket.gaierror),
        HostUnknown,
        "There is no host {host}, or its name cannot be looked up now. Check the address and this "
        "machine's network.",
    ),
    (
        (ConnectionRefusedError,),
        Unreachable,
        "{host} refuses connections. Check the address, and that the server runs.",
    ),
    (
        (urllib3.exceptions.ConnectTimeoutError, requests.exceptions.ConnectTimeout),
        Unreachable,
        "{host} did not answer within {connect:g} s. Check the address, and whether a firewall "
        "lets this machine through.",
    ),
    (
        (urllib3.exceptions.NewConnectionError,),
        Unreachable,
        "{host} cannot be reached. Check the address and this machine's network.",
    ),
    (
        (urllib3.exceptions.ReadTimeoutError, requests.exceptions.ReadTimeout, TimeoutError),
        Interrupted,
        "{place} was silent for {timeout:g} s.",
    ),
    (
        (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError),
        Interrupted,
        "{place} sends an answer that cannot be unpacked.",
    ),
    (
        (requests.exceptions.InvalidHeader, UnicodeError),
        TransportError,
        "{host} cannot be asked: a key, secret or token holds signs that no header can.",
    ),
    ((BaseException,), Interrupted, "{place} cut the connection in the middle of its answer."),
)


_NEVER: Final = threading.Event()
"""Nobody sets it."""


class OneHop(requests.Session):
    """A session that leaves redirections to its user, also to read where they lead: of an address
    that cannot be one, or a body without an end, the library makes errors of its own."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


class Cookies(RequestsCookieJar):
    """What servers want to have sent back, also while other threads add to it."""

    def __iter__(self) -> Iterator[Cookie]:  # type: ignore[override]  # so is its parent's
        with self._cookies_lock:  # type: ignore[attr-defined]  # not in the library's stubs
            return iter(list(super().__iter__()))


class Budget:
    """How many requests may still be made."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._left = most
        self._lock = threading.Lock()

    def spend(self, host: str) -> None:
        """Count one request. Raises `TransportError` where there is none left."""
        with self._lock:
            if self._left == 0:
                raise TransportError(
                    f"The budget of {self._most:,} requests to {host} is used up. If that many are"
                    " needed, raise `most_requests`; if not, look what makes it ask so often."
                )
            if self._left is not None:
                self._left -= 1


class Wire:
    """Sends requests and reads their answers whole. For several threads.

    `timeout` is how many seconds the server may be silent, `most_bytes` how long an unpacked
    answer may be; `headers` go along to the host of the address `home` and to no other.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        timeout: float,
        most_bytes: int,
        budget: Budget,
        home: str,
        headers: Mapping[str, str],
    ) -> None:
        session.cookies = Cookies()
        self._session = session
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._budget = budget
        self._home = _home_of(home)
        self._headers = dict(headers)
        self._watchdog = Watchdog()

    def send(
        self, request: requests.Request, place: str, enough: threading.Event = _NEVER
    ) -> requests.Response:
        """The answer, whatever its status, with its body read; redirections are not followed.

        `place` is what sentences call the address. When there is `enough`, the connection is cut.
        Raises `TransportError`.
        """
        try:
            prepared = self._prepared(request)
        except _FAILURES as error:
            raise self._explained(error, place) from None
        self._budget.spend(urlsplit(place).netloc)
        with self._watchdog.watch(_PATIENCE * self._timeout, enough) as exchange:
            try:
                response, body = self._answer(prepared, place)
            except _FAILURES as error:
                if not exchange.is_over:
                    raise self._explained(error, place) from None
            # What was cut may look like an answer.
            if exchange.is_over:
                raise Interrupted(
                    f"{place} has been sending one answer for more than "
                    f"{_PATIENCE * self._timeout:g} s."
                )
        # What requests itself does when it reads a body; only it sets no limit.
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]  # not in its stubs
        return response

    def _prepared(self, request: requests.Request) -> requests.PreparedRequest:
        prepared = self._session.prepare_request(request)
        # The login may just have fetched a token, and with it a cookie that belongs to it.
        prepared.headers.pop("Cookie", None)
        prepared.prepare_cookies(self._session.cookies)
        if _host_of(prepared) == self._home:
            prepared.headers.update(self._headers)
        return prepared

    def _answer(
        self, prepared: requests.PreparedRequest, place: str
    ) -> tuple[requests.Response, bytes]:
        settings = self._session.merge_environment_settings(
            # Given as the request's own, what is configured goes before what the environment says.
            str(prepared.url),
            {},
            True,
            self._session.verify,
            None,
        )
        with self._session.send(
            prepared,
            timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
            allow_redirects=False,
            **settings,
        ) as response:
            return response, b"".join(self._pieces(response, place))

    def _pieces(self, response: requests.Response, place: str) -> Iterator[bytes]:
        size = 0
        while piece := response.raw.read1(_BLOCK, decode_content=True):
            size += len(piece)
            if size > self._most_bytes:
                raise TransportError(
                    f"{place} sends more than {self._most_bytes:,} bytes in one answer, which is "
                    "no page of anything. Ask for fewer at a time, or check the address."
                )
            yield piece

    def _explained(self, error: Exception, place: str) -> TransportError:
        causes = tuple(_causes(error))
        kind, text = next(
            (kind, text)
            for kinds, kind, text in _EXPLANATIONS
            if any(isinstance(cause, kinds) for cause in causes)
        )
        return kind(
            text.format(
                host=urlsplit(place).netloc,
                place=place,
                connect=min(CONNECT_TIMEOUT, self._timeout),
                timeout=self._timeout,
            )
        )


def _host_of(prepared: requests.PreparedRequest) -> str:
    """The host and port that a request goes to, as it is spelled on the wire."""
    return urlsplit(str(prepared.url)).netloc


def _home_of(url: str) -> str:
    """The same of an address; nothing of one that no request can go to."""
    try:
        return _host_of(requests.Request("GET", url).prepare())
    except requests.RequestException:
        return ""


def _causes(error: BaseException) -> Iterator[Any]:
    """An error and all that it was made of: causes, contexts, and what urllib3 wraps."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
