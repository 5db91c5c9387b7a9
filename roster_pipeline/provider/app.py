"""The provider as an ASGI application: OneRoster 1.1 and 1.2 rostering, read only."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.provider.access import (
    SIGNATURES,
    Access,
    Asking,
    Client,
    Clock,
    TokenRefusedError,
    Tokens,
    scopes_for,
)
from roster_pipeline.provider.openapi import DISCOVERY, document
from roster_pipeline.provider.pages import Page, Pages, Published, pages_of
from roster_pipeline.provider.problems import Problem, RefusedError, body_of, status_of
from roster_pipeline.provider.query import Query, parse_fields, parse_query

BASES: Final[Mapping[Version, str]] = {
    Version.V1P2: "/ims/oneroster/rostering/v1p2",
    Version.V1P1: "/ims/oneroster/v1p1",
}
"""Where the rostering service of each version begins."""
TOKEN_PATH: Final = "/token"  # noqa: S105  an address, and the standard leaves it open
_UNREADABLE: Final = "The roster cannot be read at the moment."
_MOST_FORM_BYTES: Final = 1 << 16


class _Whatever(StringConvertor):
    """The rest of a path with all that may be in it: Starlette's own stops at a line break."""

    regex = "(?s:.*)"


register_url_convertor("whatever", _Whatever())


def provider_app(
    published: Callable[[], Published],
    *,
    clients: Mapping[str, str | Client],
    bearers: Mapping[str, frozenset[str]] | None = None,
    signatures: Sequence[str] = SIGNATURES,
    prefix: str = "",
    token_path: str = TOKEN_PATH,
    public_url: str | None = None,
    max_limit: int = 10_000,
    token_lasting: timedelta = timedelta(hours=1),
    now: Clock = lambda: datetime.now(UTC),
) -> Starlette:
    """An application that serves what `published` gives: the same object as long as it is the same.

    `clients` are secrets by client id, for OAuth 2 and as consumers of OAuth 1.0a; `bearers` maps
    tokens that never expire to their scopes. `signatures` are the methods of OAuth 1.0a accepted.
    All paths begin with `prefix`; addresses in answers begin with `public_url`, or what the
    request was sent to. A larger limit than `max_limit` is lowered without a word.
    """
    known = {
        name: client if isinstance(client, Client) else Client(client)
        for name, client in clients.items()
    }
    tokens = Tokens(known, now, token_lasting)
    service = _Service(
        pages_of(published),
        Access(known, tokens, bearers or {}, signatures, now),
        prefix,
        public_url,
        max_limit,
    )

    async def token(request: Request) -> Response:
        return await _token(request, tokens, token_lasting)

    app = Starlette(
        routes=[
            Route(prefix + token_path, token, methods=["POST"]),
            *(
                Route(prefix + address, service.describe(version, token_path))
                for version, addresses in DISCOVERY.items()
                for address in addresses
            ),
            *(
                Route(f"{prefix}{base}/{{path:whatever}}", service.answer(version))
                for version, base in BASES.items()
            ),
        ]
    )
    app.state.tokens = tokens
    return app


async def _token(request: Request, tokens: Tokens, lasting: timedelta) -> Response:
    """The token endpoint (RFC 6749, section 4.4). Parameters may stand in the query too, where
    some systems have their clients write them."""
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > _MOST_FORM_BYTES:
            return _json({"error": "invalid_request"}, 400)
    form = {**request.query_params, **dict(parse_qsl(body.decode("utf-8", "replace")))}
    headers = {"Cache-Control": "no-store"}
    try:
        token = tokens.give(form, request.headers.get("authorization"))
    except TokenRefusedError as error:
        if error.status == 401:
            headers["WWW-Authenticate"] = "Basic"
        return _json({"error": str(error)}, error.status, headers)
    said = {
        "access_token": token.text,
        "token_type": "Bearer",
        "expires_in": int(lasting.total_seconds()),
        "scope": " ".join(sorted(token.scopes)),
    }
    return _json(said, 200, headers)


class _Service:
    """Answers requests for records."""

    def __init__(
        self,
        pages: Callable[[], Pages],
        access: Access,
        prefix: str,
        public_url: str | None,
        max_limit: int,
    ) -> None:
        self._pages = pages
        self._access = access
        self._prefix = prefix
        self._public_url = public_url
        self._max_limit = max_limit

    def answer(self, version: Version) -> Callable[[Request], Any]:
        """The endpoint of one version."""

        async def endpoint(request: Request) -> Response:
            try:
                return await run_in_threadpool(self._answer, request, version)
            except RefusedError as error:
                return _refusal(error, version)
            except (RosterError, OSError):
                return _refusal(RefusedError(Problem.INTERNAL, _UNREADABLE), version)

        return endpoint

    def describe(self, version: Version, token_path: str) -> Callable[[Request], Any]:
        """The endpoint that tells anybody what there is: the OpenAPI document of one version."""

        async def endpoint(request: Request) -> Response:
            beginning = self._host(request) + self._prefix
            server, token_url = beginning + BASES[version], beginning + token_path
            return _json(document(version, server=server, token_url=token_url), 200)

        return endpoint

    def _host(self, request: Request) -> str:
        return (self._public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")

    def _answer(self, request: Request, version: Version) -> Response:
        host = self._host(request)
        base = host + self._prefix + BASES[version]
        steps = _steps(request, len((self._prefix + BASES[version]).split("/")))
        asking = Asking(request.method, f"{host}{_target(request)}", request.headers)
        self._access.require(asking, version, scopes_for(steps))
        parameters = dict(request.query_params)
        if len(steps) == 2:
            fields = parse_fields(parameters)
            record = self._pages().record(version, base, steps[0], steps[1], fields)
            return Response(record, media_type="application/json")
        query = parse_query(parameters, self._max_limit)
        page = self._pages().page(version, base, steps[::2], steps[1::2], query)
        address = f"{host}{request.scope['raw_path'].decode('ascii')}"
        return Response(
            page.body,
            media_type="application/json",
            headers=_paging(address, parameters, query, page),
        )


def _steps(request: Request, skipped: int) -> tuple[str, ...]:
    """The steps of the path after the base. A sourcedId may hold a slash, which stands encoded in
    the path as it was sent."""
    sent = request.scope["raw_path"].decode("latin-1").rstrip("/")
    return tuple(unquote(step) for step in sent.split("/")[skipped:])


def _target(request: Request) -> str:
    """Path and query as they were sent: what a signature was made of."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _paging(
    address: str, parameters: Mapping[str, str], query: Query, page: Page
) -> dict[str, str]:
    """The headers of a page: X-Total-Count, and Link to the pages around it (RFC 8288)."""
    last = max(page.total - 1, 0) // query.limit * query.limit
    offsets = {"first": 0, "last": last}
    if query.offset + query.limit < page.total:
        offsets["next"] = query.offset + query.limit
    if query.offset > 0:
        offsets["prev"] = max(query.offset - query.limit, 0)
    links = []
    for relation, offset in offsets.items():
        there = urlencode({**parameters, "limit": query.limit, "offset": offset})
        links.append(f'<{address}?{there}>; rel="{relation}"')
    return {"X-Total-Count": str(page.total), "Link": ", ".join(links)}


def _refusal(error: RefusedError, version: Version) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if error.problem is Problem.UNAUTHORISED else {}
    body = body_of(error.problem, str(error), version)
    return _json(body, status_of(error.problem, version), headers)


def _json(
    body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(body), status, dict(headers or {}), "application/json")
