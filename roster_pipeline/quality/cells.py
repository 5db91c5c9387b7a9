"""Cell rules, judged on one block of rows, column by column.

What a cell may be is stated by the Pandera schema of its table; its checks are asked one by one,
which costs a wrong block little more than a right one. Beside them stand the rules that name a
fault more closely, and those that only warn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rules import Rule
from roster_pipeline.quality.cell_rules import (
    COMMA,
    GRADE,
    GRADE_SPELLING,
    LIST,
    REQUIRED,
    RESIDENCE,
    SCIENTIFIC,
    cell_rule,
)
from roster_pipeline.quality.excel import damage, scientific
from roster_pipeline.quality.grades import wrong_grades, wrong_residence
from roster_pipeline.quality.lists import has_gap, without_gaps
from roster_pipeline.quality.presence import Positions
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import arrow, series

Mask = npt.NDArray[np.bool_]
_COMMA_INSIDE: Final = r"[{][^{}]*,[^{}]*[}]"


@dataclass(frozen=True)
class CellFault:
    """One rule broken in one column of a block."""

    column: Column
    rule: Rule
    rows: Positions
    """Positions in the block, ascending."""
    mended: pd.Series | None = None
    """What these cells mean, where that is plain."""


def judge_cells(
    frame: pd.DataFrame, schema: pa.DataFrameSchema, table: Sequence[Column], version: Version
) -> Iterator[CellFault]:
    """Judge every cell of a block (RangeIndex, TEXT). Of the rules that say how a cell is wrong
    it breaks one at most."""
    for column in table:
        cells = frame[column.name]
        texts = arrow(cells)
        if column.required is Required.ALWAYS and texts.null_count:
            yield CellFault(column, REQUIRED, _positions(pc.is_null(texts)))
        if texts.null_count == len(texts):
            continue
        wrong = _wrong(cells, schema.columns[column.name])
        if len(wrong):
            yield from _named(cells, column, schema.columns[column.name], wrong)
        yield from _noted(cells, column, wrong, version)


def _wrong(cells: pd.Series, column: pa.Column) -> Positions:
    """The filled cells that fail a check of the schema, by their labels in the series."""
    found: list[Positions] = []
    for check in column.checks:
        passed = check(cells).check_output
        if isinstance(passed, pd.Series):
            failed = ~passed.to_numpy(dtype=bool)
            if failed.any():
                found.append(passed.index.to_numpy(dtype=np.int64)[failed])
    return distinct(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _named(
    cells: pd.Series, column: Column, schema: pa.Column, wrong: Positions
) -> Iterator[CellFault]:
    """What is wrong with the cells that fail: what Excel did to them, gaps in a list, or just
    that they are not of their type."""
    failed = cells.iloc[wrong].reset_index(drop=True)
    left = np.ones(len(wrong), dtype=bool)
    if (done := damage(failed, column)) is not None:
        rule, damaged = done
        yield CellFault(column, rule, wrong[damaged])
        left &= ~damaged
    if column.kind in (Kind.REFERENCES, Kind.USER_IDS):
        mended = without_gaps(failed)
        right = has_gap(failed) & mended.notna().to_numpy(dtype=bool) & left
        right[_wrong(mended, schema)] = False
        if right.any():
            yield CellFault(column, LIST, wrong[right], mended[right].reset_index(drop=True))
            left &= ~right
    if left.any():
        yield CellFault(column, cell_rule(column), wrong[left])


def _noted(
    cells: pd.Series, column: Column, wrong: Positions, version: Version
) -> Iterator[CellFault]:
    """What is odd about cells that are of their type."""
    if column.name in SCIENTIFIC.columns:
        rows = np.setdiff1d(scientific(cells), wrong, assume_unique=True)
        if len(rows):
            yield CellFault(column, SCIENTIFIC, rows)
    if column.kind is Kind.USER_IDS:
        parted = pc.match_substring_regex(arrow(cells), _COMMA_INSIDE)
        rows = np.setdiff1d(_positions(parted), wrong, assume_unique=True)
        if len(rows):
            yield CellFault(column, COMMA, rows)
    if column.name in RESIDENCE.columns and version is Version.V1P1:
        odd = _of_distinct(cells, wrong_residence)
        if len(odd):
            yield CellFault(column, RESIDENCE, odd)
    if column.kind is not Kind.STRINGS:
        return
    gaps = _of_distinct(cells, has_gap)
    if len(gaps):
        mended = without_gaps(cells.iloc[gaps].reset_index(drop=True))
        yield CellFault(column, LIST, gaps, mended)
    if column.name in GRADE.columns:
        odd = _of_distinct(cells, lambda texts: wrong_grades(texts, version))
        if len(odd):
            rule = GRADE if version is Version.V1P1 else GRADE_SPELLING
            yield CellFault(column, rule, odd)


def _of_distinct(cells: pd.Series, judge: Callable[[pd.Series], Mask]) -> Positions:
    """The positions of the filled cells that a function finds; it sees each distinct text once."""
    distinct = pc.unique(arrow(cells)).drop_null()
    found = judge(series(distinct))
    if not found.any():
        return np.empty(0, dtype=np.int64)
    return _positions(pc.is_in(arrow(cells), value_set=distinct.filter(found)))


def _positions(answers: Any) -> Positions:
    found: Positions = np.flatnonzero(is_true(answers)).astype(np.int64)
    return found
