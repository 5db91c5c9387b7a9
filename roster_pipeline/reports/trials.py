"""How a source was tried, for people and programs."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.reports.tables import printable
from roster_pipeline.sources.trial import Step, Went
from roster_pipeline.workspace import District

_STYLES: Final = {Went.OK: "green", Went.FAILED: "bold red", Went.SKIPPED: "dim"}


def trial_document(district: District, steps: Sequence[Step]) -> dict[str, Any]:
    """A trial as JSON."""
    return {
        "schema": "roster.source.test/1",
        "source": district.id,
        "vendor": district.vendor,
        "outcome": str(Went.FAILED if _has_failed(steps) else Went.OK),
        "steps": [
            {
                "step": str(step.kind),
                "about": step.about or None,
                "outcome": str(step.went),
                "sentence": step.sentence,
                "advice": step.advice,
            }
            for step in steps
        ],
    }


def trial_text(district: District, steps: Sequence[Step]) -> RenderableType:
    """A trial for a terminal: one line a step, and below what failed what to do about it."""
    return Group(*(_lines(step) for step in steps), Text(), Text(_end(district, steps)))


def _lines(step: Step) -> Text:
    what = f"{step.kind} {step.about}".rstrip()
    lines = Text(f"{step.went:<8}", style=_STYLES[step.went])
    lines.append(printable(f"{what}: {step.sentence}"), style="default not bold")
    if step.advice:
        lines.append(f"\n        What to do: {step.advice}", style="default not bold")
    return lines


def _end(district: District, steps: Sequence[Step]) -> str:
    failed = [step for step in steps if step.went is Went.FAILED]
    if not failed:
        return f"{district.id} works. Nothing was kept."
    named = ", ".join(f"{step.kind} {step.about}".rstrip() for step in failed)
    return f"{district.id} does not work yet: {named} failed. Nothing was changed."


def _has_failed(steps: Sequence[Step]) -> bool:
    return any(step.went is Went.FAILED for step in steps)
