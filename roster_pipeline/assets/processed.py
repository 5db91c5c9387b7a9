"""Whether each receiver took what it was sent, by its own report."""

import dagster as dg

from roster_pipeline.assets.deliveries import delivery_key
from roster_pipeline.assets.steps import step
from roster_pipeline.receivers.config import Destination
from roster_pipeline.resources.answers import PROCESSED, answer_of, facts, is_fine, severity
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.transport.errors import TransportError


def processed(
    destination: Destination, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """The check of a destination that sends reports. It looks when something was delivered; a
    sensor looks later."""

    @dg.asset_check(
        asset=delivery_key(destination.id),
        name=PROCESSED,
        description="By its own report, the receiver took all that it was sent.",
        partitions_def=partitions,
    )
    def processed(
        sync_run: dg.ResourceParam[SyncRun], channels: dg.ResourceParam[Channels]
    ) -> dg.AssetCheckResult:
        with step(sync_run, f"Asking what {destination.id} made of it"):
            had = sync_run.ledger.delivery(destination.id, sync_run.source.id)
            if had is None:
                return dg.AssetCheckResult(passed=True, description="Nothing was delivered yet.")
            try:
                answer = answer_of(destination, had, channels, sync_run.now())
            except TransportError as error:
                # What was delivered is delivered; the sensor asks again.
                return dg.AssetCheckResult(
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=f"Nobody could look for the report. {error}",
                )
            return dg.AssetCheckResult(
                passed=is_fine(answer),
                severity=severity(answer),
                description=answer.sentence(),
                metadata=facts(answer),
            )

    return processed
