"""The one dtype of a cell: Arrow large strings, where only the empty cell is missing."""

from typing import Any, Final, cast

import pandas as pd
import pyarrow as pa

TEXT: Final = pd.ArrowDtype(pa.large_string())
"""Dtype of every cell column above this floor. Large strings have no 2 GiB limit per column and
every engine here takes them; null is the empty cell, quoted or not, and nothing else is."""


def arrow(series: "pd.Series[Any]") -> pa.LargeStringArray:
    """The cells of a series as one Arrow array, without a copy where it has one chunk."""
    cells: Any = pa.array(series.array)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    if cells.type != pa.large_string():
        cells = cells.cast(pa.large_string())
    return cast(pa.LargeStringArray, cells)


def series(cells: "pa.Array[Any]", index: "pd.Index[Any] | None" = None) -> "pd.Series[Any]":
    """A TEXT series of an Arrow array of strings."""
    return pd.Series(pd.arrays.ArrowExtensionArray(cells.cast(pa.large_string())), index=index)
