"""The YAML under `transport:`, and where secrets are kept."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml
from pydantic import ValidationError

from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.transport import CredentialsUnusable
from roster_pipeline.transport.config import Secret, TransportConfig, open_channel
from tests.transport.conftest import PASSWORD, USER, Pauses

FINGERPRINT = "SHA256:" + "Ab1+" * 10 + "xyz"


def config(text: str) -> TransportConfig:
    return TransportConfig.model_validate(yaml.safe_load(text)["transport"])


def sftp(**changes: Any) -> dict[str, Any]:
    given = {
        "host": "sftp.district.example",
        "username": USER,
        "password": {"env": "SFTP_PASSWORD"},
        "fingerprint": FINGERPRINT,
    }
    return {"sftp": {k: v for k, v in (given | changes).items() if v is not None}}


def complaint(given: object) -> str:
    with pytest.raises(ValidationError) as refused:
        TransportConfig.model_validate(given)
    return str(refused.value)


def test_a_folder_is_opened_relative_to_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "drops").mkdir()
    (tmp_path / "drops/a.zip").write_bytes(b"1")
    given = config("transport: {folder: {path: ./drops}}")
    with open_channel(given, base=tmp_path, environ={}) as channel:
        assert [file.path for file in channel.list(".", "*")] == ["a.zip"]


def test_an_sftp_login_with_a_password_and_known_hosts_works_as_configured(
    server: SftpServer, tmp_path: Path
) -> None:
    (tmp_path / "known_hosts").write_text(server.known_hosts_line)
    given = config(f"""
transport:
  sftp:
    host: 127.0.0.1
    port: {server.port}
    username: {USER}
    password: {{env: SFTP_PASSWORD}}
    known_hosts: known_hosts
    timeout: 20
""")
    with open_channel(given, base=tmp_path, environ={"SFTP_PASSWORD": PASSWORD}) as channel:
        channel.upload("a.zip", io.BytesIO(b"1"), 1)
    assert (server.root / "a.zip").read_bytes() == b"1"


def test_an_sftp_login_with_an_encrypted_key_and_a_fingerprint_works_as_configured(
    root: Path, tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key.pem").write_bytes(key.export_private_key("pkcs8-pem", "opens it"))
    (tmp_path / "passphrase").write_text("opens it\r\n")
    with SftpServer(root, keys={USER: key.export_public_key().decode()}) as server:
        given = config(f"""
transport:
  sftp:
    host: 127.0.0.1
    port: {server.port}
    username: {USER}
    private_key: {{file: key.pem}}
    passphrase: {{file: passphrase}}
    fingerprint: {server.fingerprint}
