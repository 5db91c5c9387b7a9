"""OpenSSH's own server on loopback, where it is installed (Debian: openssh-server).

An SFTP server that is none of ours, for proofs and measurements. It runs as whoever starts it, or,
started by root, as `daemon`, and lets just that user in.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

HOST: Final = "127.0.0.1"
_STARTS_WITHIN: Final = 20.0
_USER_OF_ROOT: Final = "daemon"
"""Not `nobody`, whose account counts as locked where systemd makes it up."""

OUTDATED: Final = {
    "HostKeyAlgorithms": "ssh-rsa",
    "KexAlgorithms": "diffie-hellman-group1-sha1",
    "Ciphers": "aes128-cbc,3des-cbc",
    "MACs": "hmac-sha1",
}
"""Settings of a server as it was in 2005."""


@dataclass(frozen=True)
class OpenSsh:
    """A server that runs: where it is, what it serves, how to log in."""

    port: int
    username: str
    root: Path
    """The folder that a login starts in; who is logged in may write to it."""
    key_file: Path
    fingerprint: str
    known_hosts_line: str

    @property
    def host(self) -> str:
        """Where it listens."""
        return HOST


def sshd() -> str | None:
    """Where the program is; None where it is not installed."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def openssh(
    settings: Mapping[str, str] | None = None, *, host_key_type: str = "ssh-ed25519"
) -> Iterator[OpenSsh]:
    """A server that runs while the block lasts; `settings` are as in sshd_config.

    Raises FileNotFoundError where it is not installed.
    """
    program = sshd()
    if program is None:
        raise FileNotFoundError("OpenSSH's sshd is not installed (Debian: openssh-server)")
    user = pwd.getpwnam(_USER_OF_ROOT) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory(prefix="sshd-") as made:
        folder, port = Path(made), _free_port()
        running = _laid_out(folder, user.pw_name, port, host_key_type)
        _write_settings(folder, port, settings or {})
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        if os.geteuid() == 0:
            os.chown(running.key_file, 0, 0)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - a program of the system's
                [program, "-D", "-e", "-f", str(folder / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                user=user.pw_uid if os.geteuid() == 0 else None,
                group=user.pw_gid if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
            )
        try:
            _wait_for(server, port, folder / "log")
            yield running
        finally:
            server.terminate()
            server.wait()


def _laid_out(folder: Path, username: str, port: int, host_key_type: str) -> OpenSsh:
    """The server's folder with its keys and what it serves."""
    host_key = asyncssh.generate_private_key(host_key_type)
    login_key = asyncssh.generate_private_key("ssh-ed25519")
    for name, key in (("host_key", host_key), ("login_key", login_key)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(key.export_private_key("openssh"))
    (folder / "authorized_keys").write_bytes(login_key.export_public_key())
    (folder / "served").mkdir()
    words = host_key.export_public_key("openssh").decode("ascii").split()
    return OpenSsh(
        port,
        username,
        folder / "served",
        folder / "login_key",
        host_key.get_fingerprint(),
        f"[{HOST}]:{port} {words[0]} {words[1]}",
    )


def _write_settings(folder: Path, port: int, settings: Mapping[str, str]) -> None:
    lines = {
        "Port": str(port),
        "ListenAddress": HOST,
        "HostKey": str(folder / "host_key"),
        "AuthorizedKeysFile": str(folder / "authorized_keys"),
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "Subsystem": f"sftp internal-sftp -d {folder / 'served'}",
        "LogLevel": "VERBOSE",
        **settings,
    }
    text = "".join(f"{key} {value}\n" for key, value in lines.items())
    (folder / "sshd_config").write_text(text, encoding="ascii")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"sshd does not start; it says: {said}")
