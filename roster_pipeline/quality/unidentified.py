"""Rows whose sourcedId cannot be read, and the accepted rows that seem gone because of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import BULK_BLANK, names
from roster_pipeline.oneroster.likeness import WAYS, Mask, Telling, hashed, telling
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Hashes, Positions
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import KeySet

_NO_HASHES: Final[Hashes] = np.empty(0, dtype=np.uint64)


def keep_unidentified(
    base: Roster, entity: str, missing: Positions, unidentified: list[pd.DataFrame]
) -> Positions:
    """Which of the accepted rows that the package lacks may be among its unreadable ones.

    `missing` are ascending positions in `base`; `unidentified` are frames of rows without a
    usable sourcedId, empty of columns where not even the cells are known. A missing row that is
    equal to an unreadable one in all other cells is that row. So are, as far as can be known,
    those that share a username, or what else tells rows apart, with another unreadable one: what
    spoils a sourcedId often spoils more. Of the rest all are kept if no more are missing than could
    not be read: one of the two must be so for each of them.
    """
    if not len(missing):
        return missing
    told = [frame for frame in unidentified if len(frame.columns)]
    rest = [name for name in names(entity) if name not in ("sourcedId", *BULK_BLANK)]
    count = sum(map(len, unidentified))
    same = np.zeros(len(missing), dtype=bool)
    if told:
        blocks = base.select(entity, missing, rest)
        there = np.concatenate([row_hashes(block, rest) for block in blocks])
        seen = [row_hashes(frame, rest) for frame in told]
        same = KeySet(np.concatenate(seen)).contains(there)
        known = KeySet(there)
        left_over = [
            telling(entity, frame[~known.contains(hashes)])
            for frame, hashes in zip(told, seen, strict=True)
        ]
        same |= _alike(base, entity, missing, left_over)
        count -= min(count, int(same.sum()))
    left = int((~same).sum())
    return missing if left <= count else missing[same]


def keep_misnamed(
    base: Roster, entity: str, missing: Positions, held: Sequence[tuple[Telling, Mask]]
) -> Positions:
    """Which of the accepted rows that the package lacks are a row held back under another, wrong,
    sourcedId: those that share a username, or what else tells rows apart, with it.

    Of each telling only the rows under the mask count, whose sourcedIds nobody has accepted.
    """
    unknown = [
        tuple((hashes, filled & mask) for hashes, filled in pairs) for pairs, mask in held if pairs
    ]
    return missing[_alike(base, entity, missing, unknown)]


def _alike(base: Roster, entity: str, missing: Positions, told: Sequence[Telling]) -> Mask:
    """Which of the missing rows share what tells rows apart with one of those that are told."""
    alike = np.zeros(len(missing), dtype=bool)
    for way, columns in enumerate(WAYS.get(entity, ()) if len(missing) else ()):
        some = [hashes[filled] for hashes, filled in (pairs[way] for pairs in told)]
        seen = KeySet(np.concatenate([_NO_HASHES, *some]))
        if len(seen):
            blocks = base.select(entity, missing, columns)
            found = [filled & seen.contains(hashes) for hashes, filled in hashed(blocks, columns)]
            alike |= np.concatenate(found)
    return alike
