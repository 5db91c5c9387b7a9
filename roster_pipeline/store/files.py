"""Files that appear whole or not at all, on a local disk or in an object store.

Everything is staged on a local disk first. On a disk, publishing is flush, then rename; in an
object store, uploading, with the one file that makes the others count last. What a killed process
left in staging is swept when the next one stages for the same source.
"""

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol, cast

from roster_pipeline.crashpoints import reached
from roster_pipeline.store.errors import NotStored
from roster_pipeline.store.process import Process

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
# A staging folder of another machine (or of this one before it restarted) is left alone this long.
_FOREIGN_SECONDS: Final = 86_400
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Files(Protocol):
    """The root of a store. Names are relative, with slashes."""

    def url(self, name: str) -> str:
        """Where a name lies."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def open(self, name: str) -> BinaryIO:
        """The file for reading, seekable. Raises FileNotFoundError."""

    def names(self, folder: str) -> list[str]:
        """The names of the files right below a folder, sorted; none where there is no folder."""

    def folders(self, folder: str) -> list[str]:
        """The names of the folders right below a folder, sorted; none where there is no folder."""

    def remove(self, name: str, *, first: str = "") -> None:
        """Remove a file, or a folder with all that is in it: `first` the file in it without which
        the others do not count. Nothing where there is none."""

    def path(self, name: str) -> Path | None:
        """The file's path; None in an object store."""

    def stage(self, source: str) -> Path:
        """A new, empty local folder of this process."""

    def staged(self, path: Path) -> Path | None:
        """The folder given by `stage` that a path lies in; None if it lies in none."""

    def publish(self, staged: Path, name: str, *, last: str = "", step: str = "") -> None:
        """Move a staged file or folder to its name.

        A file replaces one of the same name; of folders the existing one stays. `last` names the
        file in a folder without which the others do not count; `step` the crash points to pass.
        """


def files_at(url: str) -> Files:
    """The store at a path or fsspec URL."""
    if url.startswith("file://"):
        return LocalFiles(Path(url.removeprefix("file://")))
    return RemoteFiles(url) if "://" in url else LocalFiles(Path(url))


def plain(name: str) -> str:
    """The name itself, which is safe as one step of a path. Raises ValueError."""
    if _PLAIN.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot name anything in the store")
    return name


class LocalFiles:
    """A store on a local disk; folders 0700, files 0600."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._staging = self._root / ".staging"

    def url(self, name: str) -> str:
        """See Files."""
        return str(self._root / name)

    def exists(self, name: str) -> bool:
        """See Files."""
        return (self._root / name).is_file()

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        return (self._root / name).open("rb")

    def names(self, folder: str) -> list[str]:
        """See Files."""
        found = self._root / folder
        return sorted(p.name for p in found.iterdir() if p.is_file()) if found.is_dir() else []

    def folders(self, folder: str) -> list[str]:
        """See Files."""
        found = self._root / folder
        return sorted(p.name for p in found.iterdir() if p.is_dir()) if found.is_dir() else []

    def remove(self, name: str, *, first: str = "") -> None:
        """See Files."""
        path = self._root / name
        if path.is_dir():
            if first:
                (path / first).unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def path(self, name: str) -> Path | None:
        """See Files."""
        return self._root / name

    def stage(self, source: str) -> Path:
        """See Files."""
        return _stage(_private(self._staging / plain(source)))

    def staged(self, path: Path) -> Path | None:
        """See Files."""
        return _staged(self._staging, path)

    def publish(self, staged: Path, name: str, *, last: str = "", step: str = "") -> None:
        """See Files."""
        _seal(staged)
        target = self._root / name
        _private(target.parent)
        _reached(step, "before-rename")
        if staged.is_dir():
            _rename_folder(staged, target, last)
        else:
            staged.replace(target)
        _flush(target.parent)
        _reached(step, "after-rename")


class RemoteFiles:
    """A store in an object store that fsspec knows."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._url = url.rstrip("/")
        # A listing kept from before would hide what another process has published since.
        fs, self._root = fsspec.core.url_to_fs(self._url, use_listings_cache=False)
        self._fs: Any = fs
        self._staging = Path(tempfile.gettempdir()).absolute() / f"roster-staging-{os.getuid()}"

    def url(self, name: str) -> str:
        """See Files."""
        return f"{self._url}/{name}"

    def exists(self, name: str) -> bool:
        """See Files."""
        return bool(self._fs.exists(f"{self._root}/{name}"))

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        return cast("BinaryIO", self._fs.open(f"{self._root}/{name}", "rb"))

    def names(self, folder: str) -> list[str]:
        """See Files."""
        try:
            found = self._fs.ls(f"{self._root}/{folder}", detail=True)
        except FileNotFoundError:
            return []
        return sorted(PurePosixPath(f["name"]).name for f in found if f["type"] == "file")

    def folders(self, folder: str) -> list[str]:
        """See Files."""
        try:
            found = self._fs.ls(f"{self._root}/{folder}", detail=True)
        except FileNotFoundError:
            return []
        return sorted(PurePosixPath(f["name"]).name for f in found if f["type"] == "directory")

    def remove(self, name: str, *, first: str = "") -> None:
        """See Files."""
        for one in (f"{name}/{first}", name) if first else (name,):
            with suppress(FileNotFoundError):
                self._fs.rm(f"{self._root}/{one}", recursive=True)

    def path(self, name: str) -> Path | None:
        """See Files."""
        return None

    def stage(self, source: str) -> Path:
        """See Files."""
        mine = _private(self._staging)
        if mine.lstat().st_uid != os.getuid() or mine.is_symlink() or mine.stat().st_mode & 0o077:
            raise NotStored(
                f"{mine} belongs to somebody else or can be read by others, so no roster is staged"
                " there. Remove it, or name another temporary folder in TMPDIR."
            )
        return _stage(_private(mine / plain(source)))

    def staged(self, path: Path) -> Path | None:
        """See Files."""
        return _staged(self._staging, path)

    def publish(self, staged: Path, name: str, *, last: str = "", step: str = "") -> None:
        """See Files."""
        target = f"{self._root}/{name}"
        _reached(step, "before-rename")
        if staged.is_file():
            self._fs.put_file(str(staged), target)
        else:
            found = sorted(path for path in staged.rglob("*") if path.is_file())
            for path in sorted(found, key=lambda path: path == staged / last):
                self._fs.put_file(str(path), f"{target}/{path.relative_to(staged).as_posix()}")
            shutil.rmtree(staged)
        _reached(step, "after-rename")


