"""What Excel does to a file that somebody opens in it and saves."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import Column, Kind
from roster_pipeline.oneroster.rules import Rule
from roster_pipeline.quality.cell_rules import EXCEL_DATE, SCIENTIFIC
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow, series

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

# 1.23E+11, or with a comma where Excel writes one, or 1.23E11. A code such as 5E2 is none.
_NUMBER: Final = r"[0-9]+(?:[.,][0-9]+)?[eE][+][0-9]{1,3}|[0-9][.,][0-9]+[eE][0-9]{1,3}"
_SCIENTIFIC: Final = f"^(?:{_NUMBER})$"
_SCIENTIFIC_ITEM: Final = f"(?:^|,)(?:{_NUMBER})(?:,|$)"
_LONGEST: Final = 24
_DAY: Final = (
    r"^(?:[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})"  # 8/22/2026, 22.08.26
    r"|[0-9]{1,2}[ .-]{1,2}\pL{3,9}[.]?[ .-](?:[0-9]{4}|[0-9]{2})"  # 22-Aug-26
    r"|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"  # 2026/8/22
    r"|[1-9][0-9]{4}(?:[.,][0-9]+)?)"  # 46256: days since the year 1900
    r"(?:[ T][0-9:. ]+(?:[AaPp][Mm])?)?$"
)
_ZEROS: Final = 16
"""As many zeros are tried in front of an id; ids of digits are hardly ever longer."""


def damage(wrong: pd.Series, column: Column) -> tuple[Rule, Mask] | None:
    """Which of some wrong cells of a column look like Excel's doing, and the rule that says so."""
    if column.kind in (Kind.DATE, Kind.DATETIME):
        rule, pattern = EXCEL_DATE, _DAY
    elif column.kind in (Kind.GUID, Kind.REFERENCE, Kind.REFERENCES):
        rule = SCIENTIFIC
        pattern = _SCIENTIFIC_ITEM if column.kind is Kind.REFERENCES else _SCIENTIFIC
    else:
        return None
    found = _matches(wrong, pattern)
    return (rule, found) if found.any() else None


def scientific(cells: pd.Series) -> Positions:
    """The positions of cells that are a number in scientific form."""
    texts = arrow(cells)
    sizes = pc.min_max(pc.binary_length(texts))
    if sizes["min"].as_py() is None or sizes["min"].as_py() > _LONGEST:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(_matches(cells, _SCIENTIFIC)).astype(np.int64)


def but_for_zeros(unknown: pd.Series, known: KeySet) -> Mask:
    """Which of some ids that are not known would be with other zeros in front of their digits."""
    bare = arrow(without_zeros(unknown))
    distinct = pc.unique(bare).drop_null()
    hit = np.zeros(len(distinct), dtype=bool)
    for count in range(_ZEROS + 1) if len(distinct) else ():
        zeros = pa.scalar("0" * count, pa.large_string())
        padded = pc.binary_join_element_wise(zeros, distinct, pa.scalar("", pa.large_string()))
        hit |= known.contains(text_hashes(series(padded)))
    return is_true(pc.is_in(bare, value_set=distinct.filter(pa.array(hit))))


def without_zeros(sourced_ids: pd.Series) -> pd.Series:
    """The digits of ids without the zeros in front; null for what is not all digits."""
    texts = arrow(sourced_ids)
    digits = pc.match_substring_regex(texts, "^[0-9]{1,32}$")
    return series(pc.if_else(digits, pc.ascii_ltrim(texts, "0"), None))


def _matches(cells: pd.Series, pattern: str) -> Mask:
    return is_true(pc.match_substring_regex(arrow(cells), pattern))
