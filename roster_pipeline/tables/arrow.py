"""Frames to Arrow tables and back, without copying a cell."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline.tables.text import TEXT, arrow


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
    array: pa.LargeStringArray = arrow(series)
    lengths = pc.binary_length(array)
    if pc.min(lengths).as_py() != 0:
        return array
    return pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.large_string()), array)
