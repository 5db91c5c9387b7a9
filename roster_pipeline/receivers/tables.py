"""A roster as relational tables: their columns and types, and rosters as rows of them.

One table for each entity, named and spelt as the standard does, that holds the rows of many
sources: `source` comes first, (`source`, `sourcedId`) is the primary key. There is no column for
passwords. `metadata.*` columns go together into `metadata`, without the prefix.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol, TypeAlias

import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import BOOLEANS, SECRET, Column, Kind, columns, is_date
from roster_pipeline.oneroster.header import METADATA as PREFIX
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow, series

SOURCE: Final = "source"
KEY: Final = (SOURCE, "sourcedId")
METADATA: Final = "metadata"

# `userIds` stays text: an identifier in it may hold commas (CSV Binding 1.2, data types).
_TYPES: Final[Mapping[Kind, str]] = {
    Kind.REFERENCES: "text[]",
    Kind.STRINGS: "text[]",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamp with time zone",
    Kind.YEAR: "smallint",
}


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table; the type as PostgreSQL itself spells it."""

    name: str
    type: str


@dataclass(frozen=True)
class Filled:
    """What a database has of a source, committed."""

    rows: Mapping[str, int]
    """By entity."""
    size: int
    """Bytes of CSV that the rows came as."""
    written: bool
    """False where this very roster was there already, so that nothing had to be written."""


Check: TypeAlias = Callable[[], None]
"""Raises if what is about to happen may not."""


class Tables(Protocol):
    """The tables of one destination."""

    @property
    def place(self) -> str:
        """Which server, database and schema, without user or password."""
        ...

    def replace(self, source: str, roster: Roster, *, at: datetime, check: Check) -> Filled:
        """Put a roster in the place of all rows of its source, in one transaction.

        `at` is the moment noted beside it; `check` is called right before the commit, which it
        prevents by raising. A roster that is there already is not written again.
        """
        ...


@cache
def table_columns(entity: str) -> tuple[TableColumn, ...]:
    """The columns of an entity's table, in order."""
    return (
        TableColumn(SOURCE, "text"),
        *(TableColumn(column.name, _type(column)) for column in _kept(entity)),
        TableColumn(METADATA, "jsonb"),
    )


def frames(roster: Roster, entity: str, source: str) -> Iterator[pd.DataFrame]:
    """The rows of an entity's table, block by block, as TEXT that PostgreSQL reads by its types."""
    for block in roster.blocks(entity):
        yield _as_rows(block, entity, source)


def _kept(entity: str) -> tuple[Column, ...]:
    return tuple(column for column in columns(entity) if column.name not in SECRET)


def _type(column: Column) -> str:
    if column.words == BOOLEANS:
        return "boolean"
    return _TYPES.get(column.kind, "text")


def _as_rows(block: pd.DataFrame, entity: str, source: str) -> pd.DataFrame:
    rows: dict[str, pd.Series[Any]] = {
        SOURCE: pd.Series([source] * len(block), dtype=TEXT, index=block.index)
    }
    for column in _kept(entity):
        cells = block[column.name]
        if _type(column) == "text[]":
            cells = _array_literals(cells)
        elif column.kind is Kind.DATETIME:
            cells = _on_the_calendar(cells)
        rows[column.name] = cells
    rows[METADATA] = _metadata(block)
    return pd.DataFrame(rows)


def _array_literals(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """List cells as PostgreSQL writes arrays, every item in quotes (or NULL would be no text)."""
    escaped = arrow(cells)
    for old, new in (("\\", "\\\\"), ('"', '\\"'), (",", '","')):
        escaped = pc.replace_substring(escaped, old, new)
    return series(_joined('{"', escaped, '"}'), index=cells.index)


def _on_the_calendar(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Moments, but for those of days that no calendar has: their form allows 31 February."""
    if not cells.notna().any():
        return cells
    days = cells.str.slice(0, 10)
    impossible = [day for day in days.dropna().unique() if not is_date(day)]
    return cells.mask(days.isin(impossible)) if impossible else cells


def _metadata(block: pd.DataFrame) -> "pd.Series[Any]":
    """The filled metadata cells of each row as one JSON object."""
    members = [
        _members(name.removeprefix(PREFIX), block[name])
        for name in block.columns
        if name.startswith(PREFIX)
    ]
    if not members:
        return pd.Series(["{}"] * len(block), dtype=TEXT, index=block.index)
    inner = pc.utf8_slice_codeunits(_joined(*members), 1)
    return series(_joined("{", inner, "}"), index=block.index)


def _members(name: str, cells: "pd.Series[Any]") -> "pa.Array[Any]":
    """Each filled cell as a member of a JSON object after a comma, an empty one as nothing."""
    coded: Any = arrow(cells).dictionary_encode()
    key = json.dumps(name, ensure_ascii=False)
    members = [
        f",{key}:{json.dumps(text, ensure_ascii=False)}" for text in coded.dictionary.to_pylist()
    ]
    texts: pa.Array[Any] = pc.fill_null(
        pa.array(members, pa.large_string()).take(coded.indices), ""
    )
    return texts


def _joined(*pieces: "str | pa.Array[Any]") -> "pa.Array[Any]":
    """Texts set together row by row; null where one of them is."""
    parts = [pa.scalar(p, pa.large_string()) if isinstance(p, str) else p for p in pieces]
    joined: pa.Array[Any] = pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string()))
    return joined
