"""Rosters on disk: what was written is read, however it was cut into blocks."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from roster_pipeline.oneroster import layout
from roster_pipeline.oneroster import roster as roster_module
from roster_pipeline.oneroster.entities import ENTITIES, MODELS, names
from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.tables import hashes
from roster_pipeline.tables.text import TEXT
from tests.examples import examples
from tests.oneroster.strategies import Frames, frame_of, rosters, stored

quick = settings(deadline=None, max_examples=examples(8))
few = rosters(("orgs", "users", "roles"))


def orgs(*ids: str, **cells: str | None) -> pd.DataFrame:
    """Schools with these sourcedIds and otherwise equal cells."""
    metadata = [name for name in cells if name.startswith("metadata.")]
    table = [{"sourcedId": one, "type": "school", "name": "A", **cells} for one in ids]
    return frame_of("orgs", table, metadata)


def write(writer: RosterWriter, frame: pd.DataFrame, first_line: int = 2) -> None:
    lines = np.arange(first_line, first_line + len(frame))
    writer.write("orgs", frame, file="orgs.csv", lines=lines)


def written(folder: Path, *frames: pd.DataFrame) -> Roster:
    writer = RosterWriter(folder)
    for frame in frames:
        write(writer, frame)
    return writer.finish()


def ids(roster: Roster) -> list[str]:
    return list(roster.frame("orgs")["sourcedId"])


def text(*cells: str | None) -> pd.Series:
    return pd.Series(list(cells), dtype=TEXT)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of two to four rows, so that few rows make many parts."""
    monkeypatch.setattr(roster_module, "_FEWEST_ROWS", 2)
    monkeypatch.setattr(roster_module, "_MOST_ROWS", 4)


@settings(deadline=None, max_examples=examples(5))
@given(rosters())
def test_the_rosters_that_tests_draw_are_valid(frames: Frames) -> None:
    for entity, frame in frames.items():
        MODELS[entity].validate(frame)


@quick
@given(frames=rosters(), block=st.integers(1, 3))
def test_reading_gives_the_cells_and_hashes_that_were_written(frames: Frames, block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content_hash = stored(frames, Path(folder), block=block).content_hash
        read = Roster.open(folder)
        assert read.content_hash == content_hash
        assert read.counts == {entity: len(frame) for entity, frame in frames.items()}
        for entity, frame in frames.items():
            if len(frame):
                assert_frame_equal(read.frame(entity), frame)
                expected = layout.hash_rows(entity, frame)
                np.testing.assert_array_equal(read.hashes(entity), expected)


@quick
@given(frames=few, blocks=st.tuples(st.integers(1, 3), st.integers(4, 9)))
@pytest.mark.usefixtures("small_parts")
def test_where_blocks_end_changes_neither_cells_nor_hashes(
    frames: Frames, blocks: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, other = (stored(frames, Path(folder) / str(b), block=b) for b in blocks)
        for entity in ENTITIES:
            assert_frame_equal(one.frame(entity), other.frame(entity))
            np.testing.assert_array_equal(one.hashes(entity), other.hashes(entity))


@quick
@given(data=st.data(), frames=few)
@pytest.mark.usefixtures("small_parts")
def test_rows_are_taken_by_position_in_the_order_given(data: st.DataObject, frames: Frames) -> None:
    with tempfile.TemporaryDirectory() as folder:
        roster = stored(frames, Path(folder), block=2)
        for entity, frame in frames.items():
            if not len(frame):
                continue
            positions = np.array(
                data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=8)), dtype=np.int64
            )
            taken = roster.take(entity, positions)
            assert_frame_equal(taken, frame.take(positions).reset_index(drop=True))
            found = roster.find(entity, frame["sourcedId"].take(positions))
            np.testing.assert_array_equal(found, positions)


