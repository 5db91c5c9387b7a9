"""A push that breaks off, in whatever way, and is run again: as if nothing had happened."""

import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.accounts.push import BrokenOff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store import Account, AccountState, Origin
from roster_pipeline.store.ledger import Ledger
from tests.accounts import child
from tests.accounts.world import DAY1, DAY2, TOKEN, World, changed, school

PEOPLE = tuple(f"p{n:04}" for n in range(60))
Outcome = tuple[list[dict[str, Any]], list[Account]]


def outcome(world: World) -> Outcome:
    """All that the provider and the ledger have."""
    return world.server.users, list(world.accounts.values())


def undisturbed(folder: Path, *rosters: Roster) -> Outcome:
    """What is there after days on which nothing went wrong."""
    with ScimServer(TOKEN) as server, Ledger.open(f"sqlite:///{folder}/still.sqlite") as ledger:
        world = World(folder / "still", ledger, server)
        for day, roster in zip((DAY1, DAY2), rosters, strict=False):
            world.sync(roster, day)
        return outcome(world)


def test_a_server_down_half_way_stops_the_push_with_a_sentence_and_it_is_resumed(
    world: World,
) -> None:
    roster = world.roster(school(*PEOPLE))
    world.batch = 8
    world.server.faults.unavailable_after = 20
    with pytest.raises(BrokenOff) as broken:
        world.sync(roster)
    said = str(broken.value)
    assert world.server.url in said
    assert "503" in said
    assert " of 60 accounts were gone through" in said
    assert "when this runs again" in said
    assert broken.value.transient
    assert len(world.server.users) == 20
    world.server.faults.unavailable_after = None
    world.sync(roster)
    assert outcome(world) == undisturbed(world.folder, roster)


def test_a_server_that_is_gone_half_way_is_found_again_with_what_it_had(
    tmp_path: Path, world: World
) -> None:
    roster = world.roster(school(*PEOPLE))
    state = tmp_path / "scim.jsonl"
    world.batch = 8
    with ScimServer(TOKEN, state=state) as server:
        world.server = server
        server.faults.after_write = lambda n: server.stop() if n == 25 else None
        with pytest.raises(BrokenOff, match=r"refuses connections|cut the connection"):
            world.sync(roster)
    with ScimServer(TOKEN, state=state) as server:
        world.server = server
        assert 25 <= len(server.users) < 60
        world.sync(roster)
        assert outcome(world) == undisturbed(world.folder, roster)


@pytest.mark.soak
def test_somebody_who_left_before_the_push_was_resumed_is_suspended(world: World) -> None:
    world.batch = 4
    kill_at(world, 1, world.roster(school("ada", "ben", "cyd", "dan")))
    made = {user["userName"] for user in world.server.users}
    assert made
    world.sync(school("eve"), DAY2, suspend={"limit_percent": 100})
    assert {u["userName"] for u in world.server.users if not u["active"]} == made
    assert all(
        account.state is AccountState.SUSPENDED
        for name, account in world.accounts.items()
        if name != "eve"
    )
    assert len(world.accounts) == len(made) + 1


def test_a_lost_answer_makes_no_second_account(world: World) -> None:
    world.server.faults.lost_answers = 3
    pushed = world.sync(school(*PEOPLE[:10]))
    assert pushed.without == 0
    assert pushed.counts["create"] == 10
    assert len(world.server.users) == 10
    world.server.faults.lost_answers = 1
    renamed = changed(school(*PEOPLE[:10]), where=lambda row: True, familyName="Roe")
    assert world.sync(renamed, DAY2).counts["update"] == 10


@pytest.mark.soak
def test_five_thousand_people_the_next_day_the_same_day_again_and_a_kill(world: World) -> None:
    people_are_kept_in_step(world, 5000, kills=(1800, 240))


@pytest.mark.soak
def test_some_hundred_people_the_next_day_the_same_day_again_and_a_kill(world: World) -> None:
    people_are_kept_in_step(world, 150, kills=(70,))


def people_are_kept_in_step(world: World, count: int, *, kills: tuple[int, ...]) -> None:
    """Two days, of which the first ones are killed in the middle once, and the second again."""
    names = [f"p{n:05}" for n in range(count)]
    first = world.roster(school(*names))
    stay = school(*names[count // 50 :], *(f"n{n:05}" for n in range(count // 50)))
    renamed = changed(stay, where=lambda row: row["sourcedId"] < "p00200", familyName="Roe")
    second = world.roster(renamed)
    for place, (day, roster) in enumerate(((DAY1, first), (DAY2, second))):
        for at in kills[place : place + 1]:
            assert kill_at(world, at, roster, day) == -signal.SIGKILL
            assert any(a.state is AccountState.PENDING for a in world.accounts.values())
        assert world.sync(roster, day).without == 0
    assert {account.origin for account in world.accounts.values()} == {Origin.CREATED}
    assert outcome(world) == undisturbed(world.folder, first, second)
    assert len({user["userName"] for user in world.server.users}) == count + count // 50
    assert len(world.server.users) == count + count // 50
    asked = world.server.requests.copy()
    assert world.sync(second, DAY2).counts["no-op"] == count + count // 50
    assert world.server.requests == asked


def kill_at(world: World, write: int, roster: Roster, day: date = DAY1) -> int:
    """Push in another process and kill it once the server has done so many writes of it; comes
    back with how it ended."""
    process = child.start(world, roster, day)
    world.server.faults.after_write = _at(write, process.kill)
    try:
        return process.wait(timeout=120)
    finally:
        world.server.faults.after_write = lambda _: None


def _at(write: int, do: Callable[[], object]) -> Callable[[int], None]:
    counted = iter(range(1, write + 1))

    def after_write(_: int) -> None:
        if next(counted, write) == write:
            do()

    return after_write
