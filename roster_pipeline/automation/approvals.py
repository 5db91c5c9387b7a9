"""The sensor that lets a run go on when a person has approved its hold."""

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.resources.errors import is_transient, sentence
from roster_pipeline.store import HoldStatus
from roster_pipeline.store.ledger import Ledger


def approvals_sensor(job: str, *, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources: a hold that is approved and not accepted is resumed once."""

    @dg.sensor(
        name="approvals",
        description="Goes on with every roster whose hold a person has approved.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def approvals(ledger: dg.ResourceParam[Ledger]) -> dg.SensorResult | dg.SkipReason:
        try:
            approved = ledger.holds(status=HoldStatus.APPROVED)
        except Exception as error:
            if is_transient(error):
                return dg.SkipReason(sentence(error))
            raise RuntimeError(sentence(error)) from None
        if not approved:
            return dg.SkipReason("No approved hold waits.")
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=hold.name, partition_key=partition_key(hold.source, hold.date)
                )
                for hold in approved
            ]
        )

    return approvals
