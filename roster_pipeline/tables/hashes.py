"""64-bit hashes of rows and of keys, made by polars."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa

from roster_pipeline.tables.arrow import cells
from roster_pipeline.tables.text import series


def row_hashes(frame: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.uint64]:
    """One hash per row over the named columns in that order.

    Null differs from every text. A column that the frame does not have counts as all null, so a
    file that leaves out an empty column has the hashes of one that writes it.
    """
    if not columns:
        return np.zeros(len(frame), dtype=np.uint64)
    arrays = [
        cells(frame[name]) if name in frame else pa.nulls(len(frame), pa.large_string())
        for name in columns
    ]
    table = pl.DataFrame({str(place): _series(array) for place, array in enumerate(arrays)})
    return table.hash_rows().to_numpy()


def text_hashes(series: "pd.Series[str]") -> npt.NDArray[np.uint64]:
    """One hash per cell of one column: what keys and references are joined by."""
    return _series(cells(series)).hash().to_numpy()


def _series(array: "pa.Array[Any]") -> pl.Series:
    made = pl.from_arrow(array)
    assert isinstance(made, pl.Series)  # noqa: S101  an array never makes a frame
    return made


@cache
def algorithm() -> str:
    """Names what makes a hash. It is stored beside hashes, and hashes under another name are made
    anew, never compared.

    polars keeps its hashes stable within one version only, and comes in builds for several
    processors: the hashes of known texts and rows go into the name, so that whatever changes them
    shows. (Not made at import: polars would start its threads, and a process could not fork any
    more.)
    """
    sample = series(pa.array(["a", "Zoë", None])).to_frame("a")
    made = text_hashes(sample["a"]).tobytes() + row_hashes(sample, ["a", "b"]).tobytes()
    return f"polars-{pl.__version__}/row1-{hashlib.sha256(made).hexdigest()[:16]}"
