"""A session by HTTP with one server: logged in, patient, bounded, and loyal to that server.

Retries stand outside of the login, so that every attempt has a proof of its own: a server takes
the number that an OAuth 1 signature holds only once.
"""

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import requests
import tenacity

from roster_pipeline.transport.config import Secret, located
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Changed,
    CredentialsUnusable,
    Forbidden,
    Interrupted,
    Stopped,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.http_auth import login, proved_by
from roster_pipeline.transport.http_config import HttpAuth, HttpConfig
from roster_pipeline.transport.http_expiry import ended
from roster_pipeline.transport.http_login import Clock, Login
from roster_pipeline.transport.http_status import Again, refuse_busy, said
from roster_pipeline.transport.http_watch import WatchedAdapter
from roster_pipeline.transport.http_wire import Budget, OneHop, Wire
from roster_pipeline.transport.tries import FIRST_PAUSE, LONGEST_PAUSE

T = TypeVar("T")

AGENT: Final = "roster-pipeline"
MOST_BYTES: Final = 256 << 20
"""The longest answer that is read, unpacked."""
LONGEST_WAIT: Final = 600.0
"""Seconds; a server that wants to be left alone for longer is given up at once, unless its session
says otherwise."""

_REPEATABLE: Final = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MOST_REDIRECTS: Final = 5
_IN_ADDRESSES: Final = "!#$%&'()*+,/:;=?@[]~"
_PORTS: Final = {"https": 443, "http": 80}
_NONE_LEFT: Final = object()
_CONNECTIONS: Final = 16
"""Kept open to a server, one for each thread that asks it at once."""


