"""What a package is worth: its rows, its findings, and a verdict in one sentence."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.reports.findings import findings_document, findings_sentence, findings_text
from roster_pipeline.reports.tables import text_table


def costs_data(findings: Findings) -> bool:
    """Whether a finding takes a value, a row or the whole package away; warnings do not."""
    return findings.worst() not in (None, Severity.WARN)


def check_document(
    package: str,
    version: str | None,
    rows: Mapping[str, int],
    held: Mapping[str, int],
    findings: Findings,
) -> dict[str, Any]:
    """The check of a package as JSON, as docs/command.md lays it down."""
    outcome = "errors" if costs_data(findings) else "warnings" if findings else "clean"
    return {
        "schema": "roster.check/1",
        "package": package,
        "outcome": outcome,
        "version": version,
        "rows": dict(rows),
        "held": {entity: count for entity, count in held.items() if count},
        "findings": findings_document(findings),
    }


def unreadable_document(package: str, error: str) -> dict[str, Any]:
    """The check of a package that could not be opened."""
    return {
        "schema": "roster.check/1",
        "package": package,
        "outcome": "unreadable",
        "error": error,
    }


def check_text(
    package: str,
    version: str | None,
    rows: Mapping[str, int],
    held: Mapping[str, int],
    findings: Findings,
) -> RenderableType:
    """The check of a package for a terminal: rows, findings by code, a verdict last."""
    parts: list[RenderableType] = [
        Text(f"{package}: {f'OneRoster {version}' if version else 'version unknown'}"),
        Text(),
    ]
    if rows:
        table = [(entity, count, held.get(entity, 0)) for entity, count in rows.items()]
        parts += [text_table(("entity", "good rows", "held back"), table), Text()]
    parts += [findings_text(findings), Text(), verdict(findings)]
    return Group(*parts)


def verdict(findings: Findings) -> Text:
    """What the findings mean for a sync, in one sentence."""
    worst = findings.worst()
    if worst is Severity.STOP:
        return Text(f"A sync would stop here. {findings_sentence(findings)}", style="bold red")
    if costs_data(findings):
        said = f"A sync would go on without what is held or blanked. {findings_sentence(findings)}"
        return Text(said, style="bold yellow")
    return Text(f"A sync would take all of it. {findings_sentence(findings)}", style="bold green")
