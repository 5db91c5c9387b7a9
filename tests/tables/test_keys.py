from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.tables import keys
from roster_pipeline.tables.keys import Comparison, KeySet, compare

Hashes = npt.NDArray[np.uint64]
TOP = 2**64 - 1
# Few values, so that keys meet; both ends, where comparisons as signed numbers go wrong.
VALUES = st.sampled_from([0, 1, 2, 3, 2**63 - 1, 2**63, TOP - 1, TOP])
MANY = st.lists(VALUES, max_size=20)
DISTINCT = st.lists(VALUES, max_size=8, unique=True)


def hashes(values: list[int]) -> Hashes:
    return np.array(values, dtype=np.uint64)


@given(MANY, MANY)
def test_a_key_set_knows_its_keys_and_where_they_first_stood(
    held: list[int], asked: list[int]
) -> None:
    found = KeySet(hashes(held))
    assert len(found) == len(held)
    assert found.contains(hashes(asked)).tolist() == [value in held for value in asked]
    expected = [held.index(value) if value in held else -1 for value in asked]
    assert found.positions(hashes(asked)).tolist() == expected


@given(MANY)
def test_every_occurrence_but_the_first_is_a_duplicate(held: list[int]) -> None:
    expected = [place for place, value in enumerate(held) if value in held[:place]]
    assert KeySet(hashes(held)).duplicated().tolist() == expected


def test_duplicates_are_found_in_long_lists_too() -> None:
    random = np.random.default_rng(7)
    held = random.integers(0, 50_000, 100_000, dtype=np.uint64) << np.uint64(48)
    seen: set[int] = set()
    first: dict[int, int] = {}
    later = []
    for place, value in enumerate(held.tolist()):
        if value in seen:
            later.append(place)
        seen.add(value)
        first.setdefault(value, place)
    found = KeySet(held)
    assert found.duplicated().tolist() == later
    assert found.positions(held).tolist() == [first[value] for value in held.tolist()]


def apply(
    old: list[tuple[int, int]], new: list[tuple[int, int]], found: Comparison
) -> Counter[tuple[int, int]]:
    """The old rows, changed as the comparison says."""
    rows = Counter(old)
    rows.subtract(old[place] for place in found.removed.tolist())
    rows.subtract(old[place] for place in found.changed_old.tolist())
    rows.update(new[place] for place in found.changed_new.tolist())
    rows.update(new[place] for place in found.added.tolist())
    return +rows


def compared(old: list[tuple[int, int]], new: list[tuple[int, int]]) -> Comparison:
    sides = [hashes([row[place] for row in side]) for side in (old, new) for place in (0, 1)]
    return compare(*sides)


ROWS = st.lists(st.tuples(VALUES, st.sampled_from([5, 6, TOP])), max_size=20)


@given(ROWS, ROWS)
def test_the_old_rows_with_the_differences_are_the_new_rows(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_SLICE", 3)
        found = compared(old, new)
    assert apply(old, new, found) == Counter(new)
    old_keys, new_keys = Counter(key for key, _ in old), Counter(key for key, _ in new)
    assert Counter(new[place][0] for place in found.added.tolist()) == new_keys - old_keys
    assert Counter(old[place][0] for place in found.removed.tolist()) == old_keys - new_keys
    assert found.unchanged + len(found.changed_new) == (old_keys & new_keys).total()


@given(ROWS, ROWS)
def test_positions_ascend_and_changed_rows_are_paired_by_key(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    found = compared(old, new)
    for positions in (found.added, found.removed, found.changed_new):
        assert positions.dtype == np.int64
        assert (np.diff(positions) > 0).all()
    for before, after in zip(found.changed_old.tolist(), found.changed_new.tolist(), strict=True):
        assert old[before][0] == new[after][0]
        assert old[before][1] != new[after][1]


def test_a_roster_compared_with_itself_in_another_order_is_unchanged() -> None:
    random = np.random.default_rng(3)
    ids = random.integers(0, TOP, 50_000, dtype=np.uint64, endpoint=True)
    rows = random.integers(0, TOP, 50_000, dtype=np.uint64, endpoint=True)
    shuffled = random.permutation(len(ids))
    found = compare(ids, rows, ids[shuffled], rows[shuffled])
    assert found.unchanged == len(ids)
    assert len(found.added) == len(found.removed) == len(found.changed_new) == 0


def test_a_few_changes_among_many_are_found_at_their_places() -> None:
    random = np.random.default_rng(4)
    ids = random.permutation(100_000).astype(np.uint64)
    rows = ids * np.uint64(3)
    new_keys = np.concatenate([ids[ids != 17], hashes([200_000])])
    new_rows = new_keys * np.uint64(3)
    changed = int(np.flatnonzero(new_keys == 23)[0])
    new_rows[changed] += np.uint64(1)
    found = compare(ids, rows, new_keys, new_rows)
    assert found.removed.tolist() == np.flatnonzero(ids == 17).tolist()
    assert found.added.tolist() == [len(new_keys) - 1]
    assert found.changed_new.tolist() == [changed]
    assert found.changed_old.tolist() == np.flatnonzero(ids == 23).tolist()
    assert found.unchanged == len(ids) - 2
