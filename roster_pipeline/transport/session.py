"""One SSH connection with SFTP on it, asynchronous; `sftp.py` drives it and takes it up again.

What is switched off here on purpose: the user's own ~/.ssh/config, agent and keys (a run must not
depend on who started it), X.509 and trust on first use.
"""

import asyncio
import logging
import posixpath
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import asyncssh

from roster_pipeline.transport.blocks import BlockReader, BlockWriter, File
from roster_pipeline.transport.channel import (
    BLOCK,
    RemoteFile,
    RemoteFiles,
    in_order,
    joined,
    matching,
    part_prefix,
)
from roster_pipeline.transport.errors import CredentialsUnusable, HostKeyMismatch
from roster_pipeline.transport.login import (
    Credentials,
    Fingerprint,
    HostKey,
    KnownHosts,
    Password,
    SftpAddress,
)

# At INFO asyncssh names users and files; who wants that sets the level before.
if not logging.getLogger("asyncssh").level:
    logging.getLogger("asyncssh").setLevel(logging.WARNING)

# A fingerprint does not say its key's type, and a server shows one key only: ask for each type in
# turn until the pinned key appears. ssh-rsa (SHA-1) is the only one that some hosted SIS have.
_HOST_KEY_FAMILIES: Final = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
)
_ANY_FAMILY: Final = tuple(name for family in _HOST_KEY_FAMILIES for name in family)

# AES-GCM runs in hardware: twice as fast here as asyncssh's own first choice.
_CIPHERS: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"

_MISSING: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


class _Client(asyncssh.SSHClient):
    """Remembers the host key that was shown; trusts it only if it is the pinned one."""

    def __init__(self, pinned: str | None) -> None:
        self._pinned = pinned
        self.shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        self.shown = key
        return self._pinned is not None and key.get_fingerprint() == self._pinned


