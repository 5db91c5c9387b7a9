"""What accepting a candidate would do, as it was when the candidate was held.

Reviewers decide on what they read, so a difference is kept once and never changes.
"""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Final

from roster_pipeline.store.errors import NotStored
from roster_pipeline.store.files import files_at, plain

_FIRST: Final = "first"


class Differences:
    """Documents below `<url>/differences/<source>/`, one for each candidate and base.

    `url` is the address of the store, as in `Snapshots`.
    """

    def __init__(self, url: str | Path) -> None:
        self._files = files_at(str(url))

    def has(self, source: str, candidate_hash: str, base_hash: str | None) -> bool:
        """Whether a document is kept."""
        return self._files.exists(_name(source, candidate_hash, base_hash))

    def put_difference(
        self, source: str, candidate_hash: str, base_hash: str | None, document: bytes
    ) -> None:
        """Keep a document, whole or not at all; one that is kept already stays as it is.

        `base_hash` is None where nothing was accepted before.
        """
        if self.has(source, candidate_hash, base_hash):
            return
        staged = self._files.stage(source)
        try:
            file = staged / "difference.json"
            file.write_bytes(_digest(document) + document)
            self._files.publish(file, _name(source, candidate_hash, base_hash))
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def difference(self, source: str, candidate_hash: str, base_hash: str | None) -> bytes:
        """The document that was put. Raises NotStored if it is not there, or was changed."""
        try:
            with self._files.open(_name(source, candidate_hash, base_hash)) as file:
                digest, document = file.readline(), file.read()
        except FileNotFoundError:
            raise NotStored(
                f"{source}: no difference is kept for roster {candidate_hash[:12]}."
                " Sync again, and it is made if the roster is held."
            ) from None
        if digest != _digest(document):
            raise NotStored(
                f"{source}: the difference that was kept for roster {candidate_hash[:12]} has been"
                " changed since."
            )
        return document


def _digest(document: bytes) -> bytes:
    """The first line of its file."""
    return sha256(document).hexdigest().encode() + b"\n"


def _name(source: str, candidate_hash: str, base_hash: str | None) -> str:
    pair = f"{plain(candidate_hash)}.{_FIRST if base_hash is None else plain(base_hash)}"
    return f"differences/{plain(source)}/{pair}.json"
