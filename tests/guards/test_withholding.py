from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from roster_pipeline.guards.calendar import Window
from roster_pipeline.guards.facts import Facts, Share
from roster_pipeline.guards.judge import judge
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.guards.withholding import put_rest, removals_may_wait, removals_wait
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.store.snapshots import Snapshots
from tests.guards.days import facts, moving, settings
from tests.oneroster.strategies import frame_of, stored

POLICY = settings(policy="additions_only")
LAST = date(2026, 12, 24)
WINDOW = Window.model_validate(
    {"name": "Tests", "kind": "additions_only", "from": date(2026, 12, 1), "to": LAST}
)


def waits(day: Facts, limits: GuardSettings, *windows: Window) -> bool:
    """Whether what would go waits, as the sync asks it."""
    day = replace(day, closed_until=LAST if windows else None)
    wait = removals_wait(day, judge(day, limits), limits, windows)
    assert removals_may_wait(limits, windows) or not wait
    return wait


def test_under_the_policy_removals_wait_where_they_are_too_many() -> None:
    assert waits(moving("users", removed=500), POLICY)
    assert not waits(moving("users", removed=500), settings())
    assert not waits(moving("users", removed=50), POLICY)


def test_with_neither_the_policy_nor_a_window_of_that_kind_no_removals_wait() -> None:
    rollover = WINDOW.model_copy(update={"kind": "rollover"})
    assert not removals_may_wait(settings(), [rollover])
    assert removals_may_wait(settings(), [rollover, WINDOW])
    assert removals_may_wait(POLICY, [])


def test_in_a_window_whatever_would_go_waits() -> None:
    for fate in ("removed", "ended", "descoped"):
        assert waits(moving("users", **{fate: 1}), settings(), WINDOW)
    assert not waits(moving("users", added=5), settings(), WINDOW)


def test_in_a_window_an_empty_file_waits_to_be_judged() -> None:
    empty = replace(moving("enrollments", removed=7000), header_only=("enrollments",))

    assert waits(empty, settings(), WINDOW)
    assert not waits(empty, POLICY)


def test_in_a_window_all_is_held_where_the_rest_of_it_would_be() -> None:
    day = replace(moving("users", removed=4, added=3), expect={"users": (10, 1001)})

    assert not waits(day, settings(), WINDOW)
    held = judge(replace(day, closed_until=LAST), settings())
    assert [reason.guard for reason in held.reasons] == ["nothing_goes"]


def test_in_a_window_one_row_under_another_id_is_in_nobodys_way() -> None:
    day = replace(
        moving("enrollments", removed=6, added=6), rekeyed={"enrollments": Share(1, 7000)}
    )

    assert waits(day, settings(), WINDOW)
    many = replace(day, rekeyed={"enrollments": Share(900, 7000)})
    assert not waits(many, settings(), WINDOW)


@pytest.mark.parametrize("windows", [(), (WINDOW,)])
def test_where_two_would_sign_in_by_one_name_nothing_flows(windows: tuple[Window, ...]) -> None:
    day = moving("users", removed=300, added=10)

    assert waits(day, POLICY, *windows)
    assert not waits(replace(day, clashes=1), POLICY, *windows)
    if windows:
        assert judge(replace(day, clashes=1, closed_until=LAST), POLICY).outcome == "hold"


@pytest.mark.parametrize(
    ("removed", "added", "flows"), [(300, 149, True), (300, 150, False), (100, 100, False)]
)
def test_under_the_policy_those_who_come_may_be_those_who_go(
    removed: int, added: int, flows: bool
) -> None:
    assert waits(moving("users", removed=removed, added=added), POLICY) is flows


def test_in_a_window_people_may_come_and_go_as_ever() -> None:
    assert waits(moving("users", removed=90, added=90), settings(), WINDOW)


def test_on_a_first_sync_nothing_waits_alone() -> None:
    assert not waits(facts(base=None), POLICY, WINDOW)


def test_of_a_roster_from_which_rows_only_go_nothing_is_left_to_accept(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "store")
    old, new = (
        stored({"users": frame_of("users", [{"sourcedId": key} for key in keys])}, tmp_path / keys)
        for keys in ("abc", "a")
    )
    base = snapshots.put("springfield", old)

    rest, counts = put_rest(diff(old, new), base, snapshots)

    assert rest == base
    assert counts == diff(old, snapshots.open(base)).counts()
    assert counts["users"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 3}