class Session:
    """A login that is up. Lets asyncssh's and the system's exceptions through."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient, timeout: float
    ) -> None:
        self._connection = connection
        self._client = client
        self._timeout = timeout

    @classmethod
    async def open(
        cls, address: SftpAddress, credentials: Credentials, host_key: HostKey, timeout: float
    ) -> "Session":
        """Connect, check the host key, log in, start SFTP.

        Raises HostKeyMismatch, CredentialsUnusable, and what asyncssh raises.
        """
        options = {**_trust(host_key), **_proof(credentials)}
        connection = await _connect(address, host_key, options, timeout)
        try:
            async with asyncio.timeout(timeout):
                client = await connection.start_sftp_client(path_errors="surrogateescape")
        except BaseException:
            connection.abort()
            raise
        return cls(connection, client, timeout)

    async def files(self, folder: str, pattern: str) -> RemoteFiles:
        """As `Channel.list`."""
        found = []
        entries = {name: attrs async for name, attrs in self._entries(folder or ".")}
        for name in matching(entries, pattern, folder):
            path, attrs = joined(folder, name), entries[name]
            # A link, or a server that tells no types in listings.
            if attrs.permissions is None or stat.S_ISLNK(attrs.permissions):
                file = await self.stat(path)
            else:
                file = _remote_file(path, attrs)
            if file is not None:
                found.append(file)
        return in_order(found)

    async def stat(self, path: str) -> RemoteFile | None:
        """As `Channel.stat`."""
        try:
            async with asyncio.timeout(self._timeout):
                attrs = await self._client.stat(path)
        except _MISSING:
            return None
        return _remote_file(path, attrs)

    async def reader(self, path: str, offset: int) -> tuple[RemoteFile, BlockReader]:
        """The file that is at the path now, and its blocks from an offset on."""
        file = await self._open(path, asyncssh.FXF_READ)
        async with asyncio.timeout(self._timeout):
            now = _remote_file(path, await file.stat())
        if now is None:
            raise asyncssh.SFTPNoSuchFile("not a regular file")
        reader = BlockReader(
            file,
            offset=offset,
            end=now.size,
            request=min(BLOCK, self._client.limits.max_read_len),
            timeout=self._timeout,
        )
        return now, reader

    async def state(self, path: str, reader: BlockReader) -> RemoteFile:
        """What the file that a reader has open is by now."""
        attrs = await reader.stat()
        return RemoteFile(path, attrs.size or 0, _modified(attrs))

    async def writer(self, path: str, offset: int) -> BlockWriter:
        """Blocks to a file: from an offset on if the file has all before it, else from zero."""
        if offset:
            there = await self.stat(path)
            offset = offset if there is not None and there.size >= offset else 0
        flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | (0 if offset else asyncssh.FXF_TRUNC)
        return BlockWriter(
            await self._open(path, flags),
            offset=offset,
            request=min(BLOCK, self._client.limits.max_write_len),
            timeout=self._timeout,
        )

    async def prepare(self, path: str) -> None:
        """Make the folders above a path and remove what killed uploads to it left."""
        folder, name = posixpath.split(path)
        if folder:
            await self._make_folders(folder)
        with suppress(asyncssh.SFTPPermissionDenied):  # a drop box that may not be listed
            stale = [
                entry
                async for entry, _ in self._entries(folder or ".")
                if entry.startswith(part_prefix(name))
            ]
            for entry in stale:
                await self.remove(posixpath.join(folder, entry))

    async def replace(self, old: str, new: str) -> None:
        """Rename over what may be there: in one step where the server can."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._client.posix_rename(old, new)
        except asyncssh.SFTPOpUnsupported:
            await self._replace_in_two_steps(old, new)

    async def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        with suppress(*_MISSING):
            async with asyncio.timeout(self._timeout):
                await self._client.remove(path)

    async def close(self) -> None:
        """Say good-bye, but not for long."""
        self._connection.close()
        with suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(min(self._timeout, 5)):
                await self._connection.wait_closed()

    async def abort(self) -> None:
        """Drop a connection that is lost or cannot be relied upon."""
        self._connection.abort()

    async def _open(self, path: str, flags: int) -> File:
        async with asyncio.timeout(self._timeout):
            # No block size: `blocks.py` splits, so asyncssh need not.
            return await self._client.open(path, flags, encoding=None, block_size=0)

    async def _entries(self, folder: str) -> AsyncIterator[tuple[str, asyncssh.SFTPAttrs]]:
        entries = self._client.scandir(folder)
        while True:
            async with asyncio.timeout(self._timeout):
                entry = await anext(entries, None)
            if entry is None:
                return
            yield str(entry.filename), entry.attrs

    async def _replace_in_two_steps(self, old: str, new: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._client.rename(old, new)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            await self.remove(new)
            async with asyncio.timeout(self._timeout):
                await self._client.rename(old, new)

    async def _make_folders(self, folder: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                if await self._client.isdir(folder):
                    return
        except asyncssh.SFTPPermissionDenied:
            return  # it may still let files be put
        async with asyncio.timeout(self._timeout):
            await self._client.makedirs(folder, exist_ok=True)


def _remote_file(path: str, attrs: asyncssh.SFTPAttrs) -> RemoteFile | None:
    if attrs.permissions is not None and not stat.S_ISREG(attrs.permissions):
        return None
    return RemoteFile(path, attrs.size or 0, _modified(attrs))


def _modified(attrs: asyncssh.SFTPAttrs) -> datetime:
    return datetime.fromtimestamp(attrs.mtime or 0, UTC)


def _trust(host_key: HostKey) -> dict[str, Any]:
    if isinstance(host_key, Fingerprint):
        # Nothing is known but the fingerprint; `_Client` compares it.
        return {"known_hosts": ([], [], [])}
    try:
        text = host_key.path.read_text(encoding="utf-8")
        # The object, not the text: asyncssh takes an empty text for "use ~/.ssh/known_hosts".
        return {"known_hosts": asyncssh.import_known_hosts(text)}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it has a line that is none"
        raise CredentialsUnusable(
            f"The known_hosts file {host_key.path} cannot be read: {why}. Make one with the "
            "server's line as its owner gives it to you."
        ) from None


def _proof(credentials: Credentials) -> dict[str, Any]:
    if isinstance(credentials, Password):
        return {
            "password": credentials.text,
            "client_keys": None,
            "preferred_auth": "password,keyboard-interactive",
        }
    try:
        key = asyncssh.import_private_key(credentials.text, credentials.passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise CredentialsUnusable(_why_unusable(str(error))) from None
    return {"client_keys": [key], "preferred_auth": "publickey"}


def _why_unusable(said: str) -> str:
    if "bcrypt" in said:
        return (
            "The private key is encrypted in OpenSSH's own format, which needs the Python package "
            "bcrypt. Install it, or write the key anew with `ssh-keygen -p -m PKCS8 -f KEY`."
        )
    if "must be specified" in said:
        return (
            "The private key is encrypted and there is no passphrase for it. "
            "Add `passphrase` beside `private_key`."
        )
    if "decrypt" in said or "passphrase" in said.lower():
        return "The passphrase does not open the private key. Check what `passphrase` refers to."
    return (
        "What `private_key` refers to is not a private key in a format that OpenSSH or "
        "OpenSSL write (a public key, or a cut-off copy?)."
    )


async def _connect(
    address: SftpAddress, host_key: HostKey, options: dict[str, Any], timeout: float
) -> asyncssh.SSHClientConnection:
    pinned = host_key.sha256 if isinstance(host_key, Fingerprint) else None
    # With known_hosts asyncssh asks for the types of the keys it found there; if the server has
    # none of those, one more try shows what it does have.
    first: tuple[Any, ...] = (_ANY_FAMILY, *_HOST_KEY_FAMILIES) if pinned else ((), _ANY_FAMILY)
    shown: list[asyncssh.SSHKey] = []
    for algorithms in first:
        if any(_algorithm(key) in algorithms for key in shown if algorithms != _ANY_FAMILY):
            continue
        client = _Client(pinned)
        try:
            return await asyncssh.connect(
                address.host,
                address.port,
                username=address.username,
                client_factory=lambda client=client: client,
                config=None,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
                server_host_key_algs=algorithms,
                encryption_algs=_CIPHERS,
                compression_algs=None,
                connect_timeout=timeout,
                login_timeout=timeout,
                keepalive_interval=timeout / 3,
                **options,
            )
        except asyncssh.KeyExchangeFailed:
            if algorithms == _ANY_FAMILY:
                raise
        except asyncssh.HostKeyNotVerifiable:
            if client.shown is None:
                raise
            shown.append(client.shown)
            if pinned is None:
                break
    raise HostKeyMismatch(_mistrust(address, host_key, options["known_hosts"], shown))


def _algorithm(key: asyncssh.SSHKey) -> str:
    return key.algorithm.decode("ascii")


def _mistrust(
    address: SftpAddress, host_key: HostKey, known: Any, shown: list[asyncssh.SSHKey]
) -> str:
    keys = ", ".join(f"{_algorithm(key)} {key.get_fingerprint()}" for key in shown)
    if isinstance(host_key, Fingerprint):
        return (
            f"{address} shows another host key than the pinned one: {keys}, not {host_key.sha256}. "
            "Nothing was sent. Ask the server's owner by another way whether the key was changed; "
            "if so, put the new fingerprint into `fingerprint`."
        )
    return _not_in_known_hosts(address, host_key, known, shown[0], keys)


def _not_in_known_hosts(
    address: SftpAddress, host_key: KnownHosts, known: Any, shown: asyncssh.SSHKey, keys: str
) -> str:
    port = None if address.port == 22 else address.port
    listed, authorities, *_ = asyncssh.match_known_hosts(known, address.host, "", port)
    if listed or authorities:
        return (
            f"{address} shows another host key than {host_key.path} has for it: {keys}. "
            "Nothing was sent. Ask the server's owner by another way whether the key was changed; "
            "if so, replace the host's line in that file."
        )
    name = f"[{address.host}]:{port}" if port else address.host
    line = shown.export_public_key("openssh").decode("ascii").split(" ")
    return (
        f"{address} is not in {host_key.path}; it shows the host key {keys}. Nothing was sent. "
        "If the server's owner confirms that fingerprint by another way, add this line to the "
        f"file: {name} {line[0]} {line[1].strip()}"
    )
