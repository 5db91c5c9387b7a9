"""A server that does what a statement says. It knows nothing of our profiles."""

import asyncio
import base64
import binascii
import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.conformance.signed import Verifier
from tests.conformance.statement import Installation, Statement, Tokens
from tests.conformance.town import (
    Record,
    Town,
    deleted,
    once_a_school,
    with_blanks,
    with_booleans,
    with_moments,
    with_more,
    with_nulls,
)

CLIENT, SECRET = "us", "planted-s3cret"
MOST = 25
"""Records a page, whatever is asked for: the town is small, and so are pages."""

WAIT = 7
"""What a busy server says in Retry-After."""

Fault = Literal["busy", "broken", "cut", "revoked", "changed"]
_SCOPE = "https://purl.imsglobal.org/spec/or/{}/scope/roster-core.readonly"
_SINCE = re.compile(r"dateLastModified>=?'([^']+)'")
_LARGE = ("users", "students", "enrollments")


@dataclass
class Answer:
    """What is sent; `cut` ends the connection in the middle of it."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class VendorServer:
    """One installation that speaks one version, as an ASGI application.

    A `fault` happens once, where a second page is asked for. `revoked` is called when a token that
    is said once and for all is another one from now on, with the new one.
    """

    def __init__(
        self,
        statement: Statement,
        at: Installation,
        version: str,
        town: Town,
        *,
        fault: Fault | None = None,
        revoked: Callable[..., object] | None = None,
        takes: float = 0.0,
    ) -> None:
        self.statement = statement
        self.at = at
        self.version = version
        self.town = town.of("student", "teacher") if statement.instead_of_users else town
        self.asked: list[tuple[str, int]] = []
        """Collection and offset of each request that was answered with a page."""
        self.most_at_once = 0
        self.tokens: set[str] = set()
        self.bearer = SECRET
        self._fault: Fault | None = fault
        self._revoked = revoked or (lambda _: None)
        self._takes = takes
        self._revision = 1
        self._numbers = itertools.count(1)
        self._now = 0
        method = at.oauth1.method if at.oauth1 is not None else "HMAC-SHA256"
        self._verifier = Verifier(CLIENT, SECRET, method)
        self._endpoints = self._spelled()
        self._gone: dict[str, list[Record]] = {}

    # ---- what there is ----

    def change(self) -> None:
        """Let some people go and others come."""
        before = self._endpoints
        self._revision += 1
        self.town = self.town.after_a_change()
        self._endpoints = self._spelled()
        for name, records in before.items():
            there = {record["sourcedId"] for record in self._endpoints[name]}
            gone = [deleted(each) for each in records if each["sourcedId"] not in there]
            self._gone[name] = gone if self.statement.tells_changes else []

    def _spelled(self) -> dict[str, list[Record]]:
        """Endpoint → records as this vendor spells them."""
        endpoints = self.town.records(self.version)
        if self.statement.instead_of_users:
            del endpoints["users"]
        return {name: self._spell(name, records) for name, records in endpoints.items()}

    def _spell(self, endpoint: str, records: list[Record]) -> list[Record]:
        said = self.statement
        if said.people == "once a school" and endpoint in ("users", "students", "teachers"):
            records = once_a_school(records, self.version)
        if said.blanks_in_ids:
            records = with_blanks(records)
        if said.booleans == "real":
            records = with_booleans(records)
        if said.dates == "moments":
            records = with_moments(records)
        if said.more_properties:
            records = [with_more(each) for each in records]
        return [with_nulls(each) for each in records] if said.nulls else records

    # ---- who asks ----

    def _token(self, tokens: Tokens, request: Request, body: bytes) -> Answer:
        """A token, or why there is none (RFC 6749, section 5)."""
        query, form = dict(request.query_params), dict(parse_qsl(body.decode()))
        demanded = dict(parse_qsl(urlsplit(tokens.url).query))
        if request.method != "POST" or not demanded.items() <= query.items():
            return Answer(400, {"error": "invalid_request"})
        grant = form if tokens.grant == "body" else query
        if grant.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        client = _basic(request) if tokens.secret == "basic" else _in_form(form)
        if client != (CLIENT, SECRET):
            return Answer(401, {"error": "invalid_client"})
        if not self._demanded(tokens) <= set(grant.get("scope", "").split()):
            return Answer(400, {"error": "invalid_scope"})
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        said = {"access_token": token, "token_type": "bearer", "expires_in": tokens.expires_in}
        headers = {"set-cookie": f"session={token}; Path=/"} if tokens.cookie else {}
        return Answer(200, {k: v for k, v in said.items() if v is not None}, headers)

    def _demanded(self, tokens: Tokens) -> set[str]:
        if isinstance(tokens.scope, str):
            return {tokens.scope}
        return (
            {_SCOPE.format("v1p1" if self.version == "1.1" else "v1p2")} if tokens.scope else set()
        )

    def _knows(self, request: Request) -> bool:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if self.at.oauth1 is not None:
            return self._verifier.takes(request.method, str(request.url), request.headers)
        if kind != "Bearer":
            return False
        if self.at.oauth2 is None:
            return token == self.bearer
        known = token in self.tokens
        return known and (not self.at.oauth2.cookie or request.cookies.get("session") == token)

    # ---- what is answered ----

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        path = scope["raw_path"].decode("ascii")
        tokens = self.at.oauth2
        if tokens is not None and path == urlsplit(tokens.url).path:
            await _send(send, self._token(tokens, request, body))
            return
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(self._takes)
        self._now -= 1
        await _send(send, self._answer(request, path))

    def _answer(self, request: Request, path: str) -> Answer:
        base, _, endpoint = path.rpartition("/")
        if base != urlsplit(self.at.collections[self.version]).path:
            return Answer(404)
        query = dict(request.query_params)
        fault = self._due(endpoint, query)
        if fault == "revoked":
            self._take_back()
        if not self._knows(request):
            return Answer(401)
        if fault == "busy":
            return Answer(429, headers={"retry-after": str(WAIT)})
        if fault == "broken":
            return Answer(502)
        if fault == "changed":
            self.change()
        answer = self._page(endpoint, query, request)
        answer.cut = fault == "cut"
        return answer

    def _due(self, endpoint: str, query: dict[str, str]) -> Fault | None:
        if endpoint not in _LARGE or not _offset(query):
            return None
        fault, self._fault = self._fault, None
        return fault

    def _take_back(self) -> None:
        self.tokens.clear()
        self.bearer = f"{SECRET}-{next(self._numbers)}"
        self._revoked(self.bearer)

    def _page(self, endpoint: str, query: dict[str, str], request: Request) -> Answer:
        said = self.statement
        records = self._endpoints.get(endpoint)
        if records is None:
            return Answer(404)
        if "sort" in query and said.sorts != "yes":
            return Answer(400 if said.sorts == "refuses" else 500)
        limit, offset = int(query.get("limit", "100")), _offset(query)
        if not said.demands.items() <= query.items() or limit > (said.most_asked or limit):
            return Answer(400)
        if since := _SINCE.fullmatch(query.get("filter", "")):
            both = [*records, *self._gone.get(endpoint, [])]
            records = [each for each in both if each["dateLastModified"] >= since[1]]
        size = min(limit, MOST)
        step = size if said.links == "only" else 1
        if said.rounds and offset < len(records):
            offset -= offset % size
        if offset * step >= len(records) and said.beyond == "fails":
            return Answer(500)
        self.asked.append((endpoint, offset))
        page = records[offset * step : offset * step + size]
        headers = {"x-total-count": str(len(records))} if said.totals else {}
        if said.revision is not None:
            headers |= {said.revision: str(self._revision), "x-count": str(len(page))}
        if said.links != "none" and offset * step + size < len(records):
            more = urlencode({**query, "offset": offset + size // step})
            headers["link"] = f'<{str(request.url).partition("?")[0]}?{more}>; rel="next"'
        return Answer(200, {self.at.name_of(endpoint): page}, headers)


def _offset(query: dict[str, str]) -> int:
    return int(query.get("offset", "0"))


def _basic(request: Request) -> tuple[str, ...]:
    kind, _, both = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(both).decode() if kind == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ()
    return tuple(text.split(":", 1))


def _in_form(form: dict[str, str]) -> tuple[str, ...]:
    return form.get("client_id", ""), form.get("client_secret", "")


async def _send(send: Send, answer: Answer) -> None:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    headers = {"content-type": "application/json", **answer.headers}
    headers["content-length"] = str(len(body))
    sent = [(name.encode(), text.encode()) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": sent})
    half = body[: len(body) // 2] if answer.cut else body
    await send({"type": "http.response.body", "body": half, "more_body": answer.cut})


class Loopback:
    """A port of this machine, behind which one vendor's server after another stands."""

    def __init__(self) -> None:
        self.url = ""
        self._server: VendorServer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._server is not None
        await self._server(scope, receive, send)

    def behind(self, server: VendorServer) -> VendorServer:
        """The server that answers from now on."""
        self._server = server
        return server


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A running one."""
    app = Loopback()
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    app.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    for _ in range(3000):
        if server.started:
            break
        time.sleep(0.01)
    assert server.started
    try:
        yield app
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
