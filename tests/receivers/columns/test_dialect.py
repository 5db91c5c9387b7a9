"""Cells and the lines that they become."""

from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.receivers.columns.config import Dialect
from roster_pipeline.receivers.columns.dialect import lines, opening, unencodable
from tests.receivers.columns.conftest import APPLE, read

CELLS = st.text(st.sampled_from(list("ab é ,;|\t\"'\\\r\n“")), max_size=6)
ROWS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=5)
)
DIALECTS = st.builds(
    Dialect,
    **{
        name: st.sampled_from(get_args(Dialect.model_fields[name].annotation))
        for name in ("delimiter", "newline", "quotes", "escape")
    },
)


def cells_of(rows: list[list[str]]) -> list[Any]:
    return [
        pa.array([text or None for text in column], pa.large_string())
        for column in zip(*rows, strict=True)
    ]


@given(rows=ROWS.filter(len), dialect=DIALECTS)
def test_whatever_is_written_is_read_back_as_it_was(
    rows: list[list[str]], dialect: Dialect
) -> None:
    how = APPLE if dialect.escape == "backslash" else {}
    assert read(lines(cells_of(rows), dialect), delimiter=dialect.delimiter, **how) == rows


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("Ana", b"Ana"),
        ("Ana Ruiz", b'"Ana Ruiz"'),
        ("Ruiz,Ana", b'"Ruiz,Ana"'),
        ('Ana"Jo', rb"Ana\"Jo"),
        ('Ana "Jo"', rb'"Ana \"Jo\""'),
        ("Ana\nJo", b"Ana\\\nJo"),
        (r"Ana\Jo", rb"Ana\\Jo"),
    ],
)
def test_apple_wants_quotes_around_spaces_and_backslashes_before_quotes(
    cell: str, line: bytes
) -> None:
    dialect = Dialect(newline="lf", quotes="spaced", escape="backslash")
    assert lines(cells_of([[cell, "x"]]), dialect) == line + b",x\n"


def test_a_file_begins_with_its_mark_only_where_it_has_one() -> None:
    assert opening(["a", "b,c"], Dialect()) == b'a,"b,c"\r\n'
    assert opening(["a"], Dialect(bom=True)) == b"\xef\xbb\xbfa\r\n"
    assert opening(["a"], Dialect(bom=True, encoding="utf-16")) == "\ufeffa\r\n".encode("utf-16-le")


def test_a_letter_that_an_encoding_lacks_is_counted_and_sent_as_a_question_mark() -> None:
    dialect = Dialect(encoding="windows-1252")
    (cells,) = cells_of([["Zoë"], ["Łucja"], ["Ana?"], [""]])
    assert lines([cells], dialect) == b'Zo\xeb\r\n?ucja\r\nAna?\r\n""\r\n'
    assert unencodable(cells, dialect) == 1
    assert unencodable(cells, Dialect()) == 0
