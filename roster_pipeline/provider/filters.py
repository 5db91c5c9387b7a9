"""Clauses of a filter, decided for columns of cells at a time."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import SECRET, Column, Kind
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.rest_json import property_of, utc_text
from roster_pipeline.oneroster.versions import items
from roster_pipeline.provider.query import Clause, Op
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow

Mask = npt.NDArray[np.bool_]

_KERNELS: Final[Mapping[Op, Callable[[Any, Any], Any]]] = {
    Op.EQUAL: pc.equal,
    Op.UNEQUAL: pc.not_equal,
    Op.GREATER: pc.greater,
    Op.GREATER_OR_EQUAL: pc.greater_equal,
    Op.LESS: pc.less,
    Op.LESS_OR_EQUAL: pc.less_equal,
    Op.CONTAINS: lambda cells, value: pc.match_substring(cells, value.as_py()),
}
_USER_ID: Final = re.compile(r"\{([^:{}]+):([^{}]+)\}")


def fields_of(entity: str, version: Version, header: tuple[str, ...]) -> dict[str, Column]:
    """What a filter may name, with the column of the version's table that it is about: a plain
    property, `school.sourcedId`, `userIds.identifier`, `metadata.name`."""
    fields = {}
    for column in tables(version)[entity]:
        name = property_of(column)
        if column.name in SECRET:
            continue
        if column.kind in (Kind.REFERENCE, Kind.REFERENCES) and column.name != "sourcedId":
            fields[f"{name}.sourcedId"] = column
        elif column.kind is Kind.USER_IDS:
            fields |= {f"{name}.type": column, f"{name}.identifier": column}
        else:
            fields[name] = column
    plain = tables(version)["orgs"][0]
    extra = (name for name in header if name.startswith(METADATA))
    return fields | {name: Column(name, Kind.STRING, plain.required) for name in extra}


def holds(cells: pd.Series, column: Column, clause: Clause) -> Mask:
    """For each cell whether a clause holds.

    Of a list of references or ids it holds if it does for any of them; a list of texts equals a
    list with the same members in any order, and contains what any member does. An empty cell is
    unequal to all, and is not compared otherwise.
    """
    if column.kind in (Kind.REFERENCES, Kind.USER_IDS) or (
        column.kind is Kind.STRINGS and clause.op is Op.CONTAINS
    ):
        return _any_item(cells, column, clause)
    if column.kind is Kind.STRINGS and clause.op in (Op.EQUAL, Op.UNEQUAL):
        wanted = set(clause.value.split(","))
        same = {text: set(text.split(",")) == wanted for text in cells.dropna().unique()}
        alike: Mask = cells.map(same).fillna(False).to_numpy(dtype=bool)
        return ~alike if clause.op is Op.UNEQUAL else alike
    value = _instant(clause.value) if column.kind is Kind.DATETIME else clause.value
    return _compared(arrow(cells), clause.op, value)


def _any_item(cells: pd.Series, column: Column, clause: Clause) -> Mask:
    parents, texts = items(cells)
    if column.kind is Kind.USER_IDS:
        group = 1 if clause.field.endswith(".type") else 2
        texts = _part_of_ids(texts, group)
    if clause.op is Op.UNEQUAL:
        return ~_rows_with(parents, _compared(arrow(texts), Op.EQUAL, clause.value), len(cells))
    return _rows_with(parents, _compared(arrow(texts), clause.op, clause.value), len(cells))


def _rows_with(parents: npt.NDArray[np.int64], hits: Mask, rows: int) -> Mask:
    found = np.zeros(rows, dtype=bool)
    found[parents[hits]] = True
    return found


def _part_of_ids(texts: pd.Series, group: int) -> pd.Series:
    found = (_USER_ID.fullmatch(text) for text in texts)
    return pd.Series([match and match[group] for match in found], dtype=TEXT)


def _compared(cells: pa.LargeStringArray, op: Op, value: str) -> Mask:
    decided = _KERNELS[op](cells, pa.scalar(value, pa.large_string()))
    mask: Mask = pc.fill_null(decided, op is Op.UNEQUAL).to_numpy(zero_copy_only=False)
    return mask


def _instant(text: str) -> str:
    """A time as rosters spell it, so that it compares as text; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return utc_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
