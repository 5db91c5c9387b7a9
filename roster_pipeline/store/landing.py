"""Packages as they came in, by the hash of what is kept of them."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from roster_pipeline.store.errors import NotStored
from roster_pipeline.store.files import files_at, plain
from roster_pipeline.store.records import Landed
from roster_pipeline.transport.channel import RemoteFile

__all__ = ["Landed", "Landing"]

_CHUNK: Final = 1 << 20


class Landing:
    """Packages at `<url>/landed/<source>/<SHA-256>.zip`."""

    def __init__(self, url: str | Path) -> None:
        self._files = files_at(str(url))

    @contextmanager
    def scratch(self, source: str) -> Iterator[Path]:
        """A folder for what is about to be put, gone at the end; on the store's disk, which has
        the room, where that is local."""
        staged = self._files.stage(source)
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def put(
        self,
        source: str,
        file: Path | BinaryIO,
        *,
        date: dt.date,
        original_hash: str,
        remote_path: str,
        modified: dt.datetime,
        files: Sequence[RemoteFile] = (),
    ) -> Landed:
        """Keep a package whose passwords are blanked already, whole or not at all.

        `file` is a path, or a stream that is read from its beginning. The same bytes are kept
        once. The ledger is not told: `Ledger.record_landed` does that.
        """
        staged = self._files.stage(source)
        package = staged / "package.zip"
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as stream:
            stored_hash, size = _copy(stream, package)
        name = _name(source, stored_hash)
        if not self._files.exists(name):
            self._files.publish(package, name, step="landing")
        shutil.rmtree(staged)
        return Landed(
            source=source,
            date=date,
            original_hash=original_hash,
            stored_hash=stored_hash,
            remote_path=remote_path,
            modified=modified,
            size=size,
            url=self._files.url(name),
            files=tuple(files),
        )

    def open(self, landed: Landed) -> BinaryIO:
        """The package, seekable. Raises NotStored if it is not here."""
        try:
            return self._files.open(_name(landed.source, landed.stored_hash))
        except FileNotFoundError:
            raise NotStored(
                f"{landed.source}: the package landed for {landed.date}"
                f" ({landed.stored_hash[:12]}) is not at"
                f" {self._files.url(_name(landed.source, landed.stored_hash))}. Restore the store"
                " from its backup, or have the source send it again."
            ) from None

    def path(self, landed: Landed) -> Path | None:
        """The package's path on this machine; None in an object store."""
        return self._files.path(_name(landed.source, landed.stored_hash))


def _copy(stream: BinaryIO, to: Path) -> tuple[str, int]:
    stream.seek(0)
    total, size = hashlib.sha256(), 0
    with to.open("xb") as copy:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
            size += copy.write(chunk)
    return total.hexdigest(), size


def _name(source: str, stored_hash: str) -> str:
    return f"landed/{plain(source)}/{plain(stored_hash)}.zip"
