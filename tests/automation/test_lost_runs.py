"""Runs whose process is gone, and runs that only look like it."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from roster_pipeline.automation.home import make_home, open_home
from roster_pipeline.automation.run import resume, run_sync
from roster_pipeline.build import build_defs
from roster_pipeline.resources.run_process import PROCESS_TAG, process_of, process_tag, report_lost
from roster_pipeline.resources.sync_run import SOURCE_TAG
from roster_pipeline.store import Outcome
from roster_pipeline.store.process import Process
from tests.automation.test_daemon import PATIENCE, dagster_dev, wait_for
from tests.automation.town import SOURCE, Town
from tests.proofs.forking import Commands

Status = dg.DagsterRunStatus
MINUTE = timedelta(minutes=1)
WITH_AND_WITHOUT_LEASE = ("lease.before", "snapshot.before-rename", "lease.after")
ONE_QUICK = [
    WITH_AND_WITHOUT_LEASE[0],
    *(pytest.param(place, marks=pytest.mark.soak) for place in WITH_AND_WITHOUT_LEASE[1:]),
]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """`roster`, in a process for each command."""
    with Commands(tmp_path_factory.mktemp("outputs")) as running:
        yield running


@pytest.fixture
def town(town: Town) -> Town:
    """The town today, with a drop, and with a DAGSTER_HOME."""
    town.now = datetime.now(UTC)
    town.drop(0)
    make_home(town.folder)
    return town


@pytest.fixture
def instance(town: Town) -> Iterator[dg.DagsterInstance]:
    """The town's Dagster."""
    with open_home(town.folder) as opened:
        yield opened


def killed(commands: Commands, town: Town, place: str) -> None:
    """A sync by the command that dies at a place."""
    environ = {"ROSTER_CRASH_AT": place}
    ended = commands.run("roster", "-w", town.folder, "sync", SOURCE, environ=environ)
    assert ended.code == -signal.SIGKILL, ended.err + ended.out


def look(town: Town, instance: dg.DagsterInstance, after: timedelta = timedelta()) -> str:
    """What the sensor says after a time."""
    definitions = build_defs(town.workspace, {"clock": lambda: datetime.now(UTC) + after})
    parts = definitions.get_repository_def().get_top_level_resources()
    with dg.build_sensor_context(
        instance=instance,
        resources={key: parts[key] for key in ("workspace", "clock", "ledger")},
        definitions=definitions,
    ) as context:
        said = definitions.resolve_sensor_def("lost_runs")(context)
    assert isinstance(said, dg.SkipReason)
    return str(said.skip_message)


def statuses(instance: dg.DagsterInstance) -> list[Status]:
    """Of every run, oldest first."""
    return [run.status for run in reversed(instance.get_runs())]


def begun(
    instance: dg.DagsterInstance,
    town: Town,
    process: Process | None,
    *,
    status: Status = Status.STARTED,
    source: str = SOURCE,
    tagged_as: str | None = None,
) -> dg.DagsterRun:
    """A run that a process, or nobody knows who, works on."""
    job = build_defs(town.workspace, town.clock).resolve_job_def("sync")
    run = instance.create_run_for_job(job, status=status, tags={SOURCE_TAG: source})
    if process is not None:
        tag = {"run": tagged_as or run.run_id, **asdict(process)}
        instance.add_run_tags(run.run_id, {PROCESS_TAG: json.dumps(tag)})
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Status:
    """How a run is now."""
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


@pytest.fixture
def dead() -> Process:
    """A process of this host that is no more."""
    child = subprocess.Popen(["sleep", "60"])
    child.kill()
    child.wait()
    return replace(Process.current(), pid=child.pid)


@pytest.fixture
def elsewhere() -> Process:
    """A process of another host."""
    return replace(Process.current(), host="elsewhere")


@pytest.mark.parametrize("place", ONE_QUICK)
def test_a_run_that_was_killed_is_marked_as_failed_at_the_next_look(
    town: Town, instance: dg.DagsterInstance, commands: Commands, place: str
) -> None:
    killed(commands, town, place)
    (run,) = instance.get_runs()
    assert run.status is Status.STARTED
    assert run.run_id in look(town, instance)
    assert status(instance, run) is Status.FAILURE
    last = instance.all_logs(run.run_id)[-1]
    assert last.dagster_event is not None
    assert "The process of this run was lost." in (last.dagster_event.message or "")
    assert look(town, instance) == "No run was lost."


@pytest.mark.soak
@pytest.mark.parametrize("place", ONE_QUICK)
@pytest.mark.soak
def test_the_next_command_marks_a_killed_run_as_failed_before_it_starts(
    town: Town, instance: dg.DagsterInstance, commands: Commands, place: str
) -> None:
    killed(commands, town, place)
    again = commands.run("roster", "-w", town.folder, "sync", SOURCE, "--format", "json")
    assert again.code == 3, again.err
    lost, ended = reversed(instance.get_runs())
    assert (lost.status, ended.is_finished) == (Status.FAILURE, True)


