"""The roster that a package gives: read, checked, repaired from the last good rows."""

from collections.abc import Iterator
from typing import BinaryIO

import dagster as dg

from roster_pipeline.assets.handles import CandidateRoster
from roster_pipeline.assets.steps import step
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.rules import Policy
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.reports.bars import bar_svg
from roster_pipeline.reports.changes import counts_markdown
from roster_pipeline.reports.findings import findings_markdown, findings_sentence
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.sources.scope import apply_scope
from roster_pipeline.store import Landed, Outcome, Snapshot
from roster_pipeline.store.landing import Landing
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace

CANDIDATE = dg.AssetKey("candidate_roster")
FINDINGS = dg.AssetKey("findings")
_SAID = 5
"""How many of the findings that stop a package are said in full."""


class Reading(dg.Config):
    """How a package is read."""

    strict: bool = False
    """Stop on what the workspace tolerates, too."""


Event = dg.MaterializeResult[CandidateRoster] | dg.AssetCheckResult


def entity_key(entity: str) -> dg.AssetKey:
    """The asset that stands for one entity of the candidate."""
    return dg.AssetKey(["candidate", entity])


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
        check_specs=_check_specs(partitions),
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
                made, kept = _read(file, sync_run, base, snapshots, policy)
            named = kept.content_hash if kept else landed_package.stored_hash
            snapshots.put_findings(source.id, named, made.findings.frame())
            yield from _findings(made.findings)
            yield from _entity_checks(made)
            if kept is None:
                yield _stopped(made.findings, sync_run)
                return
            yield from _entities(made, kept, base)
            yield _whole(made, kept, base)

    return candidate_roster


def _read(
    file: BinaryIO, run: SyncRun, base: Snapshot | None, snapshots: Snapshots, policy: Policy
) -> tuple[Candidate, Snapshot | None]:
    """What a package gives within the source's scope, kept in the store unless it is stopped."""
    source = run.source
    staged = [snapshots.stage(source.id) for _ in range(2)]
    try:
        with open_package(file) as package:
            made = build_candidate(
                package,
                snapshots.open(base) if base else None,
                staged[0],
                policy=policy,
                role_map=source.role_map,
                today=run.date,
            )
        if made.roster is None:
            return made, None
        scoped = apply_scope(made.roster, source.scope, staged[1])
        return made, snapshots.put(source.id, scoped.roster)
    finally:
        for folder in staged:
            snapshots.discard(folder)


def _check_specs(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetCheckSpec]:
    rows = [
        dg.AssetCheckSpec(
            "rows",
            asset=entity_key(entity),
            description="No row is held back.",
            partitions_def=partitions,
        )
        for entity in ENTITIES
    ]
    quality = dg.AssetCheckSpec(
        "quality",
        asset=CANDIDATE,
        description="The package can be used.",
        blocking=True,
        partitions_def=partitions,
    )
    return [*rows, quality]


def _findings(findings: Findings) -> Iterator[Event]:
    yield dg.MaterializeResult(
        asset_key=FINDINGS,
        metadata={
            "findings": len(findings),
            "by code": dg.MetadataValue.md(findings_markdown(findings)),
        },
    )


def _entity_checks(made: Candidate) -> Iterator[Event]:
    for entity in ENTITIES:
        held = made.held.get(entity, 0)
        yield dg.AssetCheckResult(
            asset_key=entity_key(entity),
            check_name="rows",
            passed=held == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "rows read": made.rows.get(entity, 0),
                "held back": held,
                "last good rows standing in": made.standing_in.get(entity, 0),
            },
        )


def _stopped(findings: Findings, run: SyncRun) -> dg.AssetCheckResult:
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
        metadata={"by code": dg.MetadataValue.md(findings_markdown(findings))},
    )


def _entities(made: Candidate, kept: Snapshot, base: Snapshot | None) -> Iterator[Event]:
    for entity in ENTITIES:
        rows, before = kept.counts[entity], base.counts.get(entity, 0) if base else 0
        yield dg.MaterializeResult(
            asset_key=entity_key(entity),
            metadata={
                "dagster/row_count": rows,
                "accepted before": before,
                "held back": made.held.get(entity, 0),
                "kept from the accepted roster": entity in made.kept,
                "bar": dg.MetadataValue.md(bar_svg({"before": before, "now": rows}, title=entity)),
            },
        )


def _whole(made: Candidate, kept: Snapshot, base: Snapshot | None) -> Event:
    return dg.MaterializeResult(
        asset_key=CANDIDATE,
        value=CandidateRoster(
            kept,
            base.content_hash if base else None,
            dict(made.rows),
            dict(made.held),
            dict(made.orphaned),
            made.header_only,
            made.findings.counts(),
        ),
        metadata={
            "rows": dg.MetadataValue.md(counts_markdown(kept.counts)),
            "findings": findings_sentence(made.findings),
            "content hash": kept.content_hash,
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=CANDIDATE,
                check_name="quality",
                passed=True,
                metadata={
                    "findings": len(made.findings),
                    "rows held back": sum(made.held.values()),
                },
            )
        ],
    )
