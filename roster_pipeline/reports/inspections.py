"""What a whole workspace was found to be, for people and programs."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.reports.tables import printable
from roster_pipeline.workspace import Problem
from roster_pipeline.workspace.inspection import Inspection

_STYLES: Final = {"error": "bold red", "warning": "yellow"}


def inspection_document(found: Inspection) -> dict[str, Any]:
    """An inspection as JSON."""
    return {
        "schema": "roster.workspace.check/1",
        "outcome": "failed" if found.errors else "ok",
        "sources": found.sources,
        "products": found.products,
        "destinations": found.destinations,
        "problems": [
            {
                "severity": severity,
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
            }
            for severity, problem in _all(found)
        ],
    }


def inspection_text(found: Inspection) -> RenderableType:
    """An inspection for a terminal: one line a problem, in the form in which editors take it."""
    return Group(*(_line(severity, problem) for severity, problem in _all(found)), _end(found))


def _all(found: Inspection) -> Iterator[tuple[str, Problem]]:
    """Every problem with its severity, file by file."""
    said = [*(("error", p) for p in found.errors), *(("warning", p) for p in found.warnings)]
    yield from sorted(said, key=lambda pair: (pair[1].file, pair[1].line or 0, pair[0]))


def _line(severity: str, problem: Problem) -> Text:
    line = Text(printable(f"{problem.place}: "))
    line.append(f"{severity}: ", style=_STYLES[severity])
    line.append(printable(problem.message))
    return line


def _end(found: Inspection) -> Text:
    kinds = {
        "source": found.sources,
        "product": found.products,
        "destination": found.destinations,
    }
    has = ", ".join(_counted(count, kind) for kind, count in kinds.items() if count)
    has = has or "no sources yet"
    warnings = len(found.warnings)
    if found.errors:
        files = len({problem.file for problem in found.errors})
        said = f"{_counted(len(found.errors), 'error')} in {_counted(files, 'file')}"
        said += f", {_counted(warnings, 'warning')}" if warnings else ""
        return Text(f"{has}: {said}. What has an error is not used.", style=_STYLES["error"])
    if warnings:
        return Text(f"{has}: no errors, {_counted(warnings, 'warning')}.", style=_STYLES["warning"])
    return Text(f"{has}: all right.", style="green")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
