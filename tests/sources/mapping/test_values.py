"""How a cell is made of others."""

import re
from collections.abc import Mapping

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.oneroster.templates import names_in, parsed
from roster_pipeline.sources.mapping.config import Split, Value
from roster_pipeline.sources.mapping.values import as_ids, folded_lookups, made, split

Text = str | None


def cells(*texts: Text) -> pa.LargeStringArray:
    return pa.array(list(texts), pa.large_string())


def of(value: Mapping[str, object], **columns: list[Text]) -> list[Text]:
    given_cells = {name: cells(*texts) for name, texts in columns.items()}
    rows = len(next(iter(given_cells.values())))
    lookups = folded_lookups({"words": {" Yes ": "true", "no": ""}})
    value_made = made(Value.model_validate(value), given_cells.__getitem__, rows, lookups)
    assert value_made.type == pa.large_string()
    return value_made.to_pylist()


def test_a_template_is_empty_where_any_of_its_cells_is() -> None:
    assert of({"value": "{A}-{B}"}, A=["1", None, "3"], B=["x", "y", None]) == ["1-x", None, None]


def test_a_template_without_columns_is_the_same_for_every_row() -> None:
    assert of({"value": "school {{1}}"}, A=["1", None]) == ["school {1}", "school {1}"]


def test_what_is_empty_may_be_something_otherwise() -> None:
    value = {"value": "{A}", "otherwise": "{B}!"}
    assert of(value, A=["1", None, None], B=["x", "y", None]) == ["1", "y!", None]


def test_what_an_id_is_otherwise_is_one_too() -> None:
    value = {"value": "{A}-{B}", "otherwise": "{A}", "id": True}
    plain = {"value": "{A}", "id": True}
    assert of(value, A=["a b"], B=[None]) == of(plain, A=["a b"]) != ["a b"]


def test_words_are_translated_whatever_their_case_and_others_stay() -> None:
    value = {"value": "{A}", "lookup": "words"}
    assert of(value, A=["YES", "No", "perhaps", None]) == ["true", None, "perhaps", None]


def test_dates_are_strict_and_what_is_none_stays() -> None:
    value = {"value": "{A}", "date": "M/D/YYYY"}
    texts: list[Text] = ["8/2/2026", "08/02/2026", "13/1/2026", "2026-08-02", None]
    assert of(value, A=texts) == ["2026-08-02", "2026-08-02", "13/1/2026", "2026-08-02", None]


def test_parts_are_taken_before_dates_and_words() -> None:
    value = {"value": "{A}", "split": {"at": " to ", "part": -1}, "date": "D.M.YYYY"}
    assert of(value, A=["1.8.2026 to 2.8.2026"]) == ["2026-08-02"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (1, ["a", "a", None, None]),
        (2, ["b", None, "b", None]),
        (3, [None, None, "c", None]),
        (-1, ["b", "a", "c", None]),
        (-2, ["a", None, "b", None]),
    ],
)
def test_parts_count_from_either_end(part: int, expected: list[Text]) -> None:
    given_cells = cells("a, b", "a", ",b,c", None)
    assert split(given_cells, Split(at=",", part=part)).to_pylist() == expected
    assert split(given_cells[1:], Split(at=",", part=part)).to_pylist() == expected[1:]


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, max_size=20))
def test_ids_are_ids_and_different_texts_stay_different(texts: list[str]) -> None:
    ids = as_ids(cells(*texts)).to_pylist()
    assert all(re.fullmatch(GUID, str(one)) for one in ids)
    assert len(set(ids)) == len(texts)


@given(st.from_regex(r"[0-9A-Za-z._/@-]{1,255}", fullmatch=True))
def test_what_is_an_id_stays_as_it_is(text: str) -> None:
    assert as_ids(cells(text, None)).to_pylist() == [text, None]


def test_ids_are_the_same_for_ever() -> None:
    """Whoever changes this renames the people of every district that has such ids."""
    long = "x" * 256
    assert as_ids(cells("Fall A", "Müller", long)).to_pylist() == [
        "Fall_A-75423086075cff25",
        "M_ller-a78429899bb825ce",
        "x" * 200 + "-85e62acd750c4eb5",
    ]


@pytest.mark.parametrize("broken", ["{", "}", "{A", "A}", "{}", "{ }", "{{A}", "{A{B}}"])
def test_a_brace_that_means_nothing_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        parsed(broken)


def test_names_in_a_template_are_told_once_in_their_order() -> None:
    assert names_in("{B} {A}-{B}{{C}}") == ("B", "A")
