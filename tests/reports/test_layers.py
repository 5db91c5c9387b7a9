"""Findings by entity and layer, and the quality score."""

import numpy as np

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.rules import Layer
from roster_pipeline.reports.layers import layers_of, scores, tallied

ROWS = {"users": 1000, "enrollments": 3000, "orgs": 0}


def group(
    code: str, entity: str | None, *lines: int, severity: Severity = Severity.HOLD
) -> FindingGroup:
    return FindingGroup(code, severity, "…", "x.csv", lines=np.array(lines), entity=entity)


def test_every_entity_has_cells_keys_and_references_to_check() -> None:
    for entity in ENTITIES:
        assert {Layer.CELL, Layer.KEY, Layer.REFERENCE} <= set(layers_of(entity)), entity
        assert Layer.PACKAGE not in layers_of(entity)


def test_each_finding_is_counted_in_one_place() -> None:
    findings = Findings(
        [
            group("cell.required", "users", 2, 3),
            group("cell.date", "users", 3),
            group("reference.unknown", "enrollments", 9),
            group("package.header_only", "orgs"),
            group("file.of_nobody", None),
        ]
    )
    by_place, others = tallied(findings, ROWS)
    cells = by_place["users", Layer.CELL]
    assert (len(cells.findings), cells.at_fault, cells.percent) == (3, 2, 0.2)
    assert cells.sentence() == "3 findings on 2 of 1,000 rows (0.2 %)."
    assert by_place["enrollments", Layer.REFERENCE].findings.counts() == {"reference.unknown": 1}
    assert others.counts() == {"file.of_nobody": 1, "package.header_only": 1}
    assert sum(len(tally.findings) for tally in by_place.values()) + len(others) == len(findings)


def test_a_layer_without_findings_has_nothing_to_say() -> None:
    by_place, _ = tallied(Findings(), ROWS)
    tally = by_place["users", Layer.CELL]
    assert (tally.sentence(), tally.percent, tally.is_error) == ("", 0.0, False)


def test_a_warning_is_no_error_and_a_blanked_cell_is() -> None:
    for severity, error in ((Severity.WARN, False), (Severity.DROP, True), (Severity.STOP, True)):
        found = Findings([group("cell.date", "users", 2, severity=severity)])
        assert tallied(found, ROWS)[0]["users", Layer.CELL].is_error is error


def test_the_score_is_the_share_of_rows_without_an_error() -> None:
    findings = Findings(
        [
            group("cell.required", "users", *range(2, 102)),
            group("cell.date", "users", *range(2, 52), severity=Severity.DROP),
            group("reference.kind", "enrollments", *range(2, 500), severity=Severity.WARN),
            group("package.absent_file", "users", severity=Severity.STOP),
        ]
    )
    assert scores(findings, ROWS) == {"users": 90.0, "enrollments": 100.0, None: 97.5}
    assert scores(Findings(), {}) == {}


def test_one_bad_row_in_a_million_is_not_a_hundred() -> None:
    findings = Findings([group("cell.required", "users", 2)])
    assert scores(findings, {"users": 1_000_000})["users"] == 99.99
