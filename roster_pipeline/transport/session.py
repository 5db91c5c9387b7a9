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
from roster_pipeline.transport.hostkeys import Trust
from roster_pipeline.transport.login import Credentials, HostKey, Password, SftpAddress

# At INFO asyncssh names users and files; who wants that sets the level before.
if not logging.getLogger("asyncssh").level:
    logging.getLogger("asyncssh").setLevel(logging.WARNING)

# AES-GCM runs in hardware: twice as fast here as asyncssh's own first choice.
_CIPHERS: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"

_MISSING: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


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
        trust = Trust.load(host_key, address)
        connection = await _connect(address, credentials, trust, timeout)
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
    address: SftpAddress, credentials: Credentials, trust: Trust, timeout: float
) -> asyncssh.SSHClientConnection:
    proof = _proof(credentials)
    shown: list[asyncssh.SSHKey] = []
    for algorithms in trust.offers():
        if any(key.algorithm.decode("ascii") in algorithms for key in shown):
            continue
        verifier = trust.verifier()
        try:
            return await asyncssh.connect(
                address.host,
                address.port,
                username=address.username,
                client_factory=lambda verifier=verifier: verifier,
                config=None,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
                known_hosts=trust.known_hosts,
                server_host_key_algs=algorithms,
                encryption_algs=_CIPHERS,
                compression_algs=None,
                connect_timeout=timeout,
                login_timeout=timeout,
                keepalive_interval=timeout / 3,
                **proof,
            )
        except asyncssh.HostKeyNotVerifiable:
            if verifier.shown is None:
                raise
            shown.append(verifier.shown)
        except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionError):
            # That is also how a server says that it has no key of the type asked for; but then it
            # has shown one of another type before.
            if not shown:
                raise
    raise HostKeyMismatch(trust.mistrust(shown))
