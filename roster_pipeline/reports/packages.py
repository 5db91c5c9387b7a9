"""What a package is worth: its rows, its findings, and a verdict in one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.reports.findings import findings_document, findings_sentence, findings_text
from roster_pipeline.reports.tables import text_table


@dataclass(frozen=True)
class Checked:
    """A package that was checked. Numbers are rows by entity."""

    package: str
    version: str | None
    usable: bool
    """Whether anything of it would be taken; a strict check takes nothing that has findings."""
    findings: Findings
    rows: Mapping[str, int] = field(default_factory=dict)
    """Good ones."""
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def outcome(self) -> Literal["clean", "warnings", "errors"]:
        """`errors` if a value, a row or the whole package would not be taken."""
        if not self.usable or self.findings.worst() not in (None, Severity.WARN):
            return "errors"
        return "warnings" if self.findings else "clean"


def check_document(checked: Checked) -> dict[str, Any]:
    """The check of a package as JSON, as docs/command.md lays it down."""
    return {
        "schema": "roster.check/1",
        "package": checked.package,
        "outcome": checked.outcome,
        "version": checked.version,
        "rows": dict(checked.rows),
        "held": {entity: count for entity, count in checked.held.items() if count},
        "findings": findings_document(checked.findings),
    }


def unreadable_document(package: str, error: str) -> dict[str, Any]:
    """The check of a package that could not be opened."""
    return {
        "schema": "roster.check/1",
        "package": package,
        "outcome": "unreadable",
        "error": error,
    }


def check_text(checked: Checked) -> RenderableType:
    """The check of a package for a terminal: rows, findings by code, a verdict last."""
    version = f"OneRoster {checked.version}" if checked.version else "version unknown"
    parts: list[RenderableType] = [Text(f"{checked.package}: {version}"), Text()]
    if checked.rows:
        table = [(e, count, checked.held.get(e, 0)) for e, count in checked.rows.items()]
        parts += [text_table(("entity", "good rows", "held back"), table), Text()]
    if checked.findings:
        parts += [findings_text(checked.findings), Text()]
    return Group(*parts, verdict(checked))


def verdict(checked: Checked) -> Text:
    """What the findings mean for a sync, in one sentence."""
    said = findings_sentence(checked.findings)
    if not checked.usable:
        return Text(f"A sync would stop here. {said}", style="bold red")
    if checked.outcome == "errors":
        return Text(
            f"A sync would go on without what is held or blanked. {said}", style="bold yellow"
        )
    return Text(f"A sync would take all of it. {said}", style="bold green")
