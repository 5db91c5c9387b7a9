"""The quick checks say what the slow ones would."""

import re

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.oneroster.entities import columns, is_date, is_word, schema, schema_1p1
from roster_pipeline.tables.text import TEXT

IDS = st.one_of(
    st.from_regex(r"[0-9A-Za-z._/@-]{1,8}", fullmatch=True),
    st.text(max_size=4),
    st.integers(250, 260).map("x".__mul__),
    st.just("id\n"),
)


def bad_rows(schema: pa.DataFrameSchema, name: str, cells: list[str | None]) -> set[int]:
    try:
        schema.select_columns([name]).validate(
            pd.DataFrame({name: pd.Series(cells, dtype=TEXT)}), lazy=True
        )
    except pa.errors.SchemaErrors as errors:
        return set(errors.failure_cases["index"])
    return set()


@given(st.lists(IDS.map(lambda text: text or None), max_size=6))
def test_a_sourced_id_is_what_the_pattern_says(cells: list[str | None]) -> None:
    wrong = {n for n, cell in enumerate(cells) if not re.fullmatch(GUID.strip("^$"), cell or "")}
    assert bad_rows(schema("orgs"), "sourcedId", cells) == wrong
    wrong -= {n for n, cell in enumerate(cells) if cell is None}
    assert bad_rows(schema("orgs"), "parentSourcedId", cells) == wrong


def test_a_slice_of_a_column_is_judged_by_its_own_cells() -> None:
    whole = pd.DataFrame({"sourcedId": pd.Series(["a b", "ok", "fine"], dtype=TEXT)})
    part = schema("orgs").select_columns(["sourcedId"])
    assert len(part.validate(whole.iloc[1:], lazy=True)) == 2


@pytest.mark.parametrize(
    ("text", "right"),
    [("2026-02-28", True), ("2026-02-30", False), ("2026-2-3", False), ("2026-02-28\n", False),
     ("٢٠٢٦-٠٢-٢٨", False), ("20260228", False), ("0000-01-01", False)],
)  # fmt: skip
def test_a_date_is_a_day_of_the_calendar(text: str, right: bool) -> None:
    assert is_date(text) is right
    assert bad_rows(schema("academicSessions"), "startDate", [text]) == (set() if right else {0})


def test_words_may_be_extended_in_1p2_and_not_in_1p1() -> None:
    assert is_word("ext:charter", words=("school",), extensible=True)
    assert not is_word("ext:", words=("school",), extensible=True)
    assert bad_rows(schema("orgs"), "type", ["school", "ext:charter", "School"]) == {2}
    assert bad_rows(schema_1p1("orgs"), "type", ["school", "ext:charter"]) == {1}


def test_every_required_cell_may_not_be_empty() -> None:
    for column in columns("enrollments"):
        empty = bad_rows(schema("enrollments"), column.name, [None])
        assert bool(empty) == (column.required == "always")
