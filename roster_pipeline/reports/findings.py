"""Findings grouped by code: for a terminal, for a program, for the Dagster UI.

Nothing here shows a cell: a finding has a code, a place and a sentence.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.reports.tables import markdown_table

EFFECTS: Final = {
    Severity.STOP: "stops the package",
    Severity.HOLD: "holds rows back",
    Severity.DROP: "blanks cells",
    Severity.WARN: "changes nothing",
}
"""What each severity does to the data, in words."""

_STYLES: Final = {
    Severity.STOP: "bold red",
    Severity.HOLD: "bold yellow",
    Severity.DROP: "bold magenta",
    Severity.WARN: "bold cyan",
}
# The Dagster UI shows Markdown inline under 1,000 characters.
_INLINE: Final = 1000
_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Spot:
    """One sentence about one column of one file, and the lines that it is true of."""

    file: str
    column: str | None
    message: str
    fix: str
    count: int
    lines: tuple[int, ...]
    """The first lines, ascending; empty where the file itself is meant."""

    def places(self) -> list[str]:
        """`file:line:column` for each of the lines, `file:column` or `file` without any."""
        tail = [self.column] if self.column else []
        return [
            ":".join([self.file, *([str(line)] if line else []), *tail])
            for line in (self.lines or (0,))
        ]


@dataclass(frozen=True)
class CodeSummary:
    """All findings of one code and severity."""

    code: str
    severity: Severity
    count: int
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
            tuple(_spot(place, groups, lines) for place, groups in places.items()),
        )
        for (severity, code), places in spots.items()
    ]
    return sorted(summaries, key=lambda s: (_RANK[s.severity], -s.count, s.code))


def _spot(place: tuple[str, str | None, str, str], groups: list[FindingGroup], keep: int) -> Spot:
    file, column, message, fix = place
    # Blocks arrive in file order, so the first lines of each group hold the first of all.
    first = sorted(line for group in groups for line in group.lines[:keep].tolist())[:keep]
    return Spot(file, column, message, fix, sum(group.count for group in groups), tuple(first))


def findings_of(frame: pd.DataFrame) -> Findings:
    """The findings that `Findings.frame` made a frame of, as the store keeps it."""
    columns = ["code", "severity", "message", "file", "column", "fix"]
    return Findings(
        FindingGroup(
            code=str(first["code"]),
            severity=Severity(first["severity"]),
            message=str(first["message"]),
            file=str(first["file"]),
            column=None if pd.isna(first["column"]) else str(first["column"]),
            fix=str(first["fix"]),
            lines=rows["line"].dropna().to_numpy(dtype=np.int64),
        )
        for _, rows in frame.groupby(columns, sort=False, dropna=False)
        for first in rows.head(1).to_dict("records")
    )


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
                "places": [
                    {
                        "file": spot.file,
                        "column": spot.column,
                        "message": spot.message,
                        "fix": spot.fix,
                        "count": spot.count,
                        "lines": list(spot.lines),
                    }
                    for spot in summary.spots
                ],
            }
            for summary in summaries
        ],
    }


def findings_text(findings: Findings, *, lines: int = 3) -> RenderableType:
    """Findings for a terminal: each code with its count, first places and how to mend it."""
    if not findings:
        return Text("Nothing to report.", style="green")
    parts: list[RenderableType] = []
    for summary in summarise(findings, lines=lines):
        head = Text()
        head.append(summary.code, style=_STYLES[summary.severity])
        head.append(f"  {summary.count:,} × {EFFECTS[summary.severity]}")
        parts.append(head)
        parts += [_spot_text(spot) for spot in summary.spots]
        parts.append(Text())
    return Group(*parts[:-1])


def _spot_text(spot: Spot) -> Text:
    text = Text(f"  {spot.message}")
    text.append("\n    " + ", ".join(spot.places()), style="dim")
    more = spot.count - max(1, len(spot.lines))
    if more > 0:
        text.append(f" and {more:,} more", style="dim")
    if spot.fix:
        text.append("\n    To mend it: ", style="green")
        text.append(spot.fix)
    return text


def findings_sentence(findings: Findings) -> str:
    """One line: how many findings have which effect."""
    if not findings:
        return "No findings."
    counts = findings_document(findings, lines=1)["by_severity"]
    said = [
        f"{counts[severity]:,} × {effect}"
        for severity, effect in EFFECTS.items()
        if counts[severity]
    ]
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
    rows = [(s.code, str(s.severity), s.count) for s in summarise(findings, lines=1)]
    for shown in range(len(rows), 0, -1):
        table = markdown_table(("finding", "severity", "count"), rows[:shown])
        if rest := rows[shown:]:
            table += f"\n\n… and {len(rest)} more codes with {sum(r[2] for r in rest):,} findings."
        if len(table) < _INLINE:
            return table
    return findings_sentence(findings)