def test_an_approval_marks_a_killed_run_as_failed_before_it_goes_on(
    town: Town, instance: dg.DagsterInstance, dead: Process
) -> None:
    hold = town.sync().hold
    assert hold is not None
    lost = begun(instance, town, dead)
    with town.ledger() as ledger:
        approved = ledger.approve(hold, "principal", "as expected", town.now)
    assert resume(build_defs, town.workspace, approved).outcome is Outcome.DONE
    assert status(instance, lost) is Status.FAILURE


@pytest.mark.soak
@pytest.mark.parametrize("under_way", [Status.NOT_STARTED, Status.STARTING, Status.CANCELING])
def test_a_run_is_lost_wherever_it_had_come_to(
    town: Town, instance: dg.DagsterInstance, dead: Process, under_way: Status
) -> None:
    run = begun(instance, town, dead, status=under_way)
    look(town, instance)
    assert status(instance, run) is Status.FAILURE


@pytest.mark.soak
@pytest.mark.parametrize("ended", [Status.SUCCESS, Status.CANCELED])
def test_what_has_ended_is_left_as_it_is(
    town: Town, instance: dg.DagsterInstance, dead: Process, ended: Status
) -> None:
    run = begun(instance, town, dead, status=ended)
    assert look(town, instance, timedelta(days=1)) == "No run was lost."
    assert status(instance, run) is ended


def test_a_run_that_ended_before_its_process_did_is_not_lost(
    town: Town, instance: dg.DagsterInstance
) -> None:
    run = begun(instance, town, None)
    instance.report_run_canceled(run)
    assert not report_lost(instance, run.run_id)
    assert status(instance, run) is Status.CANCELED


@pytest.mark.soak
def test_a_living_run_is_left_with_and_without_its_lease_however_long_it_is_silent(
    town: Town, instance: dg.DagsterInstance
) -> None:
    seen = set()

    def on_step(_: str) -> None:
        assert look(town, instance, timedelta(days=1)) == "No run was lost."
        with town.ledger() as ledger:
            seen.add(ledger.holder(SOURCE) is not None)

    result = run_sync(build_defs, town.workspace, SOURCE, on_step=on_step)
    assert result.outcome is Outcome.HELD
    assert seen == {False, True}
    assert len(statuses(instance)) == 1


def test_a_run_of_the_daemon_says_its_process_as_soon_as_it_works(town: Town) -> None:
    job = build_defs(town.workspace, town.clock).resolve_job_def("sync")
    with dg.DagsterInstance.ephemeral() as instance:
        # As the run that it tries again left it behind.
        tags = process_tag("another run")
        ended = job.execute_in_process(
            instance=instance,
            partition_key=f"{town.today}|{SOURCE}",
            raise_on_error=False,
            tags=tags,
        )
        run = instance.get_run_by_id(ended.run_id)
        assert run is not None
        assert process_of(run) == Process.current()


def test_a_run_of_another_host_is_lost_when_it_was_silent_for_long(
    town: Town, instance: dg.DagsterInstance, elsewhere: Process
) -> None:
    run = begun(instance, town, elsewhere)
    look(town, instance, 14 * MINUTE)
    assert status(instance, run) is Status.STARTED
    look(town, instance, 16 * MINUTE)
    assert status(instance, run) is Status.FAILURE


def test_every_event_is_a_sign_of_life(
    town: Town, instance: dg.DagsterInstance, elsewhere: Process
) -> None:
    run = begun(instance, town, elsewhere)
    later = datetime.now(UTC) + 60 * MINUTE
    event = dg.EventLogEntry(  # type: ignore[no-untyped-call]
        error_info=None,
        level="debug",
        user_message="at work",
        run_id=run.run_id,
        timestamp=later.timestamp(),
    )
    instance.handle_new_event(event)
    look(town, instance, 74 * MINUTE)
    assert status(instance, run) is Status.STARTED
    look(town, instance, 76 * MINUTE)
    assert status(instance, run) is Status.FAILURE


