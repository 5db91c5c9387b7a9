from datetime import date, timedelta

import pytest

from roster_pipeline.guards.calendar import ROLLOVER
from roster_pipeline.guards.cumulative import SPANS, Past, past_shifts
from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import judge
from tests.guards.days import BASE, facts, guards, settings

TODAY = date(2026, 11, 23)


def removing(users: int, was: int = 1000) -> Shift:
    return Shift(entities={"users": Moves(was=was, removed=users)})


def past(days_ago: int, users: int = 90, was: int = 1000, **flags: bool) -> Past:
    return Past(TODAY - timedelta(days=days_ago), removing(users, was), **flags)


def removed(history: list[Past], span: int) -> int:
    return past_shifts(history, TODAY, rollover=False)[span].entities.get("users", Moves()).removed


def with_past(shift: Shift, *history: Past) -> Facts:
    return facts(shift=shift, past=past_shifts(history, TODAY, rollover=False))


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

    assert past_shifts(history, TODAY, rollover=False)[7].entities["users"] == Moves(
        was=1000, removed=240
    )


def test_people_and_schools_add_up_as_well() -> None:
    one = Shift(
        people={"students": Moves(was=500, removed=10)},
        schools={"s1": {"students": Moves(was=50, removed=4)}},
    )
    other = Shift(
        people={"students": Moves(was=490, removed=20), "staff": Moves(was=9, added=1)},
        schools={"s1": {"classes": Moves(was=6, removed=1), "students": Moves(was=46, removed=5)}},
    )

    total = past_shifts([Past(TODAY, one), Past(TODAY, other)], TODAY, rollover=False)[7]
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


def test_within_a_rollover_window_its_days_count() -> None:
    history = [past(4), past(3, users=400, rollover=True), past(2, users=7)]

    within = past_shifts(history, TODAY, rollover=True)[7]
    assert within.entities["users"].removed == 497
    decided = [past(4), past(3, rollover=True, approved=True), past(2, users=7)]
    assert past_shifts(decided, TODAY, rollover=True)[7].entities["users"].removed == 7


def test_a_window_does_not_let_half_a_district_go_every_day() -> None:
    limits = settings().overlaid_by(ROLLOVER)
    history = [past(1, users=450, rollover=True)]

    for removed_today, outcome in ((150, "pass"), (200, "hold")):
        shift = removing(removed_today, was=550)
        day = facts(
            base={**BASE, "users": 550},
            shift=shift,
            past=past_shifts(history, TODAY, rollover=True),
        )
        assert judge(day, limits).outcome == outcome


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
    assert past_shifts([kept], TODAY, rollover=False) == past_shifts(
        [Past(TODAY, shift)], TODAY, rollover=False
    )


def _at_new_school(removed: int, was: int) -> Shift:
    return Shift(schools={"s9": {"students": Moves(was=was, removed=removed)}})


def _users(**moves: int) -> Shift:
    return Shift(entities={"users": Moves(**{"was": 1000, **moves})})


def _days_until_held(shift: Shift, today: Shift | None = None) -> int:
    """How many days the same happens before a day, on which it happens too or what is said, is
    held."""
    for days in range(31):
        history = [Past(TODAY - timedelta(days=ago), shift) for ago in range(1, days + 1)]
        if judge(with_past(today or shift, *history), settings()).outcome == "hold":
            return days
    return 31


def test_people_who_are_disabled_a_few_a_day_add_up() -> None:
    moves = Moves(was=100, changed=9, deactivated=9)

    assert _days_until_held(_users(changed=90, deactivated=90)) == 2
    assert _days_until_held(Shift(people={"students": moves})) == 2
    at_school = Shift(schools={"s1": {"students": Moves(was=100, deactivated=24)}})
    assert _days_until_held(at_school) == 1
    [reason] = judge(
        with_past(at_school, *[Past(TODAY - timedelta(days=1), at_school)]), settings()
    ).reasons
    assert (reason.guard, reason.losses) == ("cumulative", False)
    assert "48 of 100 students (48 %) would be disabled or end early within 7 days" in (
        reason.sentence
    )


