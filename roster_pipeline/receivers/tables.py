"""A roster as relational tables: their columns and types, and rosters as rows of them.

One table for each entity, named and spelt as the standard does, that holds the rows of many
sources: `source` comes first, (`source`, `sourcedId`) is the primary key. There is no column for
passwords. `metadata.*` columns go together into `metadata`, without the prefix. `validFrom` says
since when a row has been as it is. As it was before, until when, it stands in a second table of the
same name with `_past` at its end.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol, TypeAlias

import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import BOOLEANS, SECRET, Column, Kind, columns, is_date
from roster_pipeline.oneroster.header import METADATA as PREFIX
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.hiding import NOTHING_HIDDEN, Hidden
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow, series

SOURCE: Final = "source"
KEY: Final = (SOURCE, "sourcedId")
METADATA: Final = "metadata"
VALID_FROM: Final = "validFrom"
VALID_TO: Final = "validTo"

# `userIds` stays text: an identifier in it may hold commas (CSV Binding 1.2, data types).
_MOMENT: Final = "timestamp with time zone"
_TYPES: Final[Mapping[Kind, str]] = {
    Kind.REFERENCES: "text[]",
    Kind.STRINGS: "text[]",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: _MOMENT,
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
    """Bytes of CSV that were sent for it."""
    written: bool
    """False where this very roster was there already, so that nothing had to be written."""
    forgotten: tuple[str, ...] = ()
    """Entities of which rows of the past were removed, as what is hidden now was all over them."""


Check: TypeAlias = Callable[[], None]
"""Raises if what is about to happen may not."""

Kept: TypeAlias = Callable[[str], Roster | None]
"""Gives a roster of the source by its content hash, if that is still kept."""


class Tables(Protocol):
    """The tables of one destination."""

    @property
    def place(self) -> str:
        """Which server, database and schema, without user or password."""
        ...

    def replace(
        self,
        source: str,
        roster: Roster,
        *,
        at: datetime,
        check: Check,
        kept: Kept,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Filled:
        """Put a roster in the place of all rows of its source, in one transaction.

        Rows that stay as they are, but for status and dateLastModified, are not touched: what
        differs is told from the roster that is there if that is `kept`. `at` is the moment from
        which the others are valid; `check` is called right before the commit, which it prevents by
        raising. A roster that is there already is not written again. What is `hidden` in it is
        taken out of the rows of before, too, where it is still to be seen.
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


def current_columns(entity: str) -> tuple[TableColumn, ...]:
    """The columns of an entity's table with the time since when."""
    return (*table_columns(entity), TableColumn(VALID_FROM, _MOMENT))


def past_columns(entity: str) -> tuple[TableColumn, ...]:
    """The columns of an entity's table of the past."""
    return (*current_columns(entity), TableColumn(VALID_TO, _MOMENT))


def past(entity: str) -> str:
    """The table of the rows of an entity that are no more, or are otherwise now."""
    return f"{entity}_past"


def history(entity: str) -> str:
    """The view of all rows of an entity at all times."""
    return f"{entity}_history"


def frames(roster: Roster, entity: str, source: str) -> Iterator[pd.DataFrame]:
    """The rows of an entity's table, block by block, as TEXT that PostgreSQL reads by its types."""
    yield from as_rows(roster.blocks(entity), entity, source)


def as_rows(
    blocks: Iterable[pd.DataFrame], entity: str, source: str, valid_from: datetime | None = None
) -> Iterator[pd.DataFrame]:
    """Blocks of a roster as rows of its table, with the time since when if that is given."""
    for block in blocks:
        rows = _as_rows(block, entity, source)
        if valid_from is not None:
            rows[VALID_FROM] = pd.Series(
                [valid_from.isoformat()] * len(rows), dtype=TEXT, index=rows.index
            )
        yield rows


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
