"""The sensor that lets a run go on when a person has approved its hold."""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.ticks import Answer, attempt, tick
from roster_pipeline.store import HoldStatus
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger

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
    def approvals(ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]) -> Answer:
        return tick(lambda: _look(ledger, clock()))

    return approvals


def _look(ledger: Ledger, now: datetime) -> Answer:
    approved = ledger.holds(status=HoldStatus.APPROVED)
    if not approved:
        return dg.SkipReason("No approved hold waits.")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"{hold.name} {attempt(now - (hold.decided_at or now), _PAUSE)}",
                partition_key=partition_key(hold.source, hold.date),
            )
            for hold in approved
        ]
    )