def test_rows_that_are_added_day_by_day_are_measured_by_what_there_was_at_first() -> None:
    first = Past(TODAY - timedelta(days=2), _users(was=400, added=280))
    second = Past(TODAY - timedelta(days=1), _users(was=680, added=320))

    assert judge(with_past(_users(was=680, added=320), first), settings()).outcome == "pass"
    [reason] = judge(with_past(_users(added=700), first, second), settings()).reasons
    assert (reason.guard, reason.entity, reason.losses) == ("cumulative", "users", False)
    assert reason.sentence == (
        "users: 1,300 of 400 rows (325 %) would be added within 7 days, today included; "
        "the limit is 150 % (600 rows), from 25 rows up"
    )


def test_additions_of_a_month_may_be_three_times_those_of_a_day() -> None:
    early = Past(TODAY - timedelta(days=20), _users(added=700))
    later = Past(TODAY - timedelta(days=9), _users(added=700))

    assert judge(with_past(_users(added=700), early), settings()).outcome == "pass"
    assert judge(with_past(_users(added=700), early, later), settings()).outcome == "pass"
    last = Past(TODAY - timedelta(days=8), _users(added=200))
    [reason] = judge(with_past(_users(added=700), early, later, last), settings()).reasons
    assert "within 30 days" in reason.sentence


def test_what_began_with_nothing_is_measured_by_today() -> None:
    first = Past(TODAY - timedelta(days=1), _users(was=0, added=1000))

    assert judge(with_past(_users(added=400), first), settings()).outcome == "pass"
    drip = Past(TODAY - timedelta(days=1), Shift(people={"staff": Moves(added=4)}))
    day = with_past(Shift(people={"staff": Moves(was=4, added=21)}), drip)
    assert guards(judge(day, settings())) == [("cumulative", "staff")]


def test_additions_add_up_without_end_where_their_limit_is_lifted() -> None:
    first = Past(TODAY - timedelta(days=1), _users(added=5000))

    assert judge(with_past(_users(added=5000), first), settings()).outcome == "hold"
    lifted = settings(additions={"percent": None})
    assert judge(with_past(_users(added=5000), first), lifted).outcome == "pass"


@pytest.mark.parametrize(
    ("key", "share"),
    [
        ("role_flips", Share(9, 1000)),
        ("moved_school", Share(49, 1000)),
        ("sign_in.email", Share(49, 1000)),
    ],
)
def test_people_who_are_mixed_up_a_few_a_day_add_up(key: str, share: Share) -> None:
    today = Shift(shares={key: share})

    assert _days_until_held(today) == 2
    assert _days_until_held(Shift(shares={"other": share}), today) == 31


def test_a_hold_for_addresses_that_add_up_says_which_and_within_how_many_days() -> None:
    before = Past(TODAY - timedelta(days=8), Shift(shares={"sign_in.email": Share(110, 990)}))
    day = with_past(Shift(shares={"sign_in.email": Share(45, 1000)}), before)

    [reason] = judge(day, settings()).reasons
    assert (reason.guard, reason.entity, reason.losses) == ("cumulative", "users", False)
    assert reason.sentence == (
        "users.email: 155 of 1,000 users (15.5 %) who stay would get another value or none "
        "within 30 days, today included; the limit is 15 % (150 users), from 10 users up"
    )


def test_a_day_that_is_too_much_by_itself_is_not_said_to_add_up_as_well() -> None:
    shares = Shift(shares={"role_flips": Share(9, 1000)})
    before = Past(TODAY - timedelta(days=1), shares)
    day = with_past(Shift(shares={"role_flips": Share(40, 1000)}), before)
    assert guards(judge(day, settings())) == [("role_flips", "users")]

    many = Past(TODAY - timedelta(days=1), _users(added=700, changed=90, deactivated=90))
    assert {of.guard for of in judge(with_past(_users(added=900), many), settings()).reasons} == {
        "additions"
    }


def test_a_day_without_any_of_it_is_not_held_for_mix_ups_of_the_days_before() -> None:
    before = Past(
        TODAY - timedelta(days=1),
        Shift(
            entities={"users": Moves(was=1000, added=5000, deactivated=900)},
            shares={"role_flips": Share(500, 1000), "moved_school": Share(500, 1000)},
        ),
    )

    assert judge(with_past(_users(changed=9), before), settings()).outcome == "pass"


def test_shares_of_days_add_up_and_are_kept_by_a_ledger() -> None:
    one, other = (Shift(shares={"moved_school": Share(n, 100 + n)}) for n in (3, 4))
    history = [Past(TODAY, Shift.from_json(shift.to_json())) for shift in (one, other)]

    total = past_shifts(history, TODAY, rollover=False)[7]
    assert total.shares == {"moved_school": Share(7, 104)}
