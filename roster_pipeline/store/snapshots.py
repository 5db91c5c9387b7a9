"""Rosters by content: the same cells of the same source are stored once, and never change.

What was made of one lies beside it, and is replaced when it is made anew.
"""

import shutil
from datetime import date
from pathlib import Path, PurePath
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from roster_pipeline.oneroster.layout import INDEX, local_folder
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.store.errors import NotStored
from roster_pipeline.store.files import Below, Files, files_at, plain
from roster_pipeline.store.records import Snapshot
from roster_pipeline.tables.text import TEXT

__all__ = ["Snapshot", "Snapshots"]

_TEXTS: Final = {pa.large_string(): TEXT}


class Snapshots:
    """Rosters below `<url>/snapshots/<source>/<content hash>/`, findings and tables beside them.

    What was held back on a date is below `<url>/held/<source>/`.

    `url` is a local path or any address that fsspec knows (`s3://bucket/rosters`); `below` is put
    before all of these names.
    """

    def __init__(self, url: str | Path, *, below: str = "") -> None:
        files = files_at(str(url))
        self._files: Files = Below(files, below) if below else files

    def stage(self, source: str) -> Path:
        """An empty folder to write a roster in; on a local disk, on the store's file system.

        What killed processes left in theirs is removed first.
        """
        return self._files.stage(source)

    def discard(self, folder: Path) -> None:
        """Remove a staged folder that will not be put; one that was put is gone already."""
        shutil.rmtree(folder, ignore_errors=True)

    def put(self, source: str, roster: Roster) -> Snapshot:
        """Keep a roster from a local folder, whole or not at all.

        A staged folder moves and its handle is void: `open` the snapshot. One that lies elsewhere
        is copied. A roster that is kept already stays as it is, and the staged one is removed.
        """
        folder = local_folder(roster.url)
        if folder is None or not roster.url:
            raise ValueError("only a roster in a local folder can be put")
        name = _name(source, roster.content_hash)
        staged = self._files.staged(folder)
        snapshot = Snapshot(source, roster.content_hash, roster.counts, self._files.url(name))
        if not self.exists(snapshot):
            if staged is None:
                staged = self.stage(source)
                folder = Path(shutil.copytree(folder, staged, dirs_exist_ok=True))
            self._files.publish(folder, name, last=INDEX, step="snapshot")
        if staged is not None:
            self.discard(staged)
        return snapshot

    def exists(self, snapshot: Snapshot) -> bool:
        """Whether the roster is here, whole."""
        return self._files.exists(f"{_name(snapshot.source, snapshot.content_hash)}/{INDEX}")

    def find(self, source: str, content_hash: str) -> Roster | None:
        """The roster of a source with this content, or None."""
        name = _name(source, content_hash)
        return Roster.open(self._files.url(name)) if self._files.exists(f"{name}/{INDEX}") else None

    def open(self, snapshot: Snapshot) -> Roster:
        """The roster. Raises NotStored if it is not here."""
        roster = self.find(snapshot.source, snapshot.content_hash)
        if roster is None:
            raise NotStored(
                f"{snapshot.source}: roster {snapshot.content_hash[:12]} is not at"
                f" {self._files.url(_name(snapshot.source, snapshot.content_hash))}. Restore the"
                " store from its backup, or correct its address in roster.yaml."
            )
        return roster

    def put_findings(self, source: str, content_hash: str, findings: pd.DataFrame) -> None:
        """Keep the findings made with a roster (or with a package that gave none: any hash).

        The same roster may come from another package, whose findings then replace these.
        """
        self._put_frame(source, _findings(source, content_hash), findings)

    def findings(self, source: str, content_hash: str) -> pd.DataFrame:
        """The findings that were put. Raises NotStored if there are none."""
        try:
            return self._frame(_findings(source, content_hash))
        except FileNotFoundError:
            raise NotStored(
                f"{source}: no findings are kept for roster {content_hash[:12]}. Sync again."
            ) from None

    def put_held(self, source: str, day: date, aged: pd.DataFrame) -> None:
        """Keep the rows of a source that are held on a date, with their age (`held.aged`)."""
        self._put_frame(source, f"{_held(source)}/{day}.parquet", aged)

    def held(self, source: str, *, before: date | None = None) -> tuple[date, pd.DataFrame] | None:
        """The rows held on the last date (earlier than `before`, if that is given) on which a
        package of the source was judged; None where there is no such date."""
        dates = (date.fromisoformat(PurePath(n).stem) for n in self._files.names(_held(source)))
        last = max((day for day in dates if before is None or day < before), default=None)
        if last is None:
            return None
        name = f"{_held(source)}/{last}.parquet"
        return last, self._frame(name, types_mapper=_TEXTS.get)

    def put_table(self, roster: Snapshot, name: str, rows: pd.DataFrame) -> str:
        """Keep a table that was made of a roster under a name; returns where it lies."""
        place = _table(roster, name)
        self._put_frame(roster.source, place, rows)
        return self._files.url(place)

    def table(self, roster: Snapshot, name: str) -> pd.DataFrame:
        """The table of that name, its text as TEXT. Raises NotStored if there is none."""
        try:
            return self._frame(_table(roster, name), types_mapper=_TEXTS.get)
        except FileNotFoundError:
            raise NotStored(
                f"{roster.source}: there is no {name} of roster {roster.content_hash[:12]}."
                " Sync again."
            ) from None

    def _put_frame(self, source: str, name: str, rows: pd.DataFrame) -> None:
        staged = self.stage(source)
        try:
            file = staged / "rows.parquet"
            pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), file)
            self._files.publish(file, name)
        finally:
            self.discard(staged)

    def _frame(self, name: str, **options: Any) -> pd.DataFrame:
        with self._files.open(name) as file:
            return pq.read_table(file).to_pandas(**options)


def _name(source: str, content_hash: str) -> str:
    return f"snapshots/{plain(source)}/{plain(content_hash)}"


def _findings(source: str, content_hash: str) -> str:
    return f"{_name(source, content_hash)}.findings.parquet"


def _held(source: str) -> str:
    return f"held/{plain(source)}"


def _table(roster: Snapshot, name: str) -> str:
    return f"{_name(roster.source, roster.content_hash)}.{plain(name)}.parquet"
