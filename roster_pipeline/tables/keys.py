"""Sets of 64-bit key hashes, and two keyed lists of rows compared by sorted merge."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]
_NONE: Final[Positions] = np.empty(0, dtype=np.int64)
# Pairs are looked at in slices of this many rows, to keep what lies between small.
_SLICE: Final = 1 << 19


Number = TypeVar("Number", bound=np.generic)


def distinct(numbers: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Each number once, ascending. (`np.unique` of NumPy 2.4 takes a second for a million.)"""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


class KeySet:
    """Key hashes with the positions they came from."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @cached_property
    def _ordered(self) -> tuple[Positions, Hashes]:
        return _in_order(self._hashes)

    @cached_property
    def _table(self) -> pl.Series:
        return pl.Series(self._hashes).implode()

    def contains(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash, whether it is in the set."""
        return pl.Series(hashes).is_in(self._table).to_numpy()

    def positions(self, hashes: Hashes) -> Positions:
        """For each hash its position in the array the set was made of: the first one if it
        occurs there more than once, -1 if it does not occur."""
        from_order, ordered = self._ordered
        found = np.full(len(hashes), -1, dtype=np.int64)
        # Unsorted needles miss the processor's cache on every probe: 8 times slower at 7 million.
        order = np.argsort(hashes)
        needles = hashes[order]
        places = np.searchsorted(ordered, needles)
        hit = _holds(ordered, places, needles)
        found[order[hit]] = from_order[places[hit]]
        return found

    def duplicated(self) -> Positions:
        """Positions, ascending, of every hash that occurs earlier too (second and later ones)."""
        # Nearly always there are none, and counting takes a fifth of the time of sorting.
        if pl.Series(self._hashes).n_unique() == len(self._hashes):
            return _NONE
        order, ordered = self._ordered
        return np.sort(order[1:][ordered[1:] == ordered[:-1]])


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """How one keyed list of rows became another. Positions ascend, but for `changed_old`."""

    added: Positions
    """In the new list, of keys that the old one does not have."""
    removed: Positions
    """In the old list, of keys that the new one does not have."""
    changed_new: Positions
    """In the new list, of keys in both whose rows differ."""
    changed_old: Positions
    """In the old list, aligned with `changed_new`."""
    unchanged: int
    """How many keys have equal rows."""


def compare(old_keys: Hashes, old_rows: Hashes, new_keys: Hashes, new_rows: Hashes) -> Comparison:
    """Compare two lists of rows, each given by key hashes and row hashes in row order.

    A key that occurs more than once on a side is paired by occurrence: its first row with the
    first, its second with the second. Takes 32 bytes per row beside the result.
    """
    old_order, old_sorted = _in_order(old_keys)
    new_order, new_sorted = _in_order(new_keys)
    earlier = _occurrences(new_sorted)
    gone = np.ones(len(old_sorted), dtype=np.bool_)
    added, changed_old, changed_new = [_NONE], [_NONE], [_NONE]
    unchanged = 0
    for start in range(0, len(new_sorted), _SLICE):
        part = slice(start, start + _SLICE)
        places = np.searchsorted(old_sorted, new_sorted[part])
        if earlier is not None:
            places += earlier[part]
        paired = _holds(old_sorted, places, new_sorted[part])
        places = places[paired]
        gone[places] = False
        in_old, in_new = old_order[places], new_order[part][paired]
        changed = old_rows[in_old] != new_rows[in_new]
        unchanged += len(changed) - int(np.count_nonzero(changed))
        changed_old.append(in_old[changed])
        changed_new.append(in_new[changed])
        added.append(new_order[part][~paired])
    before, after = np.concatenate(changed_old), np.concatenate(changed_new)
    ascending = np.argsort(after)
    return Comparison(
        added=np.sort(np.concatenate(added)),
        removed=np.sort(old_order[gone]),
        changed_new=after[ascending],
        changed_old=before[ascending],
        unchanged=unchanged,
    )


def _in_order(hashes: Hashes) -> tuple[Positions, Hashes]:
    """Positions by ascending hash, equal ones by ascending position; and the hashes so ordered."""
    # The vectorised unstable sort and a repair of the few equal runs is 3 times faster than the
    # stable one.
    order = np.argsort(hashes)
    ordered = hashes[order]
    equal = ordered[1:] == ordered[:-1]
    if equal.any():
        members = np.zeros(len(order), dtype=np.bool_)
        members[1:] |= equal
        members[:-1] |= equal
        run = order[members]
        order[members] = run[np.lexsort((run, hashes[run]))]
    return order, ordered


def _holds(ordered: Hashes, places: Positions, hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Whether each hash stands at its place; a place may be past the end."""
    if not len(ordered):
        return np.zeros(len(hashes), dtype=np.bool_)
    held: npt.NDArray[np.bool_] = ordered[np.minimum(places, len(ordered) - 1)] == hashes
    held &= places < len(ordered)
    return held


def _occurrences(ordered: Hashes) -> Positions | None:
    """For each of some ordered hashes how many equal ones stand before it; None if none does."""
    equal = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    if not len(equal):
        return None
    starts = np.ones(len(ordered), dtype=np.bool_)
    starts[equal] = False
    first = np.flatnonzero(starts)
    count = np.zeros(len(ordered), dtype=np.int64)
    count[equal] = equal - first[np.searchsorted(first, equal) - 1]
    return count
