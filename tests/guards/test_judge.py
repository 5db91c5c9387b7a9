from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from roster_pipeline.guards.facts import Facts, Moves, Shift
from roster_pipeline.guards.judge import GUARDS, Verdict, judge
from roster_pipeline.guards.settings import GuardSettings, Limit

BASE = {"orgs": 3, "users": 1000, "roles": 1000, "enrollments": 7000}


def facts(**changed: Any) -> Facts:
    """A day on which nothing happened, with something changed."""
    return Facts(**{"counts": BASE, "base": BASE, **changed})


def removing(entity: str, removed: int) -> Facts:
    counts = {**BASE, entity: BASE[entity] - removed}
    return facts(counts=counts, shift=Shift(entities={entity: Moves(removed=removed)}))


def guards(verdict: Verdict) -> list[tuple[str, str | None]]:
    return [(reason.guard, reason.entity) for reason in verdict.reasons]


def settings(**keys: Any) -> GuardSettings:
    return GuardSettings.model_validate(keys)


def test_a_day_on_which_nothing_happened_passes() -> None:
    assert judge(facts(), settings()).outcome == "pass"


def test_additions_alone_pass() -> None:
    more = facts(counts={**BASE, "users": 9000}, shift=Shift(entities={"users": Moves(added=8000)}))

    assert judge(more, settings()).outcome == "pass"


@pytest.mark.parametrize(("removed", "outcome"), [(100, "pass"), (101, "hold")])
def test_more_than_a_tenth_removed_holds(removed: int, outcome: str) -> None:
    assert judge(removing("users", removed), settings()).outcome == outcome


def test_a_hold_for_removals_says_both_numbers_and_the_limit() -> None:
    [reason] = judge(removing("users", 500), settings()).reasons

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

    assert judge(removing("enrollments", 20), limit).outcome == "pass"
    assert judge(removing("enrollments", 21), limit).outcome == "hold"
    assert "or 20 rows in any case" in judge(removing("enrollments", 21), limit).reasons[0].sentence


def test_an_entity_has_limits_of_its_own_over_the_general_ones() -> None:
    limits = settings(
        removed={"percent": 5}, entities={"enrollments": {"removed": {"percent": 40}}}
    )

    assert judge(removing("enrollments", 2000), limits).outcome == "pass"
    assert judge(removing("users", 60), limits).outcome == "hold"
    assert limits.of("enrollments").removed.floor == 5


def test_the_first_roster_always_holds_with_an_import_plan() -> None:
    [reason] = judge(facts(base=None), settings(removed={"percent": 100})).reasons

    assert (reason.guard, reason.entity) == ("first_sync", None)
    assert "3 orgs, 1,000 users, 1,000 roles, 7,000 enrollments" in reason.sentence
    assert reason.numbers["enrollments"] == 7000


def test_a_required_file_without_rows_holds_and_says_what_stays() -> None:
    [reason] = judge(facts(header_only=("enrollments", "demographics")), settings()).reasons

    assert (reason.guard, reason.entity) == ("header_only", "enrollments")
    assert "the 7,000 rows accepted before stay" in reason.sentence


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


def test_reasons_come_in_the_order_of_the_guards() -> None:
    odd = facts(
        counts={**BASE, "orgs": 0, "users": 500},
        shift=Shift(entities={"orgs": Moves(removed=3), "users": Moves(removed=500)}),
        header_only=("classes",),
        held={"enrollments": 7000},
        orphaned={"roles": 1000},
        expect={"users": (900, 1100)},
        expect_fill={"users.email": 95},
        filled={"users.email": 100},
    )

    found = [guard for guard, _ in guards(judge(odd, settings()))]
    assert found == [guard for guard in GUARDS if guard != "first_sync"]


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 100), st.integers(0, 50))
def test_removing_more_never_turns_a_hold_into_a_pass(
    total: int, removed: int, percent: float, floor: int
) -> None:
    limit = Limit(percent=percent, floor=floor)

    if limit.passed_by(removed, total):
        assert limit.passed_by(removed + 1, total)
    assert not limit.passed_by(0, total)


def test_a_sources_limits_overlay_those_of_the_workspace_key_by_key() -> None:
    general = settings(
        removed={"percent": 8, "floor": 3}, entities={"users": {"removed": {"count": 9}}}
    )
    own = settings(removed={"percent": 15}, entities={"orgs": {"removed": {"floor": 1}}})

    both = general.overlaid_by(own)

    assert (both.removed.percent, both.removed.floor) == (15, 3)
    assert both.of("users").removed.count == 9
    assert both.of("orgs").removed.floor == 1
    assert general.overlaid_by(settings()) == general


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"removed": {"percent": 101}}, "less than or equal to 100"),
        ({"removed": {"percent": float("nan")}}, "finite number"),
        ({"removed": {"floor": -1}}, "greater than or equal to 0"),
        ({"entities": {"pupils": {}}}, "no entity is called pupils"),
        ({"aditions": {"percent": 5}}, "Extra inputs"),
    ],
)
def test_limits_that_make_no_sense_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings(**keys)


def test_a_verdict_can_be_kept_as_plain_values() -> None:
    import json

    verdict = judge(removing("users", 500), settings())

    assert json.loads(json.dumps(verdict.to_json()))[0]["numbers"]["removed"] == 500


def test_rows_still_sent_that_would_go_with_a_missing_school_hold_the_sync() -> None:
    few = facts(orphaned={"enrollments": 0}, read=BASE)
    assert "orphaned" not in {reason.guard for reason in judge(few, GuardSettings()).reasons}
    many = facts(orphaned={"enrollments": max(5, BASE["enrollments"] // 50)}, read=BASE)
    (reason,) = judge(many, GuardSettings()).reasons
    assert (reason.guard, reason.entity) == ("orphaned", "enrollments")
    wide = GuardSettings.model_validate({"orphaned": {"percent": 50, "floor": 100}})
    assert judge(many, wide).outcome == "pass"
