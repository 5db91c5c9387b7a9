"""Rows that are equal to one above them, without keeping the rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from roster_pipeline.receivers.columns.beside import Mask
from roster_pipeline.receivers.columns.cells import Cells
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import Hashes
from roster_pipeline.tables.text import series


class NotRepeated:
    """Tells which rows are new, block by block.

    Kept are two hashes of 64 bits for each row. Rows count as equal when both agree, which for
    different ones among ten million happens once in 10^24 times.
    """

    def __init__(self) -> None:
        self._first: Hashes = np.empty(0, dtype=np.uint64)
        self._second: Hashes = np.empty(0, dtype=np.uint64)

    def mask(self, columns: Sequence[Cells]) -> Mask:
        """For each row whether none above it, in this block or an earlier one, is equal."""
        frame = pd.DataFrame({str(n): series(cells) for n, cells in enumerate(columns)})
        names = list(frame.columns)
        hashes = row_hashes(frame, names), row_hashes(frame, [*names, *names])
        fresh: Mask = ~pd.DataFrame(dict(enumerate(hashes))).duplicated().to_numpy()
        places = np.searchsorted(self._first, hashes[0])
        there = places < len(self._first)
        at = places[there]
        fresh[there] &= (self._first[at] != hashes[0][there]) | (
            self._second[at] != hashes[1][there]
        )
        self._keep(hashes[0][fresh], hashes[1][fresh])
        return fresh

    def _keep(self, first: Hashes, second: Hashes) -> None:
        order = np.argsort(first, kind="stable")
        places = np.searchsorted(self._first, first[order])
        self._first = np.insert(self._first, places, first[order])
        self._second = np.insert(self._second, places, second[order])
