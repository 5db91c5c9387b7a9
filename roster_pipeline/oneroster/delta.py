"""What differs between two rosters, and how one becomes the other.

Rows are paired by sourcedId. A pair with equal row hashes is unchanged; whatever seems added,
removed or changed is confirmed on its text, so neither two sourcedIds with one hash nor hashes
made by another program can invent or hide a person. Order, parts and where rows came from make no
difference, and neither do status, dateLastModified and password.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.layout import Hashes, Positions, compared
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import compare
from roster_pipeline.tables.text import arrow

Kind = Literal["added", "changed", "removed"]
_BLOCK: Final = 1 << 17
_NONE: Final[Positions] = np.empty(0, dtype=np.int64)


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
    columns: Mapping[str, int] = field(default_factory=dict)
    """In how many changed rows each column differs; columns that differ in none are left out."""

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
    """What differs between two rosters. It holds positions; rows are read block by block."""

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

    def blocks(self, entity: str, kind: Kind, provenance: bool = False) -> Iterator[pd.DataFrame]:
        """The rows that were added, changed (as they are now) or removed (as they were)."""
        roster = (self.old or Roster.empty()) if kind == "removed" else self.new
        positions: Positions = getattr(self.entities[entity], kind)
        return roster.select(entity, positions, provenance=provenance)

    def pairs(self, entity: str) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """The changed rows as they were and as they are, aligned, in all columns that count."""
        delta = self.entities[entity]
        old = self.old or Roster.empty()
        pairs = _Pairs(delta.changed_from, delta.changed)
        yield from _pair_blocks(old, self.new, entity, pairs)


class _Pairs(NamedTuple):
    """Rows of the old and the new roster that belong together, new positions ascending."""

    old: Positions
    new: Positions


def diff(old: Roster | None, new: Roster) -> Delta:
    """Compare two rosters; with no old one, everything was added."""
    base = old or Roster.empty()
    return Delta(old, new, {entity: _diff(base, new, entity) for entity in ENTITIES})


def changed_columns(delta: Delta, entity: str) -> dict[str, int]:
    """In how many changed rows each column differs, most often first."""
    columns = delta.entities[entity].columns
    return dict(sorted(columns.items(), key=lambda item: (-item[1], item[0])))


def apply(old: Roster, delta: Delta, into: Path) -> Roster:
    """Make the new roster of a delta from the old one: `apply(a, diff(a, b))` has the rows of b.

    Unchanged rows stay as they are in `old`; changed and added ones come from the delta's new
    roster, with where they came from. Order differs: changed and added rows come last.
    """
    writer = RosterWriter(into)
    for entity, change in delta.entities.items():
        gone = np.concatenate([change.removed, change.changed_from])
        come = np.sort(np.concatenate([change.added, change.changed]))
        _swap(writer, entity, old, gone, delta.new, come)
    return writer.finish()


def merge(base: Roster, upserts: Roster, removed: Mapping[str, Positions], into: Path) -> Roster:
    """Put changes sent by a source over a roster.

    Each row of `upserts` takes the place of the base's row with that sourcedId, or is added;
    `removed` are positions in the base, and a row that is both removed and upserted stays in its
    new form.
    """
    writer = RosterWriter(into)
    for entity in ENTITIES:
        replaced = base.find(entity, upserts.columns(entity, ["sourcedId"])["sourcedId"])
        gone = np.concatenate([removed.get(entity, _NONE), replaced[replaced >= 0]])
        come = np.arange(upserts.counts[entity], dtype=np.int64)
        _swap(writer, entity, base, gone, upserts, come)
    return writer.finish()


def _swap(
    writer: RosterWriter,
    entity: str,
    base: Roster,
    gone: Positions,
    source: Roster,
    come: Positions,
) -> None:
    """Write the base's rows but for those gone, then those of another roster that come."""
    if len(gone) or len(come):
        stays = np.ones(base.counts[entity], dtype=bool)
        stays[gone] = False
        writer.copy_from(base, entity, np.flatnonzero(stays))
        writer.copy_from(source, entity, come)
    else:
        writer.copy_from(base, entity)


# ---- finding what differs ----


class _Found(NamedTuple):
    """What the hashes say."""

    added: Positions
    removed: Positions
    pairs: _Pairs
    unchanged: int


class _Checked(NamedTuple):
    """What the text of pairs says."""

    changed: _Pairs
    strangers: _Pairs
    """Rows whose sourcedIds only have the same hash."""
    unchanged: int
    columns: Counter[str]


def _diff(old: Roster, new: Roster, entity: str) -> EntityDelta:
    if old.tables[entity].same_cells(new.tables[entity]):
        return EntityDelta(_NONE, _NONE, _NONE, _NONE, new.counts[entity])
    found = _by_hash(old, new, entity)
    if not (_hashes_hold(old, entity, found.removed) and _hashes_hold(new, entity, found.added)):
        found = _by_hash(old, new, entity, stored=False)
    checked = _check(old, new, entity, found.pairs)
    return EntityDelta(
        added=np.union1d(found.added, checked.strangers.new),
        changed=checked.changed.new,
        changed_from=checked.changed.old,
        removed=np.union1d(found.removed, checked.strangers.old),
        unchanged=found.unchanged + checked.unchanged,
        columns=dict(checked.columns),
    )