""")
        with open_channel(given, base=tmp_path, environ={}) as channel:
            assert channel.list(".", "*") == []


def test_attempts_bound_the_connections_of_one_call(server: SftpServer) -> None:
    (server.root / "a.zip").write_bytes(b"1" * 100)
    given = TransportConfig.model_validate(
        sftp(host="127.0.0.1", port=server.port, fingerprint=server.fingerprint, attempts=2)
    )
    server.faults.cut_download_after = 0
    pauses = Pauses()
    with (
        open_channel(
            given, base=Path(), environ={"SFTP_PASSWORD": PASSWORD}, sleep=pauses
        ) as channel,
        pytest.raises(Exception, match="Gave up after 2 attempts"),
    ):
        list(channel.read("a.zip"))
    assert pauses.seconds == [1]


def test_port_attempts_and_timeout_have_defaults() -> None:
    given = TransportConfig.model_validate(sftp()).sftp
    assert given is not None
    assert (given.port, given.attempts, given.timeout) == (22, 5, 30)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "exactly one of sftp and folder"),
        (sftp() | {"folder": {"path": "x"}}, "exactly one of sftp and folder"),
        (sftp(password=None), "exactly one of password and private_key"),
        (sftp(private_key={"env": "K"}), "exactly one of password and private_key"),
        (sftp(fingerprint=None), "exactly one of known_hosts and fingerprint"),
        (sftp(known_hosts="k"), "exactly one of known_hosts and fingerprint"),
        (sftp(passphrase={"env": "P"}), "passphrase unlocks private_key, and there is none"),
        (sftp(password={"env": "A", "file": "b"}), "exactly one of env and file"),
        (sftp(password={}), "exactly one of env and file"),
        (sftp(hots="x"), "hots"),
        (sftp(port="22"), "sftp.port"),
        (sftp(port=0), "sftp.port"),
        (sftp(port=True), "sftp.port"),
        (sftp(timeout="30"), "sftp.timeout"),
        (sftp(timeout=0), "sftp.timeout"),
        (sftp(attempts=0), "sftp.attempts"),
        (sftp(host=""), "sftp.host"),
        (sftp(fingerprint="MD5:00:11"), "sftp.fingerprint"),
        ({"folder": {"path": 8}}, "folder.path"),
        ({"folder": {"path": "x", "mode": "y"}}, "folder.mode"),
        ({"ftp": {}}, "ftp"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    assert said in complaint(given)


@pytest.mark.parametrize(
    "host", ["sftp://in.example", "in.example:2222", "us@in.example", "in.example/drops", "a\r\nb"]
)
@pytest.mark.parametrize("where", ["sftp", "jump_host", "proxy"])
def test_a_host_that_says_more_than_a_host_is_refused(where: str, host: str) -> None:
    login = {"username": "us", "password": {"env": "P"}, "known_hosts": "k", "host": host}
    given = {
        "sftp": sftp(host=host),
        "jump_host": sftp(jump_host=login),
        "proxy": sftp(proxy={"host": host, "port": 1080}),
    }
    assert "write the name or the address of the host alone" in complaint(given[where])


@pytest.mark.parametrize("host", ["in.example", "10.0.0.5", "fe80::1%eth0", "schule-köln.example"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert TransportConfig.model_validate(sftp(host=host)).sftp is not None


@pytest.mark.parametrize("written", [PASSWORD, {"env": PASSWORD, "value": PASSWORD}, [PASSWORD]])
def test_a_secret_written_into_the_yaml_is_refused_and_not_repeated(written: object) -> None:
    said = complaint(sftp(password=written))
    assert PASSWORD not in said
    if not isinstance(written, dict):
        assert "never the secret itself" in said


def test_a_reference_shows_where_a_secret_is_and_reveals_it_only_when_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\n")
    reference = Secret(file="secret")
    assert reference.reveal({}, tmp_path) == PASSWORD
    assert PASSWORD not in repr(reference) + str(reference)
    assert str(reference) == "{file: secret}"
    assert Secret(env="X").reveal({"X": " spaces stay \n"}, tmp_path) == " spaces stay \n"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (Secret(env="NOPE"), "environment variable NOPE is not set or empty"),
        (Secret(env="EMPTY"), "environment variable EMPTY is not set or empty"),
        (
            Secret(file="nope"),
            "nope cannot be read (No such file or directory); put there the secret that "
            "{file: nope} refers to, readable for whoever runs this.",
        ),
        (Secret(file="empty"), "empty is empty"),
        (Secret(file="binary"), "binary is not text"),
        (Secret(file="pipe"), "pipe is a pipe or a device"),
        (Secret(file="."), "cannot be read (Is a directory)"),
    ],
)
def test_a_secret_that_is_not_where_it_should_be_is_named_by_its_reference(
    reference: Secret, said: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(CredentialsUnusable) as missing:
        reference.reveal({"EMPTY": ""}, tmp_path)
    assert said in str(missing.value)
    assert str(reference) in str(missing.value)
    assert "secret\\" not in str(missing.value)


def test_loading_a_configuration_does_not_load_ssh() -> None:
    code = "import roster_pipeline.transport.config, sys; sys.exit('asyncssh' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_schema_says_what_each_key_means() -> None:
    schema = json.dumps(TransportConfig.model_json_schema())
    assert "as `ssh-keygen -l` shows it" in schema
