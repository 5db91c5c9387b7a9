"""Rows of one entity that share a sourcedId."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Positions
from roster_pipeline.quality.rules import ACCESS
from roster_pipeline.tables.keys import KeySet


@dataclass(frozen=True)
class Duplicates:
    """Positions are ascending; lines belong to them one by one."""

    repeated: Positions
    """Second and later copies of rows that are all alike."""
    repeated_lines: Positions
    repeated_ids: pd.Series
    differing: Positions
    """All rows of a sourcedId whose rows are not alike: which of them is right, nobody knows."""
    differing_lines: Positions
    differing_rows: pd.DataFrame
    """Their sourcedIds and access columns."""


def find_duplicates(written: Roster, entity: str) -> Duplicates | None:
    """The rows that share their sourcedId with another row; None where there are none."""
    keys, rows = written.hashes(entity)
    later = KeySet(keys).duplicated()
    if not len(later):
        return None
    suspects = np.flatnonzero(KeySet(keys[later]).contains(keys)).astype(np.int64)
    wanted = ["sourcedId", *ACCESS.get(entity, ())]
    frame = written.take(entity, suspects, wanted, provenance=True)
    # Two texts may share a hash: what counts is the text.
    frame = frame.assign(row=rows[suspects], position=suspects)
    shared = frame.groupby("sourcedId", sort=False)
    size, variants = shared["row"].transform("size"), shared["row"].transform("nunique")
    differs = (size.gt(1) & variants.gt(1)).to_numpy(dtype=bool)
    repeats = (variants.eq(1) & frame.duplicated("sourcedId")).to_numpy(dtype=bool)
    lines = frame["_line"].to_numpy(dtype=np.int64)
    return Duplicates(
        suspects[repeats],
        lines[repeats],
        frame.loc[repeats, "sourcedId"].reset_index(drop=True),
        suspects[differs],
        lines[differs],
        frame.loc[differs, wanted].reset_index(drop=True),
    )
