"""Against OpenSSH's own server, where it is installed (Debian: openssh-server)."""

import io
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from roster_pipeline.simulator.openssh import OUTDATED, OpenSsh, openssh, sshd
from roster_pipeline.transport import HostKeyMismatch, NotFound, TransportError, Unreachable
from roster_pipeline.transport.login import (
    STRAIGHT,
    Fingerprint,
    HostKey,
    KnownHosts,
    Login,
    PrivateKey,
    Proxy,
    Route,
    SftpAddress,
)
from roster_pipeline.transport.sftp import Sftp
from tests.transport.conftest import Pauses
from tests.transport.proxies import proxy

pytestmark = pytest.mark.skipif(sshd() is None, reason="needs OpenSSH's sshd")

CONTENT = os.urandom(12_000_000)

Open = Callable[..., Sftp]


@pytest.fixture(scope="module")
def serving() -> Iterator[OpenSsh]:
    with openssh() as running:
        yield running


@pytest.fixture
def there(serving: OpenSsh) -> OpenSsh:
    """The server, with nothing in its folder."""
    for entry in serving.root.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return serving


@pytest.fixture
def opened(pauses: Pauses) -> Iterator[Open]:
    with ExitStack() as stack:

        def make(
            server: OpenSsh,
            *,
            host_key: HostKey | None = None,
            legacy: bool = False,
            route: Route = STRAIGHT,
        ) -> Sftp:
            channel = Sftp(
                SftpAddress(server.host, server.port, server.username),
                PrivateKey(server.key_file.read_text()),
                host_key or Fingerprint(server.fingerprint),
                timeout=20,
                sleep=pauses,
                legacy=legacy,
                route=route,
            )
            return stack.enter_context(channel)

        yield make


def test_files_are_put_listed_fetched_moved_and_removed(there: OpenSsh, opened: Open) -> None:
    channel = opened(there)
    for _ in range(2):  # the second replaces the first
        channel.upload("out/x.zip", io.BytesIO(CONTENT), len(CONTENT))
    assert os.listdir(there.root / "out") == ["x.zip"]
    (file,) = channel.list("out", "*.zip")
    into = io.BytesIO()
    channel.download(file, into)
    assert into.getvalue() == CONTENT
    (there.root / "read").mkdir(mode=0o777)
    (there.root / "read").chmod(0o777)
    (there.root / "read/x.zip").write_bytes(b"older")
    assert channel.move("out/x.zip", "read/x.zip", expected=file) == "read/x-2.zip"
    assert (there.root / "read/x.zip").read_bytes() == b"older"
    assert (there.root / "read/x-2.zip").read_bytes() == CONTENT
    channel.remove("read/x-2.zip")
    channel.remove("read/x-2.zip")
    with pytest.raises(NotFound):
        channel.move("out/x.zip", "read/y.zip")


def test_a_host_key_is_known_by_its_line_and_another_is_refused(
    there: OpenSsh, opened: Open, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(there.known_hosts_line + "\n")
    channel = opened(there, host_key=KnownHosts(known))
    assert channel.list(".", "*") == []
    assert channel.host_key == f"ssh-ed25519 {there.fingerprint}"
    with pytest.raises(HostKeyMismatch) as refused:
        opened(there, host_key=Fingerprint("SHA256:" + "A" * 43)).list(".", "*")
    assert refused.value.shown == f"ssh-ed25519 {there.fingerprint}"


def test_transfers_go_on_where_the_line_was_cut(
    there: OpenSsh, opened: Open, pauses: Pauses
) -> None:
    with proxy("socks5", cut_after=4_000_000, cuts=2) as line:
        channel = opened(there, route=Route(Proxy("socks5", "127.0.0.1", line.port)))
        channel.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
        assert os.listdir(there.root) == ["x.zip"]
        line.cuts = 2
        channel.close()
        assert b"".join(channel.read("x.zip")) == CONTENT
    assert pauses.seconds == [1, 2, 1, 2]


def test_an_old_server_needs_the_key_that_its_refusal_names(opened: Open) -> None:
    with openssh(OUTDATED, host_key_type="ssh-rsa") as old:
        with pytest.raises(TransportError, match="write `algorithms: legacy` beside its `host`"):
            opened(old).list(".", "*")
        channel = opened(old, legacy=True)
        channel.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
        assert b"".join(channel.read("x.zip")) == CONTENT


def test_a_server_is_reached_over_a_jump_host(there: OpenSsh, opened: Open) -> None:
    with openssh() as jump_host:
        channel = opened(there, route=over(jump_host))
        channel.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
        assert b"".join(channel.read("x.zip")) == CONTENT
        gone = Sftp(
            SftpAddress("127.0.0.1", a_free_port(), "nobody"),
            PrivateKey(there.key_file.read_text()),
            Fingerprint(there.fingerprint),
            attempts=1,
            route=over(jump_host),
        )
        with gone, pytest.raises(Unreachable, match=r"\(the jump host\) cannot reach 127"):
            gone.list(".", "*")


def test_a_jump_host_that_allows_no_forwarding_is_said_so(there: OpenSsh, opened: Open) -> None:
    with (
        openssh({"AllowTcpForwarding": "no"}) as jump_host,
        pytest.raises(TransportError, match=r"\(the jump host\) does not let user") as refused,
    ):
        opened(there, route=over(jump_host)).list(".", "*")
    assert not refused.value.transient


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's client")
def test_a_server_is_reached_through_openssh_s_own_socks_proxy(
    there: OpenSsh, opened: Open, tmp_path: Path
) -> None:
    with openssh() as outpost, socks_by_ssh(outpost, tmp_path) as port:
        channel = opened(there, route=Route(Proxy("socks5", "127.0.0.1", port)))
        channel.upload("x.zip", io.BytesIO(CONTENT), len(CONTENT))
        assert b"".join(channel.read("x.zip")) == CONTENT


def over(jump_host: OpenSsh) -> Route:
    return Route(
        jump_host=Login(
            SftpAddress(jump_host.host, jump_host.port, jump_host.username, "the jump host"),
            PrivateKey(jump_host.key_file.read_text()),
            Fingerprint(jump_host.fingerprint),
        )
    )


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def socks_by_ssh(outpost: OpenSsh, folder: Path) -> Iterator[int]:
    """`ssh -D`: a SOCKS proxy whose connections come out at a server."""
    (folder / "known_hosts").write_text(outpost.known_hosts_line + "\n")
    port = a_free_port()
    command = ["ssh", "-N", "-F", "none", "-D", f"127.0.0.1:{port}", "-p", str(outpost.port)]
    for option in (
        f"IdentityFile={outpost.key_file}",
        f"UserKnownHostsFile={folder / 'known_hosts'}",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        "ExitOnForwardFailure=yes",
    ):
        command += ["-o", option]
    with subprocess.Popen([*command, f"{outpost.username}@{outpost.host}"]) as client:
        try:
            for _ in range(500):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            yield port
        finally:
            # Some clients miss a SIGTERM while a connection is forwarded.
            client.kill()
