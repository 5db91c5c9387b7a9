"""`roster source test` on the way to a server: a proxy, a jump host, outdated encryption."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.simulator.sftp_server import Faults, SftpServer
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.placeholders import NO_FINGERPRINT
from roster_pipeline.sources.trial import Kind, Seen, Step, Went, try_drops
from roster_pipeline.transport.config import TransportConfig, open_channel
from tests.sources.conftest import source
from tests.transport.proxies import proxy

SECRETS = {"SFTP": "planted-Passw0rd", "JUMP": "planted-jump-Passw0rd"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served/x.zip").write_bytes(b"1")
    with SftpServer(tmp_path / "served", passwords={"roster": SECRETS["SFTP"]}) as running:
        yield running


@pytest.fixture
def jump_host(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path, passwords={"jumper": SECRETS["JUMP"]}) as running:
        yield running


def login(server: SftpServer, username: str, secret: str, **more: Any) -> dict[str, Any]:
    return {
        "host": server.host,
        "port": server.port,
        "username": username,
        "password": {"env": secret},
        "fingerprint": server.fingerprint,
        **more,
    }


def tried(sftp: dict[str, Any]) -> dict[Kind, Step]:
    transport = TransportConfig.model_validate({"sftp": sftp})
    source = Source.model_validate(
        {
            "id": "springfield",
            "name": "Springfield",
            "timezone": "America/Chicago",
            "transport": {"sftp": sftp},
        }
    )
    steps = try_drops(
        source,
        transport,
        lambda: open_channel(transport, base=Path(), environ=SECRETS),
        datetime.now(UTC),
        lambda channel, drop, tell: Seen("looked at", {}, usable=True),
    )
    return {step.kind: step for step in steps}


def test_a_folder_from_which_drops_go_may_be_empty(tmp_path: Path) -> None:
    transport = TransportConfig.model_validate({"folder": {"path": str(tmp_path)}})

    def kinds(**keys: Any) -> dict[Kind, Went]:
        steps = try_drops(
            source(**keys),
            transport,
            lambda: open_channel(transport, base=Path(), environ={}),
            datetime.now(UTC),
            lambda channel, drop, tell: Seen("looked at", {}, usable=True),
        )
        return {step.kind: step.went for step in steps}

    assert kinds()[Kind.FOLDER] is Went.FAILED
    gone = kinds(delete=True)
    assert gone[Kind.FOLDER] is Went.OK
    assert gone[Kind.DROP] is gone[Kind.PACKAGE] is Went.SKIPPED
    (tmp_path / "export.zip").write_bytes(b"PK")
    os.utime(tmp_path / "export.zip", (1e9, 1e9))
    assert kinds(delete=True)[Kind.PACKAGE] is Went.OK


def test_the_first_on_the_way_is_looked_up_and_asked_and_the_server_through_it(
    server: SftpServer, jump_host: SftpServer
) -> None:
    with proxy("socks5") as running:
        steps = tried(
            login(
                server,
                "roster",
                "SFTP",
                jump_host=login(jump_host, "jumper", "JUMP"),
                proxy={"host": "127.0.0.1", "port": running.port},
            )
        )
        assert steps[Kind.PORT].about == f"127.0.0.1:{running.port}"
        assert steps[Kind.HOST_KEY].about == f"127.0.0.1:{server.port}"
        assert steps[Kind.LOGIN].went == Went.OK
        assert steps[Kind.FOLDER].went == Went.OK
        assert set(running.asked) == {("127.0.0.1", jump_host.port)}


@pytest.mark.parametrize("wrong", ["password", "fingerprint", "forwarding"])
def test_what_the_jump_host_refuses_is_not_said_to_be_the_servers_proved_key(
    server: SftpServer, jump_host: SftpServer, wrong: str
) -> None:
    over = login(jump_host, "jumper", "SFTP" if wrong == "password" else "JUMP")
    if wrong == "fingerprint":
        over["fingerprint"] = NO_FINGERPRINT
    jump_host.faults.no_forwarding = wrong == "forwarding"
    steps = tried(login(server, "roster", "SFTP", jump_host=over, fingerprint=NO_FINGERPRINT))
    assert steps[Kind.HOST_KEY].went == Went.FAILED
    assert f"127.0.0.1:{jump_host.port} (the jump host)" in steps[Kind.HOST_KEY].sentence
    assert steps[Kind.LOGIN].went == Went.SKIPPED
    assert server.connections == 0


def test_a_key_that_is_not_pinned_yet_is_shown_over_a_jump_host(
    server: SftpServer, jump_host: SftpServer
) -> None:
    steps = tried(
        login(
            server,
            "roster",
            "SFTP",
            jump_host=login(jump_host, "jumper", "JUMP"),
            fingerprint=NO_FINGERPRINT,
        )
    )
    assert steps[Kind.HOST_KEY].went == Went.FAILED
    assert f"shows ssh-ed25519 {server.fingerprint}" in steps[Kind.HOST_KEY].sentence
    assert server.logins == 0


def test_a_server_that_proved_nothing_as_nothing_was_agreed_is_not_said_to_have(
    tmp_path: Path,
) -> None:
    passwords = {"roster": SECRETS["SFTP"]}
    with SftpServer(tmp_path, passwords=passwords, faults=Faults(outdated=True)) as old:
        steps = tried(login(old, "roster", "SFTP"))
        assert steps[Kind.HOST_KEY].went == Went.FAILED
        assert "`algorithms: legacy`" in steps[Kind.HOST_KEY].sentence
        assert tried(login(old, "roster", "SFTP", algorithms="legacy"))[Kind.LOGIN].went == Went.OK
