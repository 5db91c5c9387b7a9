"""The sensor that lets a run go on when a person has approved its hold."""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from roster_pipeline.automation.partitions import first_of, requests
from roster_pipeline.automation.ticks import Answer, attempt, tick
from roster_pipeline.guards.calendar import Window, of_kind
from roster_pipeline.store import Hold, HoldStatus
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace

# A run that came to nothing (its lease was held, a disk was full) is followed by another.
_PAUSE: Final = timedelta(minutes=5)


def approvals_sensor(job: str, *, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources: a hold that is approved and not accepted is resumed."""

    @dg.sensor(
        name="approvals",
        description="Goes on with every roster whose hold a person has approved.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def approvals(
        workspace: dg.ResourceParam[Workspace],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _look(workspace, ledger, clock()))

    return approvals


def blackout_of(workspace: Workspace, hold: Hold, now: datetime) -> Window | None:
    """The blackout in which an approved hold has to wait."""
    today = workspace.source(hold.source).date_of(now)
    return of_kind(workspace.windows_of(hold.source, today), "blackout")


def _look(workspace: Workspace, ledger: Ledger, now: datetime) -> Answer:
    approved = [
        hold
        for hold in ledger.holds(status=HoldStatus.APPROVED)
        if hold.source in workspace.sources and blackout_of(workspace, hold, now) is None
    ]
    if not approved:
        return dg.SkipReason("No approved hold waits that may go on today.")
    wanted = {
        f"{hold.name} {attempt(now - (hold.decided_at or now), _PAUSE)}": (hold.source, hold.date)
        for hold in approved
    }
    return requests(wanted, first_of(workspace, now))
