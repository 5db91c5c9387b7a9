"""A loopback SFTP server, a channel to it, and a folder channel, all over real files."""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport.channel import Channel
from roster_pipeline.transport.folder import Folder
from roster_pipeline.transport.login import (
    Credentials,
    Fingerprint,
    HostKey,
    Password,
    SftpAddress,
)
from roster_pipeline.transport.sftp import Sftp

USER = "roster"
PASSWORD = "planted-Passw0rd"


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
        ) -> Sftp:
            channel = Sftp(
                SftpAddress(server.host, server.port, USER),
                credentials or Password(PASSWORD),
                host_key or Fingerprint(server.fingerprint),
                attempts=attempts,
                timeout=timeout,
                sleep=pauses,
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
    yield
    gc.collect()
    complaints = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if "never retrieved" in record.getMessage() or "was destroyed" in record.getMessage()
    ]
    assert complaints == []
