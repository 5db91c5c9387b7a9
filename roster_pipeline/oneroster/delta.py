"""What differs between two rosters, and how one becomes the other.

Rows are paired by sourcedId. A row is unchanged when both its hashes, of the sourcedId and of the
row, stand in the other roster too. All others are paired by the text of their sourcedIds, so two
with the same hash cannot hide or invent a person. Order, parts and where rows came from make no
difference, and neither do status, dateLastModified and password.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.layout import Hashes, Positions, compared
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.shape import conform
from roster_pipeline.oneroster.unchanged import differing
from roster_pipeline.tables.keys import compare
from roster_pipeline.tables.text import arrow

Kind = Literal["added", "changed", "alive", "removed", "gone"]
# Some 50 MB a side: sourcedIds, and whole rows.
_MOST_IDS: Final = 1 << 20
_MOST_PAIRS: Final = 1 << 17
# Of an entity of which no more rows differ (of a million-student district on a normal day), these
# are read once, whole: looking for few rows takes as long as looking for many.
_MOST_KEPT: Final = 1 << 15
Made = TypeVar("Made")
_NONE: Final[Positions] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Some rows of one entity, read once."""

    positions: Positions
    """Ascending."""
    frame: pd.DataFrame

    def take(self, positions: Positions, columns: Sequence[str]) -> pd.DataFrame:
        at = np.searchsorted(self.positions, positions)
        return conform(self.frame, columns).take(at).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class EntityDelta:
    """Positions of the rows of one entity that differ."""

    added: Positions
    """In the new roster, ascending."""
    changed: Positions
    """In the new roster, ascending."""
    changed_from: Positions
    """In the old roster, aligned with `changed`."""
    removed: Positions
    """In the old roster, ascending."""
    unchanged: int
    old_rows: _Rows | None = None
    new_rows: _Rows | None = None
    """The rows that differ, where they are few."""

    @property
    def alive(self) -> Positions:
        """Rows added and changed: in the new roster, ascending."""
        return _ascending(self.added, self.changed)

    @property
    def gone(self) -> Positions:
        """Rows removed and changed: in the old roster, ascending."""
        return _ascending(self.removed, self.changed_from)

    def counts(self) -> dict[str, int]:
        """How many rows were added, changed, removed and left as they were."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "removed": len(self.removed),
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True, eq=False)
class Delta:
    """What differs between two rosters. Where much does, rows are read block by block."""

    old: Roster | None
    new: Roster
    entities: Mapping[str, EntityDelta]
    """All nine."""

    @property
    def empty(self) -> bool:
        """Whether no row was added, changed or removed."""
        return not any(
            len(e.added) or len(e.changed) or len(e.removed) for e in self.entities.values()
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """For each entity how many rows were added, changed, removed and left as they were."""
        return {entity: delta.counts() for entity, delta in self.entities.items()}

    def blocks(
        self,
        entity: str,
        kind: Kind,
        provenance: bool = False,
        columns: Sequence[str] | None = None,
    ) -> Iterator[pd.DataFrame]:
        """The rows that were added, changed (as they are now) or either (alive); those removed, or
        these and changed ones as they were (gone). All cell columns unless named."""
        delta, was = self.entities[entity], kind in ("removed", "gone")
        roster = (self.old or Roster.empty()) if was else self.new
        rows = delta.old_rows if was else delta.new_rows
        positions: Positions = getattr(delta, kind)
        if rows is None or provenance:
            yield from roster.select(entity, positions, columns, provenance=provenance)
        elif len(positions):
            yield rows.take(positions, roster.header(entity) if columns is None else columns)

    def pairs(
        self, entity: str, columns: Sequence[str] | None = None
    ) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """The changed rows as they were and as they are, aligned, in all columns that count unless
        some are named."""
        delta, old, new = self.entities[entity], self.old or Roster.empty(), self.new
        if columns is None:
            metadata = sorted({*old.tables[entity].metadata, *new.tables[entity].metadata})
            columns = (*compared(entity), *metadata)
        for start in range(0, len(delta.changed), _MOST_PAIRS):
            block = slice(start, start + _MOST_PAIRS)
            yield (
                _take(old, entity, delta.old_rows, delta.changed_from[block], columns),
                _take(new, entity, delta.new_rows, delta.changed[block], columns),
            )


def diff(old: Roster | None, new: Roster) -> Delta:
    """Compare two rosters; with no old one, everything was added."""
    base = old or Roster.empty()
    with ThreadPoolExecutor(2) as workers:
        found = workers.map(lambda entity: _diff(base, new, entity), reversed(ENTITIES))
        made = dict(zip(reversed(ENTITIES), found, strict=True))
    return Delta(old, new, {entity: made[entity] for entity in ENTITIES})


def changed_columns(delta: Delta, entity: str) -> dict[str, int]:
    """In how many changed rows each column differs, most often first; none that differs nowhere."""
    columns: Counter[str] = Counter()
    for before, after in delta.pairs(entity):
        for name in after.columns:
            columns[name] += int(differs(before[name], after[name]).sum())
    return {name: rows for name, rows in columns.most_common() if rows}


def differs(before: pd.Series, after: pd.Series) -> npt.NDArray[np.bool_]:
    """Which cells are not the same text; an empty one is the same only as an empty one."""
    old, new = arrow(before), arrow(after)
    unequal = np.asarray(pc.not_equal(old, new).fill_null(False), dtype=bool)
    emptied = np.asarray(pc.xor(old.is_null(), new.is_null()), dtype=bool)
    found: npt.NDArray[np.bool_] = unequal | emptied
    return found


def apply(old: Roster, delta: Delta, into: Path) -> Roster:
    """Make the new roster of a delta from the old one: `apply(a, diff(a, b))` has the rows of b.

    Unchanged rows stay as they are in `old`; changed and added ones come from the delta's new
    roster, with where they came from. Order differs: changed and added rows come last.
    """
    with closing(RosterWriter(into)) as writer:
        for entity, change in delta.entities.items():
            write_over(writer, old, delta, entity, change.gone)
        return writer.finish()


def write_over(
    writer: RosterWriter, old: Roster, delta: Delta, entity: str, gone: Positions
) -> int:
    """Write an entity's old rows but those that are `gone`, then its changed and added ones;
    returns how many of the old ones stay."""
    stays = np.ones(old.counts[entity], dtype=bool)
    stays[gone] = False
    writer.copy_from(old, entity, None if stays.all() else np.flatnonzero(stays))
    writer.copy_from(delta.new, entity, delta.entities[entity].alive)
    return int(stays.sum())


# ---- finding what differs ----


def _diff(old: Roster, new: Roster, entity: str) -> EntityDelta:
    if old.tables[entity].same_cells(new.tables[entity]):
        return EntityDelta(_NONE, _NONE, _NONE, _NONE, new.counts[entity])
    if not old.counts[entity] or not new.counts[entity]:
        added, removed = (np.arange(side.counts[entity], dtype=np.int64) for side in (new, old))
        return EntityDelta(added, _NONE, _NONE, removed, 0)
    old_keys, old_rows = old.hashes(entity)
    new_keys, new_rows = new.hashes(entity)
    old_at, new_at = differing(old_keys, old_rows, new_keys, new_rows)
    old_kept, new_kept = None, None
    if max(len(old_at), len(new_at)) <= _MOST_KEPT:
        old_kept, new_kept = _side_by_side(
            lambda: _Rows(old_at, old.take(entity, old_at, old.header(entity))),
            lambda: _Rows(new_at, new.take(entity, new_at, new.header(entity))),
        )
    found = [EntityDelta(_NONE, _NONE, _NONE, _NONE, len(new_keys) - len(new_at))]
    for in_old, in_new in _chunks(old_keys[old_at], new_keys[new_at]):
        left_old, left_new = old_at[in_old], new_at[in_new]
        old_ids, new_ids = _coded(
            *_side_by_side(
                partial(_take, old, entity, old_kept, left_old, ["sourcedId"]),
                partial(_take, new, entity, new_kept, left_new, ["sourcedId"]),
            )
        )
        chunk = compare(old_ids, old_rows[left_old], new_ids, new_rows[left_new])
        found.append(
            EntityDelta(
                left_new[chunk.added],
                left_new[chunk.changed_new],
                left_old[chunk.changed_old],
                left_old[chunk.removed],
                chunk.unchanged,
            )
        )
    return replace(_together(found), old_rows=old_kept, new_rows=new_kept)


def _ascending(some: Positions, others: Positions) -> Positions:
    """Both, which have none in common. (`np.union1d` takes seconds for a million.)"""
    return np.sort(np.concatenate([some, others]))


def _together(deltas: Sequence[EntityDelta]) -> EntityDelta:
    changed = np.concatenate([delta.changed for delta in deltas])
    order = np.argsort(changed)
    return EntityDelta(
        added=np.sort(np.concatenate([delta.added for delta in deltas])),
        changed=changed[order],
        changed_from=np.concatenate([delta.changed_from for delta in deltas])[order],
        removed=np.sort(np.concatenate([delta.removed for delta in deltas])),
        unchanged=sum(delta.unchanged for delta in deltas),
    )


def _chunks(old_keys: Hashes, new_keys: Hashes) -> Iterator[tuple[Positions, Positions]]:
    """Cut both lists into chunks of which the sourcedIds fit into memory; rows with the same
    sourcedId have the same key hash, and so are in the same chunk."""
    bits = (max(len(old_keys), len(new_keys)) // _MOST_IDS).bit_length()
    if not bits:
        yield np.arange(len(old_keys)), np.arange(len(new_keys))
        return
    old_chunks, new_chunks = (
        (keys >> np.uint64(64 - bits)).astype(np.uint16) for keys in (old_keys, new_keys)
    )
    for chunk in range(1 << bits):
        yield np.flatnonzero(old_chunks == chunk), np.flatnonzero(new_chunks == chunk)


def _take(
    roster: Roster, entity: str, kept: _Rows | None, at: Positions, columns: Sequence[str]
) -> pd.DataFrame:
    if kept is not None:
        return kept.take(at, columns)
    return roster.take(entity, at, columns)


def _side_by_side(before: Callable[[], Made], after: Callable[[], Made]) -> tuple[Made, Made]:
    with ThreadPoolExecutor(1) as other:
        made = other.submit(before)
        late = after()
        return made.result(), late


def _coded(before: pd.DataFrame, after: pd.DataFrame) -> tuple[Hashes, Hashes]:
    """One number for each different sourcedId of these rows, by its text."""
    texts = [arrow(frame["sourcedId"]) for frame in (before, after)]
    # All chunks share one dictionary.
    coded = pa.chunked_array(texts, pa.large_string()).dictionary_encode("encode")
    chunks = cast("list[pa.DictionaryArray[Any, Any]]", coded.chunks)
    codes = np.concatenate([_NONE, *(chunk.indices.to_numpy() for chunk in chunks)])
    return codes[: len(before)].astype(np.uint64), codes[len(before) :].astype(np.uint64)
