"""Findings grouped by code: for a program, for the Dagster UI, in one sentence.

Nothing here shows a cell: a finding has a code, a place and a sentence.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity, Texts
from roster_pipeline.reports.causes import RANK, Spot, spot_of
from roster_pipeline.reports.effects import OTHER_EFFECTS, effect
from roster_pipeline.reports.tables import markdown_table
from roster_pipeline.tables.text import TEXT, arrow

STYLES: Final = {
    Severity.STOP: "bold red",
    Severity.HOLD: "bold yellow",
    Severity.DROP: "bold magenta",
    Severity.WARN: "bold cyan",
}
# The Dagster UI shows Markdown inline under 1,000 characters.
_INLINE: Final = 1000


@dataclass(frozen=True)
class CodeSummary:
    """All findings of one code and severity."""

    code: str
    severity: Severity
    count: int
    following: int
    """How many of them only follow from another row."""
    spots: tuple[Spot, ...]


def summarise(findings: Findings, *, lines: int = 20) -> list[CodeSummary]:
    """Findings by severity (worst first), then by how many, then by code.

    `lines` is how many line numbers each spot keeps.
    """
    spots: dict[tuple[Severity, str], dict[tuple[str, str | None, str, str], list[FindingGroup]]]
    spots = defaultdict(lambda: defaultdict(list))
    for group in findings.groups:
        place = (group.file, group.column, group.message, group.fix)
        spots[group.severity, group.code][place].append(group)
    summaries = [
        CodeSummary(
            code,
            severity,
            sum(group.count for groups in places.values() for group in groups),
            sum(_following(group) for groups in places.values() for group in groups),
            tuple(
                spot_of([(group, None, None) for group in groups], lines)
                for groups in places.values()
            ),
        )
        for (severity, code), places in spots.items()
    ]
    return sorted(summaries, key=lambda s: (RANK[s.severity], -s.count, s.code))


def _following(group: FindingGroup) -> int:
    return 0 if group.causes is None else len(group.lines) - group.causes.null_count


def findings_of(frame: pd.DataFrame) -> Findings:
    """The findings that `Findings.frame` made a frame of, as the store keeps it.

    Frames of before findings named their row and its cause give findings that name neither.
    """
    one = ["code", "severity", "message", "file", "column", "fix", "entity"]
    each = ["sourcedId", "cause"]
    frame = frame.assign(**{name: None for name in (*one, *each) if name not in frame.columns})
    return Findings(_group_of(rows) for _, rows in frame.groupby(one, sort=False, dropna=False))


def _group_of(rows: pd.DataFrame) -> FindingGroup:
    """Findings that differ in nothing but their rows."""
    first = {name: None if pd.isna(cell) else cell for name, cell in rows.iloc[0].items()}
    placed = rows[rows["line"].notna()]
    return FindingGroup(
        code=str(first["code"]),
        severity=Severity(str(first["severity"])),
        message=str(first["message"]),
        file=str(first["file"]),
        column=first["column"],
        fix=str(first["fix"]),
        lines=placed["line"].to_numpy(dtype=np.int64),
        entity=first["entity"],
        sourced_ids=_texts(placed["sourcedId"]),
        causes=_texts(placed["cause"]),
    )


def _texts(cells: "pd.Series[Any]") -> Texts | None:
    return arrow(cells.astype(TEXT)) if cells.notna().any() else None


def findings_document(findings: Findings, *, lines: int = 20) -> dict[str, Any]:
    """Findings as JSON: `total`, `by_severity` and `codes`, as docs/command.md lays them down."""
    summaries = summarise(findings, lines=lines)
    by_severity = {str(severity): 0 for severity in Severity}
    for summary in summaries:
        by_severity[str(summary.severity)] += summary.count
    return {
        "total": len(findings),
        "by_severity": by_severity,
        "codes": [
            {
                "code": summary.code,
                "severity": str(summary.severity),
                "count": summary.count,
                "following": summary.following,
                "places": [
                    {
                        "file": spot.file,
                        "column": spot.column,
                        "message": spot.message,
                        "fix": spot.fix,
                        "count": spot.count,
                        "lines": [place.line for place in spot.places if place.line],
                    }
                    for spot in summary.spots
                ],
            }
            for summary in summaries
        ],
    }


def findings_sentence(findings: Findings) -> str:
    """One line: how many findings have which effect."""
    if not findings:
        return "No findings."
    counts: Counter[tuple[int, bool, str]] = Counter()
    for group in findings.groups:
        usual = (group.code, group.severity) not in OTHER_EFFECTS
        counts[RANK[group.severity], usual, effect(group.code, group.severity)] += group.count
    said = [f"{count:,} × {does}" for (*_, does), count in sorted(counts.items())]
    return (
        f"{len(findings):,} {'finding' if len(findings) == 1 else 'findings'}: {', '.join(said)}."
    )


def findings_markdown(findings: Findings) -> str:
    """Codes and counts as a Markdown table, worst first, short enough to show inline in Dagster.

    Codes that do not fit are counted in a last line; no file's content and no line numbers, as
    Dagster keeps metadata for ever.
    """
    if not findings:
        return "No findings."
    summaries = summarise(findings, lines=1)
    header = ["finding", "severity", "count"]
    if any(summary.following for summary in summaries):
        header.append("of these follow from others")
    rows = [(s.code, str(s.severity), s.count, s.following or "")[: len(header)] for s in summaries]
    for shown in range(len(rows), 0, -1):
        table = markdown_table(header, rows[:shown])
        if rest := summaries[shown:]:
            table += (
                f"\n\n… and {len(rest)} more codes with {sum(s.count for s in rest):,} findings."
            )
        if len(table) < _INLINE:
            return table
    return findings_sentence(findings)
