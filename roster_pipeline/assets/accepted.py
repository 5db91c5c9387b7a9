"""The gate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from roster_pipeline.assets.handles import Changes, Withheld
from roster_pipeline.assets.judged import put_removals_before_a_person, withheld_rows
from roster_pipeline.assets.steps import step
from roster_pipeline.guards.policy import losses_alone
from roster_pipeline.reports.changes import changes_sentence, counts_markdown
from roster_pipeline.reports.holds import removals_wait_sentence
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Accepted, HoldStatus, Landed, Outcome, Snapshot
from roster_pipeline.store.differences import Differences
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace

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
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        snapshots: dg.ResourceParam[Snapshots],
        differences: dg.ResourceParam[Differences],
        changes: Changes,
    ) -> Iterator[dg.MaterializeResult[Snapshot]]:
        """What this source's roster now is.

        The ledger decides, whoever starts this asset: it refuses a candidate that no guard has
        passed and nobody has approved. Removals that were withheld are put before a person once
        the rest is accepted, and follow it when they are approved.
        """
        with step(sync_run, "Accepting"):
            gate = _Gate(sync_run, workspace, snapshots, differences)
            before = sync_run.ledger.accepted(sync_run.source.id)
            shift = {**changes.facts.shift.to_json(), "withheld": withheld_rows(changes)}
            whole = changes.package if changes.withheld is None else None
            now = gate.accept(changes.candidate, changes.base_hash, shift, whole)
            sync_run.note(accepted=now.sequence)
            if before is None or before.sequence != now.sequence:
                said = changes_sentence(changes.counts, changes.left_out)
                sync_run.ends(Outcome.DONE, f"Accepted: {said}")
            if changes.withheld is not None:
                now = gate.settle(changes.withheld, now, changes.package)
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


@dataclass(frozen=True)
class _Gate:
    run: SyncRun
    workspace: Workspace
    snapshots: Snapshots
    differences: Differences

    def accept(
        self,
        candidate: Snapshot,
        base_hash: str | None,
        shift: Mapping[str, Any],
        package: Landed | None,
    ) -> Accepted:
        """What the ledger makes of it; `package` is what the whole of it was read from."""
        run, source = self.run, self.run.source.id
        return run.ledger.accept(
            source,
            candidate,
            base_hash,
            run.date,
            run.now(),
            run.lease,
            shift=shift,
            windows=[window.kind for window in self.workspace.windows_of(source, *run.days)],
            package=package,
        )

    def settle(self, withheld: Withheld, now: Accepted, package: Landed | None) -> Accepted:
        """See to removals that wait: for a day to pass, or for a person."""
        if withheld.until is not None:
            said = removals_wait_sentence(withheld.facts.shift, withheld.until)
            self.run.ends(Outcome.NOTHING_NEW, said)
            return now
        last = self.run.ledger.hold_of(withheld.candidate, now.snapshot.content_hash, self.run.date)
        over = last is not None and last.status is HoldStatus.SUPERSEDED
        if over and withheld.run_id != self.run.id:
            return now
        hold = put_removals_before_a_person(
            withheld, now.snapshot, self.run, self.snapshots, self.differences
        )
        if hold is None or hold.status in (HoldStatus.APPROVED, HoldStatus.ACCEPTED):
            shift = losses_alone(withheld.facts).shift.to_json()
            now = self.accept(withheld.candidate, now.snapshot.content_hash, shift, package)
            self.run.ends(Outcome.DONE, "The removals that had waited are accepted, too.")
        elif hold.status is HoldStatus.OPEN:
            wait = f"wait as {hold.name}" if hold.name else "would wait for a person"
            said = f"The removals {wait}; all else was accepted."
            why = [reason.sentence for reason in withheld.reasons]
            self.run.ends(Outcome.HELD, said, *why, hold=hold.name or None)
        else:
            self.run.ends(Outcome.DONE, f"The removals were rejected as {hold.name}.")
        return now
