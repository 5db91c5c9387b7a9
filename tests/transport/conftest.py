"""Loopback servers, channels and sessions to them, and a folder channel, all over real files."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport.channel import Channel
from roster_pipeline.transport.folder import Folder
from roster_pipeline.transport.http import HttpSession, open_http
from roster_pipeline.transport.http_config import HttpAuth
from roster_pipeline.transport.login import (
    STRAIGHT,
    Credentials,
    Fingerprint,
    HostKey,
    Password,
    Route,
    SftpAddress,
)
from roster_pipeline.transport.sftp import Sftp
from tests.transport.scripted import Answer, Asked, Scripted, scripted

USER = "roster"
PASSWORD = "planted-Passw0rd"
SECRET = "planted-s3cret+/="
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
BEARER = {"bearer": {"token": {"env": "SECRET"}}}


@dataclass
class Pauses:
    """A sleep that only remembers."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@dataclass
class Place:
    """A channel and the folder that it shows."""

    channel: Channel
    root: Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def server(root: Path) -> Iterator[SftpServer]:
    with SftpServer(root, passwords={USER: PASSWORD}) as running:
        yield running


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


Connect = Callable[..., Sftp]


@pytest.fixture
def connect(pauses: Pauses) -> Iterator[Connect]:
    """Makes channels to a server and closes them at the end."""
    with ExitStack() as stack:

        def make(
            server: SftpServer,
            *,
            credentials: Credentials | None = None,
            host_key: HostKey | None = None,
            attempts: int = 5,
            timeout: float = 20.0,
            legacy: bool = False,
            route: Route = STRAIGHT,
        ) -> Sftp:
            channel = Sftp(
                SftpAddress(server.host, server.port, USER),
                credentials or Password(PASSWORD),
                host_key or Fingerprint(server.fingerprint),
                attempts=attempts,
                timeout=timeout,
                sleep=pauses,
                legacy=legacy,
                route=route,
            )
            return stack.enter_context(channel)

        yield make


@pytest.fixture
def sftp(server: SftpServer, connect: Connect) -> Sftp:
    return connect(server)


@pytest.fixture(params=["sftp", "folder"])
def place(request: pytest.FixtureRequest, root: Path) -> Place:
    """The same folder through either kind of channel."""
    if request.param == "folder":
        return Place(Folder(root), root)
    return Place(request.getfixturevalue("sftp"), root)


@pytest.fixture(autouse=True)
def _nothing_is_left_unawaited(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A lost connection must not leave asyncio complaining with tracebacks."""
    gc.freeze()  # of a whole run's objects only this test's are looked through
    yield
    gc.collect()
    gc.unfreeze()
    complaints = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if "never retrieved" in record.getMessage() or "was destroyed" in record.getMessage()
    ]
    assert complaints == []


Serve = Callable[[Callable[[Asked], Answer]], Scripted]
Open = Callable[..., HttpSession]


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """Each answer once, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def oauth2(server_url: str, **keys: Any) -> dict[str, Any]:
    """A login by OAuth 2, its secret in the variable SECRET."""
    return {
        "oauth2": {
            "client_id": "us",
            "client_secret": {"env": "SECRET"},
            "token_url": f"{server_url}/token",
            **keys,
        }
    }


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts HTTP servers and stops them at the end."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(scripted(answer))


@pytest.fixture
def now() -> list[datetime]:
    """The clock's time, which a test may change."""
    return [NOW]


@pytest.fixture
def open_session(pauses: Pauses, now: list[datetime], tmp_path: Path) -> Iterator[Open]:
    """Opens HTTP sessions and closes them at the end."""
    with ExitStack() as stack:

        def opened(
            url: str,
            auth: Mapping[str, Any] | Sequence[Mapping[str, Any]] = BEARER,
            environ: Mapping[str, str] | None = None,
            **options: Any,
        ) -> HttpSession:
            ways = [auth] if isinstance(auth, Mapping) else auth
            session = open_http(
                url,
                [HttpAuth.model_validate(way) for way in ways],
                base=tmp_path,
                environ={"SECRET": SECRET} if environ is None else environ,
                clock=lambda: now[0],
                **{"timeout": 10.0, "sleep": pauses, **options},
            )
            return stack.enter_context(session)

        yield opened