class HttpSession:
    """Requests to one server, made by one thread or several. Close it.

    Login, cookies, the most requests a minute and in all are those of all threads together.
    A path is added to the base address. No other host is ever asked, whatever a link or a
    redirection says, for the proof of who asks would go along.
    """

    def __init__(
        self,
        base_url: str,
        session: requests.Session,
        wire: Wire,
        login: Login,
        *,
        auth: Sequence[HttpAuth],
        attempts: int,
        sleep: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = session
        self._wire = wire
        self._login = login
        self._auth = auth
        self._attempts = attempts
        self._sleep = sleep
        self._clock = clock
        self.longest_wait = LONGEST_WAIT
        """Seconds; a server that wants to be left alone for longer is given up at once."""
        self._enough = threading.Event()
        self._first_proof: dict[str, int] | None = None

    def __repr__(self) -> str:
        return f"HttpSession({self.base_url})"

    def until(self, enough: threading.Event) -> Self:
        """The same session, for one reading of data that belong together.

        When `enough` is set, whatever is asked by it ends at once with `Stopped`: no pause is
        waited out, and no attempt begins. All its answers are given to one credential, for to
        another one a server may show other data: where the next one had to be used in between,
        `Changed` is raised, and reading begins anew with a new `until`. Login, connections and
        budget stay those of the session, which alone is to be closed.
        """
        other = copy.copy(self)
        other._enough = enough
        other._first_proof = {}
        return other

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> requests.Response:
        """The answer, its body read; statuses from 400 on are the caller's to judge.

        `url` is a path, or an absolute address on the same host. A server that cannot be reached,
        cuts the connection or is busy is asked again; a request that may have been carried out
        only if it is `repeatable` (by default what HTTP calls idempotent). Raises
        `AuthenticationRefused` for 401, after a new token was tried, `Forbidden` for 403, and
        other kinds of `TransportError`.
        """
        request = requests.Request(
            method.upper(),
            self.absolute(url),
            params=params,
            json=json,
            data=data,
            headers={"Accept": "application/json", **(headers or {})},
            auth=self._login,
        )
        may_repeat = request.method in _REPEATABLE if repeatable is None else repeatable
        place = self.place(url)
        return self._patiently(lambda: self._attempt(request, place), place, may_repeat)

    def log_in(self) -> None:
        """Get what the login needs before the first request, such as a token; the server itself is
        asked for nothing. Raises `TransportError`."""
        request = requests.Request("GET", self.base_url, auth=self._login)
        self._patiently(lambda: self._prove(request), self.base_url, may_repeat=True)

    def absolute(self, url: str, *, at: str | None = None) -> str:
        """The absolute address of a path or a link.

        `at` is the address of the answer that has the link, which then may be relative to it.
        Raises `TransportError` for one on another host, and for what can be no address. A link
        that only forgets the encryption, as servers behind a proxy write them, is brought back to
        it.
        """
        if at is None and "://" not in url and not url.startswith("//"):
            return f"{self.base_url}/{url.lstrip('/')}"
        ours = urlsplit(self.base_url)
        try:
            theirs = urlsplit(urljoin(at or self.base_url, url))
            is_ours = _is_at_home(theirs, ours)
        except ValueError:
            raise TransportError(
                f"{ours.netloc} points to what can be no address. Ask the server's owner to mend "
                "its links."
            ) from None
        if not is_ours:
            host = _printable(theirs.netloc.rpartition("@")[2]) or "none"
            raise TransportError(
                f"{ours.netloc} points to another host ({host}). Nothing was sent there; ask the "
                "server's owner to mend its links."
            )
        return theirs._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()

    def place(self, url: str) -> str:
        """What sentences call an address: no query, and of a path one step only."""
        path = url
        if "://" in url:
            absolute = url.partition("?")[0]
            if not absolute.startswith(f"{self.base_url}/"):
                return self.base_url
            path = absolute.removeprefix(self.base_url)
        step = path.partition("?")[0].strip("/").partition("/")[0]
        return f"{self.base_url}/{_printable(step)}" if step else self.base_url

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know of the login so far: that the second credential is in use, that
        a scope was not granted. Sentences without a secret."""
        return self._login.remarks()

    def close(self) -> None:
        """Let go of the connections; may be called twice."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _patiently(self, attempt: Callable[[], T], place: str, may_repeat: bool) -> T:
        """What an attempt gives, made again while that may help."""

        def once() -> T:
            self._refuse_when_stopped(place)
            return attempt()

        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: self._helps(error, may_repeat)),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_pause,
            sleep=self._wait,
            reraise=True,
        )
        try:
            return trying(once)
        except Again as again:
            self._refuse_when_stopped(place)
            tried = int(trying.statistics["attempt_number"])
            raise self._given_up(again, tried) from None
        except Forbidden:
            raise
        except AuthenticationRefused as error:
            if why := ended(self._auth, self._clock()):
                raise type(error)(f"{error} {why}") from None
            raise

    def _helps(self, error: BaseException, may_repeat: bool) -> bool:
        if not isinstance(error, Again) or (error.done_perhaps and not may_repeat):
            return False
        return error.wait is None or error.wait <= self.longest_wait

    def _given_up(self, again: Again, tried: int) -> TransportError:
        text = str(again.error)
        if again.wait is not None and again.wait > self.longest_wait:
            text += f" It asks to be left alone for {again.wait:,.0f} s. Run it again after that."
        elif tried > 1:
            text += (
                f" Gave up after {tried} attempts. Run it again later; if it goes on, ask the "
                "server's owner."
            )
        elif again.done_perhaps:
            text += " Whether it did what it was asked to do is not known."
        return type(again.error)(text)

    def _wait(self, seconds: float) -> None:
        if self._sleep is time.sleep:
            self._enough.wait(seconds)
        else:
            self._sleep(seconds)

    def _refuse_when_stopped(self, place: str) -> None:
        if self._enough.is_set():
            raise Stopped(f"{place} is not asked any more.")

    def _prove(self, request: requests.Request) -> None:
        try:
            self._session.prepare_request(request)
        except Unreachable as error:
            raise (Again(error) if error.transient else error) from None

    def _attempt(self, request: requests.Request, place: str) -> requests.Response:
        try:
            response = self._followed(request, place)
            renewals = self._login.renewals(response.request)
            while response.status_code == requests.codes.unauthorized:
                if next(renewals, _NONE_LEFT) is _NONE_LEFT:
                    break
                response = self._followed(request, place)
        except Unreachable as error:
            raise (Again(error) if error.transient else error) from None
        except Interrupted as error:
            raise Again(error, done_perhaps=True) from None
        refuse_busy(response, place, self._clock())
        if response.status_code == requests.codes.unauthorized:
            raise AuthenticationRefused(
                f"{place} does not take {self._login.called} ({said(401)}). Check "
                f"{self._login.names}."
            )
        if response.status_code == requests.codes.forbidden:
            raise Forbidden(
                f"{place} knows the credentials and does not let them do this ({said(403)}). Ask "
                "the server's owner for the right or the scope that it needs."
            )
        self._refuse_another_proof(response, place)
        return response

    def _refuse_another_proof(self, response: requests.Response, place: str) -> None:
        by = proved_by(response.request)
        if self._first_proof is not None and self._first_proof.setdefault("", by) != by:
            raise Changed(
                f"{place} takes another credential than it took before, and may show other data "
                "to it. Run it again."
            )

    def _followed(self, request: requests.Request, place: str) -> requests.Response:
        """The answer at the end of the server's redirections within itself."""
        for _ in range(_MOST_REDIRECTS):
            response = self._wire.send(request, place, self._enough)
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            if request.method not in ("GET", "HEAD"):
                break
            # As the server wrote it, byte for byte: by the library each byte is a character.
            target = quote(target.encode("latin-1"), _IN_ADDRESSES)
            url = self.absolute(target, at=str(response.url))
            request = requests.Request(
                request.method, url, headers=request.headers, auth=request.auth
            )
        raise TransportError(
            f"{place} redirects elsewhere instead of answering. Check the address."
        )


