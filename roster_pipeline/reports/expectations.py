"""What a source may be expected to have, as a block for its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.text import Text

from roster_pipeline.sources.suggesting import EMPTIER, FEWER, MORE, SUMMER


@dataclass(frozen=True)
class Suggested:
    """What may be expected of a source, and how many accepted rosters say so."""

    source: str
    expect: Mapping[str, Any]
    rosters: int
    first: date
    last: date


def expectations_document(suggested: Suggested) -> dict[str, Any]:
    """The suggestion as JSON."""
    return {
        "schema": "roster.expectations/1",
        "source": suggested.source,
        "rosters": suggested.rosters,
        "from": str(suggested.first),
        "to": str(suggested.last),
        "margins": {"fewest": FEWER, "most": MORE, "fill": EMPTIER, "days_over": SUMMER},
        "expect": dict(suggested.expect),
    }


def expectations_text(suggested: Suggested) -> Text:
    """The suggestion as YAML, to be put into the source's file."""
    return Text("\n".join((*_remarks(suggested), "expect:", *_lines(suggested.expect, "  "))))


def _remarks(suggested: Suggested) -> list[str]:
    one = suggested.rosters == 1
    said = (
        f"the roster accepted for {suggested.last}"
        if one
        else f"{suggested.rosters:,} rosters accepted for {suggested.first} to {suggested.last}"
    )
    return [
        f"# From {said}:",
        f"# {1 - FEWER:.0%} fewer than the fewest to {MORE - 1:.0%} more than the most there were,",
        f"# columns {1 - EMPTIER:.0%} less full than in the last one, and the last session over",
        f"# for {SUMMER} days at most, as in summer. Correct what you know better.",
    ]


def _lines(block: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in block.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_lines(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines
