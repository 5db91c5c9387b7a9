"""What a receiver that watches its folder sees of uploads over lines that break."""

import io
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport import Interrupted
from roster_pipeline.transport.login import Fingerprint, Password, SftpAddress
from roster_pipeline.transport.sftp import Sftp
from tests.transport.conftest import PASSWORD, USER, Connect, Pauses

CONTENT = random.Random(7).randbytes(4_000_000)  # noqa: S311
TENTHS = [tenth * len(CONTENT) // 10 for tenth in range(1, 10)]


@dataclass
class Watcher:
    """Looks into a folder all the while, as a receiver that picks up `*.zip` does: what it found
    under such names, and how often it looked."""

    folder: Path
    found: list[tuple[str, int, str]] = field(default_factory=list)
    looks: int = 0

    def look(self) -> None:
        """Take down what is new."""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".zip") and not name.startswith("."):
                content = (self.folder / name).read_bytes()
                seen = (name, len(content), sha256(content).hexdigest())
                if seen not in self.found:
                    self.found.append(seen)
        self.looks += 1


@contextmanager
def watched(folder: Path) -> Iterator[Watcher]:
    """A watcher that looks as often as it can while the block lasts, and once more after it."""
    watcher, done = Watcher(folder), threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            watcher.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watcher
    finally:
        done.set()
        thread.join()
        watcher.look()


def seen(content: bytes) -> tuple[str, int, str]:
    return ("x.zip", len(content), sha256(content).hexdigest())


@pytest.mark.parametrize("older", [None, b"yesterday's"], ids=["new", "replaced"])
@pytest.mark.parametrize("rename", ["atomic", "none that replaces"])
def test_an_upload_cut_at_every_tenth_five_times_each_is_seen_once_and_whole(
    server: SftpServer, connect: Connect, older: bytes | None, rename: str
) -> None:
    """Five attempts fail at each tenth, each on a connection of its own; then the line holds."""
    server.faults.no_posix_rename = rename != "atomic"
    if older is not None:
        (server.root / "x.zip").write_bytes(older)
    before = [] if older is None else [seen(older)]
    with watched(server.root) as watcher:
        for cut in TENTHS:
            server.faults.cut_upload_after, server.faults.cuts = cut, 5
            for _ in range(5):
                with pytest.raises(Interrupted):
                    connect(server, attempts=1).upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
            assert watcher.found == before
            assert server.faults.cuts == 0
        connect(server).upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert watcher.found == [*before, seen(CONTENT)]
    assert watcher.looks > 5 * len(TENTHS)
    assert os.listdir(server.root) == ["x.zip"]


@pytest.mark.parametrize("cut", TENTHS)
def test_an_upload_cut_five_times_in_a_row_comes_through_in_one_call(
    server: SftpServer, connect: Connect, pauses: Pauses, cut: int
) -> None:
    """Each connection breaks a tenth (two, three, …) after the last; what had arrived is kept."""
    server.faults.cut_upload_after, server.faults.cuts = cut, 5
    with watched(server.root) as watcher:
        connect(server, attempts=6).upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert watcher.found == [seen(CONTENT)]
    assert pauses.seconds == [1, 2, 4, 8, 16][: len(pauses.seconds)]
    assert server.connections == len(pauses.seconds) + 1
    assert os.listdir(server.root) == ["x.zip"]


def test_a_watcher_over_sftp_that_lists_all_the_while_sees_one_whole_file(
    server: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    """The receiver is a client of the same server, as ours is of a district's."""
    sizes: set[int] = set()
    done = threading.Event()

    def watch() -> None:
        address = SftpAddress(server.host, server.port, USER)
        with Sftp(address, Password(PASSWORD), Fingerprint(server.fingerprint)) as other:
            while not done.wait(0.002):
                sizes.update(file.size for file in other.list(".", "*.zip"))
            sizes.update(file.size for file in other.list(".", "*.zip"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for cut in TENTHS:
            server.faults.cut_upload_after, server.faults.cuts = cut, 5
            for _ in range(5):
                with pytest.raises(Interrupted):
                    connect(server, attempts=1).upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
        connect(server).upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    finally:
        done.set()
        thread.join()
    assert sizes == {len(CONTENT)}
