"""What is kept of one source's packages for one destination: rosters, packages, and a note."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.receivers.past import NOTED
from roster_pipeline.receivers.rendering import Rendered
from roster_pipeline.store import Delivery, NotStored
from roster_pipeline.store.outbox import Outbox


@dataclass(frozen=True)
class Keeping:
    """Puts into an outbox, and takes out of it. Folders are staged ones."""

    outbox: Outbox
    source: str

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """A folder to write in, which is removed then."""
        folder = self.outbox.stage(self.source)
        try:
            yield folder
        finally:
            self.outbox.discard(folder)

    def has(self, content_hash: str) -> bool:
        """Whether a roster is kept."""
        return self.outbox.has(self.source, content_hash)

    def open(self, content_hash: str) -> Roster:
        """A roster that is kept. Raises `NotStored`."""
        return self.outbox.open(self.source, content_hash)

    def keep(self, roster: Roster) -> Roster:
        """Keep a roster, its parts shared with where they were."""
        with self.staged() as folder:
            with closing(RosterWriter(folder / "roster")) as writer:
                for entity in ENTITIES:
                    writer.copy_from(roster, entity)
                copy = writer.finish()
            kept = self.outbox.put(self.source, copy)
        return self.open(kept.content_hash)

    def keep_package(self, package: Rendered, folder: Path) -> None:
        """Keep a package that lies in a folder, and leave it there."""
        if self.outbox.has_package(self.source, package.sha256):
            return
        copy = folder / "kept"
        os.link(package.file, copy)
        self.outbox.put_package(self.source, copy, package.sha256)

    def package(self, this: Delivery, folder: Path) -> Rendered | None:
        """The package of a delivery, in a folder; None where it is lost or damaged."""
        file = folder / "package"
        try:
            with self.outbox.package(self.source, this.package_hash) as kept, file.open("wb") as to:
                shutil.copyfileobj(kept, to)
        except NotStored:
            return None
        with file.open("rb") as copy:
            digest = hashlib.file_digest(copy, "sha256").hexdigest()
        rows = this.receipt.get("rows", {})
        return Rendered(file, this.size, digest, rows) if digest == this.package_hash else None

    def note(self, this: Delivery, folder: Path) -> None:
        """Note what is sent beside the packages, for the day on which the ledger is an old one."""
        said = {key: this.receipt[key] for key in NOTED if this.receipt.get(key)}
        self.outbox.note(self.source, {"package": this.package_hash, **said}, folder)
