"""Who may read what: OAuth 2 client credentials, static bearer tokens, OAuth 1.0a signatures.

1.1 allows OAuth 1.0a and OAuth 2, 1.2 only OAuth 2 (Rostering Binding 1.2, section on security).
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote_plus

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.provider.problems import Problem, RefusedError

_PREFIXES: Final[Mapping[Version, str]] = {
    Version.V1P1: "https://purl.imsglobal.org/spec/or/v1p1/scope/",
    Version.V1P2: "https://purl.imsglobal.org/spec/or/v1p2/scope/",
}
CORE: Final = "roster-core.readonly"
ROSTER: Final = "roster.readonly"
DEMOGRAPHICS: Final = "roster-demographics.readonly"
SIGNATURES: Final = ("HMAC-SHA256", "HMAC-SHA1")
NAMES: Final = (CORE, ROSTER, DEMOGRAPHICS)
SCOPES: Final = frozenset(prefix + name for prefix in _PREFIXES.values() for name in NAMES)
"""Every scope that a client can have."""

Clock = Callable[[], datetime]
# RFC 5849, section 3.3, leaves it to the server; ten minutes is usual.
_SIGNED_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Client:
    """A reader of the provider: of OAuth 2 a client, of OAuth 1.0a a consumer."""

    secret: str = field(repr=False)
    scopes: frozenset[str] = SCOPES


Clients = Mapping[str, Client]


def scope(version: Version, name: str) -> str:
    """A scope as tokens have it."""
    return _PREFIXES[version] + name


def scopes_for(steps: Sequence[str]) -> tuple[str, ...]:
    """The scopes of which one is needed to read a path (REST 1.1 and 1.2, section on scopes)."""
    if steps and steps[0] == "demographics":
        return (DEMOGRAPHICS,)
    return (CORE, ROSTER) if len(steps) <= 2 else (ROSTER,)


class TokenRefusedError(Exception):
    """Why no token was given: an error code of RFC 6749, section 5.2."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.status = 401 if code == "invalid_client" else 400


@dataclass(frozen=True)
class Token:
    """An access token of OAuth 2."""

    text: str = field(repr=False)
    scopes: frozenset[str]
    expires: datetime


class Tokens:
    """The access tokens given out and not yet expired."""

    def __init__(self, clients: Clients, now: Clock, lasting: timedelta) -> None:
        self._clients = clients
        self._now = now
        self._lasting = lasting
        self._tokens: dict[str, Token] = {}

    def give(self, form: Mapping[str, str], authorization: str | None) -> Token:
        """A token for a client that names itself by HTTP Basic or in the form (RFC 6749, section
        2.3.1), for those of the scopes asked for that it may have."""
        client = self._client(form, authorization)
        if form.get("grant_type") != "client_credentials":
            raise TokenRefusedError("unsupported_grant_type")
        asked = frozenset(form.get("scope", "").split())
        scopes = client.scopes & asked if asked else client.scopes
        if not scopes:
            raise TokenRefusedError("invalid_scope")
        now = self._now()
        self._tokens = {text: t for text, t in self._tokens.items() if t.expires > now}
        token = Token(secrets.token_urlsafe(32), scopes, now + self._lasting)
        self._tokens[token.text] = token
        return token

    def scopes(self, text: str) -> frozenset[str] | None:
        """What a token allows; None where it is not known, or is no longer."""
        token = self._tokens.get(text)
        return token.scopes if token and token.expires > self._now() else None

    def revoke(self) -> None:
        """Take back all tokens."""
        self._tokens.clear()

    def _client(self, form: Mapping[str, str], authorization: str | None) -> Client:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization is not None:
            name, secret = _basic(authorization)
        client = self._clients.get(name)
        right = client.secret if client else secrets.token_urlsafe()
        if not hmac.compare_digest(right.encode(), secret.encode()) or client is None:
            raise TokenRefusedError("invalid_client")
        return client


@dataclass(frozen=True)
class Asking:
    """What of a request its authentication is about."""

    method: str
    url: str
    """As the client wrote it, with its query."""
    headers: Mapping[str, str]

    @property
    def authorization(self) -> str:
        """The header of that name, or nothing."""
        return self.headers.get("authorization", "")


class Access:
    """Tells what a request may read."""

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        bearers: Mapping[str, frozenset[str]],
        signatures: Sequence[str],
        now: Clock,
    ) -> None:
        self._tokens = tokens
        self._bearers = bearers
        self._clients = clients
        self._oauth1 = SignatureOnlyEndpoint(_Validator(clients, signatures, now))

    def require(self, asking: Asking, version: Version, scopes: Sequence[str]) -> None:
        """`RefusedError` unless the request is a known reader's and any of the scopes is theirs."""
        granted = self._granted(asking, version)
        if granted is None:
            raise RefusedError(Problem.UNAUTHORISED, "The request has no valid token or signature.")
        if not any(scope(version, name) in granted for name in scopes):
            raise RefusedError(Problem.FORBIDDEN, "The token does not have the scope for this.")

    def _granted(self, asking: Asking, version: Version) -> frozenset[str] | None:
        kind, _, rest = asking.authorization.partition(" ")
        if kind.casefold() == "bearer":
            return self._tokens.scopes(rest.strip()) or self._bearers.get(rest.strip())
        if version is Version.V1P2 or "oauth_signature" not in asking.authorization + asking.url:
            return None
        try:
            valid, request = self._oauth1.validate_request(
                asking.url, asking.method, None, dict(asking.headers)
            )
        except (OAuth1Error, ValueError):
            return None
        return self._clients[request.client_key].scopes if valid else None


class _Validator(RequestValidator):
    """What oauthlib asks of a server about its consumers; nothing is believed twice."""

    dummy_client = "-"

    def __init__(self, clients: Clients, signatures: Sequence[str], now: Clock) -> None:
        super().__init__()
        self._clients = clients
        self._signatures = tuple(signatures)
        self._now = now
        self._seen: dict[tuple[str, str, str], datetime] = {}
        self._nobody = secrets.token_urlsafe()

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return self._signatures

    @property
    def enforce_ssl(self) -> bool:
        return False  # what stands before the provider ends TLS

    @property
    def timestamp_lifetime(self) -> int:
        return 1 << 40  # judged below, by the clock that was given

    def check_client_key(self, client_key: str) -> bool:
        return True

    def check_nonce(self, nonce: str) -> bool:
        return 0 < len(nonce) < 256

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key in self._clients

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: Any,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        now = self._now()
        if abs(now.timestamp() - int(timestamp)) > _SIGNED_FOR.total_seconds():
            return False
        key = (client_key, timestamp, nonce)
        if key in self._seen:
            return False
        if len(self._seen) > 10_000:
            self._seen = {k: t for k, t in self._seen.items() if now - t < 2 * _SIGNED_FOR}
        self._seen[key] = now
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        client = self._clients.get(client_key)
        return client.secret if client else self._nobody


def _basic(authorization: str) -> tuple[str, str]:
    """The client that an Authorization header of HTTP Basic names; both parts may be encoded as
    in a form (RFC 6749, section 2.3.1)."""
    kind, _, rest = authorization.partition(" ")
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except ValueError:
        text = ""
    name, colon, secret = text.partition(":")
    if kind.casefold() != "basic" or not colon:
        raise TokenRefusedError("invalid_client")
    return unquote_plus(name), unquote_plus(secret)