def open_session(
    config: HttpConfig,
    *,
    base: Path,
    environ: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = lambda: datetime.now(UTC),
) -> HttpSession:
    """A session as the YAML has it, not yet connected; see `open_http`."""
    return open_http(
        config.base_url,
        config.auth,
        base=base,
        environ=environ,
        timeout=config.timeout,
        attempts=config.attempts,
        per_minute=config.per_minute,
        most_requests=config.most_requests,
        headers=config.headers,
        ca_file=config.ca_file,
        sleep=sleep,
        clock=clock,
    )


def open_http(
    base_url: str,
    auth: HttpAuth | Sequence[HttpAuth],
    *,
    base: Path,
    environ: Mapping[str, str],
    timeout: float = 60.0,
    attempts: int = 5,
    per_minute: int | None = None,
    most_requests: int | None = None,
    headers: Mapping[str, str | Secret] | None = None,
    ca_file: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = lambda: datetime.now(UTC),
) -> HttpSession:
    """A session, not yet connected. `base` is what relative paths in the YAML are relative to.

    Of several `auth` the first that is taken is used. `timeout` is how many seconds the server may
    be silent, `attempts` how often one request is made, `per_minute` the most requests a minute,
    `most_requests` the most in all, `headers` what goes along with each, `ca_file` a PEM file of
    certificates to trust instead of the usual ones; `sleep` waits between attempts. Raises
    `CredentialsUnusable` if a secret or a file is not where it is said to be.
    """
    ways = [auth] if isinstance(auth, HttpAuth) else auth
    session = OneHop()
    session.headers["User-Agent"] = AGENT
    if ca_file is not None:
        trusted = located(base, ca_file)
        if not trusted.is_file():
            raise CredentialsUnusable(f"There is no file {trusted}, which `ca_file` names.")
        session.verify = str(trusted)
    _mount(session, per_minute)
    wire = Wire(
        session,
        timeout=timeout,
        most_bytes=MOST_BYTES,
        budget=Budget(most_requests),
        home=base_url,
        headers=_revealed(headers or {}, environ, base),
    )
    return HttpSession(
        base_url,
        session,
        wire,
        login(ways, wire, base=base, environ=environ, clock=clock),
        auth=ways,
        attempts=attempts,
        sleep=sleep,
        clock=clock,
    )


def _mount(session: requests.Session, per_minute: int | None) -> None:
    adapter: requests.adapters.HTTPAdapter
    if per_minute is None:
        adapter = WatchedAdapter(pool_maxsize=_CONNECTIONS)
    else:
        from requests_ratelimiter import LimiterAdapter

        class Limited(LimiterAdapter, WatchedAdapter):  # type: ignore[misc]  # it has no stubs
            pass

        # What a server says by 429 is met by waiting as long as it asks.
        adapter = Limited(per_minute=per_minute, limit_statuses=(), pool_maxsize=_CONNECTIONS)
    for scheme in _PORTS:
        session.mount(f"{scheme}://", adapter)


def _revealed(
    headers: Mapping[str, str | Secret], environ: Mapping[str, str], base: Path
) -> dict[str, str]:
    """Headers with their secrets. Raises `CredentialsUnusable` for what no header can carry."""
    found = {}
    for name, kept in headers.items():
        value = kept if isinstance(kept, str) else kept.reveal(environ, base)
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise CredentialsUnusable(
                f"The header {name} has signs that no header can, or blanks around its value."
            )
        found[name] = value
    return found


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: 1, 2, 4, … 30, or as long as the server asks for."""
    grown = min(FIRST_PAUSE * 2.0 ** (state.attempt_number - 1), LONGEST_PAUSE)
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, Again) else None
    return grown if asked is None else asked


def _is_at_home(theirs: SplitResult, ours: SplitResult) -> bool:
    """Whether an address is on our server, its encryption perhaps forgotten."""
    if theirs.hostname != ours.hostname:
        return False
    port = ours.port or _PORTS[ours.scheme]
    if theirs.scheme == ours.scheme:
        return (theirs.port or _PORTS[theirs.scheme]) == port
    forgets = (ours.scheme, theirs.scheme) == ("https", "http")
    return forgets and theirs.port in (None, _PORTS["http"], port)


def _printable(text: str) -> str:
    shown = text.partition("?")[0]
    return "".join(c if c.isprintable() else " " for c in shown)[:100].strip()
