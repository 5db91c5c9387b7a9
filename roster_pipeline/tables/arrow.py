"""Frames to Arrow tables and back, without copying a cell."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from roster_pipeline.tables.text import TEXT, arrow

pc: Any = pyarrow.compute
"""Arrow's kernels; its type stubs know only some of them."""


def is_true(answers: Any) -> npt.NDArray[np.bool_]:
    """Where a kernel answers yes; null is no."""
    found: npt.NDArray[np.bool_] = pc.fill_null(answers, False).to_numpy(zero_copy_only=False)
    return found


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame: large strings become TEXT, numbers and the rest NumPy columns."""
    return table.to_pandas(
        types_mapper=lambda kind: TEXT if pa.types.is_large_string(kind) else None,
        ignore_metadata=True,
    )


def to_table(frame: pd.DataFrame, columns: Sequence[str]) -> pa.Table:
    """The named columns, in that order, as large strings in which no cell is empty but null.

    Raises KeyError for a column that the frame does not have.
    """
    return pa.table([cells(frame[name]) for name in columns], names=list(columns))


def cells(series: "pd.Series[str]") -> pa.LargeStringArray:
    """One column as large strings, the empty string made null."""
    array = arrow(series)
    empty = pc.equal(pc.binary_length(array), pa.scalar(0, pa.int64()))
    if not pc.any(empty).as_py():
        return array
    filled = pc.if_else(empty, pa.scalar(None, pa.large_string()), array)
    return cast(pa.LargeStringArray, filled)
