"""What the guards say of a candidate, and how it is put before a person."""

from dataclasses import replace

from roster_pipeline.assets.handles import Changes, Withheld
from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.filled import filled, latest
from roster_pipeline.guards.judge import Verdict, judge
from roster_pipeline.guards.policy import judge_without_losses, losses_alone
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.reports.difference import difference_bytes, difference_document
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Hold, Snapshot
from roster_pipeline.store.differences import Differences
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace


def verdict_on(
    changes: Changes, run: SyncRun, workspace: Workspace, snapshots: Snapshots
) -> tuple[Facts, Verdict]:
    """The facts by the source's file as it is now, and what the guards say of them."""
    settings = workspace.guards_for(run.source.id, *run.days)
    if changes.withheld is not None:
        facts = expected(changes.withheld.facts, changes.withheld.candidate, run, snapshots)
        return facts, judge_without_losses(facts, settings)
    facts = expected(changes.facts, changes.candidate, run, snapshots)
    return facts, judge(facts, settings)


def expected(facts: Facts, candidate: Snapshot, run: SyncRun, snapshots: Snapshots) -> Facts:
    """The facts with what the source is expected to have, how full its columns are, and how far
    their dates reach."""
    expect = run.source.expect
    facts = replace(facts, expect=dict(expect.rows), expect_people=dict(expect.people))
    if not expect.fill and not expect.last_date:
        return facts
    roster = snapshots.open(candidate)
    reach = latest(roster, expect.last_date)
    return replace(
        facts,
        expect_fill=dict(expect.fill),
        filled=filled(roster, expect.fill),
        expect_last=expect.last_days(run.date),
        last={name: (day - run.date).days for name, day in reach.items()},
    )


def put_before_a_person(
    candidate: Snapshot,
    base: Snapshot | None,
    facts: Facts,
    verdict: Verdict,
    run: SyncRun,
    snapshots: Snapshots,
    differences: Differences,
) -> Hold | None:
    """Keep what accepting a candidate would do, where the guards hold it, and then their verdict.

    Returns the hold to tell people of, as `Ledger.record_verdict` does.
    """
    source, base_hash = run.source.id, base.content_hash if base else None
    if verdict.outcome == "hold" and not differences.has(source, candidate.content_hash, base_hash):
        delta = diff(snapshots.open(base) if base else None, snapshots.open(candidate))
        document = difference_bytes(difference_document(delta, facts, verdict))
        differences.put_difference(source, candidate.content_hash, base_hash, document)
    return run.ledger.record_verdict(
        source,
        candidate,
        base_hash,
        run.date,
        verdict.outcome,
        verdict.to_json(),
        run.now(),
        run.lease,
    )


def withheld_rows(changes: Changes) -> dict[str, int]:
    """By entity how many rows wait for a person before they go, for the ledger: what is removed
    on the days to come is judged in the light of it."""
    if changes.withheld is None or changes.withheld.until is not None:
        return {}
    moves = changes.withheld.facts.shift.entities
    counts = {entity: of.removed + of.descoped for entity, of in moves.items()}
    return {entity: count for entity, count in counts.items() if count}


def put_removals_before_a_person(
    withheld: Withheld,
    rest: Snapshot,
    run: SyncRun,
    snapshots: Snapshots,
    differences: Differences,
) -> Hold | None:
    """Hold what was withheld, compared with the rest of it, which is accepted."""
    facts = replace(losses_alone(withheld.facts), base=rest.counts)
    verdict = Verdict(withheld.reasons)
    return put_before_a_person(
        withheld.candidate, rest, facts, verdict, run, snapshots, differences
    )
