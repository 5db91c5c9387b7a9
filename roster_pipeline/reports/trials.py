"""How a source was tried, for people and programs."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.quality.candidate import Candidate
from roster_pipeline.reports.findings import CodeSummary, findings_sentence, summarise
from roster_pipeline.reports.tables import printable
from roster_pipeline.sources.trial import Seen, Step, Went
from roster_pipeline.workspace import District

_CODES: Final = 3
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


def trial_text(
    district: District, steps: Sequence[Step], command: str = "roster"
) -> RenderableType:
    """A trial for a terminal: one line a step, and below what failed what to do about it; where
    all went well, what to tell `command` next."""
    return Group(*(_lines(step) for step in steps), Text(), Text(_end(district, steps, command)))


def seen(version: str | None, made: Candidate) -> Seen:
    """What a package is worth by what was made of it: its rows, its findings, the worst codes."""
    rows = {
        entity: max(0, count - made.held.get(entity, 0) - made.orphaned.get(entity, 0))
        for entity, count in made.rows.items()
    }
    usable = made.roster is not None
    listed = ", ".join(f"{count:,} {entity}" for entity, count in rows.items() if count)
    what = f"OneRoster {version}" if version else "a package of no known version"
    said = f"{what} with {listed or 'no rows'}. {findings_sentence(made.findings)}"
    if worst := summarise(made.findings, lines=1)[:_CODES]:
        said += f" Most of all: {', '.join(map(_code, worst))}."
    if not usable:
        said = f"a sync would stop here and take nothing. {said}"
    return Seen(said, rows, usable)


def unreadable(sentence: str) -> Seen:
    """What a package is worth that cannot be opened."""
    return Seen(f"it cannot be opened: {sentence}", {}, usable=False)


def _code(summary: CodeSummary) -> str:
    spot = summary.spots[0]
    return f"{summary.count:,} × {summary.code} ({spot.file}: {spot.message})"


def _lines(step: Step) -> Text:
    what = f"{step.kind} {step.about}".rstrip()
    lines = Text(f"{step.went:<8}", style=_STYLES[step.went])
    lines.append(printable(f"{what}: {step.sentence}"), style="default not bold")
    if step.advice:
        lines.append(f"\n        What to do: {step.advice}", style="default not bold")
    return lines


def _end(district: District, steps: Sequence[Step], command: str) -> str:
    failed = [step for step in steps if step.went is Went.FAILED]
    if not failed:
        next_ = f"{command} sync {district.id} --dry-run"
        return f"{district.id} works. Nothing was kept. Next: `{next_}`."
    named = ", ".join(f"{step.kind} {step.about}".rstrip() for step in failed)
    return f"{district.id} does not work yet: {named} failed. Nothing was changed."


def _has_failed(steps: Sequence[Step]) -> bool:
    return any(step.went is Went.FAILED for step in steps)
