"""Spans of days that overlap, compared with looking at every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.quality.overlaps import overlapping, repeated
from roster_pipeline.quality.view import EVER, NEVER

DAY = st.sampled_from([EVER, 0, 1, 2, 3, 4, NEVER])
SPANS = st.lists(st.tuples(st.sampled_from([0, 7, 2**64 - 1]), DAY, DAY), max_size=12)


@given(SPANS)
def test_every_span_that_shares_a_day_with_another_of_its_key_is_found(
    spans: list[tuple[int, int, int]],
) -> None:
    keys = np.array([key for key, _, _ in spans], dtype=np.uint64)
    begins, ends = (np.array([span[n] for span in spans], dtype=np.int32) for n in (1, 2))

    both, later = overlapping(keys, begins, ends)

    def meets(a: int, b: int) -> bool:
        days = max(begins[a], begins[b]) < min(ends[a], ends[b])
        return bool(a != b and keys[a] == keys[b] and days)

    places = range(len(spans))
    assert both.tolist() == [any(meets(a, b) for b in places) for a in places]
    order = {a: rank for rank, a in enumerate(sorted(places, key=lambda a: (begins[a], a)))}
    assert later.tolist() == [
        any(meets(a, b) and order[b] < order[a] for b in places) for a in places
    ]


@pytest.mark.parametrize(
    ("keys", "twice"), [([], []), ([1, 2], [False] * 2), ([1, 2, 1], [True, False, True])]
)
def test_all_of_a_repeated_key_are_told(keys: list[int], twice: list[bool]) -> None:
    assert repeated(np.array(keys, dtype=np.uint64)).tolist() == twice
