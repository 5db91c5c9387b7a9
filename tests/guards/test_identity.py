from datetime import date

import pytest

from roster_pipeline.guards.calendar import ROLLOVER
from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import ACCIDENTS, judge
from tests.guards.days import BASE, facts, moving, settings, sharing


def named(day: Facts, **keys: object) -> list[tuple[str, str | None]]:
    """Which accidents the guards name."""
    reasons = judge(day, settings(**keys)).reasons
    return [(reason.guard, reason.entity) for reason in reasons if reason.guard in ACCIDENTS]


def replaced(users: int, orgs: int = 0, rekeyed: dict[str, Share] | None = None) -> Facts:
    """A day on which so many rows go and as many others come."""
    return facts(
        shift=Shift(
            entities={
                "orgs": Moves(was=3, added=orgs, removed=orgs),
                "users": Moves(was=1000, added=users, removed=users),
            }
        ),
        rekeyed=rekeyed or {},
    )


def test_an_old_roster_delivered_again_is_named_with_its_date() -> None:
    [reason] = judge(facts(again=date(2026, 10, 1)), settings()).reasons

    assert reason.guard == "again"
    assert "word for word the roster accepted for 2026-10-01" in reason.sentence


@pytest.mark.parametrize(("users", "found"), [(500, []), (501, [("other_district", "users")])])
def test_a_file_in_which_hardly_anybody_is_known_is_another_districts(
    users: int, found: list[tuple[str, str]]
) -> None:
    assert named(replaced(users)) == found


def test_another_district_is_named_by_its_schools_too() -> None:
    day = replaced(1000, orgs=3)

    assert named(day) == [("other_district", "orgs"), ("other_district", "users")]
    said = judge(day, settings()).reasons[1].sentence
    assert said == (
        "users: 0 of 1,000 rows (0 %) are still there, fewer than 50 %, and most of those sent "
        "are new; this looks like another district's file"
    )


@pytest.mark.parametrize("removed", [600, 999, 1000])
def test_a_file_cut_short_is_not_another_districts(removed: int) -> None:
    assert named(moving("users", removed=removed)) == []


def test_a_scope_made_narrow_is_not_another_districts_file() -> None:
    assert named(moving("users", descoped=900, added=60)) == []


def test_a_handful_of_users_says_nothing_of_the_district() -> None:
    few = Facts(
        counts={"users": 19},
        base={"users": 19},
        shift=Shift(entities={"users": Moves(was=19, added=19, removed=19)}),
    )
    assert named(few) == []


def test_how_many_must_still_be_there_can_be_set() -> None:
    assert named(replaced(700), overlap=20) == []
    assert named(replaced(300), overlap=80) == [("other_district", "users")]


def test_people_who_come_again_under_other_ids_are_not_another_district() -> None:
    day = replaced(1000, orgs=3, rekeyed={"users": Share(990, 1000)})

    assert named(day) == [("rekeyed", "users")]


def test_a_few_namesakes_do_not_make_another_district_the_same_one() -> None:
    assert named(replaced(1000, rekeyed={"users": Share(60, 1000)})) == [
        ("other_district", "users")
    ]


@pytest.mark.parametrize(("rows", "found"), [(50, []), (51, [("rekeyed", "users")])])
def test_more_than_a_twentieth_under_other_ids_is_a_re_key(
    rows: int, found: list[tuple[str, str]]
) -> None:
    assert named(replaced(rows, rekeyed={"users": Share(rows, 1000)})) == found


def test_a_re_key_of_classes_alone_is_named_too() -> None:
    day = facts(
        base={**BASE, "classes": 80},
        counts={**BASE, "classes": 80},
        shift=Shift(entities={"classes": Moves(was=80, added=80, removed=80)}),
        rekeyed={"classes": Share(80, 80)},
    )

    assert named(day) == [("rekeyed", "classes")]


@pytest.mark.parametrize(
    ("day", "code", "entity", "sentence"),
    [
        (
            sharing(("role_flips", 30, 1000)),
            "role_flips",
            "users",
            "users: 30 of 1,000 people (3 %) who stay would turn from students into teachers or "
            "staff, or back, or into administrators; the limit is 1 % (10 people), "
            "from 5 people up",
        ),
        (
            sharing(("moved_school", 60, 800)),
            "moved_school",
            "students",
            "students: 60 of 800 students (7.5 %) who stay would be at another school; "
            "the limit is 5 % (40 students), from 25 students up",
        ),
        (
            sharing(("sign_in.email", 900, 1000), ("sign_in.username", 20, 1000)),
            "sign_in",
            "users",
            "users.email: 900 of 1,000 users (90 %) who stay would get another value or none; "
            "the limit is 5 % (50 users), from 10 users up",
        ),
    ],
)
def test_mix_ups_of_people_are_named(day: Facts, code: str, entity: str, sentence: str) -> None:
    [reason] = judge(day, settings()).reasons

    assert (reason.guard, reason.entity, reason.sentence) == (code, entity, sentence)


def test_each_column_that_people_sign_in_by_has_a_reason_of_its_own() -> None:
    day = sharing(("sign_in.username", 900, 1000), ("sign_in.email", 900, 1000))

    said = [reason.sentence.partition(":")[0] for reason in judge(day, settings()).reasons]
    assert said == ["users.email", "users.username"]


@pytest.mark.parametrize(
    "day",
    [
        facts(again=date(2026, 10, 1)),
        replaced(900),
        replaced(100, rekeyed={"users": Share(90, 1000)}),
        sharing(("role_flips", 30, 1000)),
        sharing(("sign_in.email", 100, 1000)),
    ],
)
def test_no_accident_of_identity_is_let_pass_at_rollover(day: Facts) -> None:
    assert judge(day, settings().overlaid_by(ROLLOVER)).outcome == "hold"


def test_at_rollover_half_of_all_students_may_change_schools() -> None:
    rollover = settings().overlaid_by(ROLLOVER)

    assert judge(sharing(("moved_school", 400, 1000)), rollover).outcome == "pass"
    assert judge(sharing(("moved_school", 600, 1000)), rollover).outcome == "hold"
