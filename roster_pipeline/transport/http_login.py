"""The ways to prove by HTTP who one is. None of them shows a secret, in no repr and no error."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import requests
from requests.auth import AuthBase

from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    CredentialsUnusable,
    Interrupted,
)
from roster_pipeline.transport.http_status import Again, refuse_busy
from roster_pipeline.transport.http_wire import Wire

Clock = Callable[[], datetime]


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
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
