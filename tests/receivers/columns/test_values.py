"""What a format can say of rows and cells."""

from collections.abc import Mapping
from typing import Any

import pytest

from roster_pipeline.oneroster.roster import Roster
from tests.oneroster.strategies import frame_of, stored
from tests.receivers.columns.conftest import Write, members
from tests.receivers.conftest import Make, Rows
from tests.small import district


def _file(rows: str, columns: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    lookups = {"short": {"student": "S", "teacher": "T"}, "closed": {"student": "S", "*": "-"}}
    file = {"rows": rows, "columns": columns, **keys}
    return {"lookups": lookups, "files": {"a.csv": file}}


def _extended(rows: Rows) -> None:
    rows["users"][0] |= {
        "grades": "09,10,11",
        "primaryOrgSourcedId": "s1",
        "metadata.house": "Red",
        "agentSourcedIds": "u6,u7",
    }
    for number, role in ((6, "guardian"), (7, "relative")):
        of = {"sourcedId": f"u{number}", "enabledUser": "true", "username": f"u{number}"}
        rows["users"].append({**of, "givenName": "Tia", "familyName": "Ode"})
        kin = {"roleType": "primary", "role": role, "orgSourcedId": "s1"}
        rows["roles"].append({"sourcedId": f"r{number}", "userSourcedId": f"u{number}", **kin})
    rows["demographics"] = [{"sourcedId": "u1", "birthDate": "2012-03-01"}]
    rows["enrollments"][0]["endDate"] = "2027-03-01"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Roster:
    """The small district with relatives, lists and a column of its own."""
    rows = district()
    _extended(rows)
    made = {
        entity: frame_of(entity, listed, ["metadata.house"] if entity == "users" else [])
        for entity, listed in rows.items()
    }
    return stored(made, tmp_path_factory.mktemp("extended") / "roster")


def _cells(write: Write, roster: Roster, said: Mapping[str, Any]) -> list[str]:
    """The first column."""
    return [next(iter(row.values())) for row in write(roster, said)["a.csv"]]


@pytest.mark.parametrize(
    ("rows", "value", "cells"),
    [
        ("schools", "{name}", ["Evergreen"]),
        ("schools", "{parent.name}", ["Springfield"]),
        ("locations", "{sourcedId}", ["d1", "s1"]),
        ("classes", "{course.title}, {school.name}", ["Algebra, Evergreen", "Art, Evergreen"]),
        ("classes", "{course.schoolYear.title}", ["2026-27", "2026-27"]),
        ("classes", "{{{sourcedId}}}", ["{cl1}", "{cl2}"]),
        ("classes", "{teachers}", ["u4", "u4"]),
        ("courses", "all alike", ["all alike", "all alike"]),
        ("courses", "", ["", ""]),
        ("courses", "{courseCode} {title}", ["", ""]),
        ("students", "{givenName} {familyName}", ["Ada Null", "NA O'Neill", "Zoë García Márquez"]),
        ("students", "{metadata.house}", ["Red", "", ""]),
        ("students", "{metadata.nobody}", ["", "", ""]),
        ("students", "{demographics.birthDate}", ["2012-03-01", "", ""]),
        ("students", "{studentOrgs}", ["s1", "s1", "s1"]),
        ("students", {"value": "{grades}", "item": 2}, ["10", "", ""]),
        ("students", {"value": "{grades}", "item": -1}, ["11", "", ""]),
        (
            "students",
            {"value": "{grades}", "item": 4, "otherwise": "{username}"},
            ["u1", "u2", "u3"],
        ),
        ("staff", "{staffRole.org.parent.name}", ["Springfield", "Springfield"]),
        ("staff", "{studentRole.role}", ["", ""]),
        ("staff", {"value": "{role.role}", "lookup": "short"}, ["T", "siteAdministrator"]),
        ("staff", {"value": "{role.role}", "lookup": "closed"}, ["-", "-"]),
        ("enrollments", "{user.username}", ["u1", "u2", "u3", "u4", "u4"]),
        ("studentEnrollments", "{class.course.title}", ["Algebra", "Algebra", "Art"]),
        ("studentEnrollments", {"value": "{endDate}", "last_day": True}, ["2027-02-28", "", ""]),
        ("studentEnrollments", {"value": "{endDate}", "date": "M/D/YY"}, ["3/1/27", "", ""]),
        (
            "studentEnrollments",
            {"value": "{endDate}", "last_day": True, "date": "DD.MM.YYYY"},
            ["28.02.2027", "", ""],
        ),
        (
            "relationships",
            "{user.givenName} {agent.kinRole.role}",
            ["Ada guardian", "Ada relative"],
        ),
        ("demographics", "{user.username}", ["u1"]),
    ],
)
def test_a_value_makes_cells(
    extended: Roster, written: Write, rows: str, value: Any, cells: list[str]
) -> None:
    assert _cells(written, extended, _file(rows, {"x": value, "y": "z"})) == cells


@pytest.mark.parametrize(
    ("keys", "cells"),
    [
        ({"only": {"role": ["teacher"]}}, ["e4", "e5"]),
        ({"only": {"role": ["teacher"], "class.title": ["Art 1"]}}, ["e5"]),
        ({"but": {"role": ["teacher"], "user.username": ["u2"]}}, ["e1", "e3"]),
        ({"filled": ["endDate"]}, ["e1"]),
        ({"only": {"endDate": [""]}, "but": {"role": ["student"]}}, ["e4", "e5"]),
    ],
)
def test_a_file_takes_some_rows(
    extended: Roster, written: Write, keys: dict[str, Any], cells: list[str]
) -> None:
    assert _cells(written, extended, _file("enrollments", {"x": "{sourcedId}"}, **keys)) == cells


def test_ids_keep_the_letters_that_are_known_and_say_the_others_in_numbers(
    make: Make, written: Write
) -> None:
    def change(rows: Rows) -> None:
        rows["courses"][0]["sourcedId"] = rows["classes"][0]["courseSourcedId"] = "a@b/ñ-1"

    said = _file("courses", {"x": {"value": "{sourcedId}", "id": "course"}})
    kinds = {"course": {"of": "courses", "prefix": "c-"}}
    for signs, made in (("0-9a-z-", "a-40-b-2f--f1--1"), ("0-9a-zñ@-", "a@b-2f-ñ-1")):
        ids = {"ids": {"signs": signs, "kinds": kinds}}
        assert _cells(written, make(change), {**said, **ids})[0] == made


def test_a_file_without_rows_is_written_unless_it_is_to_be_left_out(
    extended: Roster,
) -> None:
    said = _file("roles", {"x": "{role}"}, only={"role": ["proctor"]})
    assert members(extended, said) == {"a.csv": b"x\r\n"}
    said["files"]["a.csv"]["if_empty"] = "left_out"
    assert members(extended, said) == {}


def test_lists_become_as_many_columns_as_there_are_items_and_are_counted_from_a_number(
    make: Make, extended: Roster, written: Write
) -> None:
    said = _file("students", {"Grade {n}": {"value": "{grades}", "most": 2}, "who": "{username}"})
    (first, *others) = written(extended, said)["a.csv"]
    assert first == {"Grade 1": "09", "Grade 2": "10", "who": "u1"}
    assert others[0] == {"Grade 1": "", "Grade 2": "", "who": "u2"}
    assert [*written(make(), said)["a.csv"][0]] == ["who"]


def test_the_bytes_do_not_depend_on_how_a_roster_is_cut(
    make: Make, extended: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal rows of other parts count as repeated, too: two of three seats are in one class."""
    monkeypatch.setattr("roster_pipeline.oneroster.roster._FEWEST_ROWS", 1)
    cut = make(_extended, block=1)
    assert len(list(cut.blocks("enrollments"))) == 5
    for name, said in (
        ("studentEnrollments", _file("studentEnrollments", {"x": "{class.title}"}, distinct=True)),
        (
            "students",
            _file("students", {"G {n}": {"value": "{grades}", "most": 9}, "y": "{email}"}),
        ),
        ("classes", _file("classes", {"x": "{teachers}", "y": "{sourcedId}"})),
        ("relationships", _file("relationships", {"x": "{agent.kinRole.role}"})),
    ):
        assert members(cut, said) == members(extended, said), name
    assert members(cut, _file("studentEnrollments", {"x": "{class.title}"}, distinct=True)) == {
        "a.csv": b"x\r\nAlgebra 1\r\nArt 1\r\n"
    }
