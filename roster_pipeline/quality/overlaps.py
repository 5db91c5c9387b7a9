"""Spans of days that overlap."""

import numpy as np

from roster_pipeline.quality.view import Days, Hashes, Mask
from roster_pipeline.tables.keys import KeySet, distinct


def repeated(keys: Hashes) -> Mask:
    """Which keys stand there more than once."""
    # Sorting numbers alone is several times faster than any way to learn where they stand.
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(len(keys), dtype=np.bool_)
    return KeySet(distinct(twice)).contains(keys)


def overlapping(keys: Hashes, begins: Days, ends: Days) -> tuple[Mask, Mask]:
    """Which spans share a day with another one of the same key, and which with an earlier one.

    An end is the first day after its span; a span without days overlaps nothing.
    """
    both, later = (np.zeros(len(keys), dtype=np.bool_) for _ in range(2))
    rows = np.flatnonzero(repeated(keys))
    rows = rows[begins[rows] < ends[rows]]
    if not len(rows):
        return both, later
    rows = rows[np.lexsort((rows, begins[rows], keys[rows]))]
    group = np.cumsum(np.diff(keys[rows], prepend=keys[rows[:1]]) != 0)
    # Groups are further apart than any days are, so that the latest end so far is of the group.
    width = 1 << 33
    begin = group * width + begins[rows]
    latest = np.maximum.accumulate(group * width + ends[rows])
    meets = begin[1:] < latest[:-1]
    meets &= group[1:] == group[:-1]
    later[rows[1:][meets]] = True
    both |= later
    met = np.append(begin[1:] < (group * width + ends[rows])[:-1], False)
    met[:-1] &= group[1:] == group[:-1]
    both[rows[met]] = True
    return both, later
