"""What is accepted and has not reached everybody: the next day sees to it, new drop or not."""

from datetime import datetime

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.store import Accepted
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace


def undelivered(workspace: Workspace, ledger: Ledger, source: str) -> Accepted | None:
    """The accepted roster of a source if any of its receivers has not got it."""
    accepted = ledger.accepted(source)
    if accepted is None:
        return None
    receivers = workspace.receivers_of(source)
    if all(accepted.snapshot.is_with(ledger.delivery(name, source)) for name in receivers):
        return None
    return accepted


def undelivered_sensor(job: str, *, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources: tries each delivery that failed once more a day."""

    @dg.sensor(
        name="undelivered",
        description="Tries again, once a day, to deliver what was accepted on an earlier day.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def undelivered_rosters(
        workspace: dg.ResourceParam[Workspace],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _look(workspace, ledger, clock()))

    return undelivered_rosters


def _look(workspace: Workspace, ledger: Ledger, now: datetime) -> Answer:
    requests = []
    for source in workspace.sources.values():
        today = source.date_of(now)
        late = undelivered(workspace, ledger, source.id)
        if late is not None and source.date_of(late.at) < today:
            key = f"{source.id} {late.snapshot.content_hash} {today}"
            requests.append(
                dg.RunRequest(run_key=key, partition_key=partition_key(source.id, late.date))
            )
    if not requests:
        return dg.SkipReason("Nothing of an earlier day waits to be delivered.")
    return dg.SensorResult(run_requests=requests)
