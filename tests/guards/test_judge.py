from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.guards.facts import PEOPLE, Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import ACCIDENTS, GUARDS, judge
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.entities import ENTITIES
from tests.guards.any_day import any_facts, any_settings
from tests.guards.days import BASE, facts, guards, moving, of_people, settings

SESSIONS = "academicSessions.endDate"


def test_a_day_on_which_nothing_happened_passes() -> None:
    assert judge(facts(), settings()).outcome == "pass"


@pytest.mark.parametrize(("removed", "outcome"), [(100, "pass"), (101, "hold")])
def test_more_than_a_tenth_removed_holds(removed: int, outcome: str) -> None:
    assert judge(moving("users", removed=removed), settings()).outcome == outcome


def test_a_hold_for_removals_says_both_numbers_and_the_limit() -> None:
    [reason] = judge(moving("users", removed=500), settings()).reasons

    assert reason.sentence == (
        "users: 500 of 1,000 rows (50 %) would be removed; "
        "the limit is 10 % (100 rows), from 5 rows up"
    )
    assert reason.numbers == {"removed": 500, "of": 1000, "percent": 50.0, "limit_percent": 10.0}


@pytest.mark.parametrize(("removed", "outcome"), [(4, "pass"), (5, "hold")])
def test_a_few_leavers_of_a_small_school_do_not_hold(removed: int, outcome: str) -> None:
    small = facts(
        base={"users": 20},
        counts={"users": 20 - removed},
        shift=Shift(entities={"users": Moves(removed=removed)}),
    )

    assert judge(small, settings()).outcome == outcome


def test_an_entity_that_vanishes_holds_however_small_it_was() -> None:
    gone = facts(counts={**BASE, "orgs": 0}, shift=Shift(entities={"orgs": Moves(removed=3)}))

    assert guards(judge(gone, settings())) == [("vanished", "orgs")]


def test_an_absolute_count_holds_whatever_the_share() -> None:
    limit = settings(removed={"count": 20})

    assert judge(moving("enrollments", removed=20), limit).outcome == "pass"
    assert judge(moving("enrollments", removed=21), limit).outcome == "hold"
    assert (
        "or 20 rows in any case"
        in judge(moving("enrollments", removed=21), limit).reasons[0].sentence
    )


def test_an_entity_has_limits_of_its_own_over_the_general_ones() -> None:
    limits = settings(
        removed={"percent": 5}, entities={"enrollments": {"removed": {"percent": 40}}}
    )

    assert judge(moving("enrollments", removed=2000), limits).outcome == "pass"
    assert judge(moving("users", removed=60), limits).outcome == "hold"
    assert limits.of("enrollments").removed.floor == 5


def test_the_first_roster_always_holds_with_an_import_plan() -> None:
    [reason] = judge(facts(base=None), settings(removed={"percent": 100})).reasons

    assert (reason.guard, reason.entity) == ("first_sync", None)
    assert "3 orgs, 1,000 users, 1,000 roles, 7,000 enrollments" in reason.sentence
    assert reason.numbers["enrollments"] == 7000


@pytest.mark.parametrize(("held", "outcome"), [(200, "pass"), (201, "hold")])
def test_a_package_of_which_a_fifth_cannot_be_used_holds(held: int, outcome: str) -> None:
    verdict = judge(facts(held={"users": held}, read={"users": 1000}), settings())

    assert verdict.outcome == outcome


def test_held_rows_are_measured_against_what_was_read() -> None:
    half = facts(held={"users": 300}, read={"users": 500})

    assert judge(half, settings()).reasons[0].numbers["percent"] == 60.0


@pytest.mark.parametrize(
    ("rows", "word"), [(399, "fewer than the 400 to 2,000"), (2001, "more than the 400 to 2,000")]
)
def test_a_size_that_is_not_expected_holds(rows: int, word: str) -> None:
    odd = facts(base={"users": rows}, counts={"users": rows}, expect={"users": (400, 2000)})

    [reason] = judge(odd, settings()).reasons
    assert word in reason.sentence