@quick
@given(data=st.data(), frames=few)
@pytest.mark.usefixtures("small_parts")
def test_dropped_replaced_and_copied_rows_are_as_if_written_so(
    data: st.DataObject, frames: Frames
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = stored(frames, Path(folder) / "base", block=3)
        writer = RosterWriter(Path(folder) / "made")
        expected = {}
        for entity, frame in frames.items():
            positions = np.arange(len(frame))
            some = st.lists(st.booleans(), min_size=len(frame), max_size=len(frame)).map(np.array)
            copied = positions[data.draw(some).astype(bool)]
            writer.copy_from(base, entity, copied)
            writer.copy_from(base, entity)
            frame = pd.concat([frame.take(copied), frame], ignore_index=True)  # noqa: PLW2901
            rows = np.flatnonzero(data.draw(some).astype(bool))
            status = text(*["tobedeleted"] * len(rows))
            writer.replace(entity, rows, pd.DataFrame({"status": status}))
            frame.loc[rows, "status"] = status.array
            dropped = np.flatnonzero(data.draw(some).astype(bool))
            writer.drop(entity, dropped)
            assert list(np.flatnonzero(~writer.kept(entity))) == list(dropped)
            expected[entity] = frame[writer.kept(entity)].reset_index(drop=True)
        made = writer.finish()
        for entity, frame in expected.items():
            if len(frame):
                assert_frame_equal(made.frame(entity), frame[list(made.header(entity))])
                np.testing.assert_array_equal(made.hashes(entity), layout.hash_rows(entity, frame))
            assert made.counts[entity] == len(frame)
        assert Roster.open(made.url).content_hash == made.content_hash


def test_rows_written_so_far_can_be_looked_at_before_the_end(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    write(writer, orgs("a", "b"))
    write(writer, orgs("c"))
    writer.drop("orgs", np.array([0]))
    assert list(writer.columns("orgs", ["sourcedId"])["sourcedId"]) == ["a", "b", "c"]
    np.testing.assert_array_equal(writer.keys("orgs"), hashes.text_hashes(text("a", "b", "c")))
    assert list(writer.kept("orgs")) == [False, True, True]
    write(writer, orgs("d"))
    assert ids(writer.finish()) == ["b", "c", "d"]


def test_a_replacement_may_bring_a_metadata_column(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    write(writer, orgs("a", "b"))
    writer.replace("orgs", np.array([1]), pd.DataFrame({"metadata.x": text("1")}))
    writer.replace("orgs", np.array([1]), pd.DataFrame({"name": text("B")}))
    frame = writer.finish().frame("orgs")
    assert list(frame.columns) == [*names("orgs"), "metadata.x"]
    assert list(frame["metadata.x"].fillna("-")) == ["-", "1"]
    assert list(frame["name"]) == ["A", "B"]


def test_a_folder_that_holds_a_roster_is_not_written_into(tmp_path: Path) -> None:
    written(tmp_path, orgs("a"))
    with pytest.raises(FileExistsError):
        RosterWriter(tmp_path)


def test_an_empty_metadata_column_changes_no_hash_but_a_filled_one_does(tmp_path: Path) -> None:
    metadata: list[dict[str, str | None]] = [
        {},
        {"metadata.x": None},
        {"metadata.x": "1"},
        {"metadata.y": "1"},
    ]
    plain, empty, filled, elsewhere = (
        written(tmp_path / str(number), orgs("a", **cells)).hashes("orgs")[1]
        for number, cells in enumerate(metadata)
    )
    assert plain == empty
    assert len({plain[0], filled[0], elsewhere[0]}) == 3


def test_values_that_change_places_between_metadata_columns_change_the_row(tmp_path: Path) -> None:
    one = written(tmp_path / "1", orgs("a", **{"metadata.x": "1", "metadata.y": "2"}))
    other = written(tmp_path / "2", orgs("a", **{"metadata.x": "2", "metadata.y": "1"}))
    assert one.hashes("orgs")[1] != other.hashes("orgs")[1]


def test_status_stamp_and_password_are_no_part_of_what_a_row_is() -> None:
    users = frame_of("users", [{"sourcedId": "a"}, {"sourcedId": "a"}])
    users["status"] = text("active", None)
    users["dateLastModified"] = text("2026-08-22T00:00:00.000Z", None)
    users["password"] = text("x", None)
    _, rows = layout.hash_rows("users", users)
    assert rows[0] == rows[1]


def test_a_column_that_only_some_parts_have_is_empty_in_the_others(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    write(writer, orgs("a", **{"metadata.x": "1"}))
    writer.so_far("orgs")
    write(writer, orgs("b"))
    roster = writer.finish()
    assert len(roster.tables["orgs"].parts) == 2
    assert roster.header("orgs") == (*names("orgs"), "metadata.x")
    assert [list(block["metadata.x"]) for block in roster.blocks("orgs", ["metadata.x"])] == [
        ["1"],
        [pd.NA],
    ]


def test_every_row_keeps_its_file_and_line_and_a_role_its_word_of_1p1(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path / "one")
    roles = frame_of("roles", [{"sourcedId": "a"}, {"sourcedId": "b"}])
    writer.write(
        "roles",
        roles,
        file="users.csv",
        lines=np.array([7, 9]),
        role_words=text("administrator", None),
    )
    first = writer.finish()
    copy = RosterWriter(tmp_path / "two")
    copy.copy_from(first, "roles", np.array([1, 0]))
    (rows,) = copy.finish().blocks("roles", ["sourcedId"], provenance=True)
    assert rows.to_dict("list") == {
        "sourcedId": ["a", "b"],
        "_file": ["users.csv", "users.csv"],
        "_line": [7, 9],
        "_role": ["administrator", None],
    }


@pytest.mark.usefixtures("small_parts")
def test_a_part_copied_whole_is_shared_and_survives_changes_to_the_copy(tmp_path: Path) -> None:
    base = written(tmp_path / "base", orgs("a", "b", "c", "d", "e", "f", "g", "h"))
    writer = RosterWriter(tmp_path / "copy")
    writer.copy_from(base, "orgs")
    writer.drop("orgs", np.array([0]))
    copy = writer.finish()
    first, second = (part.name for part in base.tables["orgs"].parts)
    assert (tmp_path / "base" / second).samefile(tmp_path / "copy" / second)
    assert not (tmp_path / "base" / first).samefile(tmp_path / "copy" / first)
    assert ids(copy) == list("bcdefgh")
    assert ids(Roster.open(base.url)) == list("abcdefgh")


@pytest.mark.usefixtures("small_parts")
def test_small_changes_day_after_day_do_not_leave_many_small_parts(tmp_path: Path) -> None:
    roster = written(tmp_path / "0", orgs("0"))
    for day in range(1, 9):
        writer = RosterWriter(tmp_path / str(day))
        writer.copy_from(roster, "orgs", np.arange(day))
        write(writer, orgs(str(day)))
        roster = writer.finish()
    assert ids(roster) == list("012345678")
    assert len(roster.tables["orgs"].parts) <= 5


def test_equal_input_makes_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, orgs("a", "b", name="Zoë"), orgs("c"))
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 3
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("harm", ["other algorithm", "missing", "cut", "altered"])
def test_hashes_that_cannot_be_trusted_are_made_again(tmp_path: Path, harm: str) -> None:
    good = written(tmp_path, orgs("a", "b")).hashes("orgs")
    (file,) = tmp_path.rglob("*.hashes")
    content = file.read_bytes()
    if harm == "other algorithm":
        index = json.loads((tmp_path / "roster.json").read_bytes())
        index["entities"]["orgs"]["parts"][0]["hashed_by"] = "polars-0.1"
        (tmp_path / "roster.json").write_text(json.dumps(index))
        file.write_bytes(bytes(len(content)))
    elif harm == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if harm == "cut" else content[:-1] + b"\0")
    np.testing.assert_array_equal(Roster.open(tmp_path).hashes("orgs"), good)


def test_a_folder_that_was_not_finished_is_no_roster(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    write(writer, orgs("a"))
    writer.so_far("orgs")
    with pytest.raises(RosterError, match=r"did not finish"):
        Roster.open(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1, "entities": {}}'])
def test_a_damaged_index_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "roster.json").write_text(content)
    with pytest.raises(RosterError, match=r"is damaged"):
        Roster.open(tmp_path)


def test_an_index_that_names_other_parts_than_it_was_written_with_is_damaged(
    tmp_path: Path,
) -> None:
    written(tmp_path, orgs("a"))
    index = tmp_path / "roster.json"
    digest = json.loads(index.read_bytes())["entities"]["orgs"]["parts"][0]["digest"]
    index.write_text(index.read_text().replace(digest, "0" * 64))
    with pytest.raises(RosterError, match=r"is damaged"):
        Roster.open(tmp_path)


def test_a_format_of_another_version_is_told_in_a_sentence(tmp_path: Path) -> None:
    written(tmp_path, orgs("a"))
    index = tmp_path / "roster.json"
    index.write_text(index.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(RosterError, match=r"format 9"):
        Roster.open(tmp_path)


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_damaged_part_is_told_in_a_sentence(tmp_path: Path, harm: str) -> None:
    roster = written(tmp_path, orgs("a"))
    (part,) = tmp_path.rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-20]) if harm == "cut" else part.unlink()
    with pytest.raises(RosterError, match=r"orgs/part-00000.parquet .* missing or damaged"):
        roster.frame("orgs")


@pytest.fixture
def memory() -> Iterator[str]:
    url = "memory://rosters/one"
    yield url
    fsspec.filesystem("memory").rm("/rosters", recursive=True)


def test_a_roster_in_an_object_store_reads_like_one_on_disk(tmp_path: Path, memory: str) -> None:
    local = written(tmp_path / "local", orgs("a", "b"))
    store = fsspec.filesystem("memory")
    for file in (tmp_path / "local").rglob("*.*"):
        store.pipe_file(
            f"/rosters/one/{file.relative_to(tmp_path / 'local').as_posix()}", file.read_bytes()
        )
    remote = Roster.open(memory)
    assert_frame_equal(remote.frame("orgs"), local.frame("orgs"))
    np.testing.assert_array_equal(remote.hashes("orgs"), local.hashes("orgs"))
    writer = RosterWriter(tmp_path / "copy")
    writer.copy_from(remote, "orgs")
    assert writer.finish().content_hash == local.content_hash
    with pytest.raises(RosterError, match="There is no roster"):
        Roster.open("memory://rosters/none")


def test_the_content_hash_sees_cells_that_row_hashes_do_not(tmp_path: Path) -> None:
    blank, stamped = (
        written(tmp_path / str(status), orgs("a", status=status)) for status in (None, "active")
    )
    np.testing.assert_array_equal(blank.hashes("orgs"), stamped.hashes("orgs"))
    assert blank.content_hash != stamped.content_hash


def test_an_empty_roster_has_all_entities_and_no_rows() -> None:
    empty = Roster.empty()
    assert empty.counts == dict.fromkeys(ENTITIES, 0)
    assert list(empty.frame("users").columns) == list(names("users"))
    assert list(empty.take("roles", np.empty(0, dtype=np.int64), provenance=True)["_role"]) == []
    assert list(empty.find("orgs", text("a", None))) == [-1, -1]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (pd.DataFrame({"sourcedId": text("a"), "colour": text("red")}), ValueError),
        (pd.DataFrame({"sourcedId": ["a"]}), TypeError),
        (pd.DataFrame({"sourcedId": text("a", "b")}), ValueError),
    ],
    ids=["unknown column", "not TEXT", "fewer lines than rows"],
)
def test_what_is_no_row_of_the_entity_is_refused(
    tmp_path: Path, frame: pd.DataFrame, error: type[Exception]
) -> None:
    with pytest.raises(error):
        RosterWriter(tmp_path).write("orgs", frame, file="orgs.csv", lines=np.array([2]))


def test_positions_outside_are_refused(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    write(writer, orgs("a"))
    for wrong in (np.array([1]), np.array([-1])):
        with pytest.raises(IndexError):
            writer.drop("orgs", wrong)
        with pytest.raises(IndexError):
            writer.so_far("orgs").take("orgs", wrong)
