"""Gaps in lists: `a,,b`, or a comma at an end."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import arrow, series

_GAP = "^,|,,|,$"


def has_gap(cells: pd.Series) -> npt.NDArray[np.bool_]:
    """Which lists have an item that is empty."""
    return is_true(pc.match_substring_regex(arrow(cells), _GAP))


def without_gaps(cells: pd.Series) -> pd.Series:
    """The lists without their empty items; null where no item is left."""
    closed = pc.utf8_trim(pc.replace_substring_regex(arrow(cells), ",+", ","), ",")
    empty = pc.equal(closed, "")
    return series(pc.if_else(empty, pa.scalar(None, pa.large_string()), closed))
