"""A real SFTP server on loopback over a folder, with accidents that can be asked for by name.

In a program: `with SftpServer(root, passwords={"roster": "…"}) as server:`. As a process:
`python -m roster_pipeline.simulator.sftp_server --root DIR`, which takes the password from an
environment variable and prints one line of JSON (host, port, fingerprint, known_hosts_line) when
it is ready; SIGTERM or SIGINT ends it.
"""

import argparse
import asyncio
import fcntl
import hmac
import json
import os
import posixpath
import signal
import socket
import stat
import sys
import termios
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self, cast

import asyncssh

from roster_pipeline.transport.loop import LoopThread

HOST: Final = "127.0.0.1"


_MODERN: Final = {"encryption_algs": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"}
_OUTDATED: Final = {
    "kex_algs": "diffie-hellman-group1-sha1",
    "encryption_algs": "3des-cbc,aes128-cbc",
    "mac_algs": "hmac-sha1",
}


def _fault(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"help": meaning})


@dataclass
class Faults:
    """What goes wrong; may be changed while the server runs, but for its host key."""

    cut_download_after: int | None = _fault(None, "cut a connection after so many bytes served")
    cut_upload_after: int | None = _fault(None, "cut a connection after so many bytes taken")
    cuts: int | None = _fault(None, "cut so many connections only, not all")
    stall_download_after: int | None = _fault(None, "fall silent after so many bytes served")
    short_writes: int | None = _fault(
        None, "acknowledge each write whole, but keep only so many bytes of it"
    )
    quota: int | None = _fault(None, "refuse writes beyond so many bytes in a file")
    no_posix_rename: bool = _fault(False, "have only the rename that never replaces a file")
    read_only: bool = _fault(False, "let nothing be put, renamed or removed")
    unlistable: bool = _fault(False, "let no folder be listed: a drop box")
    wrong_password: bool = _fault(False, "take no password")
    other_host_key: bool = _fault(False, "show a new host key, not the one that is kept")
    sha1_host_key: bool = _fault(False, "sign with SHA-1 only (ssh-rsa), as very old servers do")
    outdated: bool = _fault(
        False, "offer only a key exchange, a cipher and a MAC that are outdated"
    )
    no_forwarding: bool = _fault(False, "as a jump host, let nobody go on to another server")


@dataclass
class _State:
    """What the connections of one server share."""

    root: Path
    passwords: Mapping[str, str]
    authorized: Mapping[str, Sequence[asyncssh.SSHKey]]
    faults: Faults
    served: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    connections: int = 0
    logins: int = 0
    forwarded: int = 0
    open: set[asyncssh.SSHServerConnection] = field(default_factory=set)

    def cut_is_due(self, after: int | None, done: int) -> bool:
        """Whether a connection that moved so many bytes is to be cut now."""
        return after is not None and done >= after and self.faults.cuts != 0