def test_a_run_of_another_host_that_renews_its_lease_is_left(
    town: Town,
    instance: dg.DagsterInstance,
    elsewhere: Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begun(instance, town, elsewhere)
    heard = datetime.now(UTC) + 60 * MINUTE
    with town.ledger() as ledger:
        here = socket.gethostname()
        monkeypatch.setattr(socket, "gethostname", lambda: elsewhere.host)
        with ledger.lease(SOURCE, lambda: heard, run_id=run.run_id, heartbeat_seconds=3600):
            monkeypatch.setattr(socket, "gethostname", lambda: here)
            look(town, instance, 60.5 * MINUTE)
            assert status(instance, run) is Status.STARTED
            look(town, instance, 62 * MINUTE)
            assert status(instance, run) is Status.FAILURE


def test_the_lease_of_another_run_says_nothing_of_this_one(
    town: Town, instance: dg.DagsterInstance, elsewhere: Process
) -> None:
    run = begun(instance, town, elsewhere)
    with (
        town.ledger() as ledger,
        ledger.lease(SOURCE, lambda: datetime.now(UTC), run_id="another run"),
    ):
        look(town, instance, 16 * MINUTE)
    assert status(instance, run) is Status.FAILURE


def test_a_namesake_host_or_one_that_was_booted_since_is_not_believed_at_once(
    town: Town, instance: dg.DagsterInstance, dead: Process
) -> None:
    run = begun(instance, town, replace(dead, boot="another"))
    look(town, instance, 14 * MINUTE)
    assert status(instance, run) is Status.STARTED
    look(town, instance, 16 * MINUTE)
    assert status(instance, run) is Status.FAILURE


def test_a_run_is_not_judged_by_the_process_of_the_one_that_it_tries_again(
    town: Town, instance: dg.DagsterInstance, dead: Process
) -> None:
    run = begun(instance, town, dead, tagged_as="another run")
    look(town, instance)
    assert status(instance, run) is Status.STARTED


@pytest.mark.soak
@pytest.mark.parametrize("tag", ["", "7", "{}", "[]", '{"run": "?"}', "not JSON"])
def test_a_tag_that_somebody_spoilt_says_nothing(
    town: Town, instance: dg.DagsterInstance, tag: str
) -> None:
    run = begun(instance, town, None)
    instance.add_run_tags(run.run_id, {PROCESS_TAG: tag})
    look(town, instance)
    assert status(instance, run) is Status.STARTED
    look(town, instance, 16 * MINUTE)
    assert status(instance, run) is Status.FAILURE


def test_runs_of_others_who_share_the_instance_are_left(
    town: Town, instance: dg.DagsterInstance
) -> None:
    run = begun(instance, town, None, source="nobody's")
    look(town, instance, timedelta(days=9))
    assert status(instance, run) is Status.STARTED


def test_a_ledger_that_cannot_be_opened_is_told_by_the_run_itself(
    town: Town, instance: dg.DagsterInstance, dead: Process
) -> None:
    begun(instance, town, dead)
    settings: Mapping[str, Any] = {
        "partitions": {"start": str(town.workspace.settings.partitions.start)},
        "ledger": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
    }
    town.write("roster.yaml", json.dumps(settings))
    result = run_sync(build_defs, town.workspace, SOURCE)
    assert result.outcome is Outcome.FAILED
    assert "127.0.0.1" in result.sentences[0]


@pytest.mark.soak
@pytest.mark.timeout(2 * PATIENCE)
def test_a_command_that_was_killed_does_not_keep_the_daemon_from_its_source(
    town: Town, commands: Commands
) -> None:
    killed(commands, town, "lease.after")
    town.now = datetime.now(UTC)
    town.drop(8)
    with open_home(town.folder) as instance, dagster_dev(town.folder) as log:
        lost, *_ = reversed(instance.get_runs())
        wait_for(lambda: (runs := statuses(instance))[1:] and runs[1] in _ENDED, log)
        assert status(instance, lost) is Status.FAILURE


@pytest.mark.soak
@pytest.mark.timeout(3 * PATIENCE)
def test_a_run_of_a_daemon_that_was_killed_with_it_is_tried_again_by_the_next_daemon(
    town: Town,
) -> None:
    town.drop(0)
    with town.ledger() as ledger, open_home(town.folder) as instance:
        with dagster_dev(town.folder):
            run, process = worked_on(instance)
            # As when the power fails: nobody of them is left to tell.
            os.killpg(os.getpgid(process.pid), signal.SIGKILL)
        assert status(instance, run) is Status.STARTED
        with dagster_dev(town.folder) as log:
            wait_for(lambda: (runs := statuses(instance))[1:] and runs[1] in _ENDED, log)
            assert status(instance, run) is Status.FAILURE
            assert ledger.holds(SOURCE)
            (again,) = (other for other in instance.get_runs() if other.run_id != run.run_id)
            assert again.parent_run_id == run.run_id


def worked_on(instance: dg.DagsterInstance) -> tuple[dg.DagsterRun, Process]:
    """The first run whose process is known."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for run in instance.get_runs():
            if (process := process_of(run)) is not None:
                return run, process
        time.sleep(0.01)
    pytest.fail("nothing ran")


_ENDED = (Status.SUCCESS, Status.FAILURE)
