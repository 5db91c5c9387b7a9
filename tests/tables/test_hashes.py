import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given

from roster_pipeline.tables.hashes import algorithm, row_hashes, text_hashes
from roster_pipeline.tables.text import series
from tests.tables.conftest import cells_of, frame_of, frames


@given(frames(), frames())
def test_rows_have_equal_hashes_exactly_if_their_cells_are_equal(
    one: pd.DataFrame, other: pd.DataFrame
) -> None:
    width = min(len(one.columns), len(other.columns))
    columns = list(one.columns[:width])
    left = zip(cells_of(one[columns]), row_hashes(one, columns).tolist(), strict=True)
    right = list(zip(cells_of(other[columns]), row_hashes(other, columns).tolist(), strict=True))
    for cells, value in left:
        for other_cells, other_value in right:
            assert (cells == other_cells) == (value == other_value)


@given(frames(max_rows=6))
def test_a_row_hash_does_not_depend_on_how_the_frame_is_cut(frame: pd.DataFrame) -> None:
    columns = list(frame.columns)
    whole = row_hashes(frame, columns)
    for place in range(len(frame) + 1):
        parts = [frame.iloc[:place], frame.iloc[place:]]
        cut = np.concatenate([row_hashes(part, columns) for part in parts])
        assert np.array_equal(cut, whole)
        assert np.array_equal(row_hashes(pd.concat(parts), columns), whole)


@given(frames(max_rows=6))
def test_the_hash_of_a_key_does_not_depend_on_how_the_column_is_cut(frame: pd.DataFrame) -> None:
    column = frame["c0"]
    chunks = pa.chunked_array(
        [pa.array([cell], pa.large_string()) for [cell] in cells_of(frame[["c0"]])],
        pa.large_string(),
    )
    assert np.array_equal(
        text_hashes(column), text_hashes(pd.Series(pd.arrays.ArrowExtensionArray(chunks)))
    )
    assert np.array_equal(text_hashes(column[::-1]), text_hashes(column)[::-1])


def test_null_differs_from_every_text_and_the_empty_string_is_null() -> None:
    frame = frame_of({"a": [None, "", "null", "\x00", "0", " "]})
    for hashes in (row_hashes(frame, ["a"]).tolist(), text_hashes(frame["a"]).tolist()):
        assert hashes[0] == hashes[1]
        assert len(set(hashes)) == 5


def test_the_order_of_columns_matters() -> None:
    frame = frame_of({"a": ["1", None, "x"], "b": ["2", "1", "x"]})
    there, back = row_hashes(frame, ["a", "b"]), row_hashes(frame, ["b", "a"])
    assert (there == back).tolist() == [False, False, True]


def test_cells_do_not_run_together() -> None:
    frame = frame_of({"a": ["ab", "a", "abc", None], "b": ["c", "bc", None, "abc"]})
    assert len(set(row_hashes(frame, ["a", "b"]).tolist())) == 4


def test_a_column_that_is_not_there_hashes_as_one_that_is_empty() -> None:
    frame = frame_of({"a": ["1", "2"], "b": [None, None]})
    assert np.array_equal(
        row_hashes(frame, ["a", "b"]), row_hashes(frame.drop(columns="b"), ["a", "b"])
    )


def test_nothing_hashes_to_nothing() -> None:
    frame = frame_of({"a": []})
    assert row_hashes(frame, ["a"]).dtype == np.uint64
    assert len(row_hashes(frame, ["a"])) == len(text_hashes(frame["a"])) == 0
    assert row_hashes(frame_of({"a": ["1", "2"]}), []).tolist() == [0, 0]


def test_another_process_makes_the_same_hashes_under_the_same_name() -> None:
    program = (
        "import pyarrow as pa\n"
        "from roster_pipeline.tables.hashes import algorithm, row_hashes, text_hashes\n"
        "from roster_pipeline.tables.text import series\n"
        "frame = series(pa.array(['x', None, 'Ñandú'])).to_frame('a')\n"
        "print(algorithm(), *row_hashes(frame, ['a', 'b']), *text_hashes(frame['a']))\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    frame = series(pa.array(["x", None, "Ñandú"])).to_frame("a")
    here = [algorithm(), *row_hashes(frame, ["a", "b"]), *text_hashes(frame["a"])]
    assert there.stdout.split() == [str(item) for item in here]
