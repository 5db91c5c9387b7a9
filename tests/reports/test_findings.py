"""Findings as people and programs get to see them."""

import json

import numpy as np
import pyarrow as pa
import pytest

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.effects import EFFECTS
from roster_pipeline.reports.findings import (
    findings_document,
    findings_markdown,
    findings_of,
    findings_sentence,
    summarise,
)


def group(
    code: str,
    severity: Severity,
    lines: list[int],
    column: str | None = None,
    message: str = "a cell that must be filled is empty",
) -> FindingGroup:
    return FindingGroup(
        code, severity, message, "users.csv", column, "fill it in", np.array(lines, dtype=np.int64)
    )


@pytest.fixture
def findings() -> Findings:
    return Findings(
        [
            group("cell.padded", Severity.WARN, [3]),
            group("cell.required", Severity.HOLD, [40, 2], "givenName"),
            group("cell.required", Severity.HOLD, list(range(100, 1304)), "givenName"),
            group("cell.required", Severity.HOLD, [7], "familyName"),
            FindingGroup("file.gone", Severity.STOP, "the file is missing", "roles.csv"),
        ]
    )


def test_the_gravest_code_comes_first_and_blocks_of_one_file_are_added_up(
    findings: Findings,
) -> None:
    assert [(s.code, s.severity, s.count) for s in summarise(findings)] == [
        ("file.gone", Severity.STOP, 1),
        ("cell.required", Severity.HOLD, 1207),
        ("cell.padded", Severity.WARN, 1),
    ]


def test_the_document_counts_each_severity_and_survives_json(findings: Findings) -> None:
    document = json.loads(json.dumps(findings_document(findings)))
    assert document["total"] == 1209
    assert document["by_severity"] == {"stop": 1, "hold": 1207, "drop": 0, "warn": 1}
    required = document["codes"][1]
    assert required["places"][0]["lines"][:3] == [2, 40, 100]
    assert len(required["places"][0]["lines"]) == 20
    assert document["codes"][0]["places"][0]["lines"] == []


def test_many_codes_still_fit_the_inline_view_and_none_goes_uncounted() -> None:
    many = Findings(group(f"cell.rule_number_{n:03}", Severity.WARN, [1, 2]) for n in range(200))
    markdown = findings_markdown(many)
    assert len(markdown) < 1000
    shown_codes = markdown.count("cell.rule_number_")
    assert f"and {200 - shown_codes} more codes with {2 * (200 - shown_codes)} findings" in markdown


def test_the_sentence_counts_by_the_words_of_the_headings(findings: Findings) -> None:
    said = findings_sentence(findings)
    assert said.startswith(f"{len(findings):,} findings: ")
    for severity, effect in EFFECTS.items():
        count = findings_document(findings)["by_severity"][str(severity)]
        assert (f"{count:,} × {effect}" in said) == bool(count)


def test_rows_that_go_with_others_are_not_said_to_change_nothing(findings: Findings) -> None:
    gone = group("reference.removed", Severity.WARN, [5, 6])
    said = findings_sentence(Findings([*findings.groups, gone]))
    assert said.endswith("2 × removes rows that refer to rows gone, 1 × changes nothing.")


def test_no_findings_is_said_in_words() -> None:
    assert findings_sentence(Findings()) == "No findings."
    assert findings_markdown(Findings()) == "No findings."


def test_findings_come_back_from_the_frame_that_the_store_keeps(findings: Findings) -> None:
    again = findings_of(findings.frame())
    assert findings_document(again) == findings_document(findings)


def test_rows_and_causes_come_back_from_that_frame() -> None:
    some = FindingGroup(
        "reference.waiting",
        Severity.HOLD,
        "waits",
        "classes.csv",
        "schoolSourcedId",
        "",
        np.array([2, 3, 4], dtype=np.int64),
        "classes",
        pa.array(["c1", "c2", None], pa.large_string()),
        pa.array(["orgs/s1", None, "orgs/s1"], pa.large_string()),
    )
    again = findings_of(Findings([some]).frame())
    assert list(again) == list(Findings([some]))


def test_a_frame_of_before_causes_were_kept_can_still_be_read(findings: Findings) -> None:
    old = findings.frame().drop(columns=["entity", "sourcedId", "cause"])
    again = findings_of(old)
    assert findings_document(again) == findings_document(findings)
    assert all(finding.cause is None and finding.entity is None for finding in again)


def test_markdown_says_how_many_findings_only_follow() -> None:
    causes = pa.array(["orgs/s1", None], pa.large_string())
    some = group("reference.waiting", Severity.HOLD, [2, 3])
    waiting = FindingGroup(
        some.code, some.severity, some.message, some.file, lines=some.lines, causes=causes
    )
    markdown = findings_markdown(Findings([waiting, group("x", Severity.WARN, [1])]))
    assert markdown.splitlines()[0] == "|finding|severity|count|of these follow from others|"
    assert "|reference.waiting|hold|2|1|" in markdown
    assert "|x|warn|1||" in markdown
