import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roster_pipeline.tables.parts import read_part, write_part
from roster_pipeline.tables.text import TEXT
from tests.tables.conftest import cells_of, frame_of, frames


def digest(frame: pd.DataFrame) -> str:
    return write_part(io.BytesIO(), frame).digest


@given(frames())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_part_gives_back_what_was_written(tmp_path: Path, frame: pd.DataFrame) -> None:
    lines = np.arange(len(frame), dtype=np.int64) + 2
    file = pd.Series(["users.csv"] * len(frame), dtype=TEXT)
    path = tmp_path / "users-0.parquet"
    part = write_part(path, frame, {"_line": lines, "_file": file})
    assert (part.name, part.rows) == ("users-0.parquet", len(frame))
    found = read_part(path)
    assert list(found.columns) == [*frame.columns, "_line", "_file"]
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    assert found["_line"].dtype == np.int64
    assert found["_line"].tolist() == lines.tolist()
    assert found["_file"].tolist() == ["users.csv"] * len(frame)


@given(frames(), frames())
def test_digests_are_equal_exactly_if_columns_and_cells_are(
    one: pd.DataFrame, other: pd.DataFrame
) -> None:
    same = list(one.columns) == list(other.columns) and cells_of(one) == cells_of(other)
    assert (digest(one) == digest(other)) == same


@given(frames(max_rows=8))
def test_a_digest_does_not_depend_on_how_the_frame_came_about(frame: pd.DataFrame) -> None:
    expected = digest(frame)
    twice = pd.concat([frame, frame], ignore_index=True)
    assert digest(twice.iloc[: len(frame)]) == expected
    assert digest(twice.iloc[len(frame) :]) == expected
    assert digest(pd.concat([frame.iloc[:3], frame.iloc[3:]])) == expected
    assert digest(frame.iloc[::-1].iloc[::-1]) == expected


def test_text_below_a_null_does_not_show_in_the_digest() -> None:
    offsets = pa.py_buffer(np.array([0, 1, 5, 6], dtype=np.int64).tobytes())
    mask = pa.py_buffer(bytes([0b101]))
    text = pa.py_buffer(b"aGHSTb")
    hidden = pa.LargeStringArray.from_buffers(3, offsets, text, mask)
    frame = pd.DataFrame({"a": pd.Series(pd.arrays.ArrowExtensionArray(hidden))})
    assert cells_of(frame) == [["a"], [None], ["b"]]
    assert digest(frame) == digest(frame_of({"a": ["a", None, "b"]}))


def test_cells_do_not_run_together_in_a_digest() -> None:
    cut: list[list[str | None]] = [["ab", "c"], ["a", "bc"], ["abc", None], [None, "abc"]]
    assert len({digest(frame_of({"a": column})) for column in cut}) == 4
    assert digest(frame_of({"a": ["1"], "b": [None]})) != digest(
        frame_of({"a": [None], "b": ["1"]})
    )
    assert digest(frame_of({"a": []})) != digest(frame_of({"b": []}))


def test_provenance_does_not_show_in_a_digest() -> None:
    frame = frame_of({"a": ["1", "2"]})
    lines = np.array([2, 3], dtype=np.int64)
    digests = {
        write_part(io.BytesIO(), frame, {"_line": line}).digest for line in (lines, lines + 1)
    }
    assert digests == {digest(frame)}


def test_the_digest_is_the_one_that_is_documented() -> None:
    sha = hashlib.sha256()
    sha.update((1).to_bytes(8, "little") + b"a" + (3).to_bytes(8, "little"))
    sha.update(b"".join(n.to_bytes(4, "little") for n in (2, 0, 1)) + "éx".encode())
    assert digest(frame_of({"a": ["é", None, "x"]})) == sha.hexdigest()


def test_the_empty_string_is_stored_as_null() -> None:
    out = io.BytesIO()
    write_part(out, frame_of({"a": ["", "x"]}))
    assert cells_of(read_part(out)) == [[None], ["x"]]


def test_columns_come_in_the_order_asked_for_and_missing_ones_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    write_part(path, frame_of({"a": ["1"], "metadata.x": ["2"], "metadata": ["3"]}))
    found = read_part(path, ["metadata.x", "gone", "metadata"])
    assert list(found.columns) == ["metadata.x", "gone", "metadata"]
    assert (found.dtypes == TEXT).all()
    assert cells_of(found) == [["2", None, "3"]]
    assert len(read_part(path, ["gone"])) == 1


def test_only_missing_columns_still_have_all_rows() -> None:
    out = io.BytesIO()
    write_part(out, frame_of({"a": ["1", "2", "3"]}))
    assert cells_of(read_part(out, ["x", "y"])) == [[None, None]] * 3


def test_the_same_frame_gives_the_same_bytes() -> None:
    frame = frame_of({"a": [str(n) for n in range(1000)], "b": ["x"] * 1000})
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_part(file, frame)
    assert files[0].getvalue() == files[1].getvalue()


def test_a_part_is_compressed_in_one_group_and_repeats_little() -> None:
    count = 50_000
    frame = frame_of(
        {
            "id": [f"{n:032x}" for n in range(count)],
            "school": [f"{n % 40:032x}" for n in range(count)],
            "empty": [None] * count,
        }
    )
    out = io.BytesIO()
    write_part(out, frame)
    stored = pq.ParquetFile(out).metadata
    assert stored.num_row_groups == 1
    columns = [stored.row_group(0).column(place) for place in range(3)]
    assert {column.compression for column in columns} == {"ZSTD"}
    dictionary = ["RLE_DICTIONARY" in column.encodings for column in columns]
    assert dictionary[:2] == [False, True]
    assert columns[1].total_compressed_size < count


def test_a_file_that_is_no_part_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    path.write_bytes(b"not Parquet")
    with pytest.raises(pa.ArrowInvalid):
        read_part(path)


@given(frames(max_rows=30), st.data())
def test_some_rows_are_the_rows_at_these_positions(
    frame: pd.DataFrame, data: st.DataObject
) -> None:
    file = io.BytesIO()
    write_part(file, frame, {"_line": np.arange(len(frame))})
    places = st.lists(st.integers(0, len(frame) - 1)) if len(frame) else st.just([])
    positions = np.array(data.draw(places), dtype=np.int64)
    found = read_part(file, [*frame.columns, "missing", "_line"], positions)
    pd.testing.assert_frame_equal(
        found[frame.columns], frame.take(positions).reset_index(drop=True)
    )
    assert found["_line"].tolist() == positions.tolist()
    assert found["missing"].isna().all()
