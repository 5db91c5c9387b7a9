"""What is over by its own dates."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest

from roster_pipeline.oneroster.coded import by_text
from roster_pipeline.oneroster.endings import NEVER, Endings, ended, in_force
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.text import TEXT
from tests.oneroster.strategies import frame_of, stored

DAY = date(2027, 1, 15)
Rows = list[dict[str, str | None]]

SESSIONS: Rows = [
    {"sourcedId": "last-year", "type": "schoolYear", "endDate": "2026-06-12"},
    {"sourcedId": "year", "type": "schoolYear", "endDate": "2027-06-12"},
    {"sourcedId": "fall", "type": "term", "endDate": "2027-01-15"},
    {"sourcedId": "spring", "type": "term", "endDate": "2027-06-12"},
]
COURSES: Rows = [
    {"sourcedId": "old", "schoolYearSourcedId": "last-year"},
    {"sourcedId": "new", "schoolYearSourcedId": "year"},
    {"sourcedId": "yearless"},
]


def classes(*rows: tuple[str, str | None, str]) -> Rows:
    return [
        {"sourcedId": key, "termSourcedIds": terms, "courseSourcedId": course}
        for key, terms, course in rows
    ]


CLASSES = classes(
    ("in-fall", "fall", "new"),
    ("in-both", "fall,spring", "new"),
    ("in-spring", "spring", "old"),
    ("of-old", None, "old"),
    ("of-new", None, "new"),
    ("of-yearless", None, "yearless"),
    ("of-unknown", None, "elsewhere"),
    ("in-unknown", "fall,elsewhere", "old"),
)


def over(folder: Path, tables: Mapping[str, Rows], entity: str, day: date = DAY) -> list[str]:
    """The sourcedIds of the rows of an entity that are over."""
    roster = written(folder, tables)
    mask = ended(roster, entity, np.arange(roster.counts[entity]), day)
    return list(roster.columns(entity, ["sourcedId"])["sourcedId"][mask])


def written(folder: Path, tables: Mapping[str, Rows], block: int = 1000) -> Roster:
    frames = {entity: frame_of(entity, rows) for entity, rows in tables.items()}
    return stored(frames, folder, block=block)


@pytest.mark.parametrize("entity", ["academicSessions", "roles", "enrollments"])
def test_a_row_is_over_on_its_end_date_and_not_the_day_before(entity: str, tmp_path: Path) -> None:
    rows: Rows = [
        {"sourcedId": "past", "endDate": "2026-12-31"},
        {"sourcedId": "today", "endDate": "2027-01-15"},
        {"sourcedId": "tomorrow", "endDate": "2027-01-16"},
        {"sourcedId": "open"},
    ]

    assert over(tmp_path, {entity: rows}, entity) == ["past", "today"]


def test_what_is_no_date_ends_nothing(tmp_path: Path) -> None:
    rows: Rows = [
        {"sourcedId": str(at), "endDate": end} for at, end in enumerate(["01/15/2027", "0", "2027"])
    ]

    assert over(tmp_path, {"enrollments": rows}, "enrollments") == []


def test_a_course_is_over_with_its_school_year(tmp_path: Path) -> None:
    tables = {"academicSessions": SESSIONS, "courses": COURSES}

    assert over(tmp_path, tables, "courses") == ["old"]


def test_a_class_is_over_when_all_its_terms_are_or_without_terms_its_year(tmp_path: Path) -> None:
    tables = {"academicSessions": SESSIONS, "courses": COURSES, "classes": CLASSES}

    assert over(tmp_path, tables, "classes") == ["in-fall", "of-old"]


def test_no_class_is_over_while_no_session_is(tmp_path: Path) -> None:
    tables = {"academicSessions": SESSIONS, "courses": COURSES, "classes": CLASSES}

    assert over(tmp_path, tables, "classes", date(2026, 6, 11)) == []


def test_an_enrollment_is_over_with_its_class(tmp_path: Path) -> None:
    enrollments: Rows = [
        {"sourcedId": str(row["sourcedId"]), "classSourcedId": row["sourcedId"]} for row in CLASSES
    ]
    ended_by_itself: Rows = [
        {"sourcedId": "e", "classSourcedId": "in-both", "endDate": "2026-10-01"},
        {"sourcedId": "nowhere", "classSourcedId": "elsewhere"},
    ]
    tables = {
        "academicSessions": SESSIONS,
        "courses": COURSES,
        "classes": CLASSES,
        "enrollments": [*enrollments, *ended_by_itself],
    }

    assert over(tmp_path, tables, "enrollments") == ["in-fall", "of-old", "e"]


def test_courses_and_classes_end_with_the_last_of_their_sessions(tmp_path: Path) -> None:
    tables = {"academicSessions": SESSIONS, "courses": COURSES, "classes": CLASSES}
    endings = Endings(written(tmp_path, tables, block=3), DAY)

    assert endings.all_ends("courses").tolist() == [2026_06_12, 2027_06_12, NEVER]
    assert dict(
        zip([row["sourcedId"] for row in CLASSES], endings.all_ends("classes"), strict=True)
    ) == {
        "in-fall": 2027_01_15,
        "in-both": 2027_06_12,
        "in-spring": 2027_06_12,
        "of-old": 2026_06_12,
        "of-new": 2027_06_12,
        "of-yearless": NEVER,
        "of-unknown": NEVER,
        "in-unknown": NEVER,
    }


@pytest.mark.parametrize("entity", ["orgs", "users", "userProfiles", "demographics"])
def test_people_and_orgs_are_never_over(entity: str, tmp_path: Path) -> None:
    assert over(tmp_path, {entity: [{"sourcedId": "a"}]}, entity, date.max) == []


def test_only_the_rows_asked_for_are_answered_in_their_order(tmp_path: Path) -> None:
    rows: Rows = [
        {"sourcedId": str(at), "endDate": end}
        for at, end in enumerate(["2026-01-01", "2028-01-01", None, "2027-01-15", "2027-01-16"])
    ]
    roster = written(tmp_path, {"roles": rows}, block=2)

    assert ended(roster, "roles", np.array([1, 3, 4]), DAY).tolist() == [False, True, False]
    assert all(ended(roster, e, np.arange(0), DAY).tolist() == [] for e in ENTITIES)


@pytest.mark.parametrize(
    ("begin", "end", "holds"),
    [
        (None, None, True),
        ("2027-01-15", "2027-01-16", True),
        ("2027-01-16", None, False),
        (None, "2027-01-15", False),
        ("9/1/2028", "1/1/2026", True),
    ],
)
def test_a_row_is_in_force_from_its_first_day_to_the_one_before_its_end(
    begin: str | None, end: str | None, holds: bool
) -> None:
    rows = pd.DataFrame({"beginDate": [begin], "endDate": [end]}, dtype=TEXT)

    assert in_force(rows, DAY).tolist() == [holds]


def test_each_text_of_a_dictionary_is_asked_about_once_and_empty_cells_too(tmp_path: Path) -> None:
    rows: Rows = [{"sourcedId": str(n), "role": ("student", None)[n % 2]} for n in range(8)]
    (part,) = written(tmp_path, {"roles": rows}).coded("roles", ["role", "sourcedId"])
    asked = []

    def lengths(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
        asked.append(len(texts))
        return np.array([len(text or "") for text in texts.to_pylist()])

    assert by_text(part["role"], lengths).tolist() == [7, 0] * 4
    assert by_text(part["sourcedId"], lengths).tolist() == [1] * 8
    assert asked == [2, 8]
