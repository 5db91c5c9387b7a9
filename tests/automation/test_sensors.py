"""Sensors, evaluated as the daemon does: one tick at a time."""

import socket
from datetime import timedelta

import dagster as dg
import pytest

from roster_pipeline.automation import partitions
from roster_pipeline.automation.ticks import TickFailedError
from roster_pipeline.build import build_defs
from roster_pipeline.store import Delivery, Outcome
from tests.automation.town import SOURCE, Town
from tests.store.scene import Clock, Scene

DROP = f"drop_{SOURCE}"


def tick(town: Town, name: str, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    """What a sensor says now."""
    definitions = build_defs(town.workspace, town.clock)
    parts = definitions.get_repository_def().get_top_level_resources()
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            resources={key: parts[key] for key in ("workspace", "clock", "channels", "ledger")},
            definitions=definitions,
        ) as context,
    ):
        said = definitions.resolve_sensor_def(name)(context)
    assert isinstance(said, dg.SensorResult | dg.SkipReason)
    return said


def requests(said: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    """The runs that a tick asks for."""
    assert isinstance(said, dg.SensorResult), said
    return list(said.run_requests or ())


def skipped(said: dg.SensorResult | dg.SkipReason) -> str:
    """Why a tick asks for none."""
    assert isinstance(said, dg.SkipReason), said
    return str(said.skip_message)


def test_a_new_drop_asks_for_one_run_of_today(town: Town) -> None:
    assert "nothing in drops" in skipped(tick(town, DROP))
    town.drop(0)
    (first,) = requests(tick(town, DROP))
    (second,) = requests(tick(town, DROP))
    assert first.partition_key == f"{town.today}|{SOURCE}"
    assert first.run_key == second.run_key


def test_a_drop_that_was_held_asks_for_nothing(town: Town) -> None:
    town.drop(0)
    assert town.sync().outcome is Outcome.HELD
    assert "dealt with already" in skipped(tick(town, DROP))


@pytest.mark.soak
def test_a_backfill_of_an_older_date_does_not_ask_for_today_again(town: Town) -> None:
    town.drop(0)
    town.sync()
    town.pass_days(1)
    town.drop(8)
    assert town.sync().outcome is Outcome.HELD
    town.sync(town.today - timedelta(days=1))
    assert "dealt with already" in skipped(tick(town, DROP))


def test_a_drop_that_cannot_be_used_asks_for_nothing_more(town: Town) -> None:
    town.drop(0, keep=0.9)
    assert town.sync().outcome is Outcome.STOPPED
    town.now += timedelta(hours=3)
    assert "dealt with already" in skipped(tick(town, DROP))


@pytest.mark.soak
def test_a_drop_whose_run_failed_asks_again_after_a_while(town: Town) -> None:
    town.drop(0)
    (first,) = requests(tick(town, DROP))
    town.approve(town.sync().hold)
    town.now += timedelta(minutes=5)
    town.drop(8)
    with town.ledger() as ledger:
        ledger.record_sync(SOURCE, town.today, Outcome.FAILED, {}, town.now)
    keys = {requests(tick(town, DROP))[0].run_key}
    assert first.run_key not in keys
    for _ in range(2):
        town.now += timedelta(minutes=20)
        (again,) = requests(tick(town, DROP))
        keys.add(again.run_key)
    assert len(keys) == 2
    assert town.sync().outcome is Outcome.DONE
    assert "dealt with already" in skipped(tick(town, DROP))


def test_a_drop_of_another_content_asks_for_another_run(town: Town) -> None:
    town.drop(0)
    (first,) = requests(tick(town, DROP))
    town.sync()
    town.now += timedelta(minutes=30)
    town.drop(8)
    (second,) = requests(tick(town, DROP))
    assert first.run_key != second.run_key


def test_a_server_that_does_not_answer_skips_the_tick(town: Town) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        town.write_source(port=taken.getsockname()[1])
        assert "127.0.0.1" in skipped(tick(town, DROP))


def test_a_wrong_password_fails_the_tick(town: Town) -> None:
    town.server.faults.wrong_password = True
    with pytest.raises(TickFailedError, match="password"):
        tick(town, DROP)


def test_another_host_key_fails_the_tick(town: Town) -> None:
    town.write_source(fingerprint="SHA256:" + "A" * 43)
    with pytest.raises(TickFailedError, match="host key"):
        tick(town, DROP)


def test_a_weekly_source_is_looked_at_on_its_day_only(town: Town) -> None:
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    today = town.today.weekday()
    town.drop(0)
    town.write_source("cadence: weekly\n", f"weekday: {days[(today + 1) % 7]}\n")
    assert "only" in skipped(tick(town, DROP))
    town.write_source("cadence: weekly\n", f"weekday: {days[today]}\n")
    assert len(requests(tick(town, DROP))) == 1


def test_an_approval_asks_for_one_run_until_it_is_accepted(town: Town) -> None:
    town.drop(0)
    hold = town.sync().hold
    assert hold is not None
    assert "No approved hold" in skipped(tick(town, "approvals"))
    with town.ledger() as ledger:
        approved = ledger.approve(hold, "principal", "as expected", town.now)
    (first,) = requests(tick(town, "approvals"))
    (second,) = requests(tick(town, "approvals"))
    assert first.partition_key == f"{approved.date}|{SOURCE}"
    assert first.run_key == second.run_key

    definitions = build_defs(town.workspace, town.clock)
    job = definitions.resolve_job_def("resume")
    assert job.execute_in_process(partition_key=first.partition_key).success
    assert "No approved hold" in skipped(tick(town, "approvals"))


@pytest.mark.soak
def test_an_approval_that_came_to_nothing_is_tried_again_later(town: Town) -> None:
    town.drop(0)
    hold = town.sync().hold
    assert hold is not None
    with town.ledger() as ledger:
        ledger.approve(hold, "principal", "as expected", town.now)
    approved, keys = town.now, set()
    for minutes in (0, 3, 6, 40):
        town.now = approved + timedelta(minutes=minutes)
        (request,) = requests(tick(town, "approvals"))
        keys.add(request.run_key)
    assert len(keys) == 3


def test_what_was_not_delivered_is_asked_for_again_after_growing_pauses(town: Town) -> None:
    town.drop(0)
    town.server.faults.quota = 100
    assert town.approve(town.sync().hold).outcome is Outcome.FAILED
    accepted_on = town.today
    assert "Nothing that is accepted is due" in skipped(tick(town, "undelivered"))
    # The drop itself is read and accepted.
    assert "dealt with already" in skipped(tick(town, DROP))

    keys = set()
    for minutes in (20, 10, 40, 60 * 4, 60 * 24):
        town.now += timedelta(minutes=minutes)
        (request,) = requests(tick(town, "undelivered"))
        # The sync failed, and goes on: how it ends is how the sync of that day ended.
        assert (request.job_name, request.asset_selection) == ("resume", None)
        assert request.partition_key == f"{accepted_on}|{SOURCE}"
        keys.add(request.run_key)
    assert len(keys) == 4


def test_of_one_source_one_run_is_asked_for_with_all_that_is_due_then(town: Town) -> None:
    slot = town.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    town.write_destination("library", f"schedule: {{at: '{slot:%H:%M}', timezone: UTC}}\n")
    clock = Clock(town.now)
    with town.ledger() as ledger:
        with ledger.lease(SOURCE, clock) as lease:
            now = Scene(ledger, clock, lease).sync("day 1", None, town.today)
            town.now += timedelta(minutes=20)
            # Whoever is at work may be about to deliver.
            assert "Nothing that is accepted is due" in skipped(tick(town, "undelivered"))
        (first,) = requests(tick(town, "undelivered"))
        assert first.asset_selection == [dg.AssetKey(["deliveries", "lms"])]

        town.now = slot
        (both,) = requests(tick(town, "undelivered"))
        assert [key.path[1] for key in both.asset_selection or ()] == ["library", "lms"]
        assert both.run_key != first.run_key
        with ledger.lease(SOURCE, clock) as lease:
            content = now.snapshot.content_hash
            this = Delivery("lms", SOURCE, content, "a", "/in", 1, {}, slot)
            ledger.record_delivery(this, lease)
        (rest,) = requests(tick(town, "undelivered"))
        assert [key.path[1] for key in rest.asset_selection or ()] == ["library"]
        assert rest.run_key == both.run_key


@pytest.mark.soak
def test_a_date_that_dagster_does_not_show_any_more_keeps_no_other_from_running(
    town: Town,
) -> None:
    first = town.today
    old, new = first - timedelta(days=1), first
    both = requests(partitions.requests({"a": ("hill", old), "b": ("shore", new)}, first))
    assert [request.partition_key for request in both] == [f"{new}|shore"]
    with pytest.raises(TickFailedError, match=f"before {first}.*: hill {old}. Set `partitions.st"):
        partitions.requests({"a": ("hill", old)}, first)

    town.drop(0)
    hold = town.sync().hold
    assert hold is not None
    with town.ledger() as ledger:
        ledger.approve(hold, "principal", "as expected", town.now)
    roster_yaml = town.folder / "roster.yaml"
    said = roster_yaml.read_text()
    later = first + timedelta(days=1)
    start = town.workspace.settings.partitions.start
    roster_yaml.write_text(said.replace(str(start), str(later)))
    with pytest.raises(TickFailedError, match="What waits is of a date before"):
        tick(town, "approvals")
