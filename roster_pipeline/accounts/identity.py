"""Patterns filled with the cells of people."""

import re
from typing import Any

import pandas as pd
import pyarrow as pa

from roster_pipeline.accounts.patterns import NAMED, SOURCE, USER_IDS
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow, series

Cells = Any
"""An Arrow array of texts, or one text for all rows."""


def fill(pattern: str, users: pd.DataFrame, source: str) -> "pd.Series[str]":
    """A pattern filled for each row; null where a cell that it needs is empty."""
    pieces: list[Cells] = []
    place = 0
    for match in NAMED.finditer(pattern):
        pieces += [_constant(pattern[place : match.start()]), _cells(match[1], users, source)]
        place = match.end()
    pieces.append(_constant(pattern[place:]))
    joined = pc.binary_join_element_wise(*pieces, _constant(""), null_handling="emit_null")
    return series(joined, users.index)


def _constant(text: str) -> Cells:
    return pa.scalar(text, pa.large_string())


def _cells(name: str, users: pd.DataFrame, source: str) -> Cells:
    if name == SOURCE:
        return _constant(source)
    if name.startswith(USER_IDS):
        return _user_ids(name.removeprefix(USER_IDS), users["userIds"])
    if name not in users.columns:
        return pa.nulls(len(users), pa.large_string())
    return arrow(users[name])


def _user_ids(kind: str, cells: "pd.Series[str]") -> Cells:
    """Of `{type:id},{type:id}` the first id of one type, in whatever case the type is written."""
    found = cells.str.extract(
        r"(?i)\{\s*" + re.escape(kind) + r"\s*:\s*([^{}]*?)\s*\}", expand=False
    )
    return arrow(found.astype(TEXT).where(lambda ids: ids != ""))
