"""A roster: nine entities as Parquet parts, of which nobody need hold more than one at a time."""

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline import crashpoints
from roster_pipeline.oneroster import layout
from roster_pipeline.oneroster.entities import ENTITIES, names
from roster_pipeline.oneroster.layout import (
    FILE,
    LINE,
    ROLE,
    Hashes,
    Positions,
    RosterError,
    StoredPart,
    Table,
)
from roster_pipeline.oneroster.shape import (
    conform,
    metadata_of,
    nulls,
    overwrite,
    repeated,
    require_ascending,
    require_cells,
    require_within,
    stack,
)
from roster_pipeline.oneroster.unchanged import positions_among
from roster_pipeline.tables import hashes, parts
from roster_pipeline.tables.text import arrow

# A part is a block of about 32 MB of CSV. Rows left over from a part that lost most of its own
# wait for company, so that a year of small changes does not end in a thousand tiny parts.
_FEWEST_ROWS: Final = 1 << 16
_MOST_ROWS: Final = 1 << 18


class Roster:
    """A handle on a stored roster. Cells are TEXT; a position counts an entity's rows from 0.

    Two rosters with equal `content_hash` hold equal cells in equal order.
    """

    def __init__(self, url: str, tables: Mapping[str, Table]) -> None:
        self.url = url
        self.tables = {entity: tables.get(entity, Table()) for entity in ENTITIES}

    @classmethod
    def open(cls, url: str | Path) -> "Roster":
        """The roster below a folder or fsspec URL; `RosterError` when none was finished there."""
        url = str(url)
        try:
            with layout.open_file(url, layout.INDEX) as index:
                content = index.read()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RosterError(
                f"There is no roster at {url}: {layout.INDEX} is missing, so whatever wrote there "
                "did not finish. Sync again."
            ) from error
        return cls(url, layout.parse_index(content, url))

    @classmethod
    def empty(cls) -> "Roster":
        """A roster of no rows, stored nowhere: what a first sync compares with."""
        return cls("", {})

    def __repr__(self) -> str:
        return f"Roster({self.url!r}, {sum(self.counts.values())} rows)"

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of all cells, in order."""
        return layout.content_hash(self.tables)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows each of the nine entities has."""
        return {entity: table.rows for entity, table in self.tables.items()}

    def header(self, entity: str) -> tuple[str, ...]:
        """The cell columns: the standard's in its order, then `metadata.*`, sorted."""
        return self.tables[entity].header(entity)

    def blocks(
        self, entity: str, columns: Sequence[str] | None = None, provenance: bool = False
    ) -> Iterator[pd.DataFrame]:
        """The rows of an entity in order, part by part; all cell columns unless named."""
        wanted = self._wanted(entity, columns, provenance)
        for part in self.tables[entity].parts:
            yield self._read(part, wanted)

    def coded(self, entity: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns in order, part by part, as Arrow: dictionaries where they repeat."""
        for part in self.tables[entity].parts:
            with self._opened(part) as file:
                table = parts.read_coded(file, columns)
            yield table

    def columns(self, entity: str, columns: Sequence[str]) -> pd.DataFrame:
        """Some columns of the whole entity."""
        return stack(list(self.blocks(entity, columns)), columns)

    def frame(self, entity: str) -> pd.DataFrame:
        """The whole entity. Not for large ones: 7 million enrollments take 1.8 GB."""
        return self.columns(entity, self.header(entity))

    def select(
        self,
        entity: str,
        positions: Positions,
        columns: Sequence[str] | None = None,
        provenance: bool = False,
    ) -> Iterator[pd.DataFrame]:
        """Rows by ascending position, one frame for each part that has any of them."""
        wanted = self._wanted(entity, columns, provenance)
        table = self.tables[entity]
        require_ascending(positions, table.rows)
        for part, local in _by_part(table, positions):
            yield self._read(part, wanted, local)

    def take(
        self,
        entity: str,
        positions: Positions,
        columns: Sequence[str] | None = None,
        provenance: bool = False,
    ) -> pd.DataFrame:
        """Rows by position, in the order given; each part is read at most once."""
        order = np.argsort(positions, kind="stable")
        wanted = self._wanted(entity, columns, provenance)
        ascending = stack(list(self.select(entity, positions[order], wanted)), wanted)
        if np.array_equal(order, np.arange(len(order))):
            return ascending
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return ascending.take(back).reset_index(drop=True)

    def keys(self, entity: str) -> Hashes:
        """The hash of each row's sourcedId, in row order."""
        return self.hashes(entity)[0]

    def hashes(self, entity: str) -> tuple[Hashes, Hashes]:
        """The hash of each row's sourcedId and of each row, in row order.

        The row hash sees all cells but status, dateLastModified and password, and is comparable
        with that of any other roster.
        """
        table = self.tables[entity]
        keys, rows = (np.empty(table.rows, dtype=np.uint64) for _ in range(2))
        for part, start in zip(table.parts, table.bounds.tolist(), strict=False):
            end = start + part.rows
            keys[start:end], rows[start:end] = self._hashes_of(entity, part)
        return keys, rows

    def find(self, entity: str, sourced_ids: pd.Series) -> Positions:
        """The position of each sourcedId, the first if it is repeated, -1 where there is none;
        compared as text."""
        if not len(sourced_ids):
            return np.empty(0, dtype=np.int64)
        wanted = np.sort(hashes.text_hashes(sourced_ids))
        candidates = positions_among(self.keys(entity), wanted)
        found = self.take(entity, candidates, ["sourcedId"])["sourcedId"]
        at = pc.index_in(arrow(sourced_ids), value_set=arrow(found), skip_nulls=True)
        positions: Positions = np.append(candidates, -1)[at.fill_null(len(candidates)).to_numpy()]
        return positions

    def _wanted(
        self, entity: str, columns: Sequence[str] | None, provenance: bool
    ) -> tuple[str, ...]:
        cells = self.header(entity) if columns is None else tuple(columns)
        return cells + layout.provenance(entity) if provenance else cells

    def _read(
        self, part: StoredPart, columns: Sequence[str], positions: Positions | None = None
    ) -> pd.DataFrame:
        if positions is not None and np.array_equal(positions, np.arange(part.rows)):
            positions = None
        with self._opened(part) as file:
            return parts.read_part(file, columns, positions)

    @contextmanager
    def _opened(self, part: StoredPart) -> Iterator[BinaryIO]:
        """The file of one part, for as long as it is read."""
        try:
            with layout.open_file(self.url, part.name) as file:
                yield file
        except (OSError, pa.ArrowInvalid) as error:
            raise self.damaged(part) from error

    def damaged(self, part: StoredPart) -> RosterError:
        """The error that says that one part cannot be read."""
        return RosterError(
            f"{part.name} of the roster at {self.url} is missing or damaged; sync again."
        )

    def _hashes_of(self, entity: str, part: StoredPart) -> tuple[Hashes, Hashes]:
        if part.hashed_by == layout.algorithm(entity):
            with suppress(FileNotFoundError), layout.open_file(self.url, part.hash_file) as file:
                if stored := layout.parse_hashes(file.read(), part):
                    return stored
        return layout.hash_rows(entity, self._read(part, self.header(entity)))


class _Growing(Roster):
    """What is written so far: cells are waited for, hashes are there."""

    def __init__(
        self, url: str, tables: Mapping[str, Table], wait: Callable[[StoredPart], None]
    ) -> None:
        super().__init__(url, tables)
        self._wait = wait

    @contextmanager
    def _opened(self, part: StoredPart) -> Iterator[BinaryIO]:
        self._wait(part)
        with super()._opened(part) as file:
            yield file


class RosterWriter:
    """Writes a roster into a new folder, block by block.

    What was written so far can be looked at (`so_far`, `keys`, `hashes`, `columns`) and corrected
    (`drop`, `replace`) before it is finished. Positions count the rows of an entity in the order
    written, dropped ones included; corrections show in the finished roster only. A folder without
    `finish` holds no roster.

    A part's cells are written beside whatever comes next, one part at a time; what goes wrong there
    is raised by the next part, a look at cells, or `finish`. `close` waits for the last one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables = dict.fromkeys(ENTITIES, Table())
        self._waiting: dict[str, list[pd.DataFrame]] = defaultdict(list)
        self._dropped: dict[str, list[Positions]] = defaultdict(list)
        self._replaced: dict[str, list[tuple[Positions, pd.DataFrame]]] = defaultdict(list)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="part")
        self._unfinished: tuple[str, int, Future[str]] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if any((folder / name).exists() for name in (layout.INDEX, *ENTITIES)):
            raise FileExistsError(f"{folder} already holds a roster, or part of one")

    def write(
        self,
        entity: str,
        frame: pd.DataFrame,
        *,
        file: str,
        lines: npt.NDArray[np.int64],
        role_words: pd.Series | None = None,
    ) -> None:
        """Append rows that came from the given lines of one file.

        A column of the standard that is missing is written empty; `ValueError` names a column that
        neither is the standard's nor starts with `metadata.`. `role_words` are the roles as 1.1
        said them, for `roles` only.
        """
        require_cells(entity, frame)
        if len(lines) != len(frame) or not (role_words is None or len(role_words) == len(frame)):
            raise ValueError(f"{entity}: every row needs its line, and a 1.1 role if any has one")
        if entity != "roles" and role_words is not None:
            raise ValueError(f"{entity} has no roles of 1.1; roles have")
        rows = conform(frame, (*names(entity), *metadata_of(frame)))
        rows[FILE] = repeated(file, len(frame))
        rows[LINE] = np.asarray(lines, dtype=np.int64)
        if entity == "roles":
            rows[ROLE] = nulls(len(frame)) if role_words is None else role_words.array
        self._append(entity, rows)

    def copy_from(self, roster: Roster, entity: str, positions: Positions | None = None) -> None:
        """Append rows of another roster, with where they came from, in that roster's order.

        Parts that are taken whole are linked or copied as they are.
        """
        table = roster.tables[entity]
        if positions is None:
            for part in table.parts:
                self._link(roster, entity, part)
            return
        require_within(positions, table.rows)
        chosen = np.zeros(table.rows, dtype=bool)
        chosen[positions] = True
        for part, local in _by_part(table, np.flatnonzero(chosen)):
            if len(local) == part.rows >= _FEWEST_ROWS:
                self._link(roster, entity, part)
            else:
                columns = roster.header(entity) + layout.provenance(entity)
                self._append(entity, roster._read(part, columns, local))

    def drop(self, entity: str, positions: Positions) -> None:
        """Leave these rows out of the finished roster."""
        require_within(positions, self._count(entity))
        self._dropped[entity].append(np.asarray(positions, dtype=np.int64))

    def replace(self, entity: str, positions: Positions, frame: pd.DataFrame) -> None:
        """Give these rows the cells of `frame`, row by row; columns it lacks stay as they are."""
        require_cells(entity, frame)
        require_within(positions, self._count(entity))
        if len(positions) != len(frame):
            raise ValueError(f"{entity}: {len(positions)} rows cannot be replaced by {len(frame)}")
        self._replaced[entity].append((np.asarray(positions, dtype=np.int64), frame))

    def kept(self, entity: str) -> npt.NDArray[np.bool_]:
        """For each row written whether it was not dropped."""
        kept = np.ones(self._count(entity), dtype=bool)
        for positions in self._dropped[entity]:
            kept[positions] = False
        return kept

    def so_far(self, entity: str) -> Roster:
        """What was written of one entity, corrections not applied."""
        self._flush(entity)
        return _Growing(str(self._folder), {entity: self._tables[entity]}, self._wait_for)

    def keys(self, entity: str) -> Hashes:
        """The hash of each written row's sourcedId."""
        return self.so_far(entity).keys(entity)

    def hashes(self, entity: str) -> tuple[Hashes, Hashes]:
        """The hash of each written row's sourcedId and of each written row."""
        return self.so_far(entity).hashes(entity)

    def columns(self, entity: str, columns: Sequence[str]) -> pd.DataFrame:
        """Some columns of all written rows."""
        return self.so_far(entity).columns(entity, columns)

    def finish(self) -> Roster:
        """Apply the corrections and write the index: from here on the folder is a roster."""
        for entity in ENTITIES:
            self._flush(entity)
            self._correct(entity)
        self._settle()
        self.close()
        layout.write_whole(self._folder / layout.INDEX, layout.index_bytes(self._tables))
        return Roster(str(self._folder), self._tables)

    def close(self) -> None:
        """Let the last part be written or fail: nothing touches the folder any more."""
        self._beside.shutdown()

    def _count(self, entity: str) -> int:
        return self._tables[entity].rows + sum(map(len, self._waiting[entity]))

    def _append(self, entity: str, rows: pd.DataFrame) -> None:
        self._waiting[entity].append(rows)
        if sum(map(len, self._waiting[entity])) >= _FEWEST_ROWS:
            self._flush(entity)

    def _flush(self, entity: str) -> None:
        waiting = self._waiting.pop(entity, [])
        if not waiting:
            return
        metadata = sorted({name for frame in waiting for name in metadata_of(frame)})
        self._know(entity, metadata)
        columns = names(entity) + tuple(metadata) + layout.provenance(entity)
        frame = stack([conform(frame, columns) for frame in waiting], columns)
        for start in range(0, len(frame), _MOST_ROWS):
            self._begin_part(entity, frame.iloc[start : start + _MOST_ROWS])

    def _begin_part(self, entity: str, rows: pd.DataFrame) -> None:
        number = len(self._tables[entity].parts)
        part = self._put_hashes(entity, number, layout.hash_rows(entity, _cells(entity, rows)))
        self._settle()
        self._add(entity, part)
        writing = self._beside.submit(self._write_cells, entity, part, rows)
        self._unfinished = entity, number, writing

    def _wait_for(self, part: StoredPart) -> None:
        if self._unfinished is not None:
            entity, number, _ = self._unfinished
            if self._tables[entity].parts[number].name == part.name:
                self._settle()

    def _settle(self) -> None:
        """Wait for the part that is being written, and learn its digest."""
        if self._unfinished is None:
            return
        (entity, number, writing), self._unfinished = self._unfinished, None
        table = self._tables[entity]
        parts_ = list(table.parts)
        parts_[number] = replace(parts_[number], digest=writing.result())
        self._tables[entity] = Table(table.metadata, tuple(parts_))

    def _add(self, entity: str, part: StoredPart) -> None:
        table = self._tables[entity]
        self._tables[entity] = Table(table.metadata, (*table.parts, part))

    def _know(self, entity: str, metadata: Sequence[str]) -> None:
        table = self._tables[entity]
        self._tables[entity] = Table(tuple(sorted({*table.metadata, *metadata})), table.parts)

    def _link(self, roster: Roster, entity: str, part: StoredPart) -> None:
        self._flush(entity)
        self._know(entity, roster.tables[entity].metadata)
        made = self._put_hashes(
            entity, len(self._tables[entity].parts), roster._hashes_of(entity, part)
        )

        def copy(path: Path) -> str:
            try:
                _link_or_copy(roster.url, part.name, path)
            except FileNotFoundError as error:
                raise roster.damaged(part) from error
            return part.digest

        self._add(entity, replace(made, digest=self._put(made, copy)))

    def _write_cells(self, entity: str, part: StoredPart, rows: pd.DataFrame) -> str:
        came_from = {name: rows[name] for name in layout.provenance(entity)}
        cells = _cells(entity, rows)
        return self._put(part, lambda path: parts.write_part(path, cells, came_from).digest)

    def _put(self, part: StoredPart, write: Callable[[Path], str]) -> str:
        """Put the file of one part in place and return its digest. A part of that number is
        replaced, never changed: its file may be shared with another roster."""
        path = self._folder / part.name
        unfinished = path.with_name(f".{path.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        digest = write(unfinished)
        unfinished.replace(path)
        crashpoints.reached("snapshot.part-written")
        return digest

    def _put_hashes(self, entity: str, number: int, made: tuple[Hashes, Hashes]) -> StoredPart:
        """Put the hashes of one part in place. The part is whole with its file, and its digest."""
        content = layout.hash_bytes(*made)
        part = StoredPart(
            f"{entity}/part-{number:05d}.parquet",
            len(made[0]),
            digest="",
            hashed_by=layout.algorithm(entity),
            hash_digest=hashlib.sha256(content).hexdigest(),
        )
        path = self._folder / part.hash_file
        path.parent.mkdir(exist_ok=True)
        layout.write_whole(path, content)
        return part

    def _correct(self, entity: str) -> None:
        if not self._dropped[entity] and not self._replaced[entity]:
            return
        self._settle()
        keep = self.kept(entity)
        for _, cells in self._replaced[entity]:
            self._know(entity, metadata_of(cells))
        table = self._tables[entity]
        corrected = []
        for number, (part, start) in enumerate(
            zip(table.parts, table.bounds.tolist(), strict=False)
        ):
            stays = keep[start : start + part.rows]
            changes = [
                (at[inside] - start, cells[inside])
                for at, cells in self._replaced[entity]
                if (inside := (at >= start) & (at < start + part.rows)).any()
            ]
            if not stays.any():
                for name in (part.name, part.hash_file):
                    (self._folder / name).unlink()
            elif changes or not stays.all():
                corrected.append(self._rewrite(entity, number, part, stays, changes))
            else:
                corrected.append(part)
        self._tables[entity] = Table(table.metadata, tuple(corrected))
        del self._dropped[entity], self._replaced[entity]

    def _rewrite(
        self,
        entity: str,
        number: int,
        part: StoredPart,
        stays: npt.NDArray[np.bool_],
        changes: Sequence[tuple[Positions, pd.DataFrame]],
    ) -> StoredPart:
        (rows,) = Roster(
            str(self._folder), {entity: Table(self._tables[entity].metadata, (part,))}
        ).blocks(entity, provenance=True)
        for at, cells in changes:
            rows = overwrite(rows, at, cells)
        rows = rows[stays]
        made = self._put_hashes(entity, number, layout.hash_rows(entity, _cells(entity, rows)))
        return replace(made, digest=self._write_cells(entity, made, rows))


def _cells(entity: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in rows.columns if name not in layout.provenance(entity)]]


def _by_part(table: Table, positions: Positions) -> Iterator[tuple[StoredPart, Positions]]:
    """Each part that holds any of the ascending positions, with the positions inside it."""
    cuts = np.searchsorted(positions, table.bounds)
    for index, part in enumerate(table.parts):
        if cuts[index] < cuts[index + 1]:
            yield part, positions[cuts[index] : cuts[index + 1]] - table.bounds[index]


def _link_or_copy(url: str, name: str, to: Path) -> None:
    folder = layout.local_folder(url)
    if folder is not None:
        try:
            os.link(folder / name, to)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            shutil.copyfile(folder / name, to)
        return
    with layout.open_file(url, name) as source, to.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
