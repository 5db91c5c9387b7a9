"""What differs between two rosters, as counts by entity and by column."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.reports.tables import markdown_table, text_table

Counts = Mapping[str, Mapping[str, int]]
"""Entity to `added`, `changed`, `removed`, `unchanged`, as `Delta.counts()` gives them."""

KINDS: Final = ("added", "changed", "removed", "unchanged")
_MOVED: Final = KINDS[:3]


def totals(counts: Counts) -> dict[str, int]:
    """How many rows of all entities were added, changed, removed and unchanged."""
    return {kind: sum(entity[kind] for entity in counts.values()) for kind in KINDS}


def changes_sentence(counts: Counts) -> str:
    """One line: rows added, changed and removed over all entities."""
    total = totals(counts)
    if not any(total[kind] for kind in _MOVED):
        return "No row differs."
    return ", ".join(f"{total[kind]:,} {kind}" for kind in _MOVED) + "."


def changes_document(
    counts: Counts, columns: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, Any]:
    """Differences as JSON: `totals`, and for each entity its counts and changed columns."""
    columns = columns or {}
    return {
        "totals": totals(counts),
        "entities": {
            entity: {
                **{kind: of[kind] for kind in KINDS},
                "changed_columns": dict(columns.get(entity, {})),
            }
            for entity, of in counts.items()
        },
    }


def changes_text(
    counts: Counts, columns: Mapping[str, Mapping[str, int]] | None = None
) -> RenderableType:
    """Differences for a terminal, with the columns that changed most often."""
    parts: list[RenderableType] = [text_table(("entity", *KINDS), _rows(counts))]
    for entity, of in (columns or {}).items():
        if said := ", ".join(f"{name} {count:,}" for name, count in most(of)):
            parts.append(Text(f"{entity}: changed in {said}"))
    return Group(*parts)


def most(columns: Mapping[str, int], *, keep: int = 6) -> list[tuple[str, int]]:
    """The columns that changed in the most rows, most first."""
    changed = [(name, count) for name, count in columns.items() if count]
    return sorted(changed, key=lambda item: (-item[1], item[0]))[:keep]


def changes_markdown(counts: Counts) -> str:
    """Differences as a Markdown table, one row for each entity that has any rows."""
    rows = _rows({entity: of for entity, of in counts.items() if any(of.values())})
    return markdown_table(("entity", *KINDS), rows) if rows else "No rows."


def counts_markdown(counts: Mapping[str, int]) -> str:
    """Rows by entity as a Markdown table."""
    return markdown_table(("entity", "rows"), counts.items())


def _rows(counts: Counts) -> list[list[str | int]]:
    return [[entity, *(of[kind] for kind in KINDS)] for entity, of in counts.items()]
