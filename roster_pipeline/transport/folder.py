"""A folder of this machine (or one that is mounted) as a `Channel`."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from roster_pipeline.crashpoints import reached
from roster_pipeline.transport.channel import (
    BLOCK,
    Channel,
    RemoteFile,
    RemoteFiles,
    changed_sentence,
    free_names,
    in_order,
    is_part_of,
    joined,
    mark_half_sent,
    matching,
    part_name,
    require_unchanged,
    size_sentence,
    taken_sentence,
    write_fully,
)
from roster_pipeline.transport.errors import (
    Changed,
    NotFound,
    NotPermitted,
    TransportError,
)

# What file systems without hard links answer.
_NO_HARD_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Folder(Channel):
    """Files below `root`; paths are relative to it, or absolute."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"Folder({self._root})"

    def list(self, folder: str, pattern: str) -> RemoteFiles:
        """See `Channel.list`; raises NotFound."""
        with _explained(f"list {self._root / folder}"):
            names = matching(os.listdir(self._root / folder), pattern, folder)
            found = [self._stat(joined(folder, name)) for name in names]
        return in_order([file for file in found if file is not None])

    def stat(self, path: str) -> RemoteFile | None:
        """See `Channel.stat`."""
        with _explained(f"look up {self._root / path}"):
            return self._stat(path)

    def download(
        self,
        file: RemoteFile,
        into: BinaryIO,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """See `Channel.download`."""
        for block in self._blocks(file.path, file):
            write_fully(into, block)
            if progress is not None:
                progress(len(block))

    def read(self, path: str) -> Iterator[bytes]:
        """See `Channel.read`; raises NotFound."""
        return self._blocks(path, None)

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """See `Channel.upload`; on disk when it returns."""
        target = self._root / path
        with _explained(f"make {target.parent}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            for stale in _parts(target):
                stale.unlink(missing_ok=True)
        part = target.with_name(part_name(target.name))
        try:
            self._fill(part, target, content, size)
            reached("upload.before-rename")
            with _explained(f"write {target}"):
                part.replace(target)
                _sync_folder(target.parent)
            reached("upload.after-rename")
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def move(self, old: str, new: str, *, expected: RemoteFile | None = None) -> str:
        """See `Channel.move`."""
        with _explained(f"move {self._root / old} to {self._root / new}"):
            now = self._stat(old)
            if now is None:
                raise NotFound(f"There is no file {self._root / old} to be moved.")
            require_unchanged(expected, now, str(self._root))
            (self._root / new).parent.mkdir(parents=True, exist_ok=True)
            for name in free_names(new):
                if _renamed_to_free(self._root / old, self._root / name):
                    _sync_folder((self._root / name).parent)
                    return name
        raise TransportError(taken_sentence(new, str(self._root)))

    def remove(self, path: str, *, expected: RemoteFile | None = None) -> None:
        """See `Channel.remove`."""
        with _explained(f"remove {self._root / path}"):
            now = self._stat(path)
            if now is not None:
                require_unchanged(expected, now, str(self._root))
            (self._root / path).unlink(missing_ok=True)

    def close(self) -> None:
        """See `Channel.close`."""

    def _stat(self, path: str) -> RemoteFile | None:
        try:
            return _remote_file(path, os.stat(self._root / path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _fill(self, part: Path, target: Path, content: BinaryIO, size: int) -> None:
        task = f"write {target}"
        with _explained(task):
            out = part.open("xb", buffering=0)
        with out:
            sent = 0
            while block := content.read(BLOCK):
                sent += len(block)
                if sent > size:
                    raise TransportError(size_sentence(str(target), "more", size))
                with _explained(task):
                    write_fully(out, block)
                mark_half_sent(sent - len(block), sent, size)
            if sent < size:
                raise TransportError(size_sentence(str(target), f"{sent:,}", size))
            with _explained(task):
                os.fsync(out.fileno())

    def _blocks(self, path: str, expected: RemoteFile | None) -> Iterator[bytes]:
        task = f"read {self._root / path}"
        with _explained(task):
            source = (self._root / path).open("rb", buffering=0)
        with source:
            expected = self._unchanged(path, source.fileno(), expected)
            left = expected.size
            while left:
                with _explained(task):
                    block = source.read(min(BLOCK, left))
                if not block:
                    break
                left -= len(block)
                yield block
            self._unchanged(path, source.fileno(), expected)

    def _unchanged(self, path: str, opened: int, expected: RemoteFile | None) -> RemoteFile:
        now = _remote_file(path, os.fstat(opened))
        if now is None:
            raise NotFound(f"{self._root / path} is not a regular file. Check the path.")
        if expected not in (None, now):
            raise Changed(changed_sentence(expected, now, str(self._root)))
        return now


def _remote_file(path: str, status: os.stat_result) -> RemoteFile | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    # In whole microseconds: a float would round the same time differently here and there.
    modified = _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    return RemoteFile(path, status.st_size, modified)


def _parts(target: Path) -> Iterator[Path]:
    return (path for path in target.parent.iterdir() if is_part_of(target.name, path.name))


def _renamed_to_free(old: Path, new: Path) -> bool:
    """Rename where nothing has the new name; whether that was so."""
    try:
        os.link(old, new, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(new):
            return False
        os.rename(old, new)
        return True
    old.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    # The rename itself is on disk only when the folder is; some file systems cannot say so.
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(task: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"Cannot {task}: there is no such file or folder. Check the path.") from None
    except PermissionError:
        raise NotPermitted(
            f"Cannot {task}: not permitted. Check the owner and mode of the files there."
        ) from None
    except OSError as error:
        if error.errno == errno.EXDEV:
            why = "they are on different disks, so it cannot be done in one step. Say another path"
        else:
            why = error.strerror or "the system does not say why"
        raise TransportError(f"Cannot {task}: {why}.") from None
