"""What a receiver will not like is told before it goes out, in the receiver's terms."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from roster_pipeline.receivers import checking
from roster_pipeline.receivers.checking import unfit
from roster_pipeline.receivers.profiles import Check, Profile
from tests.receivers.conftest import Make, Rows
from tests.small import Row


def user(place: int, **cells: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows["users"][place] |= cells

    return change


def enrollment(place: int, **cells: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows["enrollments"][place] |= cells

    return change


def another(**cells: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        first: Row = rows["enrollments"][3]
        first["primary"] = "true"
        rows["enrollments"].append({**first, "sourcedId": "e9", "userSourcedId": "u5", **cells})

    return change


def without_first_students(rows: Rows) -> None:
    rows["enrollments"] = rows["enrollments"][2:]


def one_id_twice(rows: Rows) -> None:
    rows["courses"][0]["sourcedId"] = "u1"
    rows["classes"][0]["courseSourcedId"] = "u1"


CASES: list[tuple[dict[str, Any], Callable[[Rows], object], str]] = [
    ({"check": "filled", "entity": "users", "columns": ["email"]}, user(0, email=""),
     "1 of 5 users has none"),
    ({"check": "filled", "entity": "users", "columns": ["email"], "roles": ["student"]},
     user(3, email=""), ""),
    ({"check": "filled", "entity": "users", "columns": ["email", "identifier"]},
     user(0, email="", identifier="7"), ""),
    ({"check": "filled", "entity": "users", "columns": ["metadata.title"]}, user(0, grades="01"),
     "5 of 5 users have none"),
    ({"check": "unique", "entity": "users", "columns": ["email"]},
     user(0, email="U2@example.org"), "2 of 5 users share theirs"),
    ({"check": "matches", "entity": "users", "columns": ["username"], "pattern": "[^&@]*"},
     user(0, username="a&b"), "1 of 5 users has others"),
    ({"check": "files", "entities": ["orgs", "demographics", "userProfiles"]}, lambda _: None,
     "demographics.csv, userProfiles.csv have no rows and are not there"),
    ({"check": "files"}, lambda _: None, "demographics.csv has no rows and is not there"),
    ({"check": "files", "entities": ["orgs"]}, lambda _: None, ""),
    ({"check": "at_most", "entity": "users", "most": 3}, lambda _: None, "2 of 5 users are too"),
    ({"check": "unique_ids"}, one_id_twice, "1 of 18 rows has one that is taken"),
    ({"check": "student_in_each_class"}, without_first_students, "1 of 2 classes has none"),
    ({"check": "inside_sessions"}, enrollment(0, beginDate="2026-08-19"),
     "1 of 5 enrollments is outside"),
    ({"check": "inside_sessions"}, enrollment(0, endDate="2027-01-16"),
     "1 of 5 enrollments is outside"),
    ({"check": "inside_sessions"}, enrollment(0, endDate="2026-08-20"),
     "1 of 5 enrollments is outside"),
    ({"check": "inside_sessions"},
     enrollment(0, beginDate="2026-08-20", endDate="2027-01-15"), ""),
    ({"check": "one_primary_teacher"}, another(), "1 of 2 classes has several"),
    ({"check": "one_primary_teacher"}, another(primary="false"), ""),
    ({"check": "one_primary_teacher"}, another(beginDate="2026-11-01"),
     "1 of 2 classes has several"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "change", "sentence"), CASES)
def test_what_does_not_fit_is_counted(
    make: Make, said: dict[str, Any], change: Callable[[Rows], object], sentence: str
) -> None:
    profile = Profile.model_validate(
        {
            "title": "Reader",
            "oneroster": {"version": "1.1"},
            "checks": [{**said, "says": "Reader wants it"}],
        }
    )
    found = unfit(make(change), profile)
    if not sentence:
        assert found == []
        return
    (told,) = found
    assert told.message.startswith("Reader wants it: ")
    assert sentence in told.message


def test_one_primary_teacher_may_follow_another(make: Make) -> None:
    def change(rows: Rows) -> None:
        another(beginDate="2026-11-01")(rows)
        rows["enrollments"][3]["endDate"] = "2026-11-01"

    profile = Profile.model_validate(
        {
            "title": "Reader",
            "oneroster": {"version": "1.1"},
            "checks": [{"check": "one_primary_teacher", "says": "Reader wants it"}],
        }
    )
    assert unfit(make(change), profile) == []


def test_every_check_that_a_profile_can_name_has_a_strategy() -> None:
    named = get_args(Check.model_fields["check"].annotation)
    assert set(named) == set(checking._STRATEGIES)
    assert set(named) == {said["check"] for said, _, _ in CASES}
