from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.guards.calendar import (
    Calendar,
    Window,
    loosened,
    of_kind,
)
from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import judge
from roster_pipeline.guards.settings import GuardSettings
from tests.guards.days import BASE, at_school, facts, moving, settings, sharing

FIRST, LAST = date(2027, 7, 15), date(2027, 8, 31)


def window(**keys: Any) -> Window:
    """A rollover window of that summer, with something changed."""
    given = {"name": "New year", "kind": "rollover", "from": "2027-07-15", "to": "2027-08-31"}
    return Window.model_validate({**given, **keys})


@pytest.mark.parametrize(
    ("day", "falls"),
    [
        (FIRST - timedelta(days=1), False),
        (FIRST, True),
        (LAST, True),
        (LAST + timedelta(days=1), False),
    ],
)
def test_both_days_of_a_window_belong_to_it(day: date, falls: bool) -> None:
    assert bool(Calendar(windows=(window(),)).on(day)) is falls


def test_a_window_may_be_a_single_day() -> None:
    [found] = Calendar(windows=(window(to="2027-07-15"),)).on(FIRST)

    assert (found.first, found.last) == (FIRST, FIRST)


def test_windows_may_overlap_and_come_in_the_order_of_the_file() -> None:
    general = Calendar(windows=(window(), window(name="Move", kind="blackout", to="2027-07-20")))
    own = Calendar(windows=(window(name="Own", kind="additions_only"),))

    both = general.joined(own)
    assert [found.name for found in both.on(FIRST)] == ["New year", "Move", "Own"]
    assert [found.name for found in both.on(LAST)] == ["New year", "Own"]
    blackout = of_kind(both.on(FIRST), "blackout")
    assert blackout is not None
    assert blackout.name == "Move"
    assert of_kind(both.on(LAST), "blackout") is None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"to": "2027-07-14"}, "New year: `to` is before `from`"),
        ({"from": 20270715}, "say a date as YYYY-MM-DD, such as 2027-07-15"),
        ({"from": "20270715"}, "say a date as YYYY-MM-DD"),
        ({"from": "2027-02-30"}, "say a date as YYYY-MM-DD"),
        ({"kind": "holiday"}, "'rollover', 'blackout' or 'additions_only'"),
        ({"name": ""}, "the text is empty"),
        ({"guards": {"removed": {"percent": 101}}}, "less than or equal to 100"),
        ({"until": "2027-08-31"}, "Extra inputs"),
    ],
)
def test_windows_that_make_no_sense_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        window(**keys)


def test_editors_learn_the_keys_of_a_window_from_the_schema() -> None:
    schema = Calendar.model_json_schema()["$defs"]["Window"]

    assert set(schema["properties"]) == {"name", "kind", "from", "to", "guards"}
    assert schema["properties"]["from"]["format"] == "date"


def test_outside_of_windows_the_limits_are_the_sources_own() -> None:
    limits = settings(removed={"percent": 3})

    assert loosened(limits, ()) == limits
    assert loosened(limits, [window(kind="blackout")]) == limits


NEW_YEAR = facts(
    base={**BASE, "classes": 400},
    counts={**BASE, "classes": 400},
    shift=Shift(
        entities={
            "users": Moves(was=1000, added=300, changed=700, removed=300),
            "enrollments": Moves(was=7000, added=7000, ended=7000),
            "classes": Moves(was=400, added=400, ended=400),
        },
        people={"students": Moves(was=900, added=300, removed=300)},
        schools={"s1": {"students": Moves(was=300, added=200, removed=210)}},
        shares={"moved_school": Share(250, 600)},
    ),
    emptied_classes=Share(100, 400),
)


def test_a_new_school_year_is_held_on_any_other_day_and_not_at_rollover() -> None:
    assert judge(NEW_YEAR, settings()).outcome == "hold"
    assert judge(NEW_YEAR, loosened(settings(), [window()])).outcome == "pass"


@pytest.mark.parametrize(
    "day",
    [
        moving("users", removed=501),
        at_school("s1", students=Moves(was=300, removed=226)),
        facts(schools_removed={"s1": 20}),
        facts(again=date(2027, 6, 1)),
        facts(rekeyed={"users": Share(60, 1000)}),
        sharing(("role_flips", 20, 1000)),
        sharing(("sign_in.email", 60, 1000)),
        facts(shift=Shift(entities={"users": Moves(was=1000, added=600, removed=600)})),
        facts(header_only=("roles",)),
        facts(held={"users": 300}),
        facts(orphaned={"roles": 30}),
    ],
)
def test_at_rollover_too_accidents_and_the_loss_of_most_are_held(day: Facts) -> None:
    assert judge(day, loosened(settings(), [window()])).outcome == "hold"


def test_a_rollover_loosens_the_sources_own_limits_and_leaves_what_it_does_not_name() -> None:
    limits = loosened(settings(removed={"percent": 3, "floor": 2}, overlap=80), [window()])

    assert (limits.removed.percent, limits.removed.floor) == (50, 2)
    assert limits.overlap == 80
    assert limits.rekeyed == GuardSettings().rekeyed


def test_an_absolute_count_and_the_limits_of_one_entity_hold_at_rollover_too() -> None:
    own = settings(removed={"count": 100}, entities={"orgs": {"removed": {"percent": 1}}})
    limits = loosened(own, [window()])

    assert judge(moving("users", removed=101), limits).outcome == "hold"
    assert limits.of("orgs").removed.percent == 1


def test_a_windows_own_limits_go_over_those_of_a_rollover() -> None:
    limits = loosened(
        settings(), [window(guards={"removed": {"percent": 80}, "policy": "additions_only"})]
    )

    assert limits.removed.percent == 80
    assert limits.additions.percent is None
    assert limits.policy == "additions_only"
    assert judge(moving("users", removed=700), limits).outcome == "pass"


def test_of_two_windows_the_last_one_named_has_the_last_word() -> None:
    strict = window(name="Audit", kind="blackout", guards={"removed": {"percent": 2}})

    assert loosened(settings(), [window(), strict]).removed.percent == 2
    assert loosened(settings(), [strict, window()]).removed.percent == 50


def test_where_nothing_goes_the_limits_are_the_usual_ones() -> None:
    own = window(kind="additions_only", guards={"additions": {"percent": 90}})

    assert loosened(settings(), [window(kind="additions_only")]) == settings()
    assert loosened(settings(), [own]) == settings(additions={"percent": 90})