class SftpServer:
    """Serves `root` on loopback in a thread of its own while the `with` block lasts.

    It is a jump host too: who is logged in may go on to any other server.

    `passwords` maps users to passwords, `keys` users to public keys in OpenSSH's format. The host
    key is kept in `host_key_folder`, so that a restart has the same; without one it is new each
    time. `port` 0 takes a free one.
    """

    def __init__(
        self,
        root: Path,
        *,
        passwords: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        host_key_folder: Path | None = None,
        port: int = 0,
        faults: Faults | None = None,
        host_key_types: Sequence[str] = ("ssh-ed25519",),
    ) -> None:
        self.root = root
        self.host = HOST
        self.port = port
        self.faults = faults or Faults()
        self._state = _State(
            root,
            passwords or {},
            {user: [asyncssh.import_public_key(text)] for user, text in (keys or {}).items()},
            self.faults,
        )
        folder = None if self.faults.other_host_key else host_key_folder
        kinds = ["ssh-rsa"] if self.faults.sha1_host_key else host_key_types
        self._host_keys = [_host_key(folder, kind) for kind in kinds]
        if self.faults.sha1_host_key:
            self._host_keys[0].sig_algorithms = (b"ssh-rsa",)
        self._loop: LoopThread | None = None
        self._listener: asyncssh.SSHAcceptor | None = None

    @property
    def fingerprint(self) -> str:
        """Of the (first) host key, `SHA256:…`."""
        return self._host_keys[0].get_fingerprint()

    @property
    def known_hosts_line(self) -> str:
        """The line that makes a client's known_hosts file trust this server."""
        key = self._host_keys[0].export_public_key("openssh").decode("ascii").split()
        return f"[{self.host}]:{self.port} {key[0]} {key[1]}"

    @property
    def served(self) -> Mapping[str, int]:
        """Bytes of each file (its path below `root`) that were served since the start."""
        return self._state.served

    @property
    def taken(self) -> int:
        """Bytes of all files that were sent to the server since the start."""
        return self._state.taken

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._state.connections

    @property
    def logins(self) -> int:
        """How many logins succeeded."""
        return self._state.logins

    @property
    def forwarded(self) -> int:
        """How many connections to other servers were asked for."""
        return self._state.forwarded

    def start(self) -> None:
        """Listen; `port` then is the port taken."""
        self._loop = LoopThread("sftp-server")
        self._listener = self._loop.run(self._listen())
        self.port = self._listener.get_port()

    def stop(self) -> None:
        """Close all connections and stop listening; may be called twice."""
        if self._loop is None or self._listener is None:
            return
        self._loop.run(self._hang_up(self._listener))
        self._loop.stop()
        self._loop = self._listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _hang_up(self, listener: asyncssh.SSHAcceptor) -> None:
        listener.close()
        for connection in tuple(self._state.open):
            connection.abort()
        await listener.wait_closed()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            self.host,
            self.port,
            config=None,
            server_factory=lambda: _Login(self._state),
            server_host_keys=self._host_keys,
            sftp_factory=lambda channel: _Files(channel, self._state),
            **(_OUTDATED if self.faults.outdated else _MODERN),
            reuse_address=True,
            gss_host=None,
            x509_trusted_certs=None,
            agent_forwarding=False,
        )


class _Login(asyncssh.SSHServer):
    def __init__(self, state: _State) -> None:
        self._state = state

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._state.connections += 1
        self._state.open.add(conn)
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.open.discard(self._connection)

    def auth_completed(self) -> None:
        self._state.logins += 1

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return bool(self._state.passwords)

    def validate_password(self, username: str, password: str) -> bool:
        right = self._state.passwords.get(username)
        if right is None or self._state.faults.wrong_password:
            return False
        return hmac.compare_digest(right.encode(), password.encode())

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> bool:
        if self._state.faults.no_forwarding:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "not from here"
            )
        self._state.forwarded += 1
        return True

    def public_key_auth_supported(self) -> bool:
        return bool(self._state.authorized)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key in self._state.authorized.get(username, ())


