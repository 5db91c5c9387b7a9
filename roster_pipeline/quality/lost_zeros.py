"""Rows whose sourcedId is an accepted one but for zeros in front of its digits."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.excel import without_zeros
from roster_pipeline.quality.presence import Positions
from roster_pipeline.quality.rules import ACCESS
from roster_pipeline.tables.keys import KeySet


@dataclass(frozen=True)
class LostZeros:
    """New rows that are accepted ones under another number of zeros."""

    positions: Positions
    """In what is written."""
    lines: Positions
    rows: pd.DataFrame
    """sourcedId, as sent, and access columns."""
    accepted: Positions
    """In the roster accepted last: those that seem gone."""


def find_lost_zeros(
    written: Roster, kept: Positions, base: Roster, missing: Positions, entity: str
) -> LostZeros | None:
    """The rows (of those kept) that the base does not know, and that it knows, among the rows
    (`missing`) that the package lacks, with more or fewer zeros in front."""
    gone = without_zeros(base.take(entity, missing, ["sourcedId"])["sourcedId"])
    if not gone.notna().any():
        return None
    new = kept[~KeySet(base.keys(entity)).contains(written.keys(entity)[kept])]
    wanted = ["sourcedId", *ACCESS.get(entity, ())]
    frame = written.take(entity, new, wanted, provenance=True)
    came = without_zeros(frame["sourcedId"])
    same = (came.isin(gone.dropna()) & came.notna()).to_numpy(dtype=bool)
    if not same.any():
        return None
    theirs = (gone.isin(came[same]) & gone.notna()).to_numpy(dtype=bool)
    return LostZeros(
        new[same],
        frame["_line"].to_numpy(dtype=np.int64)[same],
        frame.loc[same, wanted].reset_index(drop=True),
        missing[theirs],
    )
