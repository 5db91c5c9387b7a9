"""The ways to prove by HTTP who one is. None of them shows a secret, in no repr and no error."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol, cast

import requests
from requests.auth import AuthBase

from roster_pipeline.transport.config import Secret
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    CredentialsUnusable,
    Interrupted,
    TransportError,
)
from roster_pipeline.transport.http_config import HttpAuth, OAuth2
from roster_pipeline.transport.http_status import Again, refuse_busy
from roster_pipeline.transport.http_wire import Wire

Clock = Callable[[], datetime]

# RFC 6749, section 5.2, and what each means for whoever filled in the YAML. The server's own words
# are not repeated: they may hold what was sent.
_OAUTH_ERRORS: Final[Mapping[str, str]] = {
    "invalid_client": "it does not take `client_id` and `client_secret`; check both",
    "unauthorized_client": "this client may not ask for tokens by itself; ask the server's owner",
    "invalid_scope": "it does not give out the scopes asked for; check `scopes`, or ask the "
    "server's owner to grant them",
    "invalid_request": "it does not understand the request; try another `in`: basic, body, query",
    "unsupported_grant_type": "it knows no client credentials; check `token_url`",
}
_UNSAID: Final = timedelta(minutes=5)
"""How long a token is good for of which the server does not say so."""
_MARGIN: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(days=365)


class Login(Protocol):
    """Adds the proof to each request."""

    names: str
    """The keys in the YAML that a refusal points at."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the proof. Raises `TransportError`."""
        ...

    def renew(self) -> bool:
        """Forget what a server has just refused; whether the next proof will be another one."""
        ...


class BearerLogin(AuthBase):
    """A token that does not change."""

    names = "`token`"

    def __init__(self, token: str) -> None:
        self._token = sound_token(token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renew(self) -> bool:
        return False


class SignedLogin(AuthBase):
    """OAuth 1.0a: key, time, a number used once, and a signature over all of the request."""

    names = "`consumer_key`, `consumer_secret` and `signature`"

    def __init__(self, key: str, secret: str, method: str) -> None:
        from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # it has no stubs here

        self._sign = OAuth1(key, client_secret=secret, signature_method=method)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return cast(requests.PreparedRequest, self._sign(request))

    def renew(self) -> bool:
        return False


class TokenLogin(AuthBase):
    """OAuth 2 client credentials: a token, fetched when it is needed and before it runs out."""

    names = "`client_id`, `client_secret` and `scopes`"

    def __init__(
        self, config: OAuth2, client_id: str, client_secret: str, wire: Wire, clock: Clock
    ) -> None:
        self._config = config
        self._id = client_id
        self._secret = client_secret
        self._wire = wire
        self._clock = clock
        self._token: str | None = None
        self._good_until: datetime | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is None or (self._good_until and self._clock() >= self._good_until):
            self._fetch()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renew(self) -> bool:
        self._token = None
        return True

    def _fetch(self) -> None:
        place = self._config.token_url.partition("?")[0]
        response = self._answer(place)
        answer = _json_object(response)
        if response.status_code != requests.codes.ok or "access_token" not in answer:
            raise _refusal(response, answer, place)
        self._token = sound_token(str(answer["access_token"]))
        lasts = _seconds(answer.get("expires_in"))
        self._good_until = self._clock() + lasts - min(_MARGIN, lasts / 2)

    def _answer(self, place: str) -> requests.Response:
        """What the server says to the request for a token; `Again` if it may say more later. The
        request for which the token is meant was not sent yet."""
        try:
            response = self._wire.send(self._request(), place)
            refuse_busy(response, place, self._clock())
        except Interrupted as error:
            raise Again(error) from None
        except Again as again:
            raise Again(again.error, wait=again.wait) from None
        return response

    def _request(self) -> requests.Request:
        form = {"grant_type": "client_credentials"}
        if self._config.scopes:
            form["scope"] = " ".join(self._config.scopes)
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


def login(
    auth: HttpAuth, wire: Wire, *, base: Path, environ: Mapping[str, str], clock: Clock
) -> Login:
    """The login that the YAML describes; nothing is asked of a server yet.

    Raises `CredentialsUnusable` if a secret is not where it is said to be.
    """

    def reveal(value: str | Secret) -> str:
        return value if isinstance(value, str) else value.reveal(environ, base)

    if auth.bearer is not None:
        return BearerLogin(reveal(auth.bearer.token))
    if auth.oauth1 is not None:
        key, secret = reveal(auth.oauth1.consumer_key), reveal(auth.oauth1.consumer_secret)
        return SignedLogin(key, secret, auth.oauth1.signature)
    oauth2 = cast(OAuth2, auth.oauth2)  # the model's validator leaves exactly one
    return TokenLogin(oauth2, reveal(oauth2.client_id), reveal(oauth2.client_secret), wire, clock)


def sound_token(token: str) -> str:
    """The token. Raises `CredentialsUnusable` for one that no header can carry."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsUnusable(
            "The bearer token is empty, or holds signs that no token has (blanks, line breaks)."
        )
    return token


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(response: requests.Response, answer: Mapping[str, Any], place: str) -> TransportError:
    status = response.status_code
    said = _OAUTH_ERRORS.get(str(answer.get("error")))
    if said is None and status in (requests.codes.unauthorized, requests.codes.forbidden):
        said = _OAUTH_ERRORS["invalid_client"]
    if said is not None:
        return AuthenticationRefused(f"{place} gives no token ({status}): {said}.")
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
