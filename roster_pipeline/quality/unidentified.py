"""Rows whose sourcedId cannot be read, and the accepted rows that seem gone because of them."""

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import BULK_BLANK, names
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Positions
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import KeySet


def keep_unidentified(
    base: Roster, entity: str, missing: Positions, unidentified: list[pd.DataFrame]
) -> Positions:
    """Which of the accepted rows that the package lacks may be among its unreadable ones.

    `missing` are ascending positions in `base`; `unidentified` are frames of rows without a
    usable sourcedId, empty of columns where not even the cells are known. A missing row that is
    equal to an unreadable one in all other cells is that row. Of the rest all are kept if no
    more are missing than could not be read: one of the two must be so for each of them.
    """
    if not len(missing):
        return missing
    told = [frame for frame in unidentified if len(frame.columns)]
    rest = [name for name in names(entity) if name not in ("sourcedId", *BULK_BLANK)]
    count = sum(map(len, unidentified))
    same = np.zeros(len(missing), dtype=bool)
    if told:
        seen = KeySet(np.concatenate([row_hashes(frame, rest) for frame in told]))
        blocks = base.select(entity, missing, rest)
        same = np.concatenate([seen.contains(row_hashes(block, rest)) for block in blocks])
        count -= min(count, int(same.sum()))
    left = int((~same).sum())
    return missing if left <= count else missing[same]
