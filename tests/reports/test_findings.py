"""Findings as people and programs get to see them."""

import json

import numpy as np
import pytest
from rich.console import Console, RenderableType

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.findings import (
    EFFECTS,
    findings_document,
    findings_markdown,
    findings_of,
    findings_sentence,
    findings_text,
    summarise,
)
from roster_pipeline.reports.packages import Checked, check_document, verdict


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


def shown(text: RenderableType) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as capture:
        console.print(text)
    return capture.get()


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


def test_a_terminal_shows_first_places_how_many_more_and_how_to_mend(findings: Findings) -> None:
    text = shown(findings_text(findings))
    assert "cell.required  1,207 × holds rows back" in text
    assert "users.csv:2:givenName, users.csv:40:givenName, users.csv:100:givenName" in text
    assert "and 1,203 more" in text
    assert "users.csv:7:familyName" in text
    assert "To mend it: fill it in" in text
    assert "roles.csv" in [line.strip() for line in text.splitlines()]


def test_brackets_in_a_message_are_text_and_no_markup() -> None:
    odd = Findings([group("x", Severity.WARN, [1], message="not one of [bold]true[/bold]")])
    assert "not one of [bold]true[/bold]" in shown(findings_text(odd))


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


def test_no_findings_is_said_in_words() -> None:
    assert findings_sentence(Findings()) == "No findings."
    assert findings_markdown(Findings()) == "No findings."
    assert "Nothing to report" in shown(findings_text(Findings()))


@pytest.mark.parametrize(
    ("severity", "outcome", "words"),
    [
        (Severity.STOP, "errors", "would stop"),
        (Severity.HOLD, "errors", "would go on without"),
        (Severity.DROP, "errors", "would go on without"),
        (Severity.WARN, "warnings", "would take all"),
    ],
)
def test_the_verdict_says_what_a_sync_would_do(
    severity: Severity, outcome: str, words: str
) -> None:
    usable = severity is not Severity.STOP
    checked = Checked("a.zip", "1.2", usable, Findings([group("x", severity, [1])]))
    assert check_document(checked)["outcome"] == outcome
    assert words in verdict(checked).plain


def test_a_strict_check_takes_nothing_that_has_findings() -> None:
    checked = Checked("a.zip", "1.2", False, Findings([group("x", Severity.WARN, [1])]))
    assert checked.outcome == "errors"
    assert "would stop" in verdict(checked).plain


def test_findings_come_back_from_the_frame_that_the_store_keeps(findings: Findings) -> None:
    again = findings_of(findings.frame())
    assert findings_document(again) == findings_document(findings)
