"""Who is let in where: host keys, passwords, keys, and what is said when that fails."""

import io
import logging
import os
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from roster_pipeline.simulator.sftp_server import Faults, SftpServer
from roster_pipeline.transport import (
    AuthenticationRefused,
    CredentialsUnusable,
    HostKeyMismatch,
    Interrupted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.errors import HostUnknown
from roster_pipeline.transport.login import (
    Fingerprint,
    KnownHosts,
    Password,
    PrivateKey,
    SftpAddress,
)
from roster_pipeline.transport.sftp import Sftp
from tests.transport.conftest import PASSWORD, USER, Connect, Pauses

PASSPHRASE = "planted-passphrase"
KEY = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


def private(key: asyncssh.SSHKey, passphrase: str | None = None) -> str:
    return key.export_private_key("pkcs8-pem", passphrase).decode()


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


def refusal(channel: Sftp) -> TransportError:
    with pytest.raises(TransportError) as failed:
        channel.list(".", "*")
    said = "".join(traceback.format_exception(failed.value))
    assert PASSWORD not in said
    assert PASSPHRASE not in said
    assert "PRIVATE KEY" not in said
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


def test_a_host_in_known_hosts_is_trusted(
    server: SftpServer, connect: Connect, known_hosts: Path
) -> None:
    known_hosts.write_text(f"# ours\n\nother.example ssh-ed25519 AAAA\n{server.known_hosts_line}\n")
    assert connect(server, host_key=KnownHosts(known_hosts)).list(".", "*") == []


def test_a_host_that_is_not_in_known_hosts_is_never_trusted_and_the_line_to_add_is_shown(
    server: SftpServer, connect: Connect, known_hosts: Path
) -> None:
    known_hosts.write_text("")
    error = refusal(connect(server, host_key=KnownHosts(known_hosts)))
    assert isinstance(error, HostKeyMismatch)
    assert not error.transient
    assert f"127.0.0.1:{server.port} is not in {known_hosts}" in str(error)
    assert server.fingerprint in str(error)
    assert server.logins == 0
    known_hosts.write_text(str(error).split("add this line to the file: ")[1] + "\n")
    assert known_hosts.read_text().strip() == server.known_hosts_line
    assert connect(server, host_key=KnownHosts(known_hosts)).list(".", "*") == []


def test_the_users_own_known_hosts_file_is_never_asked(
    server: SftpServer,
    connect: Connect,
    known_hosts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/known_hosts").write_text(server.known_hosts_line + "\n")
    (home / ".ssh/config").write_text("Host *\n  User somebody\n  Port 1\n")
    monkeypatch.setenv("HOME", str(home))
    known_hosts.write_text("")
    assert isinstance(refusal(connect(server, host_key=KnownHosts(known_hosts))), HostKeyMismatch)
    assert connect(server).list(".", "*") == []


@pytest.mark.parametrize("kinds", [("ssh-ed25519",), ("ssh-rsa",)])
def test_another_host_key_than_the_known_one_is_refused(
    server: SftpServer,
    root: Path,
    connect: Connect,
    known_hosts: Path,
    kinds: tuple[str, ...],
) -> None:
    known_hosts.write_text(server.known_hosts_line)
    port = server.port
    server.stop()
    with SftpServer(root, passwords={USER: PASSWORD}, port=port, host_key_types=kinds) as impostor:
        error = refusal(connect(impostor, host_key=KnownHosts(known_hosts)))
        assert isinstance(error, HostKeyMismatch)
        assert f"127.0.0.1:{port} shows another host key than {known_hosts} has" in str(error)
        assert impostor.fingerprint in str(error)
        assert impostor.logins == 0


def test_a_key_known_of_the_address_is_not_one_of_the_host(
    server: SftpServer, connect: Connect, known_hosts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_hosts.write_text(server.known_hosts_line)
    monkeypatch.setattr(server, "host", "localhost")
    error = refusal(connect(server, host_key=KnownHosts(known_hosts)))
    assert isinstance(error, HostKeyMismatch)
    assert f"localhost:{server.port} is not in {known_hosts}" in str(error)
    assert server.logins == 0


def test_a_revoked_host_key_is_refused(
    server: SftpServer, connect: Connect, known_hosts: Path
) -> None:
    known_hosts.write_text(f"{server.known_hosts_line}\n@revoked {server.known_hosts_line}\n")
    error = refusal(connect(server, host_key=KnownHosts(known_hosts)))
    assert isinstance(error, HostKeyMismatch)
    assert "revoked" in str(error)


def test_a_known_hosts_file_that_cannot_be_read_is_named(
    server: SftpServer, connect: Connect, known_hosts: Path
) -> None:
    error = refusal(connect(server, host_key=KnownHosts(known_hosts)))
    assert isinstance(error, CredentialsUnusable)
    assert f"known_hosts file {known_hosts} cannot be read: No such file" in str(error)
    known_hosts.write_text("garbage\n")
    assert "it has a line that is none" in str(
        refusal(connect(server, host_key=KnownHosts(known_hosts)))
    )


def test_another_host_key_than_the_pinned_one_is_refused(
    root: Path, connect: Connect, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    with SftpServer(root, passwords={USER: PASSWORD}, host_key_folder=keys) as server:
        pinned = Fingerprint(server.fingerprint)
        assert connect(server, host_key=pinned).list(".", "*") == []
    with SftpServer(root, passwords={USER: PASSWORD}, host_key_folder=keys) as restarted:
        assert connect(restarted, host_key=pinned).list(".", "*") == []
    faults = Faults(other_host_key=True)
    with SftpServer(
        root, passwords={USER: PASSWORD}, host_key_folder=keys, faults=faults
    ) as impostor:
        error = refusal(connect(impostor, host_key=pinned))
        assert isinstance(error, HostKeyMismatch)
        assert f"127.0.0.1:{impostor.port} shows another host key than the pinned one" in str(error)
        assert impostor.fingerprint in str(error)
        assert pinned.sha256 in str(error)
        assert impostor.logins == 0


@pytest.mark.parametrize("trusted", ["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"])
def test_any_of_a_servers_keys_can_be_the_trusted_one(
    root: Path, connect: Connect, known_hosts: Path, trusted: str
) -> None:
    kinds = sorted(
        {"ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"}, key=lambda kind: kind != trusted
    )
    with SftpServer(root, passwords={USER: PASSWORD}, host_key_types=kinds) as server:
        known_hosts.write_text(server.known_hosts_line)
        assert connect(server).list(".", "*") == []
        assert connect(server, host_key=KnownHosts(known_hosts)).list(".", "*") == []


def test_a_server_that_knows_only_the_old_ssh_rsa_can_be_used(
    root: Path, connect: Connect, known_hosts: Path
) -> None:
    """Some hosted student information systems are like that."""
    old = Faults(sha1_host_key=True)
    with SftpServer(root, passwords={USER: PASSWORD}, faults=old) as server:
        known_hosts.write_text(server.known_hosts_line)
        assert connect(server).list(".", "*") == []
        assert connect(server, host_key=KnownHosts(known_hosts)).list(".", "*") == []


def test_a_wrong_password_is_said_without_showing_it_and_is_tried_once(
    server: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    error = refusal(connect(server, credentials=Password(PASSWORD + "x")))
    assert isinstance(error, AuthenticationRefused)
    assert not error.transient
    assert str(error) == (
        f"127.0.0.1:{server.port} does not take the password of user roster. "
        "Check `username` and what `password` refers to."
    )
    assert server.connections == 1
    assert pauses.seconds == []


def test_no_password_is_right_when_the_server_has_that_fault(
    server: SftpServer, connect: Connect
) -> None:
    server.faults.wrong_password = True
    assert isinstance(refusal(connect(server)), AuthenticationRefused)


@pytest.mark.parametrize("key", [KEY, RSA], ids=["ed25519", "rsa"])
def test_a_private_key_logs_in_with_or_without_a_passphrase(
    root: Path, connect: Connect, key: asyncssh.SSHKey
) -> None:
    with SftpServer(root, keys={USER: public(key)}) as server:
        plain = PrivateKey(private(key))
        assert connect(server, credentials=plain).list(".", "*") == []
        locked = PrivateKey(private(key, PASSPHRASE), PASSPHRASE)
        assert connect(server, credentials=locked).list(".", "*") == []


def test_a_key_in_openssh_s_own_encrypted_format_logs_in(root: Path, connect: Connect) -> None:
    pytest.importorskip("bcrypt")
    locked = KEY.export_private_key("openssh", PASSPHRASE).decode()
    with SftpServer(root, keys={USER: public(KEY)}) as server:
        channel = connect(server, credentials=PrivateKey(locked, PASSPHRASE))
        assert channel.list(".", "*") == []


def test_a_key_that_the_server_does_not_know_is_refused(root: Path, connect: Connect) -> None:
    with SftpServer(root, keys={USER: public(KEY)}) as server:
        error = refusal(connect(server, credentials=PrivateKey(private(RSA))))
        assert isinstance(error, AuthenticationRefused)
        assert "does not take the private key of user roster" in str(error)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (PrivateKey(private(KEY, PASSPHRASE)), "encrypted and there is no passphrase"),
        (PrivateKey(private(KEY, PASSPHRASE), PASSPHRASE + "x"), "passphrase does not open"),
        (PrivateKey(public(KEY)), "not a private key"),
        (PrivateKey(private(KEY)[:60]), "not a private key"),
        (PrivateKey("hello"), "not a private key"),
    ],
)
def test_a_private_key_that_cannot_be_used_is_said_so(
    server: SftpServer, connect: Connect, key: PrivateKey, said: str
) -> None:
    error = refusal(connect(server, credentials=key))
    assert isinstance(error, CredentialsUnusable)
    assert said in str(error)
    assert server.logins == 0


def test_secrets_are_not_in_the_repr_of_what_holds_them(
    server: SftpServer, connect: Connect
) -> None:
    held = (
        Password(PASSWORD),
        PrivateKey(private(KEY), PASSPHRASE),
        connect(server),
        connect(server).__dict__,
    )
    said = repr(held)
    assert PASSWORD not in said
    assert PASSPHRASE not in said
    assert "PRIVATE" not in said


def channel_to(host: str, port: int, pauses: Pauses, timeout: float = 5) -> Sftp:
    return Sftp(
        SftpAddress(host, port, USER),
        Password(PASSWORD),
        Fingerprint("SHA256:" + "A" * 43),
        attempts=3,
        timeout=timeout,
        sleep=pauses,
    )


@pytest.mark.parametrize("host", ["no-such-host.invalid", "no..host", "x" * 70])
def test_an_unknown_host_is_not_asked_for_again(host: str, pauses: Pauses) -> None:
    with channel_to(host, 22, pauses) as channel:
        error = refusal(channel)
    assert isinstance(error, Unreachable)
    assert host in str(error)
    assert "Check" in str(error)
    if isinstance(error, HostUnknown):  # a machine without a resolver cannot tell
        assert not error.transient
        assert pauses.seconds == []


def test_a_refused_connection_is_tried_again_and_then_said(pauses: Pauses) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with channel_to("127.0.0.1", port, pauses) as channel:
            error = refusal(channel)
    assert isinstance(error, Unreachable)
    assert error.transient
    assert f"127.0.0.1:{port} refuses connections" in str(error)
    assert "Gave up after 3 attempts" in str(error)
    assert pauses.seconds == [1, 2]


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_server_that_never_answers_is_given_up_on(pauses: Pauses) -> None:
    with (
        listening() as silent,
        channel_to("127.0.0.1", silent.getsockname()[1], pauses, 0.2) as channel,
    ):
        error = refusal(channel)
    assert isinstance(error, Unreachable)
    assert "did not answer within 0.2 s" in str(error)


def test_a_server_that_hangs_up_at_once_is_said_so(pauses: Pauses) -> None:
    with listening() as rude, channel_to("127.0.0.1", rude.getsockname()[1], pauses) as channel:
        rude.close()
        channel.close()
        assert isinstance(refusal(channel), Unreachable)


def test_a_login_that_changes_in_the_middle_does_not_look_like_a_cut_line(
    server: SftpServer, connect: Connect
) -> None:
    (server.root / "x.zip").write_bytes(os.urandom(3_000_000))
    channel = connect(server)
    file = channel.stat("x.zip")
    assert file is not None
    server.faults.cut_download_after = 1_000_000
    server.faults.wrong_password = True
    with pytest.raises(AuthenticationRefused):
        channel.download(file, io.BytesIO())


def test_nothing_is_logged_at_info_that_names_files_or_secrets(
    server: SftpServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        channel = connect(server, attempts=1)
        channel.upload("out/planted-name.zip", io.BytesIO(b"1"), 1)
        (file,) = channel.list("out", "*")
        channel.download(file, io.BytesIO())
        refusal(connect(server, credentials=Password(PASSWORD + "x")))
        server.faults.cut_download_after = 0
        with pytest.raises(Interrupted):
            channel.download(file, io.BytesIO())
    assert "planted" not in caplog.text
    assert USER not in caplog.text.replace("roster_pipeline", "")
