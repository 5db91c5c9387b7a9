"""A real OneRoster REST server on loopback over an export, with the accents of real vendors.

In a program: `with RestServer(export, clients={"roster": "…"}) as server:`. As a process:
`python -m roster_pipeline.simulator.rest_server --export ZIP`, which takes the client's secret
from an environment variable and prints one line of JSON (url, port, token_url) when it is ready;
SIGTERM or SIGINT ends it. It serves through the product's own provider.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final, Self

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.provider.access import SCOPES, SIGNATURES, Client
from roster_pipeline.provider.app import BASES, TOKEN_PATH, provider_app
from roster_pipeline.provider.pages import Published
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.tables.archive import ArchiveError

HOST: Final = "127.0.0.1"
_READY_WITHIN: Final = 30.0
_PAGE: Final = b"<!doctype html><title>Sign in</title><h1>Please sign in</h1>"
_OTHER_HOST: Final = "http://192.0.2.1"  # RFC 5737: an address that nobody has


def _accent(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"help": meaning})


@dataclass
class Accents:
    """How a vendor's server differs from the standard, and what goes wrong.

    May be changed while the server runs, but for `clamp` and `forbidden`. A collection is named as
    in the path: users, orgs. What is done every so-manieth request is done to each if that is 1.
    """

    clamp: int | None = _accent(None, "never send more records a page, whatever limit asks for")
    no_headers: bool = _accent(False, "send neither Link nor X-Total-Count")
    no_next: bool = _accent(False, "never name the next page")
    next_host: bool = _accent(False, "name a next page on another host")
    wrapper: str | None = _accent(None, "put records under this key, whatever the collection")
    missing: str | None = _accent(None, "do not have this collection")
    empty: str | None = _accent(None, "have no records in this collection")
    html: str | None = _accent(None, "answer for this collection with a web page, status 200")
    repeated: str | None = _accent(None, "answer each page of this collection with the first")
    forbidden: str | None = _accent(None, "give nobody this scope, named by its last part")
    busy_every: int | None = _accent(None, "answer 429 to every so-manieth request")
    retry_after: str | None = _accent("1", "what 429 and 502 say in Retry-After")
    broken_every: int | None = _accent(None, "answer 502 to every so-manieth request")
    cut_every: int | None = _accent(None, "cut every so-manieth answer in the middle of its body")
    hang_every: int | None = _accent(None, "never answer every so-manieth request")
    revoke_every: int | None = _accent(None, "take back all tokens at every so-manieth request")
    times: int | None = _accent(None, "do what is done every so-manieth time so often only")


class RestServer:
    """Serves the roster in a OneRoster package on loopback while the `with` block lasts.

    The package may come later than the server (until then it is 503), and be replaced while the
    server runs: the next request sees the new one. Its rows are judged first, and those that cannot
    be used are not served. `clients` maps ids to secrets, `bearers` are tokens that never expire.
    `port` 0 takes a free one.
    """

    def __init__(
        self,
        export: Path,
        accents: Accents | None = None,
        *,
        clients: Mapping[str, str],
        bearers: Sequence[str] = (),
        signatures: Sequence[str] = SIGNATURES,
        prefix: str = "",
        port: int = 0,
    ) -> None:
        self.accents = accents or Accents()
        self.port = port
        self.prefix = prefix
        self.requests: deque[str] = deque(maxlen=100_000)
        """Path and query of each request but those for tokens, in order."""
        scopes = frozenset(
            scope for scope in SCOPES if scope.rpartition("/")[2] != self.accents.forbidden
        )
        self._export = _Export(export)
        provider = provider_app(
            self._export.published,
            clients={name: Client(secret, scopes) for name, secret in clients.items()},
            bearers=dict.fromkeys(bearers, scopes),
            signatures=signatures,
            prefix=prefix,
            max_limit=self.accents.clamp or 10_000,
        )
        self._app = _Accented(
            provider,
            self.accents,
            provider.state.tokens.revoke,
            self.requests,
            lambda: self._export.exists,
        )
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Scheme, host, port and prefix; without a slash at its end."""
        return f"http://{HOST}:{self.port}{self.prefix}"

    @property
    def token_url(self) -> str:
        """Where tokens of OAuth 2 are given out."""
        return self.url + TOKEN_PATH

    def base_url(self, version: Version = Version.V1P2) -> str:
        """Where the collections of a version begin."""
        return self.url + BASES[version]

    def start(self) -> None:
        """Read the export and listen; `port` then is the port taken. `RosterError` says why an
        export cannot be served."""
        if self._export.exists:
            self._export.published()
        listener = socket.socket()
        # asyncio leaves Nagle on: an answer in two parts would wait 40 ms for its second.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="rest-server", daemon=True
        )
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_READY_WITHIN / 0.01)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.01)
        if not self._server.started:
            raise RuntimeError("the REST server did not start")

    def stop(self) -> None:
        """Close all connections and stop listening; may be called twice."""
        if self._server is None or self._thread is None:
            return
        self._app.stop()
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None
        self._export.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Export:
    """The roster in a package, read again when the file has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._published: Published | None = None
        # The one before may still be read from.
        self._folders: deque[TemporaryDirectory[str]] = deque()

    @property
    def exists(self) -> bool:
        return self._file.exists()

    def published(self) -> Published:
        with self._lock:
            found = self._file.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._published is None or stamp != self._stamp:
                self._published = self._read(datetime.fromtimestamp(found.st_mtime, UTC))
                self._stamp = stamp
            return self._published

    def close(self) -> None:
        while self._folders:
            self._folders.popleft().cleanup()

    def _read(self, modified: datetime) -> Published:
        folder = TemporaryDirectory(prefix="roster-rest-")
        self._folders.append(folder)
        try:
            with open_package(self._file) as package:
                candidate = build_candidate(package, None, Path(folder.name))
        except ArchiveError as error:
            raise RosterError(f"{self._file.name} cannot be served: {error}") from error
        while len(self._folders) > 2:
            self._folders.popleft().cleanup()
        if candidate.roster is None:
            stops = [g.code for g in candidate.findings.groups if g.severity is Severity.STOP]
            raise RosterError(f"{self._file.name} cannot be served: {', '.join(stops)}")
        return Published(candidate.roster, modified)


class _Accented:
    """The provider as a vendor's server would have it."""

    def __init__(
        self,
        provider: ASGIApp,
        accents: Accents,
        revoke: Any,
        requests: deque[str],
        ready: Callable[[], bool],
    ) -> None:
        self._provider = provider
        self._accents = accents
        self._revoke = revoke
        self._requests = requests
        self._ready = ready
        self._count = 0
        self._first: dict[str, bytes] = {}
        self._stopped = False

    def stop(self) -> None:
        """Let go of the requests that hang."""
        self._stopped = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path.endswith(TOKEN_PATH):
            await self._provider(scope, receive, send)
            return
        self._count += 1
        self._requests.append(path + "?" + scope["query_string"].decode("latin-1"))
        accents = self._accents
        if not self._ready():
            await _send(send, _Answer(503, self._wait(), b"There is no roster yet."))
            return
        if self._now(accents.hang_every):
            await self._hang()
            return
        for every, status in ((accents.busy_every, 429), (accents.broken_every, 502)):
            if self._now(every):
                await _send(send, _Answer(status, self._wait(), b"Try again later."))
                return
        if self._now(accents.revoke_every):
            self._revoke()
        cut = self._now(accents.cut_every)
        answer = await _answer_of(self._provider, scope, receive)
        self._change(answer, path.rpartition("/")[2])
        await _send(send, answer, cut=cut)

    def _now(self, every: int | None) -> bool:
        """Whether what is done every so-manieth time is due."""
        if every is None or self._count % every or self._accents.times == 0:
            return False
        if self._accents.times is not None:
            self._accents.times -= 1
        return True

    def _wait(self) -> dict[str, str]:
        after = self._accents.retry_after
        return {} if after is None else {"retry-after": after}

    async def _hang(self) -> None:
        while not self._stopped:
            await asyncio.sleep(0.05)

    def _change(self, answer: "_Answer", collection: str) -> None:
        """Give a good answer the accents asked for."""
        accents = self._accents
        if answer.status != 200:
            return
        if collection == accents.missing:
            answer.status, answer.body = 404, b"Not Found"
        elif collection == accents.html:
            answer.body, answer.headers["content-type"] = _PAGE, "text/html"
        elif collection == accents.empty:
            answer.body = answer.body[: answer.body.index(b"[")] + b"[]}"
            answer.headers |= {"x-total-count": "0", "link": ""}
        elif collection == accents.repeated:
            answer.body = self._first.setdefault(collection, answer.body)
        if accents.wrapper is not None and answer.body.startswith(b'{"'):
            rest = answer.body.split(b'"', 2)[2]
            answer.body = b"{" + json.dumps(accents.wrapper).encode() + rest
        _change_headers(answer.headers, accents)


