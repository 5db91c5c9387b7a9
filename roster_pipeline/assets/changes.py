"""What accepting a candidate would change, and whether the guards let it pass by itself."""

from collections.abc import Iterator
from shlex import quote

import dagster as dg

from roster_pipeline.assets.handles import CandidateRoster, Changes
from roster_pipeline.assets.steps import step
from roster_pipeline.guards.filled import filled
from roster_pipeline.guards.judge import Verdict, judge
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import changes_markdown, changes_sentence, totals
from roster_pipeline.reports.holds import settle
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Accepted, Hold, HoldStatus, Outcome, Refused, Snapshot
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace

CHANGES = dg.AssetKey("changes")
GUARD = dg.AssetCheckKey(CHANGES, "guard")


def changes(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset on which the guard sits."""

    @dg.asset(key=CHANGES, partitions_def=partitions, group_name="gate", output_required=False)
    def changes(
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        candidate_roster: CandidateRoster,
    ) -> Iterator[dg.MaterializeResult[Changes]]:
        """The candidate compared with the roster that is accepted now.

        Nothing for a date before the accepted one: an old roster never replaces a newer.
        """
        with step(sync_run, "Comparing with what is accepted"):
            accepted = sync_run.ledger.accepted(sync_run.source.id)
            candidate, base = candidate_roster.snapshot, accepted.snapshot if accepted else None
            if accepted is not None and _is_old(sync_run, candidate, accepted):
                sync_run.ends(
                    Outcome.NOTHING_NEW,
                    f"A roster of {accepted.confirmed} is accepted already, "
                    f"so that of {sync_run.date} changes nothing.",
                )
                return
            _require_same_base(candidate_roster, base, sync_run)
            delta = diff(snapshots.open(base) if base else None, snapshots.open(candidate))
            made = Changes(
                candidate,
                base,
                delta.counts(),
                candidate_roster.held,
                candidate_roster.orphaned,
                candidate_roster.rows,
                candidate_roster.header_only,
            )
            yield dg.MaterializeResult(value=made, metadata=_metadata(made))

    return changes


def guard(partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """The blocking check in front of the gate."""

    @dg.asset_check(
        asset=CHANGES,
        name=GUARD.name,
        description="The changes are within the limits, or a person has approved them.",
        blocking=True,
        partitions_def=partitions,
    )
    def guard(
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        snapshots: dg.ResourceParam[Snapshots],
        changes: Changes,
    ) -> dg.AssetCheckResult:
        with step(sync_run, "Asking the guards"):
            source, expect = sync_run.source.id, sync_run.source.expect
            full = filled(snapshots.open(changes.candidate), expect.fill) if expect.fill else {}
            verdict = judge(changes.facts(expect, full), workspace.guards_for(source))
            hold = sync_run.ledger.record_verdict(
                source,
                changes.candidate,
                changes.base_hash,
                sync_run.date,
                verdict.outcome,
                verdict.to_json(),
                sync_run.now(),
                sync_run.lease,
            )
            if hold is None or hold.status in (HoldStatus.APPROVED, HoldStatus.ACCEPTED):
                return _passes(verdict, hold)
            return _is_held(verdict, hold, changes, sync_run, workspace)

    return guard


def _is_old(run: SyncRun, candidate: Snapshot, accepted: Accepted) -> bool:
    same = candidate.content_hash == accepted.snapshot.content_hash
    return run.date < (accepted.date if same else accepted.confirmed)


def _require_same_base(candidate: CandidateRoster, base: Snapshot | None, run: SyncRun) -> None:
    """Held rows of the candidate come from what was accepted when it was read."""
    current = base.content_hash if base else None
    if current not in (candidate.base_hash, candidate.snapshot.content_hash):
        raise Refused(
            f"{run.source.id}: another roster was accepted since this one was read. "
            f"Run the whole sync of {run.date} again."
        )


def _metadata(changes: Changes) -> dict[str, dg.MetadataValue]:
    total = totals(changes.counts)
    moved = {kind: total[kind] for kind in ("added", "changed", "removed")}
    before = sum(changes.base.counts.values()) if changes.base else 0
    return {
        "changes": dg.MetadataValue.md(changes_markdown(changes.counts)),
        "bar": dg.MetadataValue.md(bar_svg(moved, title="changes")),
        "rows now": dg.MetadataValue.int(sum(changes.candidate.counts.values())),
        "rows before": dg.MetadataValue.int(before),
    }


def _passes(verdict: Verdict, hold: Hold | None) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue | str] = {}
    if hold is not None:
        metadata |= {"hold": hold.name, "approved by": hold.decided_by or "", "why": hold.why or ""}
    said = "Within the limits." if not verdict.reasons else "Let through by a person."
    return dg.AssetCheckResult(passed=True, description=said, metadata=metadata)


def _is_held(
    verdict: Verdict, hold: Hold, changes: Changes, run: SyncRun, workspace: Workspace
) -> dg.AssetCheckResult:
    reasons = [reason.sentence for reason in verdict.reasons]
    metadata: dict[str, dg.MetadataValue | str] = {
        "hold": hold.name,
        "changes": changes_sentence(changes.counts),
        # The UI has a link in the place of Markdown and orders these by name.
        **{f"reason {number:02}": reason for number, reason in enumerate(reasons, start=1)},
    }
    if hold.status is HoldStatus.REJECTED:
        head = f"This roster was rejected as hold {hold.name} by {hold.decided_by}: {hold.why}"
    else:
        head = f"Held as {hold.name}."
        metadata["to settle it"] = settle(hold.name, f"roster -w {quote(str(workspace.folder))}")
    run.ends(
        Outcome.HELD,
        head,
        *reasons,
        hold=hold.name,
        changes=changes.counts,
        counts=changes.candidate.counts,
    )
    said = [head, *reasons[:1]]
    if len(reasons) > 1:
        said.append(f"… and {len(reasons) - 1} more, listed in the metadata.")
    # The UI shows line ends as blanks.
    return dg.AssetCheckResult(passed=False, description="\n• ".join(said), metadata=metadata)
