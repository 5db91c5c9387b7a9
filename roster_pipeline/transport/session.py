"""One SSH connection with SFTP on it, asynchronous; `sftp.py` drives it and takes it up again."""

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import asyncssh

from roster_pipeline.transport.blocks import REQUEST, BlockReader, BlockWriter, File
from roster_pipeline.transport.channel import (
    RemoteFile,
    RemoteFiles,
    in_order,
    is_part_of,
    joined,
    matching,
)
from roster_pipeline.transport.connecting import Connection, connect
from roster_pipeline.transport.errors import TransportError
from roster_pipeline.transport.hostkeys import described
from roster_pipeline.transport.login import Login, Route

MOST_ENTRIES: Final = 1_000_000
"""In one folder: a listing must end some time."""

_MISSING: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


class Session:
    """A login that is up. Lets asyncssh's and the system's exceptions through."""

    def __init__(self, connection: Connection, client: asyncssh.SFTPClient, timeout: float) -> None:
        self._connection = connection
        self._client = client
        self._timeout = timeout

    @classmethod
    async def open(cls, login: Login, route: Route, timeout: float) -> "Session":
        """Connect, check host keys, log in, start SFTP. Raises as `connect` does."""
        connection = await connect(login, route, timeout)
        try:
            async with asyncio.timeout(timeout):
                client = await connection.server.start_sftp_client(path_errors="surrogateescape")
        except BaseException:
            connection.abort()
            raise
        return cls(connection, client, timeout)

    @property
    def host_key(self) -> str | None:
        """The server's host key, as `ssh-keygen -l` tells it."""
        key = self._connection.server.get_server_host_key()
        return None if key is None else described(key)

    async def files(self, folder: str, pattern: str) -> RemoteFiles:
        """As `Channel.list`."""
        found = []
        entries: dict[str, asyncssh.SFTPAttrs] = {}
        seen = 0
        async for name, attrs in self._entries(folder or "."):
            entries[name] = attrs
            seen += 1
            if seen > MOST_ENTRIES:
                raise TransportError(
                    f"The folder {folder or '.'} on the server has more than {MOST_ENTRIES:,} "
                    "entries. Move what is old elsewhere, or have the files put into another."
                )
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
            request=min(REQUEST, self._client.limits.max_read_len),
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
            request=min(REQUEST, self._client.limits.max_write_len),
            timeout=self._timeout,
        )

    async def make_room(self, path: str) -> None:
        """Make the folders above a path."""
        if folder := posixpath.dirname(path):
            await self._make_folders(folder)

    async def prepare(self, path: str) -> None:
        """Make the folders above a path and remove what killed uploads to it left."""
        folder, name = posixpath.split(path)
        await self.make_room(path)
        with suppress(asyncssh.SFTPPermissionDenied):  # a drop box that may not be listed
            stale = [
                entry async for entry, _ in self._entries(folder or ".") if is_part_of(name, entry)
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

    async def rename_to_free(self, old: str, new: str) -> bool:
        """Rename where nothing has the new name; whether that was so."""
        if await self._is_taken(new):
            return False
        try:
            async with asyncio.timeout(self._timeout):
                # The rename of the standard, which replaces nothing (`posix_rename` does).
                await self._client.rename(old, new)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            if await self._is_taken(new):
                return False
            raise
        return True

    async def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        with suppress(*_MISSING):
            async with asyncio.timeout(self._timeout):
                await self._client.remove(path)

    async def close(self) -> None:
        """Say good-bye, but not for long."""
        with suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(min(self._timeout, 5)):
                for connection in self._connection.both:
                    connection.close()
                    await connection.wait_closed()
        self._connection.abort()

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

    async def _is_taken(self, path: str) -> bool:
        async with asyncio.timeout(self._timeout):
            return await self._client.lexists(path)

    async def _replace_in_two_steps(self, old: str, new: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._client.rename(old, new)
        except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
            # Servers say no more than that it failed: what is there goes only for what can come.
            if await self.stat(old) is None:
                raise
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
