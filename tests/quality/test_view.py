"""A roster as columns of numbers."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.quality.view import EVER, NEVER, NO_WORD, RosterView
from roster_pipeline.tables.text import TEXT

Cell = str | None
WANTED = {
    "academicSessions": {"startDate", "endDate", "parentSourcedId", "schoolYear", "type"},
    "classes": {"termSourcedIds", "schoolSourcedId"},
    "users": {"familyName", "enabledUser"},
    "enrollments": {"classSourcedId", "role", "beginDate", "endDate"},
}


def frame(**columns: list[Cell]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(cells, dtype=TEXT) for name, cells in columns.items()})


def written(folder: Path, *frames: tuple[str, pd.DataFrame]) -> Roster:
    """A roster with a part for each frame that is long, and one for the short ones of an entity."""
    writer = RosterWriter(folder)
    for entity, rows in frames:
        lines = np.arange(len(rows), dtype=np.int64) + 2
        writer.write(entity, rows, file=f"{entity}.csv", lines=lines)
    return writer.finish()


def view(roster: Roster, today: date | None = None) -> RosterView:
    return RosterView(roster, {}, WANTED, version=Version.V1P2, today=today)


@pytest.fixture
def seen(tmp_path: Path) -> RosterView:
    sessions = frame(
        sourcedId=["y", "t", "x"],
        type=["schoolYear", "term", "ext:camp"],
        startDate=["1970-01-02", "2026-08-20", "2026-08-20"],
        endDate=["2027-06-12", "2027-01-15", "2027-01-15"],
        parentSourcedId=[None, "y", "nothing"],
        schoolYear=["2027", "2027", "0026"],
    )
    classes = frame(
        sourcedId=["a", "b", "c"],
        schoolSourcedId=["s", "s", "s"],
        termSourcedIds=["t,x,y", "t", "nothing,y"],
    )
    users = frame(
        sourcedId=["u", "v", "w", "z"],
        familyName=["Åberg ", " åBERG", "", "Ng"],
        enabledUser=["true", "false", "true", None],
    )
    enrollments = frame(
        sourcedId=["e", "f"],
        classSourcedId=["b", "a"],
        role=["student", None],
        beginDate=["2026-09-01", None],
        endDate=[None, "2026-09-02"],
    )
    roster = written(
        tmp_path / "roster",
        ("academicSessions", sessions),
        ("classes", classes),
        ("users", users),
        ("enrollments", enrollments),
    )
    return view(roster, date(1970, 1, 3))


def test_a_reference_is_the_position_of_its_row(seen: RosterView) -> None:
    assert seen.links("academicSessions", "parentSourcedId").tolist() == [-1, 0, -1]
    assert seen.links("enrollments", "classSourcedId").tolist() == [1, 0]
    assert seen.links("enrollments", "classSourcedId").dtype == np.int32
    assert seen.links("classes", "schoolSourcedId").tolist() == [-1, -1, -1]


def test_a_list_of_references_is_taken_apart(seen: RosterView) -> None:
    rows, links = seen.items("classes", "termSourcedIds")

    assert rows.tolist() == [0, 0, 0, 1, 2, 2]
    assert links.tolist() == [1, 2, 0, 1, -1, 0]


def test_a_missing_beginning_is_before_every_day_and_a_missing_end_after(seen: RosterView) -> None:
    assert seen.days("academicSessions", "startDate").tolist()[0] == 1
    assert seen.days("enrollments", "beginDate").tolist() == [20697, EVER]
    assert seen.days("enrollments", "endDate").tolist() == [NEVER, 20698]
    assert seen.today == 2


def test_words_are_told_by_name_and_words_of_ones_own_are_none_of_them(seen: RosterView) -> None:
    assert seen.is_word("academicSessions", "type", "term").tolist() == [False, True, False]
    both = seen.is_word("academicSessions", "type", "term", "schoolYear")
    assert both.tolist() == [True, True, False]
    assert seen.words("users", "enabledUser").tolist() == [0, 1, 0, NO_WORD]
    assert seen.is_word("enrollments", "role", "student").tolist() == [True, False]


def test_years_are_numbers(seen: RosterView) -> None:
    assert seen.years("academicSessions", "schoolYear").tolist() == [2027, 2027, 26]


def test_texts_are_alike_but_for_case_and_blanks_around_them(seen: RosterView) -> None:
    first, second, missing, other = seen.texts("users", "familyName").tolist()

    assert first == second != other
    assert missing == 0


def test_a_link_to_nothing_marks_nothing(seen: RosterView) -> None:
    assert seen.marked("users", np.array([-1, 2])).tolist() == [False, False, True, False]


def test_a_column_that_no_rule_named_is_refused(seen: RosterView) -> None:
    with pytest.raises(KeyError, match=r"users[.]username"):
        seen.texts("users", "username")


def test_an_empty_roster_has_empty_columns() -> None:
    seen = view(Roster.empty())

    assert seen.links("enrollments", "classSourcedId").tolist() == []
    assert seen.words("users", "enabledUser").tolist() == []
    assert seen.texts("users", "familyName").dtype == np.uint64
    assert seen.items("classes", "termSourcedIds").links.tolist() == []


def test_parts_are_put_one_behind_the_other(tmp_path: Path) -> None:
    size = 1 << 16  # as many as make a part

    def classes(start: int) -> pd.DataFrame:
        ids: list[Cell] = [f"c{n}" for n in range(start, start + size)]
        return frame(sourcedId=ids, termSourcedIds=["t,y" if n % 2 else "y" for n in range(size)])

    sessions = frame(sourcedId=["t", "y"])
    parts = ("classes", classes(0)), ("classes", classes(size))
    roster = written(tmp_path / "roster", ("academicSessions", sessions), *parts)
    assert len(roster.tables["classes"].parts) == 2

    rows, links = view(roster).items("classes", "termSourcedIds")

    assert rows.tolist()[-3:] == [2 * size - 2, 2 * size - 1, 2 * size - 1]
    assert links.tolist()[:3] == links.tolist()[-3:] == [1, 0, 1]
    assert len(rows) == 3 * size
