"""How a sync went, in numbers, after everything else has had its turn."""

from typing import Any

import dagster as dg

from roster_pipeline.assets.checks import FINDINGS
from roster_pipeline.assets.handles import CandidateRoster, Changes
from roster_pipeline.assets.steps import step
from roster_pipeline.receivers.timing_lack import UNDELIVERED, WAITING
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import changes_markdown
from roster_pipeline.reports.holds import held_document
from roster_pipeline.reports.syncs import header_only_sentence
from roster_pipeline.reports.tables import markdown_table
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Outcome, Snapshot
from roster_pipeline.workspace import Workspace


def sync_report(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The last asset of the graph.

    It does not hang on the deliveries, or one that fails or that takes other sources would take
    it along: its low priority lets them go first.
    """

    @dg.asset(
        partitions_def=partitions,
        group_name="report",
        deps=[FINDINGS],
        op_tags={"dagster/priority": "-1"},
    )
    def sync_report(
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        candidate_roster: CandidateRoster,
        changes: Changes,
        accepted_roster: Snapshot,
    ) -> dg.MaterializeResult[None]:
        """Counts by entity, findings by code, deliveries, and the outcome for the ledger."""
        with step(sync_run, "Reporting"):
            source = sync_run.source.id
            last = {
                name: sync_run.ledger.delivery(name, source)
                for name in workspace.receivers_of(source)
            }
            missing = [
                name
                for name, delivery in last.items()
                if name not in sync_run.delivered
                and name not in sync_run.waiting
                and not accepted_roster.is_with(delivery)
            ]
            if missing:
                sync_run.ends(Outcome.FAILED, f"Not delivered yet to {', '.join(missing)}.")
            sync_run.ends(
                Outcome.NOTHING_NEW,
                counts=accepted_roster.counts,
                changes=changes.counts,
                findings=candidate_roster.findings,
                held=candidate_roster.held,
                held_rows=_held(candidate_roster),
                notices=[header_only_sentence(entity) for entity in candidate_roster.header_only],
                deliveries={
                    name: delivery.package_hash
                    for name, delivery in last.items()
                    if delivery and name not in missing and name not in sync_run.waiting
                },
                **({UNDELIVERED: missing} if missing else {}),
                **({WAITING: sync_run.waiting} if sync_run.waiting else {}),
            )
            sync_run.complete = True
            return dg.MaterializeResult(
                metadata={
                    "outcome": str(sync_run.outcome),
                    "changes": dg.MetadataValue.md(changes_markdown(changes.counts)),
                    "rows": dg.MetadataValue.md(bar_svg(accepted_roster.counts, title="rows")),
                    "findings": dg.MetadataValue.md(
                        markdown_table(("finding", "count"), candidate_roster.findings.items())
                    ),
                    "not delivered to": ", ".join(missing) or "nobody",
                    "delivered later to": ", ".join(sync_run.waiting) or "nobody",
                }
            )

    return sync_report


def _held(candidate: CandidateRoster) -> dict[str, Any] | None:
    return None if candidate.held_rows is None else held_document(candidate.held_rows)