def _by_hash(old: Roster, new: Roster, entity: str, *, stored: bool = True) -> _Found:
    """Pair rows by key hash; those whose key hash is not theirs alone, by sourcedId."""
    old_keys, old_rows = old.hashes(entity, stored=stored)
    new_keys, new_rows = new.hashes(entity, stored=stored)
    shared = np.union1d(_repeated(old_keys), _repeated(new_keys))
    if not len(shared):
        found = compare(old_keys, old_rows, new_keys, new_rows)
        pairs = _Pairs(found.changed_old, found.changed_new)
        return _Found(found.added, found.removed, pairs, found.unchanged)
    old_alone, old_shares = _split(~np.isin(old_keys, shared))
    new_alone, new_shares = _split(~np.isin(new_keys, shared))
    found = compare(
        old_keys[old_alone], old_rows[old_alone], new_keys[new_alone], new_rows[new_alone]
    )
    same = _by_id(old, old_shares, new, new_shares, entity)
    return _Found(
        added=np.union1d(new_alone[found.added], np.setdiff1d(new_shares, same.new)),
        removed=np.union1d(old_alone[found.removed], np.setdiff1d(old_shares, same.old)),
        pairs=_in_new_order(
            np.concatenate([old_alone[found.changed_old], same.old]),
            np.concatenate([new_alone[found.changed_new], same.new]),
        ),
        unchanged=found.unchanged,
    )


def _by_id(old: Roster, old_at: Positions, new: Roster, new_at: Positions, entity: str) -> _Pairs:
    """Pair rows by the text of their sourcedIds, the first of a repeated one with the first."""
    sides = []
    for roster, at in ((old, old_at), (new, new_at)):
        side = roster.take(entity, at, ["sourcedId"]).assign(at=at)
        sides.append(side.assign(turn=side.groupby("sourcedId", dropna=False).cumcount()))
    both = sides[0].merge(sides[1], on=["sourcedId", "turn"], suffixes=("_old", "_new"))
    return _in_new_order(both["at_old"].to_numpy(), both["at_new"].to_numpy())


def _check(old: Roster, new: Roster, entity: str, pairs: _Pairs) -> _Checked:
    """Compare the text of paired rows."""
    changed = np.zeros(len(pairs.new), dtype=bool)
    strangers = np.zeros(len(pairs.new), dtype=bool)
    columns: Counter[str] = Counter()
    start = 0
    for before, after in _pair_blocks(old, new, entity, pairs):
        block = slice(start, start := start + len(after))
        differs = {name: _differs(before[name], after[name]) for name in after.columns}
        strangers[block] = differs.pop("sourcedId")
        for name, cells in differs.items():
            columns[name] += int((cells & ~strangers[block]).sum())
            changed[block] |= cells & ~strangers[block]
    return _Checked(
        _Pairs(pairs.old[changed], pairs.new[changed]),
        _Pairs(pairs.old[strangers], pairs.new[strangers]),
        int((~changed & ~strangers).sum()),
        +columns,
    )


def _pair_blocks(
    old: Roster, new: Roster, entity: str, pairs: _Pairs
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The compared columns of both rows of each pair, a block at a time."""
    metadata = sorted({*old.tables[entity].metadata, *new.tables[entity].metadata})
    columns = (*compared(entity), *metadata)
    for start in range(0, len(pairs.new), _BLOCK):
        block = slice(start, start + _BLOCK)
        yield (
            old.take(entity, pairs.old[block], columns),
            new.take(entity, pairs.new[block], columns),
        )


def _differs(before: pd.Series, after: pd.Series) -> npt.NDArray[np.bool_]:
    """Which cells are not the same text; an empty one is the same only as an empty one."""
    old, new = arrow(before), arrow(after)
    if old.null_count == new.null_count == len(old):
        return np.zeros(len(old), dtype=bool)
    unequal = np.asarray(pc.not_equal(old, new).fill_null(False), dtype=bool)
    emptied = np.asarray(pc.xor(old.is_null(), new.is_null()), dtype=bool)
    differs: npt.NDArray[np.bool_] = unequal | emptied
    return differs


def _hashes_hold(roster: Roster, entity: str, positions: Positions) -> bool:
    """Whether the hashes that say a sourcedId is new, or gone, are those of its text."""
    keys = roster.keys(entity)
    start = 0
    for frame in roster.select(entity, positions, ["sourcedId"]):
        block = positions[start : (start := start + len(frame))]
        if not np.array_equal(text_hashes(frame["sourcedId"]), keys[block]):
            return False
    return True


def _repeated(keys: Hashes) -> Hashes:
    ascending = np.sort(keys)
    return np.unique(ascending[1:][ascending[1:] == ascending[:-1]])


def _split(chosen: npt.NDArray[np.bool_]) -> tuple[Positions, Positions]:
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def _in_new_order(old: Positions, new: Positions) -> _Pairs:
    order = np.argsort(new)
    return _Pairs(old[order], new[order])
