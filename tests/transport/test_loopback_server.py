"""The simulator's SFTP server as a process, against OpenSSH's client and ours."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from roster_pipeline.transport import Interrupted
from roster_pipeline.transport.login import Fingerprint, KnownHosts, Password, SftpAddress
from roster_pipeline.transport.sftp import Sftp
from tests.transport.conftest import PASSWORD, Pauses

SERVER = [sys.executable, "-m", "roster_pipeline.simulator.sftp_server"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    with subprocess.Popen(
        [*SERVER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROSTER_SFTP_PASSWORD": PASSWORD},
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.terminate()


def test_a_process_serves_a_folder_tells_where_and_ends_when_told(
    root: Path, tmp_path: Path
) -> None:
    (root / "a.zip").write_bytes(b"1")
    keys = str(tmp_path / "keys")
    arguments = ["--root", str(root), "--host-key-folder", keys]
    with running(*arguments, "--user", "sis") as (at, process):
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(at["known_hosts_line"])
        address = SftpAddress(at["host"], at["port"], "sis")
        with Sftp(address, Password(PASSWORD), KnownHosts(known_hosts)) as channel:
            assert channel.exists("a.zip")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [os.stat(file).st_mode & 0o777 for file in Path(keys).iterdir()] == [0o600]
    with running(*arguments, "--port", str(at["port"])) as (again, _):
        assert again == at


def test_a_process_has_the_faults_it_is_told_to_have(root: Path) -> None:
    (root / "a.zip").write_bytes(b"1" * 1_000_000)
    with running("--root", str(root), "--cut-download-after", "1", "--cuts", "1") as (at, _):
        pauses = Pauses()
        login = (
            SftpAddress(at["host"], at["port"], "roster"),
            Password(PASSWORD),
            Fingerprint(at["fingerprint"]),
        )
        with Sftp(*login, sleep=pauses) as channel:
            assert len(b"".join(channel.read("a.zip"))) == 1_000_000
        assert pauses.seconds == [1]
    with (
        running("--root", str(root), "--cut-download-after", "1") as (at, _),
        Sftp(
            SftpAddress(at["host"], at["port"], "roster"),
            Password(PASSWORD),
            Fingerprint(at["fingerprint"]),
            attempts=2,
            sleep=pauses,
        ) as channel,
        pytest.raises(Interrupted),
    ):
        list(channel.read("a.zip"))


def test_a_process_without_any_way_to_log_in_says_so(root: Path) -> None:
    without = {k: v for k, v in os.environ.items() if k != "ROSTER_SFTP_PASSWORD"}
    done = subprocess.run(
        [*SERVER, "--root", str(root)], capture_output=True, text=True, env=without, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "Set ROSTER_SFTP_PASSWORD, or give --authorized-key FILE.\n"


@pytest.mark.skipif(shutil.which("sftp") is None, reason="needs OpenSSH's sftp")
def test_openssh_s_own_client_gets_and_puts(root: Path, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_bytes(key.export_private_key("openssh"))
    (tmp_path / "key.pub").write_bytes(key.export_public_key())
    (root / "a.zip").write_bytes(os.urandom(1_000_000))
    with running("--root", str(root), "--authorized-key", str(tmp_path / "key.pub")) as (at, _):
        (tmp_path / "known_hosts").write_text(at["known_hosts_line"])
        command = ["sftp", "-q", "-F", "none", "-b", "-", "-P", str(at["port"])]
        for option in (
            f"IdentityFile={tmp_path / 'key'}",
            f"UserKnownHostsFile={tmp_path / 'known_hosts'}",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
        ):
            command += ["-o", option]
        subprocess.run(
            [*command, f"roster@{at['host']}"],
            input=f"get a.zip {tmp_path}/got.zip\nput {tmp_path}/got.zip b.zip\n",
            text=True,
            check=True,
            capture_output=True,
        )
    assert (root / "b.zip").read_bytes() == (root / "a.zip").read_bytes()
