"""What is agreed on with servers, new and old."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roster_pipeline.simulator.sftp_server import Faults, SftpServer
from roster_pipeline.transport.algorithms import OUTDATED, of_the_server, offered
from roster_pipeline.transport.config import TransportConfig, open_channel
from roster_pipeline.transport.errors import NothingInCommon
from roster_pipeline.transport.login import Fingerprint, Login, Password, Route, SftpAddress
from tests.transport.conftest import PASSWORD, USER, Connect, Pauses


@pytest.fixture
def old(root: Path) -> Iterator[SftpServer]:
    """A server with nothing but a 1024-bit key exchange, CBC and SHA-1."""
    faults = Faults(outdated=True, sha1_host_key=True)
    with SftpServer(root, passwords={USER: PASSWORD}, faults=faults) as running:
        yield running


def test_a_server_with_outdated_algorithms_is_refused_and_the_key_to_set_is_named(
    old: SftpServer, connect: Connect, pauses: Pauses
) -> None:
    with pytest.raises(NothingInCommon) as refused:
        connect(old).list(".", "*")
    said = str(refused.value)
    assert f"127.0.0.1:{old.port} and this program have no encryption in common" in said
    assert "diffie-hellman-group1-sha1" in said
    assert "write `algorithms: legacy` beside its `host`" in said
    assert not refused.value.transient
    # Now and then its end of the line is gone before its offer was read; then it is asked again.
    assert len(pauses.seconds) < 4
    assert old.logins == 0


def test_a_source_that_asks_for_it_gets_on_with_such_a_server_and_is_told_so(
    old: SftpServer, connect: Connect
) -> None:
    channel = connect(old, legacy=True)
    assert channel.list(".", "*") == []
    (remark,) = channel.remarks
    assert f"127.0.0.1:{old.port} may use outdated encryption" in remark
    assert "`algorithms: legacy`" in remark


def test_a_server_that_has_both_gets_the_better_although_the_other_is_allowed(
    server: SftpServer, connect: Connect
) -> None:
    channel = connect(server, legacy=True)
    assert channel.list(".", "*") == []
    assert channel._session is not None
    agreed = channel._session._connection.server.get_extra_info("send_cipher")
    assert agreed not in OUTDATED


def test_a_jump_host_is_old_on_its_own_account(
    old: SftpServer, server: SftpServer, connect: Connect
) -> None:
    address = SftpAddress(old.host, old.port, USER, "the jump host")
    jump = Login(address, Password(PASSWORD), Fingerprint(old.fingerprint))
    with pytest.raises(NothingInCommon, match=r"\(the jump host\) and this program have no"):
        connect(server, legacy=True, route=Route(jump_host=jump)).list(".", "*")
    legacy = Login(address, Password(PASSWORD), Fingerprint(old.fingerprint), legacy=True)
    channel = connect(server, route=Route(jump_host=legacy))
    assert channel.list(".", "*") == []
    assert [remark.split(" may ")[0] for remark in channel.remarks] == [
        f"127.0.0.1:{old.port} (the jump host)"
    ]


def test_legacy_is_set_in_the_yaml(old: SftpServer, tmp_path: Path) -> None:
    given = {
        "host": "127.0.0.1",
        "port": old.port,
        "username": USER,
        "password": {"env": "P"},
        "fingerprint": old.fingerprint,
    }
    for algorithms, works in (({}, False), ({"algorithms": "legacy"}, True)):
        config = TransportConfig.model_validate({"sftp": given | algorithms})
        with open_channel(config, base=tmp_path, environ={"P": PASSWORD}) as channel:
            if works:
                assert channel.list(".", "*") == []
            else:
                with pytest.raises(NothingInCommon, match="algorithms: legacy"):
                    channel.list(".", "*")


def test_what_is_broken_for_good_is_offered_to_nobody() -> None:
    said = str(offered(legacy=True)) + str(sorted(OUTDATED))
    for broken in ("md5", "arcfour", "dss", "none", "blowfish"):
        assert broken not in said
    assert not [name for name in OUTDATED if name in str(offered(legacy=False))]


def test_what_a_server_offers_is_read_from_asyncssh_s_words() -> None:
    words = "No matching MAC algorithm found, sent a,b and received hmac-md5,hmac-sha1,ext-info-s"
    assert of_the_server(words) == ("hmac-md5", "hmac-sha1")
    assert of_the_server("No matching MAC algorithm found, sent a and received <None>") == ()
    assert of_the_server("Key exchange failed") == ()
