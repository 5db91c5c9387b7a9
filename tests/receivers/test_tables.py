"""How a roster looks as tables, before any database."""

import json

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES, names
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.tables import frames, table_columns
from tests.receivers.conftest import Make, Rows


def cells(roster: Roster, entity: str, column: str) -> list[str | None]:
    found = pd.concat(frames(roster, entity, "springfield"))[column]
    return [None if pd.isna(cell) else str(cell) for cell in found]


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_table_has_the_source_the_standards_columns_and_metadata(entity: str) -> None:
    expected = ["source", *(n for n in names(entity) if n != "password"), "metadata"]

    assert [column.name for column in table_columns(entity)] == expected


def test_types_are_those_of_the_standard() -> None:
    types = {f"{e}.{c.name}": c.type for e in ENTITIES for c in table_columns(e)}

    assert types["enrollments.beginDate"] == "date"
    assert types["users.enabledUser"] == types["enrollments.primary"] == "boolean"
    assert types["demographics.asian"] == "boolean"
    assert types["academicSessions.schoolYear"] == "smallint"
    assert types["classes.termSourcedIds"] == types["users.grades"] == "text[]"
    assert types["users.dateLastModified"] == "timestamp with time zone"
    assert types["users.userIds"] == types["users.familyName"] == types["roles.role"] == "text"


def test_every_row_names_its_source(make: Make) -> None:
    assert cells(make(), "orgs", "source") == ["springfield", "springfield"]


def test_lists_are_arrays_whose_items_are_never_null(make: Make) -> None:
    def grades(rows: Rows) -> None:
        for row, text in zip(rows["users"], ("09,10", "NULL", 'a"b\\c', "KG"), strict=False):
            row["grades"] = text

    assert cells(make(grades), "users", "grades") == [
        '{"09","10"}',
        '{"NULL"}',
        '{"a\\"b\\\\c"}',
        '{"KG"}',
        None,
    ]


def test_filled_metadata_is_one_object(make: Make) -> None:
    def extend(rows: Rows) -> None:
        rows["users"][0] |= {"metadata.bus": 'line "7"', "metadata.diät": "Käse"}
        rows["users"][1]["metadata.bus"] = "8"

    found = cells(make(extend), "users", "metadata")

    assert [json.loads(str(text)) for text in found[:3]] == [
        {"bus": 'line "7"', "diät": "Käse"},
        {"bus": "8"},
        {},
    ]


def test_a_moment_of_a_day_that_is_in_no_calendar_is_left_out(make: Make) -> None:
    def stamp(rows: Rows) -> None:
        rows["orgs"][0]["dateLastModified"] = "2026-02-31T10:00:00Z"
        rows["orgs"][1]["dateLastModified"] = "2026-02-28T10:00:00.123Z"

    assert cells(make(stamp), "orgs", "dateLastModified") == [None, "2026-02-28T10:00:00.123Z"]


def test_an_entity_without_rows_gives_none(make: Make) -> None:
    assert list(frames(make(), "demographics", "springfield")) == []