def _change_headers(headers: MutableMapping[str, str], accents: Accents) -> None:
    if accents.no_headers:
        headers.pop("x-total-count", None)
        headers.pop("link", None)
    if not headers.get("link"):
        headers.pop("link", None)
        return
    links = []
    for link in headers["link"].split(", "):
        if not link.endswith('rel="next"'):
            links.append(link)
        elif accents.next_host:
            links.append(f"<{_OTHER_HOST}/" + link.partition("://")[2].partition("/")[2])
        elif not accents.no_next:
            links.append(link)
    headers["link"] = ", ".join(links)


@dataclass
class _Answer:
    """A whole answer."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def _answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> _Answer:
    answer = _Answer()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {
                k.decode("latin-1"): v.decode("latin-1") for k, v in message["headers"]
            }
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, keep)
    return answer


async def _send(send: Send, answer: _Answer, *, cut: bool = False) -> None:
    """Send an answer; a cut one ends in the middle of its body, and its connection with it."""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    sent = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    body = answer.body[: len(answer.body) // 2] if cut else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": cut})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    given = _parser().parse_args(arguments)
    secret = os.environ.get(given.secret_env)
    if not secret:
        sys.stderr.write(f"Set {given.secret_env}.\n")
        return 1
    accents = Accents(**{accent.name: getattr(given, accent.name) for accent in fields(Accents)})
    server = RestServer(given.export, accents, clients={given.client: secret}, port=given.port)
    told = threading.Event()

    def tell(signum: int, frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    try:
        server.start()
    except (RosterError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        place = {"url": server.url, "port": server.port, "token_url": server.token_url}
        sys.stdout.write(json.dumps(place) + "\n")
        sys.stdout.flush()
        told.wait()
    finally:
        server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Serve a OneRoster package over REST on loopback.")
    parser.add_argument("--export", type=Path, required=True, help="the package to serve")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--client", default="roster", help="the client id (default: %(default)s)")
    parser.add_argument(
        "--secret-env",
        default="ROSTER_REST_SECRET",
        help="environment variable that holds the client's secret (default: %(default)s)",
    )
    accents = parser.add_argument_group("accents")
    for accent in fields(Accents):
        name, meaning = f"--{accent.name.replace('_', '-')}", accent.metadata["help"]
        if accent.type is bool:
            accents.add_argument(name, action="store_true", help=meaning)
        else:
            kind = int if accent.type == int | None else str
            accents.add_argument(name, type=kind, default=accent.default, metavar="X", help=meaning)
    return parser


if __name__ == "__main__":
    sys.exit(main())
