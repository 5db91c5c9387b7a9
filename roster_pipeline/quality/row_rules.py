"""The rules over several columns of one row, each with what breaks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Rule, Source
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import arrow

Mask = npt.NDArray[np.bool_]
_NO_ROWS: Final[npt.NDArray[np.int64]] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRule(Rule):
    """A rule whose breach shows in one row alone. Findings point at the last of its columns."""

    broken: Callable[[pd.Series, pd.Series], Mask]
    """Which rows break it, by the cells of the two of its columns that their table has."""
    may_be_empty: bool = False
    """Whether a row can break it though one of the columns is empty."""

    def rows(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """The positions, ascending, of rows of a block (RangeIndex, TEXT) that break the rule."""
        left, right = (frame[name] for name in self.columns if name in frame.columns)
        empty = [arrow(cells).null_count == len(cells) for cells in (left, right)]
        if all(empty) or (any(empty) and not self.may_be_empty):
            return _NO_ROWS
        return np.flatnonzero(self.broken(left, right)).astype(np.int64)


def _ends_before(begins: pd.Series, ends: pd.Series) -> Mask:
    """Dates compare as texts. The end is exclusive; a row that ends as it begins is never active,
    and says so on purpose."""
    return is_true(pc.less(arrow(ends), arrow(begins)))


def _counts_differ(left: pd.Series, right: pd.Series) -> Mask:
    counts = [pc.count_substring(arrow(cells), ",") for cells in (left, right)]
    return is_true(pc.not_equal(*counts))


def _one_is_empty(left: pd.Series, right: pd.Series) -> Mask:
    return is_true(pc.xor(pc.is_null(arrow(left)), pc.is_null(arrow(right))))


ROW_RULES: Final = (
    RowRule(
        code="row.end_before_start",
        layer=Layer.ROW,
        severity=Severity.HOLD,
        message="it ends before it begins",
        why="It would never be active, and whoever is meant would lose access.",
        fix="mend the date that is wrong; the end is the first day on which it is over",
        source=Source.PRACTICE,
        entities=("academicSessions", "roles", "enrollments"),
        columns=("startDate", "beginDate", "endDate"),
        may_be=(Severity.HOLD, Severity.WARN),
        broken=_ends_before,
    ),
    RowRule(
        code="row.unequal_lists",
        layer=Layer.ROW,
        severity=Severity.WARN,
        message="subjects and subjectCodes have not as many items",
        why="Which code belongs to which subject cannot be known.",
        fix="give each subject its code, in the same order, and write no comma in a subject",
        source=Source.TABLES,
        entities=("courses", "classes"),
        columns=("subjects", "subjectCodes"),
        may_be=(Severity.WARN,),
        broken=_counts_differ,
    ),
    RowRule(
        code="row.one_list_empty",
        layer=Layer.ROW,
        severity=Severity.WARN,
        message="of subjects and subjectCodes only one is filled",
        why="Some receivers insist on both or neither.",
        fix="fill both or neither",
        source=Source.PRACTICE,
        entities=("courses", "classes"),
        columns=("subjects", "subjectCodes"),
        may_be=(Severity.WARN,),
        broken=_one_is_empty,
        may_be_empty=True,
    ),
)
