"""Destinations that are sent something at their own times, and while a sync is held."""

from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from roster_pipeline.automation.delivering import run_delivery
from roster_pipeline.automation.run import SyncResult
from roster_pipeline.build import build_defs
from roster_pipeline.store import Delivery, Outcome
from tests.automation.test_calendar import files_of, first_sync, half_gone, send, without
from tests.automation.test_sensors import requests, skipped, tick
from tests.automation.town import SOURCE, Lives, Town

CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def small(town: Town, lives: Lives) -> Town:
    """A town of a few people, accepted and delivered yesterday."""
    return lives.live(town, first_sync)


def run(town: Town, request: dg.RunRequest) -> None:
    """What Dagster does with the request of a sensor."""
    assert request.job_name is not None
    job = build_defs(town.workspace, town.clock).resolve_job_def(request.job_name)
    selected = request.asset_selection
    ended = job.execute_in_process(
        partition_key=request.partition_key,
        asset_selection=None if selected is None else list(selected),
    )
    assert ended.success


def deliver(town: Town, *, dry_run: bool = False) -> SyncResult:
    return run_delivery(
        build_defs,
        town.workspace,
        "lms",
        SOURCE,
        dry_run=dry_run,
        instance="ephemeral",
        overrides=town.clock,
    )


def last(town: Town) -> Delivery:
    with town.ledger() as ledger:
        found = ledger.delivery("lms", SOURCE)
    assert found is not None
    return found


def test_what_is_accepted_in_quiet_hours_waits_for_their_end(small: Town) -> None:
    here = small.now.astimezone(CHICAGO)
    end = (here + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    small.write_destination("lms", f"quiet_hours: {{from: '{here:%H}:00', to: '{end:%H:%M}'}}\n")
    send(small, files_of(without("x1")))
    before = last(small)

    result = small.sync()
    assert result.outcome is Outcome.DONE
    said = f"lms has quiet hours until {end:%Y-%m-%d %H:%M} America/Chicago, and waits."
    assert said in result.sentences
    assert result.sync.summary["waiting"] == {"lms": end.astimezone(UTC).isoformat()}
    assert last(small) == before
    assert "Nothing that is accepted is due" in skipped(tick(small, "undelivered"))
    refused = deliver(small)
    assert refused.sentences == (f"{said} With --now it is sent all the same.",)
    assert deliver(small, dry_run=True).outcome is Outcome.DONE
    assert last(small) == before

    small.now = end
    (request,) = requests(tick(small, "undelivered"))
    assert (request.job_name, request.asset_selection) == (
        "deliver",
        [dg.AssetKey(["deliveries", "lms"])],
    )
    run(small, request)
    assert last(small).at == end
    assert "Nothing that is accepted is due" in skipped(tick(small, "undelivered"))


def test_what_a_destination_s_file_changes_waits_for_its_schedule_or_a_person_s_word(
    small: Town,
) -> None:
    small.write_destination("lms", "schedule: {at: '23:00'}\nsystem_name: another\n")
    send(small, files_of())
    before = last(small)
    waits = small.sync()
    assert waits.outcome is Outcome.NOTHING_NEW
    assert "waits for the time of its `schedule`" in waits.sentences[-1]
    assert last(small) == before
    assert "Nothing that is accepted is due" in skipped(tick(small, "undelivered"))

    late = replace(small, now=small.now.astimezone(CHICAGO).replace(hour=23, minute=1))
    assert [request.job_name for request in requests(tick(late, "undelivered"))] == ["deliver"]
    assert deliver(small).outcome is Outcome.DONE
    assert last(small).package_hash != before.package_hash
    assert "Nothing that is accepted is due" in skipped(tick(late, "undelivered"))


def test_while_a_sync_is_held_a_receiver_that_wants_a_file_each_day_gets_the_last_one(
    small: Town,
) -> None:
    small.write_destination("lms", "on_hold: resend\n")
    send(small, files_of(half_gone))
    assert small.sync().outcome is Outcome.HELD
    content, written = small.delivered.read_bytes(), small.delivered.stat().st_ctime_ns

    small.now = last(small).at + timedelta(days=1)
    (request,) = requests(tick(small, "undelivered"))
    run(small, request)
    assert small.delivered.read_bytes() == content
    assert small.delivered.stat().st_ctime_ns != written
    assert last(small).at == small.now
    assert "Nothing that is accepted is due" in skipped(tick(small, "undelivered"))
    with small.ledger() as ledger:
        sync = ledger.last_sync(SOURCE)
    assert sync is not None
    assert sync.outcome is Outcome.HELD
