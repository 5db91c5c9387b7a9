"""The roster that a package gives: read, checked, repaired from the last good rows."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import dagster as dg
import pandas as pd

from roster_pipeline.assets.checks import (
    CANDIDATE,
    FINDINGS,
    check_results,
    check_specs,
    entity_key,
    held_result,
)
from roster_pipeline.assets.handles import CandidateRoster
from roster_pipeline.assets.steps import step
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import Policy
from roster_pipeline.oneroster.scoping.scope import apply_scope
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import counts_markdown
from roster_pipeline.reports.findings import findings_markdown, findings_sentence
from roster_pipeline.reports.layers import scores
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.sources.opening import open_source
from roster_pipeline.sources.repairs import repaired_cells
from roster_pipeline.store import Landed, Outcome, Snapshot
from roster_pipeline.store.held import HeldRows, aged
from roster_pipeline.store.landing import Landing
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace

_SAID = 5
"""How many of the findings that stop a package are said in full."""


class Reading(dg.Config):
    """How a package is read."""

    strict: bool = False
    """Stop on what the workspace tolerates, too."""


Event = dg.MaterializeResult[CandidateRoster] | dg.AssetCheckResult


def candidate_roster(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """One step that makes the nine entities, the findings, and a handle on the whole."""
    entities = [
        dg.AssetSpec(
            entity_key(entity),
            deps=["landed_package"],
            description=f"{entity} as read: valid rows, and last good rows for held ones.",
            group_name="candidate",
            kinds={"parquet"},
            skippable=True,
        )
        for entity in ENTITIES
    ]
    findings = dg.AssetSpec(
        FINDINGS,
        deps=["landed_package"],
        description="What is wrong with the package: codes and places, never cells.",
        group_name="candidate",
        skippable=True,
    )
    whole = dg.AssetSpec(
        CANDIDATE,
        deps=[spec.key for spec in entities],
        description="A handle on the nine entities as one roster, not accepted yet.",
        group_name="candidate",
        skippable=True,
    ).with_io_manager_key("io_manager")

    @dg.multi_asset(
        name="candidate_roster",
        specs=[*entities, findings, whole],
        check_specs=[_quality(partitions), *check_specs(partitions)],
        partitions_def=partitions,
    )
    def candidate_roster(
        config: Reading,
        landed_package: Landed,
        sync_run: dg.ResourceParam[SyncRun],
        workspace: dg.ResourceParam[Workspace],
        landing: dg.ResourceParam[Landing],
        snapshots: dg.ResourceParam[Snapshots],
    ) -> Iterator[Event]:
        with step(sync_run, "Reading and checking"):
            source = sync_run.source
            accepted = sync_run.ledger.accepted(source.id)
            base = accepted.snapshot if accepted else None
            policy = workspace.policy_for(source.id, strict=config.strict)
            with landing.open(landed_package) as file:
                made, kept, left_out = _read(file, sync_run, base, snapshots, policy)
            named = kept.content_hash if kept else landed_package.stored_hash
            found = made.findings.frame()
            snapshots.put_findings(source.id, named, found)
            yield _findings(made.findings)
            yield from check_results(made, workspace.guards_for(source.id, *sync_run.days))
            if kept is None:
                yield _stopped(made, sync_run)
                return
            held = _held(found, made, sync_run, snapshots)
            yield held_result(held, workspace.escalate_after(source.id))
            yield from _entities(made, kept, base, left_out)
            yield _whole(made, kept, base, held, landed_package)

    return candidate_roster


def _read(
    file: BinaryIO, run: SyncRun, base: Snapshot | None, snapshots: Snapshots, policy: Policy
) -> tuple[Candidate, Snapshot | None, Mapping[str, int]]:
    """What a package gives within the source's scope, kept in the store unless it is stopped; and
    by entity how many rows the scope leaves out."""
    source = run.source
    staged = [snapshots.stage(source.id) for _ in range(2)]
    try:
        with open_source(file, source) as package:
            made = build_candidate(
                package,
                snapshots.open(base) if base else Roster.empty(),
                staged[0],
                policy=policy,
                role_map=source.role_map,
                today=run.date,
                believe_empty=source.believed_empty,
            )
            if mended := repaired_cells(package):
                run.note(repaired=mended)
        if made.roster is None:
            return made, None, {}
        scoped = apply_scope(made.roster, source.scope, staged[1])
        if scoped.left_out:
            run.note(left_out=dict(scoped.left_out))
        if scoped.remark is not None:
            run.remark(f"{source.id}: {scoped.remark}")
        return made, snapshots.put(source.id, scoped.roster), scoped.left_out
    finally:
        for folder in staged:
            snapshots.discard(folder)


def _held(findings: pd.DataFrame, made: Candidate, run: SyncRun, snapshots: Snapshots) -> HeldRows:
    """The rows held back, with the ages that they have by now, kept for the days to come."""
    last = snapshots.held(run.source.id, before=run.date)
    before = None if last is None else last[1]
    held = aged(findings, before, run.date, not_sent=made.kept)
    snapshots.put_held(run.source.id, run.date, held)
    return HeldRows.of(run.date, held)


def _quality(partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        "quality",
        asset=CANDIDATE,
        description="The package can be used.",
        blocking=True,
        partitions_def=partitions,
    )


def _findings(findings: Findings) -> Event:
    return dg.MaterializeResult(
        asset_key=FINDINGS,
        metadata={
            "findings": len(findings),
            "by code": dg.MetadataValue.md(findings_markdown(findings)),
        },
    )


def _score(made: Candidate, entity: str | None = None) -> dict[str, dg.MetadataValue]:
    """Plotted by the UI over the dates, as every number is."""
    score = scores(made.findings, made.rows).get(entity)
    return {} if score is None else {"quality score": dg.MetadataValue.float(score)}


def _stopped(made: Candidate, run: SyncRun) -> dg.AssetCheckResult:
    findings = made.findings
    grave = findings.of(Severity.STOP) or findings
    said = [str(finding) for finding, _ in zip(grave, range(_SAID), strict=False)]
    if len(grave) > _SAID:
        said.append(f"… and {len(grave) - _SAID:,} more.")
    run.ends(Outcome.STOPPED, *said, findings=findings.counts())
    return dg.AssetCheckResult(
        asset_key=CANDIDATE,
        check_name="quality",
        passed=False,
        description="\n".join(said),
        metadata={"by code": dg.MetadataValue.md(findings_markdown(findings)), **_score(made)},
    )


def _entities(
    made: Candidate, kept: Snapshot, base: Snapshot | None, left_out: Mapping[str, int]
) -> Iterator[Event]:
    for entity in ENTITIES:
        rows, before = kept.counts[entity], base.counts.get(entity, 0) if base else 0
        yield dg.MaterializeResult(
            asset_key=entity_key(entity),
            metadata={
                "dagster/row_count": rows,
                "accepted before": before,
                "held back": made.held.get(entity, 0),
                **({"left out by scope": left_out[entity]} if left_out else {}),
                "kept from the accepted roster": entity in made.kept,
                "bar": dg.MetadataValue.md(bar_svg({"before": before, "now": rows}, title=entity)),
                **_score(made, entity),
            },
        )


def _whole(
    made: Candidate, kept: Snapshot, base: Snapshot | None, held: HeldRows, package: Landed
) -> Event:
    return dg.MaterializeResult(
        asset_key=CANDIDATE,
        value=CandidateRoster(
            kept,
            base.content_hash if base else None,
            dict(made.rows),
            dict(made.held),
            dict(made.orphaned),
            tuple(entity for entity in made.header_only if entity not in made.emptied),
            made.emptied,
            made.findings.counts(),
            held,
            package,
        ),
        metadata={
            "rows": dg.MetadataValue.md(counts_markdown(kept.counts)),
            "findings": findings_sentence(made.findings),
            "content hash": kept.content_hash,
            **_score(made),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=CANDIDATE,
                check_name="quality",
                passed=True,
                metadata={
                    "findings": len(made.findings),
                    "rows held back": sum(made.held.values()),
                    **_score(made),
                },
            )
        ],
    )
