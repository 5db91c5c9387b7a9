"""Rows that come again under another sourcedId: another system, or another version of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.guards.facts import Share
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.entities import ENTITIES, Column, Kind, columns
from roster_pipeline.oneroster.layout import Hashes, Positions
from roster_pipeline.oneroster.likeness import WAYS, Mask
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet, compare
from roster_pipeline.tables.text import arrow, series

_FEWEST: Final = 5
"""So many rows have to go and so many to come before any of an entity are counted."""
_AS_WELL: Final[Mapping[str, tuple[str, ...]]] = {
    "courses": ("schoolYearSourcedId",),
    "classes": ("termSourcedIds",),
    "users": ("givenName", "familyName"),
}
"""Cells that must agree too, filled or not: a class of the next term has the code of this one's, a
new student the username of one who left, and another district's students the same numbers."""
_REFERRED_TO: Final = {column.target for entity in WAYS for column in columns(entity)}
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)

Telling = list[tuple[Hashes, Mask]]
"""For each way in which rows of an entity are told apart a hash a row, and whether it holds."""


@dataclass(frozen=True, eq=False)
class _Successors:
    """Hashes of sourcedIds that are gone, and of those in their place."""

    gone: KeySet
    come: Hashes

    def follow(self, keys: Hashes) -> Hashes:
        """The keys, each that is gone replaced by the one in its place."""
        at = self.gone.positions(keys)
        followed: Hashes = np.where(at < 0, keys, self.come[at])
        return followed


def count_rekeyed(delta: Delta) -> dict[str, Share]:
    """Of each entity how many rows are removed while their like is added, of all rows of the base.

    Rows are alike by any of the ways of `oneroster.likeness`, letter case aside, and each takes one
    like at most. References are followed: enrollments of people and classes that come again come
    again too. Nothing is counted of an entity of which fewer than five rows are removed or added,
    and nothing at all of another district's file. Only rows removed and added are read.
    """
    old = delta.old or Roster.empty()
    successors: dict[str, _Successors] = {}
    rekeyed = dict.fromkeys(WAYS, 0)
    for entity in (name for name in ENTITIES if name in WAYS):  # what is referred to comes first
        moved = delta.entities[entity]
        counts = min(len(moved.removed), len(moved.added)) >= _FEWEST
        if not counts and entity not in _REFERRED_TO:
            continue
        gone, come = _pairs(delta, entity, successors)
        if len(gone) and entity in _REFERRED_TO:
            successors[entity] = _Successors(
                KeySet(old.keys(entity)[moved.removed[gone]]),
                delta.new.keys(entity)[moved.added[come]],
            )
        if counts:
            rekeyed[entity] = len(gone)
    if _strangers(delta, successors.get("users")):
        rekeyed = dict.fromkeys(WAYS, 0)
    return {entity: Share(count, old.counts[entity]) for entity, count in rekeyed.items()}


def _strangers(delta: Delta, again: _Successors | None) -> bool:
    """Whether most people are gone and next to none of them are alike anybody who comes.

    Then it is another district's file. Its terms begin on the same days, and its courses may have
    the state's codes, without being the same.
    """
    users = delta.entities["users"]
    gone, stay = len(users.removed), len(users.changed) + users.unchanged
    return gone > stay and (len(again.come) if again else 0) * 10 < gone


def _pairs(
    delta: Delta, entity: str, successors: Mapping[str, _Successors]
) -> tuple[Positions, Positions]:
    """Which of the removed rows are alike which of the added, aligned, as places among these."""
    moved = delta.entities[entity]
    pairs = [np.empty((2, 0), dtype=np.int64)]
    if len(moved.removed) and len(moved.added):
        wanted = _columns(entity)
        before = _telling(entity, delta.blocks(entity, "removed", columns=wanted), successors)
        after = _telling(entity, delta.blocks(entity, "added", columns=wanted), {})
        free = tuple(np.ones(len(side), dtype=bool) for side in (moved.removed, moved.added))
        for (was, was_told), (now, now_told) in zip(before, after, strict=True):
            gone, come = np.flatnonzero(free[0] & was_told), np.flatnonzero(free[1] & now_told)
            same = _same(was[gone], now[come])
            pairs.append(np.stack([gone[same[0]], come[same[1]]]))
            free[0][pairs[-1][0]] = False
            free[1][pairs[-1][1]] = False
    gone, come = np.concatenate(pairs, axis=1)
    return gone, come


def _same(before: Hashes, after: Hashes) -> tuple[Positions, Positions]:
    """The places, aligned, of equal hashes; of one that is repeated the first with the first."""
    there, here = np.zeros(len(before), np.uint64), np.ones(len(after), np.uint64)
    paired = compare(before, there, after, here)  # equal keys, and never an equal row
    return paired.changed_old, paired.changed_new


# ---- what tells a row apart ----


def _columns(entity: str) -> tuple[str, ...]:
    told = {name for way in WAYS[entity] for name in way} | {*_AS_WELL.get(entity, ())}
    return tuple(sorted(told))


def _telling(
    entity: str, blocks: Iterable[pd.DataFrame], successors: Mapping[str, _Successors]
) -> Telling:
    """How the rows of all blocks are told apart, their references followed."""
    known = {column.name: column for column in columns(entity)}
    found = []
    for block in blocks:
        hashes = {name: _hashes(block[name], known[name], successors) for name in block.columns}
        there = {name: block[name].notna().to_numpy(dtype=bool) for name in block.columns}
        found.append(
            [
                (
                    _together([hashes[name] for name in (*way, *_AS_WELL.get(entity, ()))]),
                    np.logical_and.reduce([there[name] for name in way]),
                )
                for way in WAYS[entity]
            ]
        )
    return [
        (np.concatenate([h for h, _ in way]), np.concatenate([told for _, told in way]))
        for way in zip(*found, strict=True)
    ]


def _together(hashes: Iterable[Hashes]) -> Hashes:
    first, *others = hashes
    for other in others:
        first = first * _FACTOR ^ other
    return first


def _hashes(
    cells: "pd.Series[str]", column: Column, successors: Mapping[str, _Successors]
) -> Hashes:
    """One hash a cell, of references the keys that they refer to; the order of a list is nothing
    to it, nor is the case of other texts."""
    if column.target is None:
        return text_hashes(series(pc.utf8_lower(arrow(cells))))
    known = successors.get(column.target)
    follow: Callable[[Hashes], Hashes] = known.follow if known else lambda keys: keys
    if column.kind is not Kind.REFERENCES:
        return follow(text_hashes(cells))
    items = pc.split_pattern(arrow(cells), ",")
    sums = np.zeros(len(cells), dtype=np.uint64)
    keys = follow(text_hashes(series(pc.list_flatten(items))))
    np.add.at(sums, pc.list_parent_indices(items).to_numpy(), keys)
    return sums
