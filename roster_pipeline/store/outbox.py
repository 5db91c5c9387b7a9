"""What went out: for each destination the rosters as it was sent them, and the packages.

Below `<url>/outgoing/<destination>/`. Kept as long as somebody may ask for them, see `keep_only`.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from roster_pipeline.oneroster.layout import INDEX
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.store.errors import NotStored
from roster_pipeline.store.files import Below, files_at, plain
from roster_pipeline.store.records import Snapshot
from roster_pipeline.store.snapshots import Snapshots


class Outbox:
    """What went out to one destination, by source and content."""

    def __init__(self, url: str | Path, destination: str) -> None:
        below = f"outgoing/{plain(destination)}/"
        self._files = Below(files_at(str(url)), below)
        self._rosters = Snapshots(url, below=below)

    def stage(self, source: str) -> Path:
        """An empty folder to write in, which the caller discards."""
        return self._files.stage(source)

    def discard(self, folder: Path) -> None:
        """Remove a staged folder."""
        self._rosters.discard(folder)

    def put(self, source: str, roster: Roster) -> Snapshot:
        """Keep a roster from a staged folder, whole or not at all; its handle is void then."""
        return self._rosters.put(source, roster)

    def has(self, source: str, content_hash: str) -> bool:
        """Whether a roster is here, whole."""
        return self._rosters.exists(Snapshot(source, content_hash, {}, ""))

    def open(self, source: str, content_hash: str) -> Roster:
        """A roster that was put. Raises NotStored."""
        return self._rosters.open(Snapshot(source, content_hash, {}, ""))

    def put_package(self, source: str, package: Path, package_hash: str) -> None:
        """Keep a package, whole or not at all; the file, in a staged folder, is gone then."""
        name = _package(source, package_hash)
        if not self._files.exists(name):
            self._files.publish(package, name)

    def has_package(self, source: str, package_hash: str) -> bool:
        """Whether a package is here."""
        return self._files.exists(_package(source, package_hash))

    def package(self, source: str, package_hash: str) -> BinaryIO:
        """A package that was put, for reading. Raises NotStored."""
        try:
            return self._files.open(_package(source, package_hash))
        except FileNotFoundError:
            raise NotStored(
                f"{source}: the package {package_hash[:12]} is not kept any more."
            ) from None

    def note(self, source: str, said: Mapping[str, Any], folder: Path) -> None:
        """Note something of the newest package, in the place of what was noted before. `folder` is
        a staged one."""
        file = folder / "noted"
        file.write_text(json.dumps(said))
        self._files.publish(file, _note(source))

    def noted(self, source: str) -> dict[str, Any] | None:
        """What was noted last; None where nothing was, and nothing in it where it is damaged."""
        try:
            with self._files.open(_note(source)) as file:
                said = json.load(file)
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def keep_only(self, source: str, rosters: Collection[str], packages: Collection[str]) -> None:
        """Remove all of a source but rosters and packages of these hashes."""
        for name in self._files.folders(f"snapshots/{plain(source)}"):
            if name not in rosters:
                self._files.remove(f"snapshots/{plain(source)}/{name}", first=INDEX)
        for name in self._files.names(f"packages/{plain(source)}"):
            if name not in packages:
                self._files.remove(f"packages/{plain(source)}/{name}")


class Outboxes:
    """The outboxes of a store."""

    def __init__(self, url: str | Path) -> None:
        self._url = url

    def of(self, destination: str) -> Outbox:
        """What went out to a destination."""
        return Outbox(self._url, destination)


def _note(source: str) -> str:
    return f"noted/{plain(source)}.json"


def _package(source: str, package_hash: str) -> str:
    return f"packages/{plain(source)}/{plain(package_hash)}"
