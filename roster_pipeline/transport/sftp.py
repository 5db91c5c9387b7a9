"""An SFTP server as a `Channel`.

Synchronous outside; asyncssh runs in a thread of the channel's own. A lost connection is taken up
again, a few times with growing pauses, and a transfer then goes on from the first byte that the
other side does not have yet.
"""

import posixpath
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, TypeVar

from roster_pipeline.crashpoints import reached
from roster_pipeline.transport.blocks import AT_A_TIME, BlockReader, BlockWriter
from roster_pipeline.transport.channel import (
    Channel,
    RemoteFile,
    RemoteFiles,
    changed_sentence,
    free_names,
    mark_half_sent,
    part_name,
    require_unchanged,
    size_sentence,
    taken_sentence,
    write_fully,
)
from roster_pipeline.transport.errors import Changed, Interrupted, NotFound, TransportError
from roster_pipeline.transport.explain import FAILURES, Explainer
from roster_pipeline.transport.login import (
    STRAIGHT,
    Credentials,
    HostKey,
    Login,
    Route,
    SftpAddress,
)
from roster_pipeline.transport.loop import LoopThread
from roster_pipeline.transport.session import Session
from roster_pipeline.transport.tries import Tries

T = TypeVar("T")


class Sftp(Channel):
    """Files on an SFTP server; paths are relative to the login's own folder, or absolute.

    `attempts` bounds the connections that one call may use up, `timeout` is how many seconds the
    server may be silent, `sleep` waits between attempts. `legacy` lets outdated algorithms be
    agreed on, `route` is what lies between here and there.
    """

    def __init__(
        self,
        address: SftpAddress,
        credentials: Credentials,
        host_key: HostKey,
        *,
        attempts: int = 5,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        legacy: bool = False,
        route: Route = STRAIGHT,
    ) -> None:
        self._address = address
        self._login = Login(address, credentials, host_key, legacy)
        self._route = route
        self._attempts = attempts
        self._timeout = timeout
        self._sleep = sleep
        self._explainer = Explainer(self._login, timeout)
        self._loop: LoopThread | None = None
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"Sftp({self._address.username}@{self._address})"

    @property
    def host_key(self) -> str | None:
        """The server's host key (its type, and the fingerprint as `ssh-keygen -l` has it), while
        there is a connection."""
        return None if self._session is None else self._session.host_key

    @property
    def remarks(self) -> tuple[str, ...]:
        """See `Channel.remarks`."""
        logins = (self._login, self._route.jump_host)
        return tuple(
            f"{login.address} may use outdated encryption, as `algorithms: legacy` says. Ask its "
            "owner to update it, then take that key out."
            for login in logins
            if login is not None and login.legacy
        )

    def list(self, folder: str, pattern: str) -> RemoteFiles:
        """See `Channel.list`."""
        return self._ask(f"list {folder}", lambda session: session.files(folder, pattern))

    def stat(self, path: str) -> RemoteFile | None:
        """See `Channel.stat`."""
        return self._ask(f"look up {path}", lambda session: session.stat(path))

    def download(
        self,
        file: RemoteFile,
        into: BinaryIO,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """See `Channel.download`."""
        for block in self._blocks(file.path, f"download {file.path}", file):
            write_fully(into, block)
            if progress is not None:
                progress(len(block))

    def read(self, path: str) -> Iterator[bytes]:
        """See `Channel.read`; raises NotFound."""
        return self._blocks(path, f"read {path}", None)

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """See `Channel.upload`. To go on after a lost connection `content` must be seekable."""
        task = f"upload {path}"
        part = posixpath.join(posixpath.dirname(path), part_name(posixpath.basename(path)))
        self._ask(task, lambda session: session.prepare(path))
        try:
            self._send(part, path, content, size, task)
        except BaseException:
            # Where the connection is gone, the next upload to this path removes the part.
            if self._session is not None:
                with suppress(TransportError):
                    self._work(task, self._session.remove(part))
            raise
        reached("upload.before-rename")
        # Kept if this fails: without an atomic rename it may be the only copy there.
        self._put_in_place(part, path, size, task)
        reached("upload.after-rename")

    def move(self, old: str, new: str, *, expected: RemoteFile | None = None) -> str:
        """See `Channel.move`."""
        asked: tuple[str, RemoteFile] | None = None

        async def moved(session: Session) -> str:
            nonlocal asked
            now = await session.stat(old)
            if now is None and asked is not None:
                # The answer was lost, not the request, if what is there is ours.
                name, was = asked
                there = await session.stat(name)
                if there is not None and there.size == was.size:
                    return name
            now = self._there(old, now, expected)
            await session.make_room(new)
            for name in free_names(new):
                asked = name, now
                if await session.rename_to_free(old, name):
                    return name
            raise TransportError(taken_sentence(new, str(self._address)))

        return self._ask(f"move {old} to {new}", moved)

    def remove(self, path: str, *, expected: RemoteFile | None = None) -> None:
        """See `Channel.remove`."""

        async def removed(session: Session) -> None:
            if expected is not None:
                now = await session.stat(path)
                if now is not None:
                    require_unchanged(expected, now, str(self._address))
            await session.remove(path)

        self._ask(f"remove {path}", removed)

    def close(self) -> None:
        """See `Channel.close`."""
        if self._session is not None:
            session, self._session = self._session, None
            self._running().run(session.close())
        if self._loop is not None:
            loop, self._loop = self._loop, None
            loop.stop()

    def _blocks(self, path: str, task: str, expected: RemoteFile | None) -> Iterator[bytes]:
        """The file's blocks, each once, over as many connections as `attempts` allows."""
        tries = Tries(self._attempts, self._sleep)
        offset = 0
        while True:
            try:
                session = self._connected()
                now, reader = self._work(task, session.reader(path, offset))
                with self._released(session, reader):
                    expected = self._unchanged(expected or now, now)
                    while blocks := self._work(task, reader.next()):
                        for block in blocks:
                            offset += len(block)
                            yield block
                    self._unchanged(expected, self._work(task, session.state(path, reader)))
                if offset < expected.size:
                    raise Interrupted(
                        f"{self._address} sent {offset:,} of {expected.size:,} bytes of {path}."
                    )
            except TransportError as error:
                self._failed(tries, _with_progress(error, offset, expected))
            else:
                return

    def _send(self, part: str, path: str, content: BinaryIO, size: int, task: str) -> None:
        start = content.tell() if content.seekable() else None
        tries = Tries(1 if start is None else self._attempts, self._sleep)
        acknowledged = 0
        while True:
            writer: BlockWriter | None = None
            try:
                session = self._connected()
                writer = self._work(task, session.writer(part, acknowledged))
                if start is not None:
                    content.seek(start + writer.acknowledged)
                with self._released(session, writer):
                    kept = self._push(writer, path, content, size, task)
                if kept is not None and kept != size:
                    raise TransportError(
                        f"{self._address} kept {kept:,} of the {size:,} bytes of {path} (a full "
                        "disk or a quota?). Nothing was put in place; ask the server's owner."
                    )
            except TransportError as error:
                acknowledged = writer.acknowledged if writer is not None else acknowledged
                self._failed(tries, error)
            else:
                return

    def _push(
        self, writer: BlockWriter, path: str, content: BinaryIO, size: int, task: str
    ) -> int | None:
        """Send the rest of the content; gives what the server says it has."""
        sent = writer.acknowledged
        while blocks := list(islice(iter(partial(content.read, writer.request), b""), AT_A_TIME)):
            length = sum(map(len, blocks))
            sent += length
            if sent > size:
                raise TransportError(size_sentence(path, "more", size))
            self._work(task, writer.push(blocks))
            mark_half_sent(sent - length, sent, size)
        if sent < size:
            raise TransportError(size_sentence(path, f"{sent:,}", size))
        return self._work(task, writer.finish())

    def _put_in_place(self, part: str, path: str, size: int, task: str) -> None:
        asked = False

        async def replace(session: Session) -> None:
            nonlocal asked
            if asked and await session.stat(part) is None:
                # The answer was lost, not the request, if what is there is ours.
                there = await session.stat(path)
                if there is not None and there.size == size:
                    return
            asked = True
            await session.replace(part, path)

        self._ask(task, replace)

    @contextmanager
    def _released(self, session: Session, transfer: BlockReader | BlockWriter) -> Iterator[None]:
        """Closes the remote file, also when the caller stops in the middle."""
        lost = False
        try:
            yield
        except TransportError as error:
            lost = error.transient
            raise
        finally:
            # The caller may have closed the channel before it dropped the iterator; and without
            # waiting, for the garbage collector may drop it in any thread, the loop's own too.
            if not lost and self._session is session:
                self._running().start(transfer.close())

    def _there(self, path: str, now: RemoteFile | None, expected: RemoteFile | None) -> RemoteFile:
        if now is None:
            raise NotFound(f"There is no file {path} on {self._address} to be moved.")
        require_unchanged(expected, now, str(self._address))
        return now

    def _unchanged(self, expected: RemoteFile, now: RemoteFile) -> RemoteFile:
        if expected != now:
            raise Changed(changed_sentence(expected, now, str(self._address)))
        return expected

    def _ask(self, task: str, question: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        tries = Tries(self._attempts, self._sleep)
        while True:
            try:
                return self._work(task, question(self._connected()))
            except TransportError as error:
                self._failed(tries, error)

    def _failed(self, tries: Tries, error: TransportError) -> None:
        if error.transient:
            self._drop()
        tries.failed(error)

    def _connected(self) -> Session:
        if self._session is None:
            try:
                self._session = self._running().run(
                    Session.open(self._login, self._route, self._timeout)
                )
            except (TransportError, ValueError, *FAILURES) as error:
                raise self._explainer.connecting(error) from None
        return self._session

    def _work(self, task: str, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._running().run(work)
        except (TransportError, *FAILURES) as error:
            raise self._explainer.working(error, task) from None

    def _drop(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            self._running().run(session.abort())

    def _running(self) -> LoopThread:
        self._loop = self._loop or LoopThread("sftp")
        return self._loop


def _with_progress(
    error: TransportError, offset: int, expected: RemoteFile | None
) -> TransportError:
    if not isinstance(error, Interrupted) or isinstance(error, Changed) or expected is None:
        return error
    return type(error)(f"{error} {offset:,} of {expected.size:,} bytes had arrived.")
