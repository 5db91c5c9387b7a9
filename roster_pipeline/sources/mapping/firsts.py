"""Of rows that say one thing again and again, the first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.tables.hashes import row_hashes, text_hashes
from roster_pipeline.tables.keys import Hashes, KeySet

Mask = npt.NDArray[np.bool_]
_NONE: Hashes = np.empty(0, dtype=np.uint64)


@dataclass
class Firsts:
    """The rows of one entity that have been made so far: 16 bytes for each."""

    columns: Sequence[str]
    """Those by which rows differ."""
    _keys: Hashes = field(default_factory=lambda: _NONE)
    _rows: Hashes = field(default_factory=lambda: _NONE)

    def look(self, frame: pd.DataFrame) -> tuple[Mask, Mask]:
        """Which rows are the first of their sourcedId, and which others differ from it.

        Rows without a sourcedId are each the first.
        """
        keys, rows = text_hashes(frame["sourcedId"]), row_hashes(frame, self.columns)
        named = frame["sourcedId"].notna().to_numpy(dtype=bool)
        known = len(self._keys)
        all_keys, all_rows = np.concatenate([self._keys, keys]), np.concatenate([self._rows, rows])
        at = KeySet(all_keys).positions(keys)
        first = ~named | (at == known + np.arange(len(keys)))
        self._keys = np.concatenate([self._keys, keys[first & named]])
        self._rows = np.concatenate([self._rows, rows[first & named]])
        return first, ~first & (all_rows[at] != rows)
