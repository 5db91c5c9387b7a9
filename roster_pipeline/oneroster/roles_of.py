"""The roles of some users at a time: a large roster has more of them than need be held at once."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.ids import Mask
from roster_pipeline.oneroster.shape import stack
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet

_AT_ONCE: Final = 1 << 16


def pieces(block: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """A block, whose index counts its rows, in pieces whose rows are brought together with their
    roles; each with its part of the index."""
    for start in range(0, len(block), _AT_ONCE):
        yield block.iloc[start : start + _AT_ONCE]


class RolesOf:
    """Some columns of the roles of a roster, or of those that are kept, by their users.

    What stays in memory is eight bytes for each role.
    """

    def __init__(self, roster: Roster, columns: Sequence[str], kept: Mask | None = None) -> None:
        self._roster = roster
        self._columns = columns
        self._kept = kept
        hashes = [
            text_hashes(block["userSourcedId"])
            for block in roster.blocks("roles", ["userSourcedId"])
        ]
        self._people = np.concatenate([np.empty(0, dtype=np.uint64), *hashes])

    def __call__(self, users: pd.Series) -> pd.DataFrame:
        """The roles of these sourcedIds, in the roster's order; a few of others may be among them,
        as hashes can be equal."""
        wanted = KeySet(text_hashes(users)).contains(self._people)
        if self._kept is not None:
            wanted &= self._kept
        rows = np.flatnonzero(wanted).astype(np.int64)
        return stack(list(self._roster.select("roles", rows, self._columns)), self._columns)
