"""The ways to prove by HTTP who one is. None of them shows a secret, in no repr and no error."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, cast

import requests
from requests.auth import AuthBase

from roster_pipeline.transport.config import Secret
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    CredentialsUnusable,
    Interrupted,
)
from roster_pipeline.transport.http_config import HttpAuth, OAuth2
from roster_pipeline.transport.http_status import Again, refuse_busy
from roster_pipeline.transport.http_wire import Wire

Clock = Callable[[], datetime]

_NTH: Final = ("the first credential", "the second credential")


class CredentialRefused(AuthenticationRefused):
    """No token is given to this id and secret; to others perhaps."""


class Login(Protocol):
    """Adds the proof to each request, whichever thread makes it."""

    names: str
    """The keys in the YAML that a refusal points at."""
    called: str
    """What a refusal calls what was refused."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the proof. Raises `TransportError`."""
        ...

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        """One step for each other proof there is to try, now that the server has refused this
        request; after a step requests get that proof."""
        ...

    def remarks(self) -> tuple[str, ...]:
        """What people should know of how it went so far, in sentences without a secret."""
        ...


class BearerLogin(AuthBase):
    """A token that somebody else renews. `read` finds it where it is kept."""

    names = "`token`"
    called = "the credentials"

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._token = sound_token(read())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        self._token = sound_token(self._read())
        if refused.headers.get("Authorization") != f"Bearer {self._token}":
            yield

    def remarks(self) -> tuple[str, ...]:
        return ()


class SignedLogin(AuthBase):
    """OAuth 1.0a: key, time, a number used once, and a signature over all of the request."""

    names = "`consumer_key`, `consumer_secret` and `signature`"
    called = "the credentials"

    def __init__(self, key: str, secret: str, method: str) -> None:
        from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # it has no stubs here

        # One of them signs one request at a time.
        self._new: Callable[[], AuthBase] = partial(
            OAuth1, key, client_secret=secret, signature_method=method
        )

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return self._new()(request)

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        yield from ()

    def remarks(self) -> tuple[str, ...]:
        return ()


class FetchedLogin(AuthBase, ABC):
    """A token that a server gives out, one for all threads."""

    names: str
    called = "the credentials"

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until: datetime | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            if self._token is None or (self._good_until and self._clock() >= self._good_until):
                self._token, self._good_until = self.fetched()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        with self._lock:
            # Another thread may have fetched a new one since.
            if refused.headers.get("Authorization") == f"Bearer {self._token}":
                self._token = None
        yield

    def remarks(self) -> tuple[str, ...]:
        return ()

    @abstractmethod
    def fetched(self) -> tuple[str, datetime | None]:
        """A new token, and until when to use it, if that is known."""

    def answer(self, request: requests.Request, place: str) -> requests.Response:
        """What the server says to the request for a token; `Again` if it may say more later. The
        request for which the token is meant was not sent yet."""
        try:
            response = self._wire.send(request, place)
            refuse_busy(response, place, self._clock())
        except Interrupted as error:
            raise Again(error) from None
        except Again as again:
            raise Again(again.error, wait=again.wait) from None
        return response


class UnusableLogin(AuthBase):
    """A credential whose secret is not where it is said to be."""

    called = "the credentials"

    def __init__(self, names: str, error: CredentialsUnusable) -> None:
        self.names = names
        self._error = error

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        raise CredentialRefused(str(self._error))

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        yield from ()

    def remarks(self) -> tuple[str, ...]:
        return (str(self._error),)


class InTurn(AuthBase):
    """Credentials of which one is about to end: the first that is taken stays in use."""

    def __init__(self, logins: Sequence[Login]) -> None:
        self._logins = logins
        self._refusals: list[str] = []
        self._lock = threading.Lock()
        nth = _NTH[: len(logins)]
        self.called = ", nor ".join(nth)
        self.names = "; ".join(
            f"{login.names} of {n}" for n, login in zip(nth, logins, strict=True)
        )

    @property
    def _used(self) -> int:
        return len(self._refusals)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        while True:
            used = self._used
            try:
                return self._logins[used](request)
            except CredentialRefused as error:
                if not self._goes_on_after(used, str(error)):
                    said = [*self._refusals[:used], str(error)]
                    both = " ".join(
                        f"{n.capitalize()}: {why}" for n, why in zip(_NTH, said, strict=False)
                    )
                    raise AuthenticationRefused(f"No credential is taken. {both}") from None

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        used = self._used
        yield from self._logins[used].renewals(refused)
        while self._goes_on_after(used, "Its proof is refused (401 Unauthorized)."):
            used = self._used
            yield

    def remarks(self) -> tuple[str, ...]:
        used = self._used
        said = [remark for login in self._logins[used:] for remark in login.remarks()]
        if used:
            said.insert(
                0,
                f"{_NTH[used].capitalize()} is in use, not the first. {self._refusals[0]} Take "
                "the first out of `auth`, or correct it.",
            )
        return tuple(said)

    def _goes_on_after(self, used: int, why: str) -> bool:
        """Whether there is a credential after this one, which is in use from now on."""
        with self._lock:
            if self._used == used and used + 1 < len(self._logins):
                self._refusals.append(why)
            return self._used > used


def login(
    auth: HttpAuth | Sequence[HttpAuth],
    wire: Wire,
    *,
    base: Path,
    environ: Mapping[str, str],
    clock: Clock,
) -> Login:
    """The login that the YAML describes, or several in turn; nothing is asked of a server yet.

    Raises `CredentialsUnusable` if a secret is not where it is said to be; of several, if none is.
    """

    def reveal(value: str | Secret) -> str:
        return value if isinstance(value, str) else value.reveal(environ, base)

    ways = [auth] if isinstance(auth, HttpAuth) else auth
    if len(ways) == 1:
        return _one(ways[0], wire, reveal, clock)
    logins, errors = list[Login](), list[CredentialsUnusable]()
    for way in ways:
        try:
            logins.append(_one(way, wire, reveal, clock))
        except CredentialsUnusable as error:
            errors.append(error)
            logins.append(UnusableLogin("the secret", error))
    if len(errors) == len(ways):
        raise errors[0]
    return InTurn(logins)


def _one(auth: HttpAuth, wire: Wire, reveal: Callable[[str | Secret], str], clock: Clock) -> Login:
    from roster_pipeline.transport.http_lookup import LookedUpLogin
    from roster_pipeline.transport.http_token import TokenLogin

    if (bearer := auth.bearer) is not None:
        if bearer.looked_up is None:
            return BearerLogin(lambda: reveal(bearer.token))
        return LookedUpLogin(bearer, sound_token(reveal(bearer.token)), wire, clock)
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


def json_object(response: requests.Response) -> dict[str, Any]:
    """The object that an answer is; of any other answer, an empty one."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
