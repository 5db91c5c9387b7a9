"""OAuth 2 client credentials: a token, fetched when it is needed and before it runs out."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from roster_pipeline.transport.errors import AuthenticationRefused, TransportError
from roster_pipeline.transport.http_config import OAuth2
from roster_pipeline.transport.http_login import (
    Clock,
    CredentialRefused,
    FetchedLogin,
    json_object,
    sound_token,
)
from roster_pipeline.transport.http_wire import Wire

# RFC 6749, section 5.2, and what each means for whoever filled in the YAML. The server's own words
# are not repeated: they may hold what was sent.
_OAUTH_ERRORS: Final[Mapping[str, tuple[type[TransportError], str]]] = {
    "invalid_client": (
        CredentialRefused,
        "it does not take `client_id` and `client_secret`; check both, or try another `in` (basic,"
        " body, query): some servers want them elsewhere",
    ),
    "unauthorized_client": (
        CredentialRefused,
        "this client may not ask for tokens by itself; ask the server's owner",
    ),
    "invalid_request": (
        AuthenticationRefused,
        "it does not understand the request; try another `in`: basic, body, query",
    ),
    "unsupported_grant_type": (
        AuthenticationRefused,
        "it knows no client credentials; check `token_url`",
    ),
}
_NO_SUCH_SCOPE: Final = "invalid_scope"
_NO_SCOPE: Final = (_NO_SUCH_SCOPE, "invalid_request")
"""What a server says that wants a scope and was asked for none."""
_GIVEN: Final = (requests.codes.ok, requests.codes.created)

_UNSAID: Final = timedelta(minutes=5)
"""How long a token is good for of which the server does not say so."""
_MARGIN: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(days=365)

# OneRoster 1.1 and 1.2, security: `https://purl.imsglobal.org/spec/or/v1p2/scope/` and a name.
_ONEROSTER: Final = re.compile(r"https?://purl\.imsglobal\.org/spec/or/v[0-9]p[0-9]/scope/")
_DEMOGRAPHICS: Final = "roster-demographics.readonly"
_FEWER: Final = ("roster-core.readonly", "roster.readonly")
"""Each is enough for a roster without demographics; some servers know only the one, some only the
other."""


class TokenLogin(FetchedLogin):
    """A token, fetched when it is needed and before it runs out."""

    names = "`client_id`, `client_secret` and `scopes`"

    def __init__(
        self, config: OAuth2, client_id: str, client_secret: str, wire: Wire, clock: Clock
    ) -> None:
        super().__init__(wire, clock)
        self._config = config
        self._id = client_id
        self._secret = client_secret
        self._place = config.token_url.partition("?")[0]
        self._scopes = fewer_and_fewer(config.scopes)
        self._missing: tuple[str, ...] = ()

    def remarks(self) -> tuple[str, ...]:
        if not self._missing:
            return ()
        host = urlsplit(self._place).netloc
        return (
            f"{host} gives a token without the scopes {', '.join(map(_short, self._missing))}. What"
            " needs them will be refused or empty; ask the server's owner to grant them.",
        )

    def fetched(self) -> tuple[str, datetime]:
        for tried, scopes in enumerate(self._scopes):
            response = self.answer(self._request(scopes), self._place)
            answer = json_object(response)
            token = answer.get("access_token")
            if response.status_code in _GIVEN and isinstance(token, str) and token:
                break
            error = answer.get("error")
            ends = _NO_SCOPE if tried and not scopes else (_NO_SUCH_SCOPE,)
            if error not in ends:
                raise _refusal(response, answer, self._place)
        else:
            raise self._no_scope(response.status_code)
        self._scopes = self._scopes[tried:]
        granted = _granted(answer.get("scope"), scopes)
        self._missing = tuple(scope for scope in self._config.scopes if scope not in granted)
        lasts = _seconds(answer.get("expires_in"))
        return sound_token(token), self._clock() + lasts - min(_MARGIN, lasts / 2)

    def _no_scope(self, status: int) -> AuthenticationRefused:
        tried = "; ".join(" and ".join(map(_short, scopes)) or "none" for scopes in self._scopes)
        return AuthenticationRefused(
            f"{self._place} gives no token ({status}): it does not give out the scopes asked for "
            f"(tried: {tried}). Check `scopes`, or ask the server's owner to grant them."
        )

    def _request(self, scopes: Sequence[str]) -> requests.Request:
        form = {"grant_type": "client_credentials"}
        if scopes:
            form["scope"] = " ".join(scopes)
        in_body = self._config.sent_in == "body"
        in_query = self._config.sent_in == "query"
        if in_body:
            form |= {"client_id": self._id, "client_secret": self._secret}
        return requests.Request(
            "POST",
            self._config.token_url,
            params=form if in_query else None,
            data=None if in_query else form,
            headers={"Accept": "application/json"},
            # A callable that does nothing keeps requests from looking for a .netrc.
            auth=_nobody if in_body else (self._id.encode(), self._secret.encode()),
        )


def fewer_and_fewer(scopes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What to ask a server for that refuses scopes: all, all but demographics, OneRoster's smallest
    for a roster, its next one, and none, for a server that knows no scopes."""
    family = next((match[0] for scope in scopes if (match := _ONEROSTER.match(scope))), None)
    tried = [tuple(scopes)]
    if family is not None:
        tried.append(tuple(scope for scope in scopes if not scope.endswith(_DEMOGRAPHICS)))
        tried += [(family + name,) for name in _FEWER]
    return tuple(dict.fromkeys((*filter(None, tried), ())))


def _granted(said: Any, asked: Sequence[str]) -> Sequence[str]:
    """The scopes that a token is good for: what was asked for, unless the server says otherwise
    (RFC 6749, section 5.1)."""
    words = said.split() if isinstance(said, str) else said
    return words if isinstance(words, list) and words else asked


def _short(scope: str) -> str:
    return scope.removeprefix(match[0]) if (match := _ONEROSTER.match(scope)) else scope


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _refusal(response: requests.Response, answer: Mapping[str, Any], place: str) -> TransportError:
    status = response.status_code
    known = _OAUTH_ERRORS.get(str(answer.get("error")))
    if known is None and status in (requests.codes.unauthorized, requests.codes.forbidden):
        known = _OAUTH_ERRORS["invalid_client"]
    if known is not None:
        kind, said = known
        return kind(f"{place} gives no token ({status}): {said}.")
    return TransportError(
        f"{place} gives no token: it answers with status {status} and nothing like one. Check "
        "`token_url`; every installation has its own."
    )


def _seconds(value: Any) -> timedelta:
    """How long a token is good for. Some servers say it as text, some not at all."""
    try:
        lasts = timedelta(seconds=float(value))
    except (TypeError, ValueError, OverflowError):
        return _UNSAID
    return min(lasts, _LONGEST) if lasts > timedelta() else _UNSAID
