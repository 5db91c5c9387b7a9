"""What a narrower scope leaves out is told apart from what a source does not send any more."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.gather import gather
from roster_pipeline.guards.judge import judge
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.scope import apply_scope, outside
from roster_pipeline.simulator.district import District
from tests.guards.exports import exported, read

DAY: Final = dt.date(2026, 9, 14)
HIGH: Final = ["09", "10", "11", "12"]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Roster]:
    """A district on two days."""
    district = District(students=300, guardians=1.0)
    folder = tmp_path_factory.mktemp("days")
    return {day: read(exported(district.on(day), "1.2"), folder / str(day)) for day in (0, 1)}


def narrowed(
    days: Mapping[int, Roster],
    folder: Path,
    new: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
    day: int = 0,
) -> Facts:
    """What the guards see where one scope was followed by another."""
    was, scope = Scope.model_validate(old or {}), Scope.model_validate(new)
    base = apply_scope(days[0], was, folder / "old").roster
    candidate = apply_scope(days[day], scope, folder / "new").roster
    given = Facts(counts=candidate.counts, base=base.counts)
    return gather(given, diff(base, candidate), DAY, outside(base, scope))


def gone(facts: Facts, fate: str) -> dict[str, int]:
    return {
        entity: count
        for entity, moves in facts.shift.entities.items()
        if (count := getattr(moves, fate))
    }


@pytest.mark.parametrize(
    ("scope", "entities"),
    [
        ({"grades": HIGH}, {"courses", "classes", "users", "roles", "enrollments"}),
        ({"roles": ["student", "guardian", "parent", "relative"]}, {"users", "roles"}),
        ({"terms": ["Fall 2026"]}, {"academicSessions", "courses", "classes", "enrollments"}),
        ({"courses": {"exclude": ["ART*", "PE*"]}}, {"courses", "classes", "enrollments"}),
        ({"grades": HIGH, "years": [2027], "roles": ["student", "teacher"]}, {"users", "classes"}),
    ],
)
def test_what_a_narrower_scope_leaves_out_is_descoped_and_nothing_is_removed(
    days: Mapping[int, Roster], tmp_path: Path, scope: dict[str, Any], entities: set[str]
) -> None:
    facts = narrowed(days, tmp_path, scope)

    assert gone(facts, "removed") == {}
    assert gone(facts, "ended") == {}
    assert entities <= set(gone(facts, "descoped"))
    assert not facts.role_flips.affected
    assert not facts.moved_school.affected
    assert not facts.emptied_classes.affected
    held_by = {reason.guard for reason in judge(facts, GuardSettings()).reasons}
    assert "descoped" in held_by
    # Who loses an agent by it is changed.
    assert held_by <= {"descoped", "changes"}


def test_a_scope_that_drops_a_grade_is_no_accident(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    facts = narrowed(days, tmp_path, {"grades": HIGH[:-1]}, {"grades": HIGH})

    students = facts.shift.people["students"]
    assert students.descoped == students.was - _in(days[0], HIGH[:-1])
    assert facts.shift.people["teachers"].removed == 0
    assert {reason.guard for reason in judge(facts, GuardSettings()).reasons} == {"descoped"}


def _in(roster: Roster, grades: list[str]) -> int:
    return int(roster.frame("users")["grades"].isin(grades).sum())


def test_what_is_not_sent_any_more_is_removed_on_the_day_of_a_narrower_scope_too(
    days: Mapping[int, Roster], tmp_path: Path
) -> None:
    alone = narrowed(days, tmp_path / "a", {"grades": HIGH}, {"grades": HIGH}, day=1)
    both = narrowed(days, tmp_path / "b", {"grades": HIGH}, day=1)

    assert gone(alone, "descoped") == {}
    assert gone(alone, "removed"), "nobody left: the test shows nothing"
    assert gone(both, "removed") == gone(alone, "removed")
    assert gone(both, "descoped")["enrollments"] > gone(both, "removed")["enrollments"]


def test_a_wider_scope_removes_nothing(days: Mapping[int, Roster], tmp_path: Path) -> None:
    facts = narrowed(days, tmp_path, {"grades": HIGH}, {"grades": HIGH[:-1]})

    assert gone(facts, "removed") == gone(facts, "descoped") == {}
    assert facts.shift.people["students"].added == _in(days[0], HIGH[-1:])
