"""Pandera checks that are quick on the columns of a roster, where nearly all cells are right.

Each passes a whole column that is fine at once, and looks at single cells only where one is not.
They are registered with Pandera when this module is imported.
"""

import string
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pandera import extensions

from roster_pipeline.tables.text import arrow

_LETTERS: Final = (string.ascii_letters + string.digits + ".-_/@").encode()
_LONGEST: Final = 255

# A sourcedId: fewer than 256 of these characters. The 1.2 text prints the digits as 0-1, a slip.
GUID: Final = r"^[0-9A-Za-z._/@-]{1,255}$"

Verdict = bool | pd.Series


@extensions.register_check_method(  # type: ignore[untyped-decorator]
    statistics=["accepts"], check_type="vectorized"
)
def each_text(cells: pd.Series, *, accepts: Callable[[str], bool]) -> Verdict:
    """For columns that hold few distinct texts (words, dates): each text is judged once."""
    return _judged_once(cells, accepts)


@extensions.register_check_method(  # type: ignore[untyped-decorator]
    statistics=["accepts"], check_type="vectorized"
)
def each_day(cells: pd.Series, *, accepts: Callable[[str], bool]) -> Verdict:
    """For columns of dateTimes: each distinct day that one begins with is judged once."""
    return _judged_once(cells.str.slice(0, 10), accepts)


@extensions.register_check_method(  # type: ignore[untyped-decorator]
    statistics=["pattern"], check_type="vectorized"
)
def sourced_ids(cells: pd.Series, *, pattern: str) -> Verdict:
    """For columns of one sourcedId a cell: their letters are judged all in one go."""
    return True if _all_are_guids(arrow(cells)) else cells.str.match(pattern)


def _judged_once(cells: pd.Series, accepts: Callable[[str], bool]) -> Verdict:
    wrong = [text for text in cells.unique() if not accepts(text)]
    return ~cells.isin(wrong) if wrong else True


def _all_are_guids(cells: pa.LargeStringArray) -> bool:
    buffers: list[Any] = cells.buffers()
    if not len(cells):
        return True
    if cells.null_count or buffers[2] is None:
        return False
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[cells.offset :][: len(cells) + 1]
    sizes = np.diff(offsets)
    if sizes.min() < 1 or sizes.max() > _LONGEST:
        return False
    text = memoryview(buffers[2])[offsets[0] : offsets[-1]]
    return not bytes(text).translate(None, _LETTERS)
