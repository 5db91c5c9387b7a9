"""Tables for a terminal and for Markdown, so that every report looks alike."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

Cell = str | int | Text

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def text_table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """A terminal table; whole numbers are grouped in thousands and stand on the right.

    Where it is too wide, the widest columns but the first are broken over lines; nothing is lost.
    """
    listed = [list(row) for row in rows]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, name in enumerate(header):
        numeric = any(isinstance(row[place], int) for row in listed)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(name, justify=justify, no_wrap=numeric or not place, overflow="fold")
    for row in listed:
        table.add_row(*(_shown(cell) for cell in row))
    return table


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """A Markdown table, or `none` without rows; a bar inside a cell is escaped."""
    body = ["|".join(["", *(_marked(cell) for cell in row), ""]) for row in rows]
    if not body:
        return "none"
    return "\n".join(["|".join(["", *header, ""]), "|" + "---|" * len(header), *body])


def printable(text: str) -> str:
    """A text that came with the package, without what could steer a terminal."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _shown(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    return Text(f"{cell:,}" if isinstance(cell, int) else cell)


def _marked(cell: str | int) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell.replace("|", r"\|")