@pytest.mark.parametrize(("filled", "outcome"), [(950, "pass"), (949, "hold")])
def test_a_column_that_has_run_empty_holds(filled: int, outcome: str) -> None:
    thin = facts(expect_fill={"users.email": 95}, filled={"users.email": filled})
    assert judge(thin, settings()).outcome == outcome


def test_a_hold_for_an_empty_column_says_how_full_it_is() -> None:
    thin = facts(expect_fill={"users.email": 95}, filled={"users.email": 949})
    [reason] = judge(thin, settings()).reasons
    assert (reason.guard, reason.entity) == ("fill", "users")
    assert reason.sentence == (
        "users.email: filled in 949 of 1,000 rows (94.9 %); at least 95 % are expected"
    )


def test_a_column_of_an_entity_without_rows_is_as_full_as_can_be() -> None:
    none = facts(expect_fill={"demographics.sex": 95}, filled={"demographics.sex": 0})
    assert judge(none, settings()).outcome == "pass"


def test_a_first_sync_is_also_measured_against_what_is_expected() -> None:
    first = facts(base=None, expect={"users": (4000, 9000)})

    assert guards(judge(first, settings())) == [("first_sync", None), ("expected", "users")]


@pytest.mark.parametrize(("students", "outcome"), [(999, "hold"), (1000, "pass"), (1201, "hold")])
def test_a_number_of_students_that_is_not_expected_holds(students: int, outcome: str) -> None:
    odd = facts(
        shift=Shift(people={"students": Moves(was=students, changed=5)}),
        expect_people={"students": (1000, 1200)},
    )
    assert judge(odd, settings()).outcome == outcome


def test_a_hold_for_people_counts_them_as_the_candidate_has_them() -> None:
    moves = Moves(was=1000, added=300, removed=50, ended=20, descoped=10)
    odd = facts(shift=Shift(people={"students": moves}), expect_people={"students": (900, 1100)})

    [reason] = [r for r in judge(odd, settings()).reasons if r.guard == "expected"]
    assert reason.sentence == "students: 1,220 people are more than the 900 to 1,100 expected"
    assert reason.numbers == {"people": 1220, "min": 900, "max": 1100}


def test_nobody_of_a_kind_that_is_expected_holds() -> None:
    none = facts(expect_people={"teachers": (10, 20)})
    [reason] = judge(none, settings()).reasons
    assert reason.sentence.startswith("teachers: 0 people are fewer")


@pytest.mark.parametrize(("days", "outcome"), [(30, "pass"), (29, "hold"), (-160, "hold")])
def test_dates_that_do_not_reach_far_enough_hold(days: int, outcome: str) -> None:
    old = facts(expect_last={SESSIONS: 30}, last={SESSIONS: days})
    assert judge(old, settings()).outcome == outcome


@pytest.mark.parametrize(
    ("least", "last", "sentence"),
    [
        (0, -160, "the latest date lies 160 days before the date of the sync; it is expected on "
         "the date of the sync or later. The export may be of an earlier year"),
        (1, 0, "the latest date lies on the date of the sync; it is expected 1 day after the date "
         "of the sync or later. The export may be of an earlier year"),
        (-90, None, "no row has a date; the latest is expected 90 days before the date of the sync "
         "or later"),
    ],
)  # fmt: skip
def test_a_hold_for_old_dates_says_how_old(least: int, last: int | None, sentence: str) -> None:
    old = facts(expect_last={SESSIONS: least}, last={} if last is None else {SESSIONS: last})
    [reason] = judge(old, settings()).reasons
    assert (reason.guard, reason.entity) == ("last_date", "academicSessions")
    assert reason.sentence == f"{SESSIONS}: {sentence}"


def test_a_verdict_can_be_kept_as_plain_values() -> None:
    import json

    verdict = judge(moving("users", removed=500), settings())

    assert json.loads(json.dumps(verdict.to_json()))[0]["numbers"]["removed"] == 500


