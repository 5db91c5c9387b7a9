"""The login that `auth:` describes: one, or two of which the first that is taken is used."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import requests
from requests.auth import AuthBase

from roster_pipeline.transport.config import Secret
from roster_pipeline.transport.errors import AuthenticationRefused, CredentialsUnusable
from roster_pipeline.transport.http_config import HttpAuth, OAuth2
from roster_pipeline.transport.http_expiry import NTH
from roster_pipeline.transport.http_login import (
    BearerLogin,
    Clock,
    CredentialRefused,
    Login,
    SignedLogin,
    sound_token,
)
from roster_pipeline.transport.http_lookup import LookedUpLogin
from roster_pipeline.transport.http_token import TokenLogin
from roster_pipeline.transport.http_wire import Wire

_PROVED_BY: Final = "_roster_proved_by"


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


class NoLogin(AuthBase):
    """Nothing of a login: a key in a header of every request proves who asks."""

    called = "a request without a login"
    names = "`headers` and `auth`"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        yield from ()

    def remarks(self) -> tuple[str, ...]:
        return ()


class InTurn(AuthBase):
    """Credentials of which one is about to end: the first that is taken stays in use."""

    def __init__(self, logins: Sequence[Login]) -> None:
        self._logins = logins
        self._refusals: list[str] = []
        self._lock = threading.Lock()
        nth = NTH[: len(logins)]
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
                proved = self._logins[used](request)
            except CredentialRefused as error:
                if not self._goes_on_after(used, str(error)):
                    said = [*self._refusals[:used], str(error)]
                    both = " ".join(
                        f"{n.capitalize()}: {why}" for n, why in zip(NTH, said, strict=False)
                    )
                    raise AuthenticationRefused(f"No credential is taken. {both}") from None
            else:
                setattr(proved, _PROVED_BY, used)
                return proved

    def renewals(self, refused: requests.PreparedRequest) -> Iterator[None]:
        # Another thread may have gone on to the next credential since.
        used = proved_by(refused)
        if used == self._used:
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
                f"{NTH[used].capitalize()} is in use, not the first. {self._refusals[0]} Take "
                "the first out of `auth`, or correct it.",
            )
        return tuple(said)

    def _goes_on_after(self, used: int, why: str) -> bool:
        """Whether there is a credential after this one, which is in use from now on."""
        with self._lock:
            if self._used == used and used + 1 < len(self._logins):
                self._refusals.append(why)
            return self._used > used


def proved_by(request: requests.PreparedRequest) -> int:
    """Which of several credentials a request has the proof of, counted from 0."""
    return int(getattr(request, _PROVED_BY, 0))


def login(
    ways: Sequence[HttpAuth],
    wire: Wire,
    *,
    base: Path,
    environ: Mapping[str, str],
    clock: Clock,
) -> Login:
    """The login that the YAML describes, or several in turn, or none; nothing is asked of a server
    yet.

    Raises `CredentialsUnusable` if a secret is not where it is said to be; of several, if none is.
    """

    def reveal(value: str | Secret) -> str:
        return value if isinstance(value, str) else value.reveal(environ, base)

    if not ways:
        return NoLogin()
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
    if (bearer := auth.bearer) is not None:
        if bearer.looked_up is None:
            return BearerLogin(lambda: reveal(bearer.token))
        return LookedUpLogin(bearer, sound_token(reveal(bearer.token)), wire, clock)
    if auth.oauth1 is not None:
        key, secret = reveal(auth.oauth1.consumer_key), reveal(auth.oauth1.consumer_secret)
        return SignedLogin(key, secret, auth.oauth1.signature)
    oauth2 = cast(OAuth2, auth.oauth2)  # the model's validator leaves exactly one
    return TokenLogin(oauth2, reveal(oauth2.client_id), reveal(oauth2.client_secret), wire, clock)
