"""Servers that are reached through a proxy, over a jump host, or both."""

import asyncio
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport import (
    AuthenticationRefused,
    CredentialsUnusable,
    HostKeyMismatch,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.config import SftpConfig, TransportConfig, open_channel
from roster_pipeline.transport.login import (
    Credentials,
    Fingerprint,
    HostKey,
    KnownHosts,
    Login,
    Password,
    PrivateKey,
    Proxy,
    ProxyKind,
    Route,
    SftpAddress,
)
from roster_pipeline.transport.loop import LoopThread
from roster_pipeline.transport.reach import Place, first_place
from roster_pipeline.transport.sftp import Sftp
from tests.transport.conftest import PASSWORD, USER, Connect, Pauses
from tests.transport.proxies import RunningProxy, proxy

JUMPER = "jumper"
JUMP_PASSWORD = "planted-jump-Passw0rd"
PROXY_PASSWORD = "planted-proxy-Passw0rd"
KEY = asyncssh.generate_private_key("ssh-ed25519")
CONTENT = os.urandom(3_000_000)


@pytest.fixture
def jump_host(tmp_path: Path) -> Iterator[SftpServer]:
    (tmp_path / "jump").mkdir()
    with SftpServer(
        tmp_path / "jump",
        passwords={JUMPER: JUMP_PASSWORD},
        keys={JUMPER: KEY.export_public_key().decode()},
    ) as running:
        yield running


def over(
    jump_host: SftpServer,
    *,
    credentials: Credentials | None = None,
    host_key: HostKey | None = None,
) -> Route:
    return Route(
        jump_host=Login(
            SftpAddress(jump_host.host, jump_host.port, JUMPER, "the jump host"),
            credentials or Password(JUMP_PASSWORD),
            host_key or Fingerprint(jump_host.fingerprint),
        )
    )


def by(running: RunningProxy, username: str | None = None, password: str | None = None) -> Route:
    return Route(Proxy(running.kind, "127.0.0.1", running.port, username, password))


def refusal(channel: Sftp) -> TransportError:
    with pytest.raises(TransportError) as failed:
        channel.list(".", "*")
    for secret in (PASSWORD, JUMP_PASSWORD, PROXY_PASSWORD, "PRIVATE KEY"):
        assert secret not in str(failed.value)
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


def moves_bytes(channel: Sftp, root: Path) -> bool:
    channel.upload("there/x.zip", io.BytesIO(CONTENT), len(CONTENT))
    back = b"".join(channel.read("there/x.zip"))
    return back == CONTENT == (root / "there/x.zip").read_bytes()


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_server_is_reached_over_a_jump_host(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    channel = connect(server, route=over(jump_host))
    assert moves_bytes(channel, server.root)
    assert (jump_host.forwarded, jump_host.connections, server.connections) == (1, 1, 1)


def test_a_jump_host_takes_a_key_and_known_hosts_of_its_own(
    server: SftpServer, jump_host: SftpServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "known").write_text(jump_host.known_hosts_line + "\n")
    key = PrivateKey(KEY.export_private_key("pkcs8-pem", "opens").decode(), "opens")
    route = over(jump_host, credentials=key, host_key=KnownHosts(tmp_path / "known"))
    assert connect(server, route=route).list(".", "*") == []


def test_any_of_a_servers_keys_can_be_the_pinned_one_over_a_jump_host(
    root: Path, jump_host: SftpServer, connect: Connect
) -> None:
    kinds = ("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519")
    with SftpServer(root, passwords={USER: PASSWORD}, host_key_types=kinds) as server:
        assert connect(server, route=over(jump_host)).list(".", "*") == []


def test_a_transfer_goes_on_after_the_server_behind_the_jump_host_cut_the_line(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT)
    server.faults.cut_download_after = 1_000_000
    server.faults.cuts = 2
    channel = connect(server, route=over(jump_host))
    assert b"".join(channel.read("x.zip")) == CONTENT
    assert (jump_host.logins, server.logins) == (3, 3)


def test_a_transfer_goes_on_after_the_jump_host_was_restarted(
    server: SftpServer, tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server.root / "x.zip").write_bytes(CONTENT * 5)
    jump = SftpServer(
        tmp_path, passwords={JUMPER: JUMP_PASSWORD}, host_key_folder=tmp_path / "keys"
    )
    jump.start()
    channel = connect(server, route=over(jump))
    again = SftpServer(
        tmp_path,
        passwords={JUMPER: JUMP_PASSWORD},
        host_key_folder=tmp_path / "keys",
        port=jump.port,
    )
    monkeypatch.setattr(channel, "_sleep", lambda _: again.start() if not again.logins else None)
    blocks = channel.read("x.zip")
    content = next(blocks)
    jump.stop()
    try:
        assert content + b"".join(blocks) == CONTENT * 5
        assert again.logins == 1
    finally:
        again.stop()


def test_a_jump_host_with_another_key_gets_no_password(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    route = over(jump_host, host_key=Fingerprint(server.fingerprint))
    error = refusal(connect(server, route=route))
    assert isinstance(error, HostKeyMismatch)
    assert f"127.0.0.1:{jump_host.port} (the jump host) shows another host key" in str(error)
    assert error.shown == f"ssh-ed25519 {jump_host.fingerprint}"
    assert error.role == "the jump host"
    assert (jump_host.logins, server.connections) == (0, 0)


def test_the_server_behind_a_jump_host_has_to_prove_itself_all_the_same(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    wrong = Fingerprint(jump_host.fingerprint)
    error = refusal(connect(server, host_key=wrong, route=over(jump_host)))
    assert isinstance(error, HostKeyMismatch)
    assert (error.shown, error.role) == (f"ssh-ed25519 {server.fingerprint}", "")
    assert server.logins == 0


def test_a_jump_host_that_does_not_take_the_password_is_named(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    error = refusal(connect(server, route=over(jump_host, credentials=Password("wrong"))))
    assert isinstance(error, AuthenticationRefused)
    assert str(error) == (
        f"127.0.0.1:{jump_host.port} (the jump host) does not take the password of user jumper. "
        "Check `username` and what `password` refers to."
    )


def test_a_key_for_the_jump_host_that_cannot_be_used_is_said_to_be_that_one(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    error = refusal(connect(server, route=over(jump_host, credentials=PrivateKey("no key"))))
    assert isinstance(error, CredentialsUnusable)
    assert f"It is the key for 127.0.0.1:{jump_host.port} (the jump host)." in str(error)


def test_a_jump_host_that_is_not_there_is_named(
    server: SftpServer, jump_host: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    route = over(jump_host)
    jump_host.stop()
    error = refusal(connect(server, route=route, attempts=2))
    assert isinstance(error, Unreachable)
    assert f"127.0.0.1:{jump_host.port} (the jump host) refuses connections" in str(error)
    assert pauses.seconds == [1]


def test_a_jump_host_that_lets_nobody_go_on_is_not_asked_again(
    server: SftpServer, jump_host: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    jump_host.faults.no_forwarding = True
    error = refusal(connect(server, route=over(jump_host)))
    assert str(error) == (
        f"127.0.0.1:{jump_host.port} (the jump host) does not let user jumper go on to "
        f"127.0.0.1:{server.port}. Ask its owner to allow forwarding to that host and port."
    )
    assert not error.transient
    assert pauses.seconds == []


class _NeverOpens(asyncssh.SSHServer):
    """A jump host that lets everybody in, and answers no request to go on."""

    def begin_auth(self, username: str) -> bool:
        return False

    async def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Any:
        await asyncio.sleep(3600)


def test_a_jump_host_that_never_opens_the_way_is_given_up_on(connect: Connect) -> None:
    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_NeverOpens, server_host_keys=[KEY]
        )

    loop = LoopThread("jump host")
    try:
        port = loop.run(listen()).get_port()
        jump = Login(
            SftpAddress("127.0.0.1", port, JUMPER, "the jump host"),
            Password(JUMP_PASSWORD),
            Fingerprint(KEY.get_fingerprint()),
        )
        channel = Sftp(
            SftpAddress("sftp.example", 22, USER),
            Password(PASSWORD),
            Fingerprint("SHA256:" + "A" * 43),
            attempts=1,
            timeout=0.5,
            route=Route(jump_host=jump),
        )
        with channel:
            assert "sftp.example:22 did not answer within 0.5 s" in str(refusal(channel))
    finally:
        loop.stop()


def test_a_server_that_the_jump_host_cannot_reach_is_tried_again_and_then_said(
    server: SftpServer, jump_host: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    server.stop()
    error = refusal(connect(server, route=over(jump_host), attempts=2))
    assert isinstance(error, Unreachable)
    assert f"127.0.0.1:{jump_host.port} (the jump host) cannot reach 127.0.0.1" in str(error)
    assert pauses.seconds == [1]


@pytest.mark.parametrize("kind", ["socks5", "http"])
@pytest.mark.parametrize("login", [None, ("us", PROXY_PASSWORD)], ids=["open", "login"])
def test_a_server_is_reached_through_a_proxy(
    server: SftpServer, connect: Connect, kind: ProxyKind, login: tuple[str, str] | None
) -> None:
    with proxy(kind, login=login) as running:
        channel = connect(server, route=by(running, *(login or ())))
        assert moves_bytes(channel, server.root)
        assert running.asked == [(server.host, server.port)]


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_name_is_looked_up_by_the_proxy(
    server: SftpServer, pauses: Pauses, kind: ProxyKind
) -> None:
    with (
        proxy(kind) as running,
        Sftp(
            SftpAddress("only-the-proxy-knows-it", server.port, USER),
            Password(PASSWORD),
            Fingerprint(server.fingerprint),
            route=by(running),
            sleep=pauses,
        ) as channel,
    ):
        assert channel.list(".", "*") == []
        assert running.asked == [("only-the-proxy-knows-it", server.port)]


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_each_try_for_a_host_key_goes_through_the_proxy(
    root: Path, connect: Connect, kind: ProxyKind
) -> None:
    kinds = ("ssh-rsa", "ssh-ed25519")
    with (
        proxy(kind) as running,
        SftpServer(root, passwords={USER: PASSWORD}, host_key_types=kinds) as server,
    ):
        assert connect(server, route=by(running)).list(".", "*") == []
        assert running.asked == [(server.host, server.port)] * server.connections


@pytest.mark.parametrize(
    ("kind", "refuse", "kind_of_error", "said"),
    [
        ("socks5", 2, TransportError, "does not let this machine go to"),
        ("socks5", 5, Unreachable, "cannot reach"),
        ("socks5", 4, Unreachable, "cannot reach"),
        ("socks5", 7, TransportError, "cannot make connections"),
        ("http", 403, TransportError, "does not let this machine go to"),
        ("http", 407, AuthenticationRefused, "does not take us"),
        ("http", 502, Unreachable, "cannot reach"),
    ],
)
def test_what_a_proxy_refuses_is_said_with_its_name(
    server: SftpServer,
    connect: Connect,
    kind: ProxyKind,
    refuse: int,
    kind_of_error: type[TransportError],
    said: str,
) -> None:
    with proxy(kind, refuse=refuse) as running:
        error = refusal(connect(server, route=by(running), attempts=2))
        assert isinstance(error, kind_of_error)
        assert f"The proxy 127.0.0.1:{running.port} {said}" in str(error)
        assert len(running.asked) == (2 if error.transient else 1)
        assert server.connections == 0


@pytest.mark.parametrize("kind", ["socks5", "http"])
@pytest.mark.parametrize("given", [(), ("us", "wrong")], ids=["none", "wrong"])
def test_a_proxy_that_does_not_take_the_login_is_named_and_asked_once(
    server: SftpServer, connect: Connect, pauses: Pauses, kind: ProxyKind, given: tuple[str, ...]
) -> None:
    login = ("us", PROXY_PASSWORD)
    with proxy(kind, login=login) as running:
        error = refusal(connect(server, route=by(running, *given)))
        assert isinstance(error, AuthenticationRefused)
        assert f"The proxy 127.0.0.1:{running.port} does not take us" in str(error)
        assert pauses.seconds == []


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_that_is_not_there_or_not_one_is_named(
    server: SftpServer, connect: Connect, kind: ProxyKind
) -> None:
    for port in (a_free_port(), server.port):
        route = Route(Proxy(kind, "127.0.0.1", port))
        error = refusal(connect(server, route=route, attempts=1))
        assert f"The proxy 127.0.0.1:{port} " in str(error)


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_that_says_nothing_is_given_up_on(
    server: SftpServer, connect: Connect, kind: ProxyKind
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        route = Route(Proxy(kind, "127.0.0.1", silent.getsockname()[1]))
        error = refusal(connect(server, route=route, attempts=1, timeout=0.3))
    assert isinstance(error, Unreachable)
    assert "within 0.3 s" in str(error)


@pytest.mark.parametrize(
    ("kind", "username", "password"),
    [("socks5", "us", "planted-ü"), ("socks5", "us", "p" * 256), ("http", "a:b", "planted-c")],
)
def test_a_login_that_cannot_be_sent_to_a_proxy_is_refused_without_showing_it(
    server: SftpServer, connect: Connect, kind: ProxyKind, username: str, password: str
) -> None:
    route = Route(Proxy(kind, "127.0.0.1", 9, username, password))
    error = refusal(connect(server, route=route))
    assert isinstance(error, CredentialsUnusable)
    assert password not in str(error)
    assert password not in repr(route)


def test_a_jump_host_is_reached_through_the_proxy(
    server: SftpServer, jump_host: SftpServer, connect: Connect
) -> None:
    with proxy("socks5") as running:
        both = Route(by(running).proxy, over(jump_host).jump_host)
        assert moves_bytes(connect(server, route=both), server.root)
        assert running.asked == [(jump_host.host, jump_host.port)]
        assert jump_host.forwarded == 1


def test_jump_host_and_proxy_work_as_configured(
    server: SftpServer, jump_host: SftpServer, tmp_path: Path
) -> None:
    (tmp_path / "known").write_text(jump_host.known_hosts_line)
    with proxy("http", login=("us", PROXY_PASSWORD)) as running:
        given = TransportConfig.model_validate(
            {
                "sftp": {
                    "host": "127.0.0.1",
                    "port": server.port,
                    "username": USER,
                    "password": {"env": "SFTP"},
                    "fingerprint": server.fingerprint,
                    "jump_host": {
                        "host": "127.0.0.1",
                        "port": jump_host.port,
                        "username": JUMPER,
                        "password": {"env": "JUMP"},
                        "known_hosts": "known",
                    },
                    "proxy": {
                        "kind": "http",
                        "host": "127.0.0.1",
                        "port": running.port,
                        "username": "us",
                        "password": {"env": "PROXY"},
                    },
                }
            }
        )
        environ = {"SFTP": PASSWORD, "JUMP": JUMP_PASSWORD, "PROXY": PROXY_PASSWORD}
        with open_channel(given, base=tmp_path, environ=environ) as channel:
            assert channel.list(".", "*") == []
            assert running.asked == [("127.0.0.1", jump_host.port)]
            assert PROXY_PASSWORD not in repr(channel.__dict__)
            assert channel.remarks == ()


def test_the_first_place_on_the_way_is_the_one_to_try() -> None:
    given = {
        "host": "sftp.example",
        "username": USER,
        "password": {"env": "X"},
        "known_hosts": "known",
    }
    jump = {"jump_host": given | {"host": "jump.example", "port": 2222}}
    through = {"proxy": {"host": "proxy.example", "port": 1080}}
    places = [
        first_place(SftpConfig.model_validate(given | more)) for more in ({}, jump, jump | through)
    ]
    assert places == [
        Place("sftp.example", 22),
        Place("jump.example", 2222),
        Place("proxy.example", 1080),
    ]
