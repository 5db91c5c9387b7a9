"""The one dtype of a cell: Arrow large strings, where only the empty cell is missing."""

from typing import Final

import pandas as pd
import pyarrow as pa

TEXT: Final = pd.ArrowDtype(pa.large_string())
"""Dtype of every cell column above this floor. Large strings have no 2 GiB limit per column and
are what polars hands over; null stands for the empty cell, quoted or not, and for nothing else."""


def arrow(series: pd.Series) -> pa.Array:
    """The cells of a TEXT series as one Arrow array of large strings, without a copy if possible."""
    cells = pa.array(series.array)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.chunk(0) if cells.num_chunks == 1 else pa.concat_arrays(cells.chunks)
    return cells if cells.type == pa.large_string() else cells.cast(pa.large_string())


def series(cells: pa.Array, index: pd.Index | None = None) -> pd.Series:
    """A TEXT series of an Arrow array of strings."""
    return pd.Series(pd.arrays.ArrowExtensionArray(cells.cast(pa.large_string())), index=index)
