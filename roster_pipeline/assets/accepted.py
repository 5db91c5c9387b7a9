"""The gate."""

from collections.abc import Iterator

import dagster as dg

from roster_pipeline.assets.handles import Changes
from roster_pipeline.assets.steps import step
from roster_pipeline.reports.changes import changes_sentence, counts_markdown
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Outcome, Snapshot

ACCEPTED = dg.AssetKey("accepted_roster")


def accepted_roster(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that every receiver hangs on."""

    @dg.asset(
        key=ACCEPTED,
        partitions_def=partitions,
        group_name="gate",
        kinds={"parquet"},
        output_required=False,
    )
    def accepted_roster(
        sync_run: dg.ResourceParam[SyncRun], changes: Changes
    ) -> Iterator[dg.MaterializeResult[Snapshot]]:
        """What this source's roster now is.

        The ledger decides, whoever starts this asset: it refuses a candidate that no guard has
        passed and nobody has approved.
        """
        with step(sync_run, "Accepting"):
            source, ledger = sync_run.source.id, sync_run.ledger
            before = ledger.accepted(source)
            now = ledger.accept(
                source,
                changes.candidate,
                changes.base_hash,
                sync_run.date,
                sync_run.now(),
                sync_run.lease,
            )
            if before is None or before.sequence != now.sequence:
                sync_run.ends(Outcome.DONE, f"Accepted: {changes_sentence(changes.counts)}")
            yield dg.MaterializeResult(
                value=now.snapshot,
                metadata={
                    "rows": dg.MetadataValue.md(counts_markdown(now.snapshot.counts)),
                    "dagster/row_count": sum(now.snapshot.counts.values()),
                    "sequence": now.sequence,
                    "content hash": now.snapshot.content_hash,
                    "approved hold": now.hold_name or "none",
                },
            )

    return accepted_roster
