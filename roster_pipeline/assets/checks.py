"""The checks of a judged package: one for each layer of each entity, the package, held rows.

None of them blocks: what must stop a run is `quality`, and what must wait for a person the guard.
"""

from collections.abc import Iterator

import dagster as dg

from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.quality.candidate import Candidate
from roster_pipeline.reports.holds import held_sentence
from roster_pipeline.reports.layers import NAMES, Tally, layers_of, tallied
from roster_pipeline.store.held import HeldRows

CANDIDATE = dg.AssetKey("candidate_roster")
FINDINGS = dg.AssetKey("findings")
PACKAGE = dg.AssetCheckKey(FINDINGS, "package")
HELD_ROWS = dg.AssetCheckKey(CANDIDATE, "held_rows")

_SEVERITIES = {True: dg.AssetCheckSeverity.ERROR, False: dg.AssetCheckSeverity.WARN}


def entity_key(entity: str) -> dg.AssetKey:
    """The asset that stands for one entity of the candidate."""
    return dg.AssetKey(["candidate", entity])


def check_specs(partitions: dg.PartitionsDefinition[str]) -> Iterator[dg.AssetCheckSpec]:
    """What each of them is about."""
    described = {
        dg.AssetCheckKey(entity_key(entity), NAMES[layer]): f"Nothing is wrong with {what}."
        for entity in ENTITIES
        for layer in layers_of(entity)
        for what in [f"the {NAMES[layer]} of {entity}"]
    }
    described[PACKAGE] = "Nothing is wrong with the archive, its manifest, headers and files."
    described[HELD_ROWS] = "No row is held back, or none for longer than the setting allows."
    for key, what in described.items():
        yield dg.AssetCheckSpec(
            key.name, asset=key.asset_key, description=what, partitions_def=partitions
        )


def check_results(made: Candidate, guards: GuardSettings) -> Iterator[dg.AssetCheckResult]:
    """What came of them, but for held rows. Of a package that could not be opened as one nothing
    is said of its rows."""
    by_place, others = tallied(made.findings, made.rows)
    yield _package(others)
    if not made.rows and made.roster is None:
        return
    for (entity, layer), tally in by_place.items():
        yield _result(dg.AssetCheckKey(entity_key(entity), NAMES[layer]), tally, made, guards)


def held_result(held: HeldRows, escalate_after: int) -> dg.AssetCheckResult:
    """How old held rows are. Young ones warn, old ones are an error."""
    return dg.AssetCheckResult(
        asset_key=CANDIDATE,
        check_name=HELD_ROWS.name,
        passed=held.rows == 0,
        severity=_SEVERITIES[held.days > escalate_after],
        description=held_sentence(held),
        metadata={"rows": held.rows, "days": held.days, "escalates after days": escalate_after},
    )


def _package(others: Findings) -> dg.AssetCheckResult:
    tally = Tally(others)
    return dg.AssetCheckResult(
        asset_key=FINDINGS,
        check_name=PACKAGE.name,
        passed=not others,
        severity=_SEVERITIES[tally.is_error],
        description="\n".join(_said(others)) or None,
        metadata={"findings": len(others), **_codes(tally)},
    )


def _said(findings: Findings, *, most: int = 5) -> Iterator[str]:
    """The first findings in full."""
    for number, finding in enumerate(findings):
        if number == most:
            yield f"… and {len(findings) - most:,} more."
            return
        yield str(finding)


def _result(
    key: dg.AssetCheckKey, tally: Tally, made: Candidate, guards: GuardSettings
) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue | int | float | str] = {
        "findings": len(tally.findings),
        "% of rows": tally.percent,
        **_codes(tally),
    }
    if tally.findings.of(Severity.HOLD):
        entity = key.asset_key.path[-1]
        metadata["rows of the entity held back"] = made.held.get(entity, 0)
        metadata["limit on these"] = guards.of(entity).held_back.sentence(tally.rows)
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not tally.findings,
        severity=_SEVERITIES[tally.is_error],
        description=tally.sentence() or None,
        metadata=metadata,
    )


def _codes(tally: Tally) -> dict[str, dg.MetadataValue]:
    return {"top codes": dg.MetadataValue.md(tally.markdown())} if tally.findings else {}
