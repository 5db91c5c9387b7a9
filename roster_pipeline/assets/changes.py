"""What accepting a candidate would change, and whether the guards let it pass by itself."""

from collections.abc import Iterator, Sequence
from shlex import quote

import dagster as dg

from roster_pipeline.assets.handles import CandidateRoster, Changes, Withheld
from roster_pipeline.assets.judged import expected, put_before_a_person, verdict_on
from roster_pipeline.assets.steps import step
from roster_pipeline.guards.calendar import Window, of_kind
from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.gather import gather
from roster_pipeline.guards.history import came_before, with_history
from roster_pipeline.guards.judge import Verdict, judge
from roster_pipeline.guards.policy import without_losses
from roster_pipeline.guards.withholding import (
    put_rest,
    removals_may_wait,
    removals_wait,
    rewritten,
)
from roster_pipeline.oneroster.delta import Delta, diff
from roster_pipeline.oneroster.scoping.scope import outside
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import changes_markdown, changes_sentence, totals
from roster_pipeline.reports.holds import blackout_sentence, settle
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Accepted, Hold, HoldStatus, Outcome, Refused, Snapshot
from roster_pipeline.store.differences import Differences
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace

CHANGES = dg.AssetKey("changes")
GUARD = dg.AssetCheckKey(CHANGES, "guard")


def changes(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset on which the guard sits."""

    @dg.asset(key=CHANGES, partitions_def=partitions, group_name="gate", output_required=False)
    def changes(
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        snapshots: dg.ResourceParam[Snapshots],
        candidate_roster: CandidateRoster,
    ) -> Iterator[dg.MaterializeResult[Changes]]:
        """The candidate compared with the roster that is accepted now.

        Nothing for a date before the accepted one, as an old roster never replaces a newer; and
        nothing in a blackout.
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
            windows = workspace.windows_of(sync_run.source.id, *sync_run.days)
            _require_same_base(candidate_roster, base, sync_run)
            made = _compared(candidate_roster, base, sync_run, workspace, snapshots)
            if (blackout := of_kind(windows, "blackout")) is not None:
                _, verdict = verdict_on(made, sync_run, workspace, snapshots)
                said = [f"It would be held: {reason.sentence}" for reason in verdict.reasons]
                sync_run.ends(Outcome.NOTHING_NEW, blackout_sentence(blackout), *said)
                return
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
        differences: dg.ResourceParam[Differences],
        changes: Changes,
    ) -> dg.AssetCheckResult:
        with step(sync_run, "Asking the guards"):
            facts, verdict = verdict_on(changes, sync_run, workspace, snapshots)
            if _is_accepted(changes, sync_run):
                return _passes(verdict, None)
            hold = put_before_a_person(
                changes.candidate, changes.base, facts, verdict, sync_run, snapshots, differences
            )
            if hold is None or hold.status in (HoldStatus.APPROVED, HoldStatus.ACCEPTED):
                return _passes(verdict, hold)
            return _is_held(verdict, hold, changes, sync_run, workspace)

    return guard


def _compared(
    read: CandidateRoster,
    base: Snapshot | None,
    run: SyncRun,
    workspace: Workspace,
    snapshots: Snapshots,
) -> Changes:
    """What accepting a candidate would change, its removals withheld where they wait."""
    source = run.source
    delta = diff(snapshots.open(base) if base else None, snapshots.open(read.snapshot))
    settings = workspace.guards_for(source.id, *run.days)
    windows = workspace.windows_of(source.id, *run.days)
    facts = _facts(read, delta, windows, run)
    whole = Changes(read.snapshot, base, delta.counts(), facts, package=read.package)
    if base is None or not removals_may_wait(settings, windows):
        return whole
    facts = expected(facts, read.snapshot, run, snapshots)
    verdict, moved = judge(facts, settings), rewritten(facts, delta)
    if not removals_wait(facts, verdict, settings, windows, moved):
        return whole
    rest, counts = put_rest(delta, base, snapshots)
    withheld = Withheld(read.snapshot, facts, facts.closed_until, verdict.reasons, run.id)
    return Changes(rest, base, counts, without_losses(facts), withheld, read.package)


def _facts(read: CandidateRoster, delta: Delta, windows: Sequence[Window], run: SyncRun) -> Facts:
    """What the guards want to know of a candidate, but for what the source's file expects."""
    given = Facts(
        counts=delta.new.counts,
        base=None if delta.old is None else delta.old.counts,
        held=read.held,
        orphaned=read.orphaned,
        read=read.rows,
        header_only=read.emptied,
        again=came_before(delta, read.snapshot, read.package, run.ledger),
    )
    known = with_history(given, run.ledger, run.source.id, run.date, windows)
    left_out = outside(delta.old, run.source.scope) if delta.old is not None else {}
    return gather(known, delta, run.date, left_out)


def _is_accepted(changes: Changes, run: SyncRun) -> bool:
    """Whether all but removals that wait is accepted already: what is held then is these."""
    now = run.ledger.accepted(run.source.id)
    return (
        changes.withheld is not None
        and now is not None
        and now.snapshot.content_hash == changes.candidate.content_hash
    )


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
        "hold": hold.name or "none",
        "changes": changes_sentence(changes.counts, changes.left_out),
        # The UI has a link in the place of Markdown and orders these by name.
        **{f"reason {number:02}": reason for number, reason in enumerate(reasons, start=1)},
    }
    if hold.status is HoldStatus.REJECTED:
        head = f"This roster was rejected as hold {hold.name} by {hold.decided_by}: {hold.why}"
    elif not hold.name:
        head = "Held: a person would have to approve this."
    else:
        head = f"Held as {hold.name}."
        metadata["to settle it"] = settle(hold.name, f"roster -w {quote(str(workspace.folder))}")
    run.ends(
        Outcome.HELD,
        head,
        *reasons,
        hold=hold.name or None,
        changes=changes.counts,
        counts=changes.candidate.counts,
    )
    said = [head, *reasons[:1]]
    if len(reasons) > 1:
        said.append(f"… and {len(reasons) - 1} more, listed in the metadata.")
    # The UI shows line ends as blanks.
    return dg.AssetCheckResult(passed=False, description="\n• ".join(said), metadata=metadata)
