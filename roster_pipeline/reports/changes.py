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
_FEW: Final = 3


def totals(counts: Counts) -> dict[str, int]:
    """How many rows of all entities were added, changed, removed and unchanged."""
    return {kind: sum(entity[kind] for entity in counts.values()) for kind in KINDS}


def changes_sentence(counts: Counts, left_out: Mapping[str, int] | None = None) -> str:
    """One line: rows added, changed and removed over all entities, and of which these are if it
    is few of them. Of those removed as many are told apart as the scope has `left_out`."""
    if not any(totals(counts)[kind] for kind in _MOVED):
        return "No row differs."
    scoped = {entity: min(n, counts[entity]["removed"]) for entity, n in (left_out or {}).items()}
    gone = {entity: of["removed"] - scoped.get(entity, 0) for entity, of in counts.items()}
    total = totals(counts)
    said = [f"{total[kind]:,} {kind}" for kind in _MOVED if kind != "removed"]
    said.append(_lost(gone, "removed"))
    if any(scoped.values()):
        said.append(_lost(scoped, "left out by the scope"))
    return ", ".join(said) + "."


def _lost(rows: Mapping[str, int], how: str) -> str:
    """Such as `6 removed (courses)`, or `8 removed (6 courses, 2 orgs)`."""
    some = {entity: number for entity, number in rows.items() if number}
    said = f"{sum(some.values()):,} {how}"
    if len(some) == 1:
        return f"{said} ({next(iter(some))})"
    if 0 < len(some) <= _FEW:
        return f"{said} ({', '.join(f'{number:,} {entity}' for entity, number in some.items())})"
    return said


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


def moved(counts: Counts) -> dict[str, Mapping[str, int]]:
    """The entities of which any row differs."""
    return {entity: of for entity, of in counts.items() if any(of[kind] for kind in _MOVED)}


def changes_markdown(counts: Counts) -> str:
    """Differences as a Markdown table, one row for each entity that has any rows."""
    rows = _rows({entity: of for entity, of in counts.items() if any(of.values())})
    return markdown_table(("entity", *KINDS), rows) if rows else "No rows."


def counts_markdown(counts: Mapping[str, int]) -> str:
    """Rows by entity as a Markdown table."""
    return markdown_table(("entity", "rows"), counts.items())


def _rows(counts: Counts) -> list[list[str | int]]:
    return [[entity, *(of[kind] for kind in KINDS)] for entity, of in counts.items()]
