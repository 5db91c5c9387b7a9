"""Transfers over lines and servers that misbehave."""

import asyncio
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import asyncssh
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport import (
    Changed,
    Interrupted,
    NotPermitted,
    TransportError,
)
from roster_pipeline.transport.session import Session
from roster_pipeline.transport.sftp import Sftp
from tests.examples import examples
from tests.transport.conftest import PASSWORD, USER, Connect, Pauses

CONTENT = os.urandom(12_000_000)


def download(channel: Sftp, name: str = "x.zip") -> bytes:
    file = channel.stat(name)
    assert file is not None
    into = io.BytesIO()
    channel.download(file, into)
    return into.getvalue()


def test_a_download_cut_three_times_completes_without_reading_anything_twice(
    server: SftpServer, sftp: Sftp, pauses: Pauses
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 3_000_000
    server.faults.cuts = 3
    assert download(sftp) == CONTENT
    assert server.connections == 4
    assert server.served == {"x.zip": len(CONTENT)}
    assert pauses.seconds == [1, 2, 4]


def test_reading_goes_on_over_a_cut_too(server: SftpServer, sftp: Sftp) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 3_000_000
    server.faults.cuts = 2
    assert b"".join(sftp.read("x.zip")) == CONTENT
    assert server.served == {"x.zip": len(CONTENT)}


def test_a_download_cut_for_ever_fails_with_a_sentence_after_the_attempts_allowed(
    server: SftpServer, sftp: Sftp, pauses: Pauses
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 1_000_000
    with pytest.raises(Interrupted) as failed:
        download(sftp)
    assert failed.value.transient
    assert str(failed.value) == (
        f"127.0.0.1:{server.port} cut the connection when asked to download x.zip. "
        f"5,222,400 of 12,000,000 bytes had arrived. Gave up after 5 attempts. "
        "Run it again later; if it goes on, ask the server's owner."
    )
    assert pauses.seconds == [1, 2, 4, 8]
    assert server.connections == 5
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_after_giving_up_the_channel_works_again_when_the_line_does(
    server: SftpServer, sftp: Sftp
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 0
    with pytest.raises(Interrupted):
        download(sftp)
    server.faults.cut_download_after = None
    assert download(sftp) == CONTENT


@settings(
    deadline=None,
    max_examples=examples(8),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    size=st.integers(0, 3_000_000),
    after=st.integers(0, 1_500_000),
    cuts=st.integers(0, 4),
)
def test_wherever_the_line_is_cut_each_byte_comes_once(
    server: SftpServer, sftp: Sftp, size: int, after: int, cuts: int
) -> None:
    name = f"{size}-{after}-{cuts}.zip"
    (server.root / name).write_bytes(CONTENT[:size])
    before = server.served.get(name, 0)
    server.faults.cut_download_after = after
    server.faults.cuts = cuts
    assert download(sftp, name) == CONTENT[:size]
    assert server.served.get(name, 0) - before == size


def test_a_file_that_changed_between_two_connections_is_not_pieced_together(
    server: SftpServer, sftp: Sftp, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 3_000_000
    server.faults.cuts = 1

    def replaced_meanwhile(seconds: float) -> None:
        (server.root / "x.zip").write_bytes(CONTENT[:-1])

    monkeypatch.setattr(sftp, "_sleep", replaced_meanwhile)
    with pytest.raises(Changed, match=r"x\.zip .* it had 12,000,000 bytes .* now 11,999,999"):
        download(sftp)


def test_a_server_that_falls_silent_is_given_up_on(server: SftpServer, connect: Connect) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.stall_download_after = 1_000_000
    channel = connect(server, timeout=0.5, attempts=2)
    with pytest.raises(Interrupted, match=r"silent for 0\.5 s .* Gave up after 2 attempts"):
        download(channel)


def test_a_server_that_is_restarted_during_a_download_is_found_again(
    root: Path, tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "x.zip").write_bytes(CONTENT)
    keys = tmp_path / "keys"
    first = SftpServer(root, passwords={USER: PASSWORD}, host_key_folder=keys)
    first.start()
    second = SftpServer(root, passwords={USER: PASSWORD}, host_key_folder=keys, port=first.port)
    channel = connect(first)

    def restart(seconds: float) -> None:
        if second.connections == 0:
            second.start()

    monkeypatch.setattr(channel, "_sleep", restart)
    blocks = channel.read("x.zip")
    content = next(blocks)
    first.stop()
    try:
        content += b"".join(blocks)
        assert content == CONTENT
        assert first.served["x.zip"] + second.served["x.zip"] < 2 * len(CONTENT)
    finally:
        second.stop()


def test_an_upload_cut_three_times_completes_and_goes_on_where_it_broke(
    server: SftpServer, sftp: Sftp, pauses: Pauses
) -> None:
    server.faults.cut_upload_after = 3_000_000
    server.faults.cuts = 3
    content = io.BytesIO(b"before" + CONTENT)
    content.seek(6)
    sftp.upload("out/x.zip", content, len(CONTENT))
    assert (server.root / "out/x.zip").read_bytes() == CONTENT
    assert os.listdir(server.root / "out") == ["x.zip"]
    assert server.taken == len(CONTENT)
    assert pauses.seconds == [1, 2, 4]


def test_an_upload_cut_for_ever_leaves_the_old_file_and_the_next_one_clears_up(
    server: SftpServer, sftp: Sftp
) -> None:
    (server.root / "x.zip").write_bytes(b"older")
    server.faults.cut_upload_after = 1_000_000
    with pytest.raises(Interrupted, match=r"when asked to upload x\.zip\. Gave up after 5"):
        sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == b"older"
    server.faults.cut_upload_after = None
    sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == CONTENT
    assert os.listdir(server.root) == ["x.zip"]


def test_content_that_cannot_be_rewound_is_sent_over_one_connection_only(
    server: SftpServer, sftp: Sftp
) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError("not seekable")

    sftp.upload("x.zip", Stream(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == CONTENT
    server.faults.cut_upload_after = 1_000_000
    with pytest.raises(Interrupted):
        sftp.upload("y.zip", Stream(CONTENT), len(CONTENT))
    assert not (server.root / "y.zip").exists()


@pytest.mark.parametrize("older", [None, b"older"])
def test_a_server_without_an_atomic_rename_gets_the_file_all_the_same(
    server: SftpServer, sftp: Sftp, older: bytes | None
) -> None:
    server.faults.no_posix_rename = True
    if older is not None:
        (server.root / "x.zip").write_bytes(older)
    sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == CONTENT
    assert os.listdir(server.root) == ["x.zip"]


def test_a_listing_that_does_not_end_is_given_up_on(
    server: SftpServer, sftp: Sftp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (server.root / f"{number}.zip").touch()
    assert len(sftp.list(".", "*")) == 4
    monkeypatch.setattr("roster_pipeline.transport.session.MOST_ENTRIES", 3)
    with pytest.raises(TransportError, match="has more than 3 entries"):
        sftp.list(".", "*")


def test_a_file_is_not_removed_for_one_that_is_not_there_to_replace_it() -> None:
    class Vague:
        """A server that says of everything just that it failed."""

        async def rename(self, old: str, new: str) -> None:
            raise asyncssh.SFTPFailure("Failure")

        async def posix_rename(self, old: str, new: str) -> None:
            raise asyncssh.SFTPOpUnsupported("unsupported")

        async def stat(self, path: str) -> None:
            raise asyncssh.SFTPNoSuchFile("No such file")

    session = Session(cast(Any, None), cast(Any, Vague()), timeout=1)
    with pytest.raises(asyncssh.SFTPFailure):
        asyncio.run(session.replace(".x.zip.part-00000001", "x.zip"))


def test_a_server_that_keeps_less_than_it_acknowledged_is_found_out(
    server: SftpServer, sftp: Sftp
) -> None:
    (server.root / "x.zip").write_bytes(b"older")
    server.faults.short_writes = 1000
    with pytest.raises(TransportError, match=r"kept .* of the 12,000,000 bytes of x\.zip"):
        sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == b"older"
    assert os.listdir(server.root) == ["x.zip"]


def test_a_full_quota_is_said_in_the_servers_words_and_leaves_nothing(
    server: SftpServer, sftp: Sftp
) -> None:
    server.faults.quota = 5_000_000
    with pytest.raises(TransportError, match=r"upload x\.zip; it says: Disk quota exceeded\."):
        sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert os.listdir(server.root) == []


def test_a_drop_box_that_may_not_be_listed_can_be_delivered_to(
    server: SftpServer, sftp: Sftp
) -> None:
    server.faults.unlistable = True
    sftp.upload("in/x.zip", io.BytesIO(b"1"), 1)
    assert (server.root / "in/x.zip").read_bytes() == b"1"
    with pytest.raises(NotPermitted, match=r"127\.0\.0\.1:\d+ does not let user roster list in"):
        sftp.list("in", "*")


def test_a_server_that_may_only_be_read_is_said_so(server: SftpServer, sftp: Sftp) -> None:
    server.faults.read_only = True
    with pytest.raises(NotPermitted, match=r"does not let user roster upload x\.zip") as refused:
        sftp.upload("x.zip", io.BytesIO(b"1"), 1)
    assert not refused.value.transient


def test_two_uploads_to_one_path_at_once_leave_one_of_them_whole(
    server: SftpServer, sftp: Sftp, connect: Connect
) -> None:
    other = connect(server)

    class Overtaken(io.BytesIO):
        done = False

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 3_000_000 and not self.done:
                self.done = True
                other.upload("x.zip", io.BytesIO(CONTENT[::-1]), len(CONTENT))
            return super().read(size)

    with pytest.raises(TransportError, match=r"upload x\.zip"):
        sftp.upload("x.zip", Overtaken(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == CONTENT[::-1]
    assert os.listdir(server.root) == ["x.zip"]


MEASURE = """
import json, sys
from roster_pipeline.transport.login import Fingerprint, Password, SftpAddress
from roster_pipeline.transport.sftp import Sftp

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

at = json.loads(sys.stdin.read())
with Sftp(SftpAddress("127.0.0.1", at["port"], at["user"]), Password(at["password"]),
          Fingerprint(at["fingerprint"])) as channel:
    file = channel.stat("large.zip")
    before = peak()
    with open("/dev/null", "wb") as sink:
        channel.download(file, sink)
    with open(at["path"], "rb") as source:
        channel.upload("copy.zip", source, file.size)
    print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_file(server: SftpServer) -> None:
    large = server.root / "large.zip"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    at = {
        "port": server.port,
        "user": USER,
        "password": PASSWORD,
        "fingerprint": server.fingerprint,
        "path": str(large),
    }
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=json.dumps(at),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 24 * 1024
    assert (server.root / "copy.zip").stat().st_size == 64 << 20


def test_an_upload_that_is_killed_leaves_the_old_file_and_the_next_one_is_whole(
    server: SftpServer, sftp: Sftp, tmp_path: Path
) -> None:
    (server.root / "x.zip").write_bytes(b"older")
    script = """
import json, os, signal, sys
from roster_pipeline.transport.login import Fingerprint, Password, SftpAddress
from roster_pipeline.transport.sftp import Sftp

at = json.loads(sys.stdin.read())

class Deadly:
    sent = 0
    def seekable(self): return False
    def read(self, size):
        self.sent += size
        if self.sent > 6_000_000:
            os.kill(os.getpid(), signal.SIGKILL)
        return b"k" * size

Sftp(SftpAddress("127.0.0.1", at["port"], at["user"]), Password(at["password"]),
     Fingerprint(at["fingerprint"])).upload("x.zip", Deadly(), 12_000_000)
"""
    at = {
        "port": server.port,
        "user": USER,
        "password": PASSWORD,
        "fingerprint": server.fingerprint,
    }
    killed = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(at), text=True, check=False
    )
    assert killed.returncode == -9
    for _ in range(200):  # until the server has seen it
        if len(os.listdir(server.root)) == 2:
            break
        time.sleep(0.01)
    assert (server.root / "x.zip").read_bytes() == b"older"
    assert len(os.listdir(server.root)) == 2
    sftp.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert (server.root / "x.zip").read_bytes() == CONTENT
    assert os.listdir(server.root) == ["x.zip"]
