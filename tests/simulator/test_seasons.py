"""A district that lives through school years, as docs/churn.md says."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.rules import STRICT
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.district import Day, District
from roster_pipeline.simulator.school_year import SchoolYear

DISTRICT = District(students=800, seed=7, today=date(2026, 7, 27), seasons=True)
Reach = Callable[[date], Day]


@pytest.fixture(scope="module")
def on() -> Reach:
    """The district on a date; each day is lived through once, so ask in order."""
    known = [DISTRICT.on(0)]

    def reach(day: date) -> Day:
        number = (day - DISTRICT.today).days
        nearest = max((d for d in known if d.number <= number), key=lambda d: d.number)
        known.append(nearest.later(number))
        return known[-1]

    return reach


def _timetables(day: Day) -> "pd.Series[frozenset[str]]":  # type: ignore[type-var]
    """By student, the classes that they are in."""
    rows = day.frame("enrollments")
    rows = rows[rows["role"] == "student"]
    return rows.groupby("userSourcedId")["classSourcedId"].agg(frozenset)


def _changed(before: Day, after: Day) -> float:
    """The share of the students of both days whose classes are not the same."""
    old, new = _timetables(before), _timetables(after)
    both = old.index.intersection(new.index)
    return float((old[both] != new[both]).mean())


def _ids(day: Day, entity: str) -> set[str]:
    return set(day.frame(entity)["sourcedId"])


def _students_by_grade(day: Day) -> dict[str, set[str]]:
    students = set(day.frame("demographics")["sourcedId"])
    users = day.frame("users")
    users = users[users["sourcedId"].isin(students)]
    return {str(g): set(rows["sourcedId"]) for g, rows in users.groupby("grades")}


def test_in_two_weeks_some_three_timetables_in_ten_change(on: Reach) -> None:
    assert 0.2 < _changed(on(date(2026, 8, 16)), on(date(2026, 8, 28))) < 0.4


def test_later_fewer_than_one_timetable_in_a_hundred_changes_a_day(on: Reach) -> None:
    later = [on(date(2026, 10, 5) + timedelta(days=n)) for n in range(5)]
    shares = [_changed(*pair) for pair in pairwise(later)]

    assert 0 < sum(shares) / len(shares) < 0.01


def test_nothing_happens_on_a_weekend(on: Reach) -> None:
    friday, sunday = on(date(2026, 10, 9)), on(date(2026, 10, 11))

    for entity in ENTITIES:
        pd.testing.assert_frame_equal(friday.frame(entity), sunday.frame(entity))


def test_at_rollover_all_are_a_grade_further_and_the_last_grade_is_gone(on: Reach) -> None:
    before = _students_by_grade(on(date(2026, 8, 2)))
    after = _students_by_grade(on(date(2026, 8, 3)))
    everyone = set().union(*after.values())

    assert before["12"].isdisjoint(_ids(on(date(2026, 8, 3)), "users"))
    assert after["KG"].isdisjoint(set().union(*before.values()))
    grades = ["KG", *(f"{grade:02d}" for grade in range(1, 13))]
    for old, new in pairwise(grades):
        stayed = before[old] & everyone
        assert len(stayed) > 0.85 * len(before[old])
        assert stayed <= after[new]


def test_at_rollover_sessions_classes_and_enrollments_are_new_and_the_rest_is_not(
    on: Reach,
) -> None:
    before, after = on(date(2026, 8, 2)), on(date(2026, 8, 3))

    for entity in ("academicSessions", "classes", "enrollments"):
        assert _ids(before, entity).isdisjoint(_ids(after, entity))
    for entity in ("orgs", "courses"):
        assert _ids(before, entity) == _ids(after, entity)
    kept = _ids(before, "users") & _ids(after, "users")
    assert 0.8 < len(kept) / len(_ids(before, "users")) < 0.95


def test_at_rollover_those_who_have_outgrown_a_school_go_on_to_the_next(on: Reach) -> None:
    before, after = (on(day).frame("users") for day in (date(2026, 8, 2), date(2026, 8, 3)))
    school = before.set_index("sourcedId")["primaryOrgSourcedId"]
    now = after.set_index("sourcedId")

    for grade, moves in {"05": False, "06": True, "07": False, "09": True}.items():
        rows = now[(now["grades"] == grade) & now.index.isin(school.index)]
        moved = rows["primaryOrgSourcedId"] != school.loc[rows.index]
        assert len(rows)
        assert moved.all() if moves else not moved.any()


def test_classes_of_a_semester_come_before_it_starts_and_go_after_it_ended(on: Reach) -> None:
    sent: dict[date, set[str]] = {}
    for day in (date(2026, 12, 27), date(2026, 12, 28), date(2027, 1, 17), date(2027, 1, 18)):
        sent[day] = set(on(day).frame("classes")["termSourcedIds"])
    fall, spring = DISTRICT.style(180).session_ids[1:3].to_pylist()

    assert list(sent.values()) == [
        {f"{fall},{spring}", fall},
        *[{f"{fall},{spring}", fall, spring}] * 2,
        {f"{fall},{spring}", spring},
    ]


@pytest.mark.parametrize(
    ("day", "remarks"),
    [
        (date(2026, 7, 27), {"session.all_past"}),
        (date(2026, 8, 3), {"session.all_future"}),
        (date(2026, 8, 28), set()),
        (date(2027, 1, 18), set()),
    ],
)
def test_no_rule_finds_anything_in_any_season_but_that_it_is_summer(
    on: Reach, day: date, remarks: set[str], tmp_path: Path
) -> None:
    out = io.BytesIO()
    on(day).write_package(out)

    with open_package(out) as package:
        made = build_candidate(package, None, tmp_path, policy=STRICT, today=day)
    assert made.findings.counts().keys() == remarks


def test_a_district_lives_on_after_a_second_rollover() -> None:
    small = District(students=60, seed=3, today=date(2026, 7, 27), seasons=True)
    later = small.on(400)

    assert small.year_on(400).ends == 2028
    assert 30 < len(later.frame("demographics")) < 120
    assert set(later.frame("enrollments")["classSourcedId"]) == _ids(later, "classes")


def test_the_year_that_is_sent_changes_two_weeks_before_school() -> None:
    start = SchoolYear.around(date(2026, 9, 1)).start

    assert SchoolYear.exported(start - timedelta(days=15)).ends == 2026
    assert SchoolYear.exported(start - timedelta(days=14)).ends == 2027
    assert SchoolYear.exported(date(2027, 3, 1)).ends == 2027
