"""Frames of rows, brought into one shape, stacked and checked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import names
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.layout import LINE, Positions
from roster_pipeline.tables.text import TEXT


def metadata_of(frame: pd.DataFrame) -> list[str]:
    """The names of a frame's metadata columns, sorted."""
    return sorted(name for name in frame.columns if name.startswith(METADATA))


def conform(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The columns named, in that order; those that the frame lacks are empty."""
    return pd.DataFrame(
        {
            name: frame[name].array if name in frame.columns else nulls(len(frame))
            for name in columns
        },
        copy=False,
    )


def stack(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The frames, which have the same columns, one below the other; of none, no rows."""
    if len(frames) == 1:
        return frames[0]
    if not frames:
        return pd.DataFrame({name: _empty(name) for name in columns})
    return pd.concat(frames, ignore_index=True)


def overwrite(rows: pd.DataFrame, at: Positions, cells: pd.DataFrame) -> pd.DataFrame:
    """Give the rows at these positions the cells of `cells`, where a later one wins; columns
    that `cells` lacks stay as they are."""
    source = np.arange(len(rows))
    source[at] = len(rows) + np.arange(len(at))
    both = {
        name: pd.concat([rows[name], cells[name]], ignore_index=True).take(source).array
        for name in cells.columns
    }
    return rows.assign(**both)


def repeated(text: str, rows: int) -> pd.arrays.ArrowExtensionArray:
    """The same text for every row."""
    return pd.arrays.ArrowExtensionArray(pa.repeat(pa.scalar(text, pa.large_string()), rows))


def nulls(rows: int) -> pd.arrays.ArrowExtensionArray:
    """An empty cell for every row."""
    return pd.arrays.ArrowExtensionArray(pa.nulls(rows, pa.large_string()))


def require_cells(entity: str, frame: pd.DataFrame) -> None:
    """Refuse a column that the entity does not have, or whose dtype is not TEXT."""
    for name, dtype in frame.dtypes.items():
        if name not in names(entity) and not str(name).startswith(METADATA):
            raise ValueError(f"{entity} has no column {name}")
        if dtype != TEXT:
            raise TypeError(f"{entity}.{name} is {dtype}, cells are {TEXT}")


def require_within(positions: Positions, rows: int) -> None:
    """Refuse a position that no row has."""
    if len(positions) and (positions.min() < 0 or positions.max() >= rows):
        raise IndexError(f"a position lies outside the {rows} rows")


def require_ascending(positions: Positions, rows: int) -> None:
    """Refuse positions that no row has, or that do not ascend."""
    require_within(positions, rows)
    if (np.diff(positions) < 0).any():
        raise ValueError("positions must ascend")


def _empty(name: str) -> pd.Series:
    return pd.Series([], dtype="int64" if name == LINE else TEXT)
