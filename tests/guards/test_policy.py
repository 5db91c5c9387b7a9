from dataclasses import replace
from datetime import date

import pytest
from hypothesis import event, given

from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import GUARDS, judge
from roster_pipeline.guards.policy import (
    judge_without_losses,
    losses_alone,
    only_losses,
    without_losses,
)
from roster_pipeline.guards.settings import GuardSettings
from tests.guards.any_day import any_facts, any_settings
from tests.guards.days import BASE, at_school, facts, moving, of_people, settings, sharing

LOSSES = {
    "school_removed": facts(schools_removed={"s1": 20}),
    "vanished": moving("orgs", removed=3),
    "removed": moving("users", removed=500),
    "descoped": moving("users", descoped=500),
    "orphaned": facts(orphaned={"roles": 100}),
    "nothing_goes": replace(moving("users", removed=5), closed_until=date(2026, 12, 24)),
    "withheld": replace(moving("users", removed=5), withheld={"users": 5}),
    "school": at_school("s1", students=Moves(was=100, removed=60)),
    "emptied_classes": facts(emptied_classes=Share(3, 40)),
    "cumulative": replace(
        moving("users", removed=90),
        past={7: Shift(entities={"users": Moves(was=1000, removed=300)})},
    ),
}
OTHERS = {
    "first_sync": facts(base=None),
    "again": facts(again=date(2026, 10, 1)),
    "other_district": facts(
        shift=Shift(entities={"users": Moves(was=1000, added=999, removed=999)}),
    ),
    "rekeyed": facts(rekeyed={"users": Share(60, 1000)}),
    "role_flips": sharing(("role_flips", 60, 1000)),
    "sign_in": sharing(("sign_in.email", 60, 1000)),
    "moved_school": sharing(("moved_school", 60, 1000)),
    "header_only": replace(moving("enrollments", removed=7000), header_only=("enrollments",)),
    "deactivated": moving("users", changed=500, deactivated=500),
    "additions": moving("users", added=900),
    "changes": moving("users", changed=900),
    "held_back": facts(held={"users": 500}),
    "expected": facts(expect={"users": (1, 2)}),
    "fill": facts(expect_fill={"users.email": 95}),
    "last_date": facts(expect_last={"academicSessions.endDate": 0}),
}


def test_every_guard_is_about_losses_or_is_not() -> None:
    assert {*LOSSES, *OTHERS} == set(GUARDS)


@pytest.mark.parametrize("code", LOSSES)
def test_a_hold_for_what_would_go_is_one_for_losses_alone(code: str) -> None:
    verdict = judge(LOSSES[code], settings())

    assert {reason.guard for reason in verdict.reasons} == {code}
    assert only_losses(verdict)


@pytest.mark.parametrize("code", OTHERS)
def test_a_hold_for_anything_else_is_never_one_for_losses_alone(code: str) -> None:
    verdict = judge(OTHERS[code], settings())

    assert code in {reason.guard for reason in verdict.reasons}
    assert not only_losses(verdict)


def test_losses_beside_an_accident_are_not_losses_alone() -> None:
    day = LOSSES["removed"]
    both = replace(day, shift=replace(day.shift, shares={"role_flips": Share(60, 1000)}))

    assert not only_losses(judge(both, settings()))


def test_a_school_where_others_are_disabled_too_does_not_only_lose() -> None:
    day = at_school(
        "s1", students=Moves(was=100, removed=60), teachers=Moves(was=40, deactivated=30)
    )

    assert not only_losses(judge(day, settings()))


def test_beyond_twenty_schools_one_that_does_not_only_lose_is_not_overlooked() -> None:
    losing = {f"s{n:02}": {"students": Moves(was=200, removed=100)} for n in range(25)}
    other = {"s99": {"classes": Moves(was=40, deactivated=30)}}

    assert only_losses(judge(facts(shift=Shift(schools=losing)), settings()))
    assert not only_losses(judge(facts(shift=Shift(schools={**losing, **other})), settings()))


def test_a_verdict_that_passes_is_not_held_for_losses() -> None:
    assert not only_losses(judge(facts(), settings()))