class Below:
    """What of a store lies below a prefix, such as `outgoing/lms/`. Staging is the store's own, so
    that whoever stages next for a source sweeps all that was left of it."""

    def __init__(self, files: Files, prefix: str) -> None:
        self._files = files
        self._prefix = prefix

    def url(self, name: str) -> str:
        """See Files."""
        return self._files.url(self._prefix + name)

    def exists(self, name: str) -> bool:
        """See Files."""
        return self._files.exists(self._prefix + name)

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        return self._files.open(self._prefix + name)

    def names(self, folder: str) -> list[str]:
        """See Files."""
        return self._files.names(self._prefix + folder)

    def folders(self, folder: str) -> list[str]:
        """See Files."""
        return self._files.folders(self._prefix + folder)

    def remove(self, name: str, *, first: str = "") -> None:
        """See Files."""
        self._files.remove(self._prefix + name, first=first)

    def path(self, name: str) -> Path | None:
        """See Files."""
        return self._files.path(self._prefix + name)

    def stage(self, source: str) -> Path:
        """See Files."""
        return self._files.stage(source)

    def staged(self, path: Path) -> Path | None:
        """See Files."""
        return self._files.staged(path)

    def publish(self, staged: Path, name: str, *, last: str = "", step: str = "") -> None:
        """See Files."""
        self._files.publish(staged, self._prefix + name, last=last, step=step)


def _rename_folder(staged: Path, target: Path, last: str) -> None:
    try:
        staged.rename(target)
    except OSError:
        if not (target / last).is_file():
            raise
        shutil.rmtree(staged)


def _stage(parent: Path) -> Path:
    me = Process.current()
    mine = parent / f"{me.pid}-{me.started}-{_machine(me)}-{secrets.token_hex(4)}"
    mine.mkdir(_PRIVATE_FOLDER)
    now = mine.stat().st_mtime
    for other in parent.iterdir():
        if other != mine and _abandoned(other, me, now):
            shutil.rmtree(other, ignore_errors=True)
    return mine


def _staged(staging: Path, path: Path) -> Path | None:
    if not path.is_relative_to(staging):
        return None
    steps = path.relative_to(staging).parts
    return staging.joinpath(*steps[:2]) if len(steps) >= 2 else None


def _abandoned(folder: Path, me: Process, now: float) -> bool:
    try:
        pid, started, machine, _ = folder.name.split("-")
        if machine == _machine(me):
            return Process(me.host, me.boot, int(pid), started).alive() is False
        return now - folder.stat().st_mtime > _FOREIGN_SECONDS
    except (ValueError, FileNotFoundError):
        return False


def _machine(process: Process) -> str:
    return hashlib.sha256(f"{process.host} {process.boot}".encode()).hexdigest()[:12]


def _private(folder: Path) -> Path:
    for level in (*reversed(folder.parents), folder):
        if not level.exists():
            level.mkdir(_PRIVATE_FOLDER, exist_ok=True)
    return folder


def _seal(staged: Path) -> None:
    """Make a staged file or folder private, and flush it to the disk."""
    paths = (*staged.rglob("*"), staged)
    for path in paths:
        path.chmod(_PRIVATE_FOLDER if path.is_dir() else _PRIVATE_FILE)
    # A disk takes many small files at once in the time of a few one by one.
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(_flush, paths))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reached(step: str, moment: str) -> None:
    if step:
        reached(f"{step}.{moment}")
