"""Rows whose sourcedId is an accepted one but for zeros in front of its digits."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Positions
from roster_pipeline.quality.rules import ACCESS
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow, series


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
    written: Roster, kept: Positions, base: Roster, entity: str
) -> LostZeros | None:
    """The rows (of those kept) that the base does not know, and that it knows, among the rows that
    the package lacks, with more or fewer zeros in front."""
    keys, known = written.keys(entity)[kept], base.keys(entity)
    new = kept[~KeySet(known).contains(keys)]
    missing = np.flatnonzero(~KeySet(keys).contains(known)).astype(np.int64)
    if not len(new) or not len(missing):
        return None
    wanted = ["sourcedId", *ACCESS.get(entity, ())]
    frame = written.take(entity, new, wanted, provenance=True)
    came, gone = (
        _bare(frame["sourcedId"]),
        _bare(base.take(entity, missing, ["sourcedId"])["sourcedId"]),
    )
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


def _bare(sourced_ids: pd.Series) -> pd.Series:
    """The digits without the zeros in front; null for what is not all digits."""
    texts = arrow(sourced_ids)
    digits = pc.match_substring_regex(texts, "^[0-9]{1,32}$")
    return series(pc.if_else(digits, pc.ascii_ltrim(texts, "0"), None))
