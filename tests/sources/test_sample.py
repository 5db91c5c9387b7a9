"""A few students of a district, and what hangs on them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.scope import ScopeError
from roster_pipeline.simulator.district import District
from roster_pipeline.sources.sample import Draw, Sample, draw
from tests.guards.exports import exported, read
from tests.oneroster.test_scope import dangles_nowhere, ids, roster_of, two_grades


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Roster]:
    """A district, and the same a while later."""
    district = District(students=150, guardians=1.0)
    folder = tmp_path_factory.mktemp("days")
    return {day: read(exported(district.on(day), "1.2"), folder / str(day)) for day in (0, 40)}


def with_role(roster: Roster, word: str) -> set[str]:
    roles = roster.frame("roles")
    return set(roles["userSourcedId"][roles["role"] == word])


def test_a_sample_has_so_many_students_and_what_hangs_on_them(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    few = draw(days[0], Sample(students=5)).take(days[0], tmp_path / "few").roster

    students = with_role(few, "student")
    assert len(students) == 5
    seats = few.frame("enrollments")
    assert set(seats["userSourcedId"][seats["role"] == "student"]) <= students
    assert set(ids(few, "classes")) == set(seats["classSourcedId"])
    assert with_role(few, "teacher") <= set(seats["userSourcedId"])
    assert set(ids(few, "courses")) == set(few.frame("classes")["courseSourcedId"])
    assert 0 < few.counts["academicSessions"] <= days[0].counts["academicSessions"]
    assert with_role(few, "parent")
    assert few.counts["users"] < days[0].counts["users"] / 4
    dangles_nowhere(few)


def test_of_a_later_roster_the_same_students_are_taken(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    drawn = draw(days[40], Sample(students=40))
    now, before = (drawn.take(days[day], tmp_path / str(day)).roster for day in (40, 0))

    stay = set(ids(days[0], "users")) & set(ids(days[40], "users"))
    assert with_role(now, "student") & stay == with_role(before, "student") & stay
    assert len(with_role(now, "student")) == 40
    assert with_role(now, "student") - stay, "nobody came: the test shows nothing"


def test_a_sample_greater_than_the_district_has_all_students(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    few = draw(days[0], Sample(students=10_000)).take(days[0], tmp_path / "few").roster

    assert with_role(few, "student") == with_role(days[0], "student")
    assert set(ids(few, "enrollments")) == set(ids(days[0], "enrollments"))


def test_only_the_schools_of_the_few_come_along(tmp_path: Path) -> None:
    rows = two_grades()
    rows["orgs"].append({"sourcedId": "far", "name": "Far", "parentSourcedId": "d"})
    roster = roster_of(rows, tmp_path / "all")

    few = draw(roster, Sample(students=3)).take(roster, tmp_path / "few").roster

    assert ids(few, "orgs") == ["d", "s"]
    # Of the staff come teachers, by their classes.
    assert "head" not in ids(few, "users")


def test_a_school_is_tried_with_all_its_people_or_with_a_few(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    roster = days[0]
    orgs = roster.frame("orgs")
    school = orgs["sourcedId"][orgs["type"] == "school"].iloc[0]

    whole = draw(roster, Sample(schools=(school,))).take(roster, tmp_path / "whole").roster
    assert set(whole.frame("classes")["schoolSourcedId"]) == {school}
    assert set(ids(whole, "users")) < set(ids(roster, "users"))

    sample = Sample(students=4, schools=(school,))
    few = draw(roster, sample).take(roster, tmp_path / "few").roster
    assert with_role(few, "student") < with_role(whole, "student")
    assert len(with_role(few, "student")) == 4
    dangles_nowhere(few)


def test_a_school_that_is_not_there_is_named(days: Mapping[int, Roster]) -> None:
    with pytest.raises(ScopeError, match="`--school` names nowhere, and the orgs have no such"):
        draw(days[0], Sample(schools=("nowhere",)))


def test_of_a_roster_without_students_nobody_is_taken(tmp_path: Path) -> None:
    rows = {entity: two_grades()[entity] if entity == "orgs" else [] for entity in ENTITIES}
    roster = roster_of(rows, tmp_path / "all")

    assert draw(roster, Sample(students=3)) == Draw(Sample(students=3), last=0)
