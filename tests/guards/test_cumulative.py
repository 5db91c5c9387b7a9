from datetime import date, timedelta

import pytest

from roster_pipeline.guards.calendar import ROLLOVER
from roster_pipeline.guards.cumulative import SPANS, Past, past_shifts
from roster_pipeline.guards.facts import Facts, Moves, Shift
from roster_pipeline.guards.judge import judge
from tests.guards.days import BASE, facts, guards, settings

TODAY = date(2026, 11, 23)


def removing(users: int, was: int = 1000) -> Shift:
    return Shift(entities={"users": Moves(was=was, removed=users)})


def past(days_ago: int, users: int = 90, was: int = 1000, **flags: bool) -> Past:
    return Past(TODAY - timedelta(days=days_ago), removing(users, was), **flags)


def removed(history: list[Past], span: int) -> int:
    return past_shifts(history, TODAY)[span].entities.get("users", Moves()).removed


def with_past(shift: Shift, *history: Past) -> Facts:
    return facts(shift=shift, past=past_shifts(history, TODAY))


@pytest.mark.parametrize(
    ("days_ago", "in_7", "in_30"),
    [(0, 90, 90), (1, 90, 90), (6, 90, 90), (7, 0, 90), (29, 0, 90), (30, 0, 0), (-1, 0, 0)],
)
def test_a_span_reaches_back_so_many_days_with_today(days_ago: int, in_7: int, in_30: int) -> None:
    assert SPANS == (7, 30)
    assert removed([past(days_ago)], 7) == in_7
    assert removed([past(days_ago)], 30) == in_30


def test_days_add_up_and_are_measured_by_what_there_was_at_first() -> None:
    history = [past(3, 90, was=1000), past(2, 80, was=910), past(1, 70, was=830)]

    assert past_shifts(history, TODAY)[7].entities["users"] == Moves(was=1000, removed=240)


def test_people_and_schools_add_up_as_well() -> None:
    one = Shift(
        people={"students": Moves(was=500, removed=10)},
        schools={"s1": {"students": Moves(was=50, removed=4)}},
    )
    other = Shift(
        people={"students": Moves(was=490, removed=20), "staff": Moves(was=9, added=1)},
        schools={"s1": {"classes": Moves(was=6, removed=1), "students": Moves(was=46, removed=5)}},
    )

    total = past_shifts([Past(TODAY, one), Past(TODAY, other)], TODAY)[7]
    assert total.people == {
        "students": Moves(was=500, removed=30),
        "staff": Moves(was=9, added=1),
    }
    assert total.schools == {
        "s1": {"students": Moves(was=50, removed=9), "classes": Moves(was=6, removed=1)}
    }


def test_what_a_person_approved_counts_no_more_nor_what_was_before_it() -> None:
    assert removed([past(4), past(3, approved=True), past(2, users=7)], 7) == 7


def test_a_day_in_a_rollover_window_is_skipped_and_the_days_around_it_are_not() -> None:
    assert removed([past(4), past(3, users=400, rollover=True), past(2, users=7)], 7) == 97


def test_a_day_approved_in_a_rollover_window_ends_the_count_too() -> None:
    assert removed([past(4), past(3, rollover=True, approved=True), past(2, users=7)], 7) == 7


def test_nine_in_a_hundred_a_day_do_not_pass_five_times() -> None:
    history: list[Past] = []
    for day in range(5):
        shift = removing(90, was=1000 - 90 * day)
        if judge(with_past(shift, *history), settings()).outcome == "hold":
            break
        history.append(Past(TODAY - timedelta(days=4 - day), shift))

    assert len(history) == 2


def test_days_that_add_up_are_not_told_where_one_day_is_too_much() -> None:
    day = with_past(removing(500), past(1, users=300))

    assert [reason.guard for reason in judge(day, settings()).reasons] == ["removed"]


def test_a_slow_loss_is_noticed_within_a_month() -> None:
    history = [past(days_ago, users=60) for days_ago in (28, 21, 14, 8)]

    day = with_past(removing(60), *history)
    assert judge(day, settings()).outcome == "pass"
    [reason] = judge(with_past(removing(61), *history), settings()).reasons
    assert (reason.guard, reason.entity) == ("cumulative", "users")
    assert reason.sentence == (
        "users: 301 of 1,000 rows (30.1 %) would be removed within 30 days, today included; "
        "the limit is 30 % (300 rows), from 5 rows up"
    )


def test_of_two_spans_that_are_passed_the_shorter_one_is_named() -> None:
    day = with_past(removing(95), past(1, users=300))

    [reason] = judge(day, settings()).reasons
    assert "within 7 days" in reason.sentence
    assert reason.numbers["removed"] == 395


def test_a_day_that_removes_nothing_is_not_held_for_the_days_before() -> None:
    assert judge(with_past(removing(0), past(1, users=900)), settings()).outcome == "pass"


def test_a_day_with_nothing_removed_before_it_is_left_to_the_limit_of_one_day() -> None:
    verdict = judge(with_past(removing(500)), settings())

    assert guards(verdict) == [("removed", "users")]


def test_kinds_of_people_and_schools_are_added_up_apart() -> None:
    moves = {"students": Moves(was=100, removed=24)}
    shift = Shift(
        people={"teachers": Moves(was=100, removed=9)},
        schools={"s1": moves},
        school_names={"s1": "Evergreen"},
    )
    day = with_past(shift, Past(TODAY - timedelta(days=2), shift), Past(TODAY, shift))

    teachers, school = judge(day, settings()).reasons
    assert (teachers.entity, teachers.numbers["removed"]) == ("teachers", 27)
    assert (school.guard, school.school) == ("cumulative", "s1")
    assert school.sentence.startswith(
        "Evergreen (sourcedId s1): 72 of 100 students (72 %) would be removed within 7 days"
    )


def test_a_school_that_has_grown_since_is_measured_by_what_it_is() -> None:
    opening = Past(TODAY - timedelta(days=3), _at_new_school(removed=9, was=0))

    assert judge(with_past(_at_new_school(removed=20, was=500), opening), settings()).reasons == ()


@pytest.mark.parametrize(("before", "outcome"), [(505, "pass"), (506, "hold")])
def test_at_rollover_days_may_add_up_to_more(before: int, outcome: str) -> None:
    rollover = settings().overlaid_by(ROLLOVER)

    assert judge(with_past(removing(95), past(1, users=before)), rollover).outcome == outcome


def test_what_a_ledger_keeps_of_a_shift_adds_up_the_same() -> None:
    shift = Shift(
        entities={"users": Moves(was=BASE["users"], removed=90)},
        schools={"s1": {"students": Moves(was=50, removed=4)}},
    )

    kept = Past(TODAY, Shift.from_json(shift.to_json()))
    assert past_shifts([kept], TODAY) == past_shifts([Past(TODAY, shift)], TODAY)


def _at_new_school(removed: int, was: int) -> Shift:
    return Shift(schools={"s9": {"students": Moves(was=was, removed=removed)}})