def test_rows_still_sent_that_would_go_with_a_missing_school_hold_the_sync() -> None:
    few = facts(orphaned={"enrollments": 0}, read=BASE)
    assert "orphaned" not in {reason.guard for reason in judge(few, GuardSettings()).reasons}
    many = facts(orphaned={"enrollments": max(5, BASE["enrollments"] // 50)}, read=BASE)
    (reason,) = judge(many, GuardSettings()).reasons
    assert (reason.guard, reason.entity) == ("orphaned", "enrollments")
    wide = GuardSettings.model_validate({"orphaned": {"percent": 50, "floor": 100}})
    assert judge(many, wide).outcome == "pass"


@pytest.mark.parametrize(
    ("fate", "most", "says"),
    [
        ("removed", 100, "would be removed"),
        ("deactivated", 100, "would be disabled or end early"),
        ("descoped", 100, "would be left out by the scope"),
        ("additions", 750, "would be added"),
        ("changes", 750, "would change"),
    ],
)
@pytest.mark.parametrize("of", ["users", "students"])
def test_each_thing_that_may_become_of_rows_and_people_has_a_limit(
    fate: str, most: int, says: str, of: str
) -> None:
    def day(number: int) -> Facts:
        moves = {{"additions": "added", "changes": "changed"}.get(fate, fate): number}
        return of_people(of, **moves) if of in PEOPLE else moving(of, **moves)

    assert judge(day(most), settings()).outcome == "pass"
    [reason] = judge(day(most + 1), settings()).reasons
    assert (reason.guard, reason.entity) == (fate, of)
    assert says in reason.sentence
    assert reason.numbers[fate] == most + 1


def test_people_are_called_people() -> None:
    [reason] = judge(of_people("students", removed=200), settings()).reasons

    assert reason.sentence == (
        "students: 200 of 1,000 people (20 %) would be removed; "
        "the limit is 10 % (100 people), from 5 people up"
    )


def test_a_kind_of_people_has_limits_of_its_own() -> None:
    limits = settings(people={"relatives": {"removed": {"percent": 50}}})

    assert judge(of_people("relatives", removed=400), limits).outcome == "pass"
    assert judge(of_people("students", removed=400), limits).outcome == "hold"


@pytest.mark.parametrize("entity", sorted(BASE))
def test_what_has_ended_by_its_own_dates_is_no_removal(entity: str) -> None:
    assert judge(moving(entity, ended=BASE[entity]), settings()).outcome == "pass"


def test_what_the_scope_leaves_out_is_held_as_such_though_nothing_is_left() -> None:
    verdict = judge(moving("enrollments", descoped=7000), settings())

    assert guards(verdict) == [("descoped", "enrollments")]


def test_the_last_rows_of_an_entity_are_told_apart_from_those_that_ended() -> None:
    [reason] = judge(moving("enrollments", ended=6990, removed=10), settings()).reasons

    assert reason.guard == "vanished"
    assert reason.sentence == (
        "enrollments: the last 10 of 7,000 rows would be removed; "
        "the others have ended, or the scope leaves them out"
    )


def test_rows_of_an_entity_that_had_none_take_nothing_from_anybody() -> None:
    first = facts(
        base={**BASE, "demographics": 0},
        counts={**BASE, "demographics": 1000},
        shift=Shift(
            entities={"demographics": Moves(added=1000)}, people={"relatives": Moves(added=2000)}
        ),
    )

    assert judge(first, settings(additions={"count": 10})).outcome == "pass"


@pytest.mark.parametrize("entity", ["enrollments", "roles"])
def test_a_file_without_rows_holds_once_and_asks_whether_it_is_really_empty(entity: str) -> None:
    gone = moving(entity, removed=BASE[entity])
    empty = replace(gone, header_only=(entity, "demographics"))

    [reason] = judge(empty, settings()).reasons
    assert (reason.guard, reason.entity) == ("header_only", entity)
    assert f"all {BASE[entity]:,} rows accepted before would go" in reason.sentence
    assert "approve this if it is really empty" in reason.sentence


def test_a_file_without_rows_may_follow_a_year_that_has_ended() -> None:
    summer = replace(moving("enrollments", ended=7000), header_only=("enrollments",))

    assert judge(summer, settings()).outcome == "pass"


def test_of_a_file_without_rows_only_those_count_that_had_not_ended() -> None:
    day = replace(moving("enrollments", ended=6900, removed=100), header_only=("enrollments",))

    [reason] = judge(day, settings()).reasons
    assert reason.numbers == {"removed": 100, "of": 7000}
    assert (
        "the last 100 of 7,000 rows accepted before would go; the others have ended"
        in reason.sentence
    )


@pytest.mark.parametrize(("kind", "added"), [("students", 5), ("teachers", 5), ("staff", 5)])
def test_people_of_a_kind_that_there_was_none_of_are_looked_at(kind: str, added: int) -> None:
    def day(number: int) -> Facts:
        return facts(shift=Shift(people={kind: Moves(added=number)}))

    assert judge(day(added - 1), settings()).outcome == "pass"
    [reason] = judge(day(added), settings()).reasons
    assert (reason.guard, reason.entity, reason.losses) == ("additions", kind, False)
    assert reason.sentence == f"{kind}: 5 people would be {kind}, and there were none"


def test_in_a_window_in_which_nothing_goes_a_single_row_is_held() -> None:
    closed = date(2026, 12, 24)
    going = replace(moving("users", removed=1), closed_until=closed)
    left_out = replace(moving("enrollments", descoped=2), closed_until=closed)

    [reason] = judge(going, settings()).reasons
    assert (reason.guard, reason.losses) == ("nothing_goes", True)
    assert reason.sentence == "1 row would be removed, and nothing goes through 2026-12-24"
    assert judge(left_out, settings()).reasons[0].numbers == {"removed": 2}
    assert judge(replace(going, closed_until=None), settings()).outcome == "pass"


def test_in_a_window_in_which_nothing_goes_what_has_ended_may() -> None:
    day = replace(moving("enrollments", ended=50, added=3), closed_until=date(2026, 12, 24))

    assert judge(day, settings()).outcome == "pass"


@pytest.mark.parametrize(("missing", "outcome"), [(14, "pass"), (15, "hold"), (40, "hold")])
def test_rows_that_wait_for_a_person_do_not_go_by_themselves_the_next_day(
    missing: int, outcome: str
) -> None:
    day = replace(moving("users", removed=missing), withheld={"users": 30})

    assert judge(day, settings()).outcome == outcome


def test_a_hold_for_rows_that_wait_says_how_many_are_still_missing() -> None:
    day = replace(moving("users", removed=40), withheld={"users": 30})

    [reason] = judge(day, settings()).reasons
    assert (reason.guard, reason.entity, reason.losses) == ("withheld", "users", True)
    assert reason.sentence == (
        "users: 30 of the 30 rows whose removal waits for a person are still missing"
    )


def test_a_single_row_that_waits_for_a_person_holds_while_it_is_missing() -> None:
    one = replace(moving("users", removed=1), withheld={"users": 1})

    assert guards(judge(one, settings())) == [("withheld", "users")]
    assert judge(facts(withheld={"users": 1}), settings()).outcome == "pass"


def test_one_term_that_ends_before_its_time_is_enough() -> None:
    def day(entity: str) -> Facts:
        moves = Moves(was=40, changed=1, deactivated=1)
        return facts(base={entity: 40}, counts={entity: 40}, shift=Shift(entities={entity: moves}))

    assert guards(judge(day("academicSessions"), settings())) == [
        ("deactivated", "academicSessions")
    ]
    assert judge(day("classes"), settings()).outcome == "pass"


EVERYTHING = facts(
    base={**BASE, "classes": 80, "courses": 10, "academicSessions": 9},
    counts={**BASE, "orgs": 0, "users": 1500, "courses": 10},
    shift=Shift(
        entities={
            "orgs": Moves(was=3, removed=3),
            "users": Moves(was=1000, added=1300, removed=800),
            "roles": Moves(was=1000, changed=900, deactivated=300, removed=90),
            "enrollments": Moves(was=7000, descoped=2000),
            "classes": Moves(was=80, removed=80),
            "academicSessions": Moves(was=9, removed=9),
        },
        schools={"s1": {"students": Moves(was=100, removed=90)}},
        shares={
            "role_flips": Share(30, 200),
            "sign_in.email": Share(190, 200),
            "moved_school": Share(150, 200),
        },
    ),
    past={7: Shift(entities={"roles": Moves(was=1000, removed=190)})},
    rekeyed={"classes": Share(80, 80)},
    again=date(2026, 10, 1),
    schools_removed={"s2": 20},
    emptied_classes=Share(3, 40),
    header_only=("classes",),
    closed_until=date(2026, 12, 24),
    withheld={"users": 900},
    held={"roles": 700},
    orphaned={"roles": 100},
    expect={"users": (900, 1100)},
    expect_fill={"users.email": 95},
    expect_last={SESSIONS: 0},
    filled={"users.email": 100},
)


def test_reasons_come_in_the_order_of_the_guards_and_accidents_first() -> None:
    found = [reason.guard for reason in judge(EVERYTHING, settings()).reasons]

    assert list(dict.fromkeys(found)) == [guard for guard in GUARDS if guard != "first_sync"]
    assert list(GUARDS)[1 : 1 + len(ACCIDENTS)] == list(ACCIDENTS)


def test_every_reason_has_the_code_of_its_guard_and_a_sentence() -> None:
    for code, guard in GUARDS.items():
        for reason in guard(EVERYTHING, settings()):
            assert reason.guard == code
            assert reason.entity is None or reason.entity in {*ENTITIES, *PEOPLE}
            assert reason.sentence


def test_nothing_but_the_candidate_itself_is_judged_on_a_first_sync() -> None:
    first = replace(
        EVERYTHING,
        base=None,
        shift=replace(EVERYTHING.shift, shares={}),
        again=None,
        rekeyed={},
        emptied_classes=Share(),
    )

    found = dict.fromkeys(guard for guard, _ in guards(judge(first, settings())))
    expectations = ["expected", "fill", "last_date"]
    assert list(found) == ["first_sync", "orphaned", "held_back", *expectations]


@given(any_facts(), any_settings(), st.integers(1, 100))
def test_more_removed_never_turns_a_hold_into_a_pass(
    day: Facts, limits: GuardSettings, percent: int
) -> None:
    if judge(day, limits).outcome == "hold":
        assert judge(_with_more_removed(day, percent), limits).outcome == "hold"


def _with_more_removed(day: Facts, percent: int) -> Facts:
    """So many in a hundred of what would stay as it is."""

    def more(moves: Moves) -> Moves:
        stays = moves.was - moves.removed - moves.ended - moves.descoped - moves.changed
        return replace(moves, removed=moves.removed + stays * percent // 100)

    shift = replace(
        day.shift,
        entities={entity: more(of) for entity, of in day.shift.entities.items()},
        people={kind: more(of) for kind, of in day.shift.people.items()},
        schools={
            school: {kind: more(of) for kind, of in kinds.items()}
            for school, kinds in day.shift.schools.items()
        },
    )
    counts = {
        entity: count - shift.entities[entity].removed + day.shift.entities[entity].removed
        for entity, count in day.counts.items()
    }
    return replace(day, shift=shift, counts=counts)


@given(any_facts(), any_settings())
def test_a_verdict_follows_from_facts_and_settings_whatever_the_order_of_keys(
    day: Facts, limits: GuardSettings
) -> None:
    shift = replace(
        day.shift,
        entities=_reversed(day.shift.entities),
        schools=_reversed({name: _reversed(of) for name, of in day.shift.schools.items()}),
        shares=_reversed(day.shift.shares),
    )
    other = replace(
        day,
        shift=shift,
        past=_reversed(day.past),
        schools_removed=_reversed(day.schools_removed),
    )

    again = GuardSettings.model_validate(limits.model_dump(exclude_unset=True))
    assert judge(other, again).to_json() == judge(day, limits).to_json()


def _reversed(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    return dict(reversed(list(mapping.items())))