def test_rows_that_would_go_are_kept_whatever_takes_them_and_the_rest_stays() -> None:
    day = moving("users", added=7, changed=5, removed=40, ended=30, descoped=20)

    kept = without_losses(day)
    assert kept.counts == {**BASE, "users": 1007}
    assert kept.shift.entities == {"users": Moves(was=1000, added=7, changed=5)}
    assert (kept.base, kept.past) == (day.base, day.past)


def test_people_and_rows_at_schools_are_kept_too() -> None:
    assert without_losses(of_people("students", removed=9)).shift.people == {
        "students": Moves(was=1000)
    }
    school = at_school("s1", name="Evergreen", students=Moves(was=100, removed=60, added=1))
    kept = without_losses(school).shift
    assert kept.schools == {"s1": {"students": Moves(was=100, added=1)}}
    assert kept.school_names == {"s1": "Evergreen"}


def test_kept_rows_make_no_column_look_empty() -> None:
    thin = replace(
        moving("users", removed=300),
        expect_fill={"users.email": 95},
        filled={"users.email": 690},
    )

    assert judge(without_losses(thin), settings()).outcome == "pass"


def test_kept_rows_beside_new_ones_may_be_more_than_expected() -> None:
    day = replace(moving("users", removed=300, added=150), expect={"users": (800, 1100)})

    assert only_losses(judge(day, settings()))
    [reason] = judge_without_losses(day, settings()).reasons
    assert (reason.guard, reason.numbers["rows"]) == ("expected", 1150)


@pytest.mark.parametrize("code", LOSSES)
def test_where_nothing_goes_nothing_is_held_for_losses(code: str) -> None:
    assert judge_without_losses(LOSSES[code], settings()).outcome == "pass"


@pytest.mark.parametrize("code", [code for code in OTHERS if code != "header_only"])
def test_where_nothing_goes_everything_else_is_held_as_ever(code: str) -> None:
    found = [reason.guard for reason in judge_without_losses(OTHERS[code], settings()).reasons]

    assert code in found


def test_where_nothing_goes_an_empty_file_takes_nothing() -> None:
    assert judge_without_losses(OTHERS["header_only"], settings()).outcome == "pass"


@given(any_facts(), any_settings())
def test_without_what_goes_no_guard_speaks_of_losses(day: Facts, limits: GuardSettings) -> None:
    for reason in judge(without_losses(day), limits).reasons:
        assert not reason.losses


@given(any_facts(), any_settings())
def test_a_hold_for_losses_alone_passes_once_nothing_goes(
    day: Facts, limits: GuardSettings
) -> None:
    losing = replace(
        day,
        counts={entity: _left(of) for entity, of in day.shift.entities.items()},
        shift=_losing(day.shift),
        rekeyed={},
        held={},
    )

    verdict = judge(losing, limits)
    event(verdict.outcome)
    if only_losses(verdict):
        assert judge(without_losses(losing), limits).outcome == "pass"
    else:
        assert verdict.outcome == "pass"


def _left(moves: Moves) -> int:
    return moves.was - moves.removed - moves.ended - moves.descoped


def _losing(shift: Shift) -> Shift:
    """The same with nothing added or changed, and nobody who stays another."""

    def lost(moves: Moves) -> Moves:
        return replace(moves, added=0, changed=0, deactivated=0)

    return replace(
        shift,
        entities={entity: lost(of) for entity, of in shift.entities.items()},
        people={kind: lost(of) for kind, of in shift.people.items()},
        schools={
            school: {kind: lost(of) for kind, of in kinds.items()}
            for school, kinds in shift.schools.items()
        },
        shares={},
    )


def test_of_a_candidate_that_is_accepted_but_for_its_losses_only_these_are_left() -> None:
    moves = Moves(was=100, added=5, changed=7, removed=30, ended=2, deactivated=1)
    shift = Shift(
        entities={"users": moves},
        people={"students": moves},
        shares={"moved_school": Share(3, 90)},
    )
    left = losses_alone(facts(shift=shift)).shift

    kept = Moves(was=105, removed=30, ended=2)
    assert (left.entities["users"], left.people["students"]) == (kept, kept)
    assert left.shares == {}
