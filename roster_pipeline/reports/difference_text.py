"""A saved difference for a terminal, in the order in which a reviewer asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from roster_pipeline.reports.changes import most
from roster_pipeline.reports.tables import Cell, printable, text_table

_ALWAYS: Final[Mapping[str, str]] = {
    "was": "was",
    "added": "added",
    "changed": "changed",
    "removed": "removed",
}
_AT_TIMES: Final[Mapping[str, str]] = {
    "ended": "ended",
    "descoped": "left out by scope",
    "deactivated": "disabled",
    "reactivated": "enabled again",
}
_SIGNS: Final[Mapping[str, str]] = {"removed": "−", "added": "+", "changed": "~"}
_WORDS: Final[Mapping[str, str]] = {
    "ended": "ended",
    "descoped": "left out",
    "deactivated": "disabled",
}
_SCHOOLS: Final = 10
_ROWS: Final = 2
_CELLS: Final = 5

Document = Mapping[str, Any]


def difference_text(document: Document) -> RenderableType:
    """What accepting the candidate would do: by entity, by kind of people and by school, then the
    columns that change and a few rows. The reasons are the hold's to tell."""
    if not any(document["totals"][kind] for kind in (*_ALWAYS, *_AT_TIMES) if kind != "was"):
        return Text("No row differs from the accepted roster.")
    sections = (
        _counted("If it is accepted", "entity", document["entities"]),
        _counted("People", "who", document["people"]),
        _schools(document["schools"]),
        _columns(document["entities"]),
        _samples(document["samples"]),
    )
    parts: list[RenderableType] = []
    for section in sections:
        parts += [Text(), *section] if parts and section else section
    return Group(*parts)


def _counted(title: str, what: str, rows: Mapping[str, Mapping[str, int]]) -> list[RenderableType]:
    """A table of moves; columns in which there is nothing are left out, and rows of nothing."""
    some = {name: of for name, of in rows.items() if any(of[kind] for kind in _ALWAYS)}
    if not some:
        return []
    header = {
        kind: word for kind, word in _AT_TIMES.items() if any(of[kind] for of in some.values())
    }
    header = {**_ALWAYS, **header}
    cells: list[list[Cell]] = [[name, *(of[k] for k in header)] for name, of in some.items()]
    return [Text(title, style="bold"), text_table((what, *header.values()), cells)]


def _schools(schools: Sequence[Document]) -> list[RenderableType]:
    """The schools that lose most, with what is counted at them."""
    if not schools:
        return []
    listed = schools[:_SCHOOLS]
    title = Text("Schools", style="bold")
    title.append("  − removed, + added, ~ changed, of how many there were", style="not bold dim")
    parts: list[RenderableType] = [title]
    for school in listed:
        kinds = (f"{kind} {_moves(of)}" for kind, of in school["kinds"].items())
        parts += [_indented(_called(school), 2), _indented("; ".join(kinds), 6)]
    if rest := len(schools) - len(listed):
        parts.append(_indented(f"… and {rest:,} more that lose less; `--format json` has all.", 2))
    return parts


def _called(school: Document) -> str:
    name = printable(school["name"] or school["sourcedId"])
    return f"{name} (gone)" if school["removed"] else name


def _moves(of: Mapping[str, int]) -> str:
    """Such as `−120 +3 of 240, 30 ended`."""
    signed = [f"{sign}{of[kind]:,}" for kind, sign in _SIGNS.items() if of.get(kind)]
    worded = [f"{of[kind]:,} {word}" for kind, word in _WORDS.items() if of.get(kind)]
    if was := of.get("was"):
        head = f"{' '.join(signed)} of {was:,}" if signed else f"{was:,}"
    else:
        head = " ".join(signed)
    return ", ".join([head, *worded] if head else worded)


def _columns(entities: Mapping[str, Document]) -> list[RenderableType]:
    """In how many rows the columns change that change most."""
    lines = [
        _indented(f"{entity}: {_listed(changed)}", 2)
        for entity, of in entities.items()
        if (changed := most(of["changed_columns"]))
    ]
    return [Text("Columns that change", style="bold"), *lines] if lines else []


def _listed(columns: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{printable(name)} {count:,}" for name, count in columns)


def _samples(samples: Mapping[str, Document]) -> list[RenderableType]:
    """A few rows of every kind, one a line."""
    if not samples:
        return []
    title = Text("For example", style="bold")
    title.append("  what is personal keeps its shape at most", style="not bold dim")
    lines = [
        _indented(f"{entity} {kind}: {_row(row)}", 2)
        for entity, kinds in samples.items()
        for kind, rows in kinds.items()
        for row in rows[:_ROWS]
    ]
    return [title, *lines]


def _row(row: Document) -> str:
    said = list(_changes(row) if "after" in row else _filled(row["cells"]))
    if len(said) > _CELLS:
        said = [*said[:_CELLS], f"and {len(said) - _CELLS} more"]
    return printable(f"{row['sourcedId']}  {', '.join(said)}")


def _filled(cells: Mapping[str, str]) -> Iterator[str]:
    for name, cell in cells.items():
        yield f"{name} {cell}"


def _changes(row: Document) -> Iterator[str]:
    for name, after in row["after"].items():
        before = row["before"][name]
        if before == after:
            yield f"{name} {before} → another"
        else:
            yield f"{name} {before or 'empty'} → {after or 'empty'}"


def _indented(line: str, by: int) -> RenderableType:
    """A line that keeps its indent where it is broken."""
    return Padding(Text(line), (0, 0, 0, by))