class _Files(asyncssh.SFTPServer):
    """The folder as one connection sees it."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", state: _State) -> None:
        super().__init__(channel, chroot=os.fsencode(state.root))
        self._state = state
        self._downloaded = 0
        self._uploaded = 0
        self._is_cut = False
        self._paths: dict[object, str] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags & asyncssh.FXF_WRITE:
            self._refuse_if(self._state.faults.read_only)
        file = super().open(path, pflags, attrs)
        self._paths[file] = posixpath.normpath(os.fsdecode(path)).lstrip("/")
        return file

    def close(self, file_obj: object) -> None:
        self._paths.pop(file_obj, None)
        super().close(file_obj)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        faults = self._state.faults
        if faults.stall_download_after is not None:
            while self._downloaded >= faults.stall_download_after:
                await asyncio.sleep(0.01)
        if self._is_cut or self._state.cut_is_due(faults.cut_download_after, self._downloaded):
            await self._cut()
        block = cast(bytes, super().read(file_obj, offset, size))
        self._downloaded += len(block)
        self._state.served[self._paths[file_obj]] += len(block)
        return block

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        faults = self._state.faults
        if faults.quota is not None and offset + len(data) > faults.quota:
            raise asyncssh.SFTPFailure("Disk quota exceeded")
        if self._is_cut or self._state.cut_is_due(faults.cut_upload_after, self._uploaded):
            await self._cut()
        self._uploaded += len(data)
        self._state.taken += len(data)
        return cast(int, super().write(file_obj, offset, data[: faults.short_writes]))

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._state.faults.no_posix_rename:
            raise asyncssh.SFTPOpUnsupported("no posix-rename here")
        self._refuse_if(self._state.faults.read_only)
        super().posix_rename(oldpath, newpath)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._refuse_if(self._state.faults.read_only)
        super().rename(oldpath, newpath)

    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._refuse_if(self._state.faults.unlistable)
        return super().scandir(path)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._refuse_if(self._state.faults.read_only)
        super().mkdir(path, attrs)

    def remove(self, path: bytes) -> None:
        self._refuse_if(self._state.faults.read_only)
        super().remove(path)

    def _refuse_if(self, refused: bool) -> None:
        if refused:
            raise asyncssh.SFTPPermissionDenied("not here")

    async def _cut(self) -> None:
        """End the connection as a broken line does, but after all that was served has arrived.

        So a client that counts well reads no byte twice, and the test that says so cannot flicker.
        """
        if not self._is_cut:
            self._is_cut = True
            if self._state.faults.cuts is not None:
                self._state.faults.cuts -= 1
            await self._hang_up()
        raise asyncssh.SFTPConnectionLost("cut")

    async def _hang_up(self) -> None:
        connection = self.connection
        sock: socket.socket = connection.get_extra_info("socket")
        while self.channel.get_write_buffer_size() or await _unacknowledged(sock):
            await asyncio.sleep(0.005)
        sock.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.05)
        connection.abort()


async def _unacknowledged(sock: socket.socket) -> int:
    """Bytes sent that the other side's kernel does not have yet, seen over a turn of the loop.

    asyncio's own buffer is not empty only while the kernel's is full, so twice nothing is nothing.
    """
    first = _queued(sock)
    await asyncio.sleep(0.01)
    return first + _queued(sock)


def _queued(sock: socket.socket) -> int:
    answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int.from_bytes(answer, sys.byteorder)


def _host_key(folder: Path | None, kind: str) -> asyncssh.SSHKey:
    if folder is None:
        return asyncssh.generate_private_key(kind)
    file = folder / f"ssh_host_{kind.removeprefix('ssh-')}_key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = asyncssh.generate_private_key(kind)
        temporary = file.with_name(f".{file.name}.{os.getpid()}")
        temporary.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        temporary.write_bytes(key.export_private_key())
        temporary.replace(file)
    return asyncssh.read_private_key(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    given = _parser().parse_args(arguments)
    faults = Faults(**{fault.name: getattr(given, fault.name) for fault in fields(Faults)})
    password = os.environ.get(given.password_env)
    keys = given.authorized_key.read_text(encoding="utf-8") if given.authorized_key else None
    if not password and not keys:
        sys.stderr.write(f"Set {given.password_env}, or give --authorized-key FILE.\n")
        return 1
    server = SftpServer(
        given.root,
        passwords={given.user: password} if password else {},
        keys={given.user: keys} if keys else {},
        host_key_folder=given.host_key_folder,
        port=given.port,
        faults=faults,
    )
    told = threading.Event()

    def tell(signum: int, frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    with server:
        place = {
            "host": server.host,
            "port": server.port,
            "fingerprint": server.fingerprint,
            "known_hosts_line": server.known_hosts_line,
        }
        sys.stdout.write(json.dumps(place) + "\n")
        sys.stdout.flush()
        told.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Serve a folder over SFTP on loopback.")
    parser.add_argument("--root", type=Path, required=True, help="the folder to serve")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--host-key-folder", type=Path, help="keeps the host key over restarts")
    parser.add_argument("--user", default="roster", help="the one user (default: %(default)s)")
    parser.add_argument(
        "--password-env",
        default="ROSTER_SFTP_PASSWORD",
        help="environment variable that holds the password (default: %(default)s)",
    )
    parser.add_argument("--authorized-key", type=Path, help="file with the user's public key")
    faults = parser.add_argument_group("faults")
    for fault in fields(Faults):
        name, meaning = f"--{fault.name.replace('_', '-')}", fault.metadata["help"]
        if fault.type is bool:
            faults.add_argument(name, action="store_true", help=meaning)
        else:
            faults.add_argument(name, type=int, metavar="N", help=meaning)
    return parser


if __name__ == "__main__":
    sys.exit(main())
