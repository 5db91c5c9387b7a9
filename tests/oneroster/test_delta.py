"""What differs between two rosters."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from roster_pipeline.oneroster import delta as delta_module
from roster_pipeline.oneroster import roster as roster_module
from roster_pipeline.oneroster.delta import Delta, apply, changed_columns, diff
from roster_pipeline.oneroster.layout import Hashes
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.unchanged import differing
from roster_pipeline.tables import hashes
from tests.examples import examples
from tests.oneroster.strategies import (
    METADATA,
    Frames,
    edits_of,
    frame_of,
    rosters,
    row_set,
    stored,
)

quick = settings(deadline=None, max_examples=examples(8))
few = rosters(("orgs", "users", "roles"))


@st.composite
def two_days(draw: st.DrawFn) -> tuple[Frames, Frames]:
    frames = draw(few)
    return frames, draw(edits_of(frames))


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, chunks and blocks of two or three rows."""
    monkeypatch.setattr(roster_module, "_FEWEST_ROWS", 2)
    monkeypatch.setattr(roster_module, "_MOST_ROWS", 3)
    monkeypatch.setattr(delta_module, "_MOST_IDS", 2)
    monkeypatch.setattr(delta_module, "_MOST_PAIRS", 2)
    monkeypatch.setattr(delta_module, "_MOST_KEPT", 1)


@pytest.fixture
def colliding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """sourcedIds of which about every third has the same hash."""
    text_hashes = hashes.text_hashes

    def few_bits(series: "pd.Series[str]") -> Hashes:
        return text_hashes(series) % np.uint64(3)

    monkeypatch.setattr(hashes, "text_hashes", few_bits)
    hashes.algorithm.cache_clear()
    yield
    hashes.algorithm.cache_clear()


def orgs(*rows: tuple[str, str | None], **cells: str) -> Frames:
    """Schools by sourcedId and name."""
    table = [{"sourcedId": key, "name": name, "type": "school", **cells} for key, name in rows]
    return {"orgs": frame_of("orgs", table, [name for name in cells if name in METADATA])}


def expected_delta(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, int]:
    """The counts by the plainest means."""
    before, after = (_by_id(frame) for frame in (old, new))
    both = before.keys() & after.keys()
    changed = sum(before[key] != after[key] for key in both)
    return {
        "added": len(after.keys() - before.keys()),
        "changed": changed,
        "removed": len(before.keys() - after.keys()),
        "unchanged": len(both) - changed,
    }


