import csv
import io

import pandas as pd
import pytest
from hypothesis import given

from roster_pipeline.tables.csv_blocks import CsvBlocks
from roster_pipeline.tables.csv_write import write_csv
from tests.tables.conftest import cells_of, frame_of, frames


def written(frame: pd.DataFrame, *cut: pd.DataFrame, newline: str = "\r\n") -> str:
    out = io.BytesIO()
    assert write_csv(out, list(frame.columns), cut or [frame], newline=newline) == len(frame)
    return out.getvalue().decode()


@given(frames())
def test_what_is_written_is_read_back_by_us(frame: pd.DataFrame) -> None:
    text = written(frame)
    blocks = CsvBlocks(io.BytesIO(text.encode()))
    assert blocks.header == tuple(frame.columns)
    rows = [row for block in blocks for row in cells_of(block.frame)]
    assert rows == cells_of(frame)


@given(frames())
def test_what_is_written_is_read_back_by_pythons_csv(frame: pd.DataFrame) -> None:
    records = list(csv.reader(io.StringIO(written(frame), newline="")))
    assert records[0] == list(frame.columns)
    assert [[cell or None for cell in row] for row in records[1:]] == cells_of(frame)


@given(frames(min_columns=2))
def test_only_what_needs_quotes_has_them(frame: pd.DataFrame) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(frame.columns)
    writer.writerows([cell or "" for cell in row] for row in cells_of(frame))
    assert written(frame) == text.getvalue()


@given(frames(max_rows=8))
def test_how_a_frame_is_cut_changes_no_byte(frame: pd.DataFrame) -> None:
    whole = written(frame)
    for place in range(len(frame) + 1):
        assert written(frame, frame.iloc[:place], frame.iloc[place:]) == whole


def test_a_large_frame_with_quotes_in_some_rows_is_written_whole() -> None:
    count = 200_000
    names = [f"n{n}" if n % 70_000 else f'n{n}, "x"' for n in range(count)]
    frame = frame_of({"name": names, "n": [str(n) for n in range(count)]})
    rows = list(csv.reader(io.StringIO(written(frame), newline="")))
    assert [row[0] for row in rows[1:]] == names


def test_null_and_the_empty_string_are_an_empty_cell() -> None:
    assert written(frame_of({"a": [None, ""], "b": ["x", 'y"']})) == 'a,b\r\n,x\r\n,"y"""\r\n'


def test_an_empty_cell_alone_in_its_row_is_not_a_blank_line() -> None:
    assert written(frame_of({"a": ["x", None, ""]})) == 'a\r\nx\r\n""\r\n""\r\n'


def test_only_the_header_is_written_without_rows() -> None:
    out = io.BytesIO()
    assert write_csv(out, ["a", 'b "x", y'], []) == 0
    assert out.getvalue() == b'a,"b ""x"", y"\r\n'


def test_columns_come_in_the_order_of_the_header_and_others_stay_out() -> None:
    frame = frame_of({"b": ["2"], "_line": ["9"], "a": ["1"]})
    out = io.BytesIO()
    write_csv(out, ["a", "b"], [frame])
    assert out.getvalue() == b"a,b\r\n1,2\r\n"


def test_a_column_that_is_missing_is_an_error_and_not_an_empty_column() -> None:
    with pytest.raises(KeyError):
        write_csv(io.BytesIO(), ["a", "b"], [frame_of({"a": ["1"]})])
