"""Runs whose process is gone: Dagster would wait for them, and start nothing more of their source.

A kill, a crash or a power cut leaves a run as it was. Dagster's own monitoring is no help: it asks
what launched the run, and nothing of Dagster launches the runs of the command.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.resources.run_process import PROCESS_TAG, process_of, report_lost
from roster_pipeline.resources.sync_run import SOURCE_TAG
from roster_pipeline.store import StoreError
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace, WorkspaceError

SILENCE: Final = timedelta(minutes=15)
"""Without an event for this long, a run counts as lost if nobody can look at its process and it
does not have its source's lease. The lease is taken by a run's first step."""

# One that is queued has no process yet.
_UNDER_WAY: Final = dg.RunsFilter(
    statuses=[
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
)


def end_lost_runs(
    instance: dg.DagsterInstance, workspace: Workspace, ledger: Ledger, now: datetime
) -> list[str]:
    """Mark as failed every run of the workspace whose process is gone; their ids.

    A process of this host is looked at. One that cannot be looked at (it is of another host, of
    a boot before this one, or unknown) is gone when it was silent for long, and has no lease.
    """
    return [
        record.dagster_run.run_id
        for record in _under_way(instance, workspace)
        if _is_lost(instance, record, ledger, now)
        and report_lost(instance, record.dagster_run.run_id)
    ]


def end_lost_runs_first(
    instance: dg.DagsterInstance, workspace: Workspace, now: datetime
) -> list[str]:
    """The same for whoever is about to run, and will see for itself what is wrong with a ledger."""
    if not _under_way(instance, workspace):
        return []
    try:
        with Ledger.open(workspace.ledger_url(os.environ)) as ledger:
            return end_lost_runs(instance, workspace, ledger, now)
    except (StoreError, WorkspaceError):
        return []


def _under_way(instance: dg.DagsterInstance, workspace: Workspace) -> list[dg.RunRecord]:
    """Runs that Dagster believes to be going on; not those of others who share the instance."""
    return [
        record
        for record in instance.get_run_records(_UNDER_WAY)
        if PROCESS_TAG in (tags := record.dagster_run.tags)
        or tags.get(SOURCE_TAG) in workspace.sources
    ]


def _is_lost(
    instance: dg.DagsterInstance, record: dg.RunRecord, ledger: Ledger, now: datetime
) -> bool:
    run = record.dagster_run
    holder = ledger.holder(run.tags[SOURCE_TAG]) if SOURCE_TAG in run.tags else None
    if holder is not None and holder.run_id != run.run_id:
        holder = None
    process = process_of(run) or (holder.process if holder else None)
    alive = process.alive() if process else None
    if alive is not None:
        return not alive
    if holder is not None and not holder.gone(now):
        return False
    return now - _last_sign(instance, record) > SILENCE


def _last_sign(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    """When a run last said anything."""
    found = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False)
    last: Sequence[float] = [event.timestamp for event in found.records]
    return datetime.fromtimestamp(last[0], UTC) if last else record.create_timestamp


def lost_runs_sensor(*, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources."""

    @dg.sensor(
        name="lost_runs",
        description="Marks runs as failed whose process is gone, so that the next one can start.",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def lost_runs(
        context: dg.SensorEvaluationContext,
        workspace: dg.ResourceParam[Workspace],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _look(context.instance, workspace, ledger, clock()))

    return lost_runs


def _look(
    instance: dg.DagsterInstance, workspace: Workspace, ledger: Ledger, now: datetime
) -> Answer:
    lost = end_lost_runs(instance, workspace, ledger, now)
    if not lost:
        return dg.SkipReason("No run was lost.")
    return dg.SkipReason(f"Marked as failed, as their process is gone: {', '.join(lost)}.")