def _by_id(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    return {
        str(row["sourcedId"]): {
            str(name): str(cell)
            for name, cell in row.items()
            if not pd.isna(cell) and name not in ("status", "dateLastModified", "password")
        }
        for row in frame.to_dict("records")
    }


def assert_same_rows(one: Roster, other: Roster) -> None:
    assert one.counts == other.counts
    for entity, rows in one.counts.items():
        assert not rows or row_set(one, entity) == row_set(other, entity)


def check_difference(frames: Frames, later: Frames, blocks: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        old = stored(frames, Path(folder) / "old", block=blocks[0])
        new = stored(later, Path(folder) / "new", block=blocks[1])
        delta = diff(old, new)
        for entity, frame in frames.items():
            assert delta.counts()[entity] == expected_delta(frame, later[entity])
        made = apply(old, delta, Path(folder) / "made")
        assert_same_rows(made, new)
        assert diff(made, new).empty
        assert diff(new, made).empty


@quick
@given(days=two_days(), blocks=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_applying_a_difference_gives_the_other_roster(
    days: tuple[Frames, Frames], blocks: tuple[int, int]
) -> None:
    check_difference(*days, blocks)


@pytest.mark.soak
@quick
@given(days=two_days(), blocks=st.tuples(st.integers(1, 4), st.integers(1, 4)))
@pytest.mark.usefixtures("tight")
def test_it_does_so_in_small_parts_and_blocks(
    days: tuple[Frames, Frames], blocks: tuple[int, int]
) -> None:
    check_difference(*days, blocks)


@quick
@given(days=two_days())
@pytest.mark.usefixtures("colliding")
def test_sourced_ids_with_one_hash_hide_and_invent_nobody(days: tuple[Frames, Frames]) -> None:
    check_difference(*days, (3, 3))


@quick
@given(frames=few, seed=st.randoms(use_true_random=False), block=st.integers(1, 3))
def test_order_blocks_and_provenance_make_no_difference(
    frames: Frames, seed: "np.random.Generator", block: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shuffled = {
            entity: frame.iloc[::-1].reset_index(drop=True) for entity, frame in frames.items()
        }
        one = stored(frames, Path(folder) / "one")
        other = stored(shuffled, Path(folder) / "other", block=block)
        assert diff(one, one).empty
        assert diff(one, other).empty
        assert diff(one, other).counts() == diff(other, one).counts()


def test_status_stamp_and_password_make_no_difference(tmp_path: Path) -> None:
    row = {"sourcedId": "a", "username": "x"}
    secret = {"status": "active", "dateLastModified": "2026-08-22T00:00:00Z", "password": "p"}
    old = stored({"users": frame_of("users", [row])}, tmp_path / "old")
    new = stored({"users": frame_of("users", [row | secret])}, tmp_path / "new")
    assert old.content_hash != new.content_hash
    assert diff(old, new).empty
    made = apply(old, diff(old, new), tmp_path / "made")
    assert made.content_hash == old.content_hash


def test_a_first_roster_is_all_added(tmp_path: Path) -> None:
    new = stored(orgs(("a", "A"), ("b", "B")), tmp_path)
    delta = diff(None, new)
    assert delta.counts()["orgs"] == {"added": 2, "changed": 0, "removed": 0, "unchanged": 0}
    assert [list(block["sourcedId"]) for block in delta.blocks("orgs", "added")] == [["a", "b"]]
    assert list(delta.blocks("orgs", "removed")) == []
    assert not delta.empty
    assert diff(new, Roster.empty()).counts()["orgs"]["removed"] == 2


def example(folder: Path) -> Delta:
    old = stored(orgs(("a", "A"), ("b", "B"), ("c", "C"), ("d", None)), folder / "old")
    new = stored(orgs(("d", "D"), ("e", "E"), ("b", "B"), ("a", "Ä")), folder / "new")
    return diff(old, new)


def test_rows_of_a_difference_are_read_from_the_roster_they_are_in(tmp_path: Path) -> None:
    delta = example(tmp_path)
    rows = {
        kind: [
            tuple(row)
            for block in delta.blocks("orgs", kind)
            for row in block[["sourcedId", "name"]].fillna("-").to_numpy()
        ]
        for kind in ("added", "changed", "alive", "removed", "gone")
    }
    assert rows == {
        "added": [("e", "E")],
        "changed": [("d", "D"), ("a", "Ä")],
        "alive": [("d", "D"), ("e", "E"), ("a", "Ä")],
        "removed": [("c", "C")],
        "gone": [("a", "A"), ("c", "C"), ("d", "-")],
    }


@pytest.mark.parametrize("kept", [1 << 15, 0])
def test_of_a_difference_only_the_columns_asked_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(delta_module, "_MOST_KEPT", kept)
    delta = example(tmp_path)
    (gone,) = delta.blocks("orgs", "gone", columns=["name"])
    ((before, after),) = delta.pairs("orgs", ["name", "sourcedId"])
    assert list(gone.columns) == ["name"]
    assert list(before.columns) == list(after.columns) == ["name", "sourcedId"]
    assert list(after["name"]) == ["D", "Ä"]


def test_changed_rows_come_in_pairs_with_what_they_were(tmp_path: Path) -> None:
    ((before, after),) = example(tmp_path).pairs("orgs")
    assert list(before["sourcedId"]) == list(after["sourcedId"]) == ["d", "a"]
    assert list(before["name"].fillna("-")) == ["-", "A"]
    assert list(after["name"]) == ["D", "Ä"]


def test_changed_columns_are_counted_metadata_too(tmp_path: Path) -> None:
    old = stored(orgs(("a", "A"), ("b", "B"), ("c", "C")), tmp_path / "old")
    new = stored(orgs(("a", "X"), ("b", "B"), ("c", "C"), **{METADATA[0]: "7"}), tmp_path / "new")
    delta = diff(old, new)
    assert changed_columns(delta, "orgs") == {METADATA[0]: 3, "name": 1}
    assert changed_columns(delta, "users") == {}


def test_hashes_of_another_algorithm_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = orgs(("a", "A"), ("b", "B"))
    old = stored(frames, tmp_path / "old")
    row_hashes = hashes.row_hashes
    monkeypatch.setattr(hashes, "row_hashes", lambda *given: row_hashes(*given) + np.uint64(1))
    hashes.algorithm.cache_clear()
    try:
        new = stored(frames, tmp_path / "new")
        assert (old.tables["orgs"].parts[0].hashed_by) != new.tables["orgs"].parts[0].hashed_by
        assert diff(old, new).empty
    finally:
        monkeypatch.undo()
        hashes.algorithm.cache_clear()


def test_a_sourced_id_that_occurs_twice_is_neither_lost_nor_doubled(tmp_path: Path) -> None:
    old = stored(orgs(("a", "1"), ("a", "2"), ("b", "B")), tmp_path / "old")
    new = stored(orgs(("a", "2"), ("b", "B"), ("b", "B")), tmp_path / "new")
    assert_same_rows(apply(old, diff(old, new), tmp_path / "there"), new)
    assert_same_rows(apply(new, diff(new, old), tmp_path / "back"), old)


def test_a_row_without_a_sourced_id_is_compared_too(tmp_path: Path) -> None:
    frame = frame_of("orgs", [{"name": "A"}, {"sourcedId": "b"}])
    old = stored({"orgs": frame}, tmp_path / "old")
    new = stored({"orgs": frame.assign(name=frame["name"].fillna("B"))}, tmp_path / "new")
    counts = {"added": 0, "changed": 1, "removed": 0, "unchanged": 1}
    assert diff(old, new).counts()["orgs"] == counts
    new = stored(
        {"orgs": frame.assign(name=frame["name"].fillna("B").replace("A", "C"))}, tmp_path / "x"
    )
    assert diff(old, new).counts()["orgs"]["changed"] == 2


def test_untouched_entities_share_their_files(tmp_path: Path) -> None:
    people = {"users": frame_of("users", [{"sourcedId": "u"}])}
    old = stored(orgs(("a", "A")) | people, tmp_path / "old")
    new = stored(orgs(("a", "B")) | people, tmp_path / "new")
    apply(old, diff(old, new), tmp_path / "made")
    part = old.tables["users"].parts[0].name
    assert (tmp_path / "old" / part).samefile(tmp_path / "made" / part)


def test_applying_twice_gives_equal_bytes(tmp_path: Path) -> None:
    delta = example(tmp_path)
    assert delta.old is not None
    made = [apply(delta.old, delta, tmp_path / name) for name in ("one", "two")]
    assert made[0].content_hash == made[1].content_hash
    assert (tmp_path / "one/roster.json").read_bytes() == (
        tmp_path / "two/roster.json"
    ).read_bytes()


@quick
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([2, 4])), max_size=4),
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([2, 4])), max_size=4),
)
def test_rows_left_out_of_a_comparison_stand_once_on_each_side(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    many = [(key, 2) for key in range(10, 40)]  # unchanged ones, without which all are looked at
    old, new = old + many, many + new
    sides = [np.array(side, dtype=np.uint64).T for side in (old, new)]
    for side, found in zip((old, new), differing(*sides[0], *sides[1]), strict=True):
        once = [at for at, row in enumerate(side) if old.count(row) == new.count(row) == 1]
        assert list(found) == sorted(set(range(len(side))) - set(once))


def test_two_rows_that_meet_by_chance_are_not_taken_for_one() -> None:
    # The second rows have other keys and other row hashes that make the same number.
    factor = 0x9E3779B97F4A7C15
    row = ((2 * factor) ^ 8 ^ (3 * factor)) % (1 << 64)
    old = np.array([[1, 2], [5, 8]], dtype=np.uint64)
    new = np.array([[1, 3], [5, row]], dtype=np.uint64)
    for at in differing(*old, *new):
        assert 1 in at


def test_taking_apart_many_parts_gives_rows_in_part_order(tmp_path: Path) -> None:
    old = stored(orgs(*((str(n), "A") for n in range(9))), tmp_path / "old", block=3)
    new = stored(orgs(*((str(n), "B") for n in range(9))), tmp_path / "new", block=2)
    delta = diff(old, new)
    rows = pd.concat(list(delta.blocks("orgs", "changed")), ignore_index=True)
    assert_frame_equal(rows, new.frame("orgs"))
