"""Of rows that say one thing again and again, the first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import row_hashes, text_hashes
from roster_pipeline.tables.keys import Hashes, KeySet
from roster_pipeline.tables.text import arrow, series

Mask = npt.NDArray[np.bool_]
_NAMES = ("givenName", "familyName")
_NONE: Hashes = np.empty(0, dtype=np.uint64)


@dataclass
class Firsts:
    """The rows of one entity that have been made so far: 16 bytes for each."""

    columns: Sequence[str]
    """Those by which rows differ."""
    people: "People | None" = None
    """Where the rows are users."""
    _keys: Hashes = field(default_factory=lambda: _NONE)
    _rows: Hashes = field(default_factory=lambda: _NONE)

    def look(self, frame: pd.DataFrame, table: int) -> tuple[Mask, Mask]:
        """Which rows of a table are the first of their sourcedId, and which others differ from it.

        Rows without a sourcedId are each the first, and so is who has somebody else's: neither of
        the two may be taken for the other.
        """
        keys, rows = text_hashes(frame["sourcedId"]), row_hashes(frame, self.columns)
        named = frame["sourcedId"].notna().to_numpy(dtype=bool)
        known = len(self._keys)
        all_keys, all_rows = np.concatenate([self._keys, keys]), np.concatenate([self._rows, rows])
        at = KeySet(all_keys).positions(keys)
        first = ~named | (at == known + np.arange(len(keys)))
        self._keys = np.concatenate([self._keys, keys[first & named]])
        self._rows = np.concatenate([self._rows, rows[first & named]])
        if self.people is not None:
            first |= self.people.meet(frame, table)
        return first, ~first & (all_rows[at] != rows)


@dataclass
class People:
    """Who the users are that some tables have made: 32 bytes for each."""

    _keys: Hashes = field(default_factory=lambda: _NONE)
    _names: tuple[Hashes, ...] = (_NONE, _NONE)
    _tables: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def meet(self, frame: pd.DataFrame, table: int) -> Mask:
        """Which users have the sourcedId of somebody whom another table made, and neither the given
        nor the family name: they are two people with one id. Case does not count."""
        keys = text_hashes(frame["sourcedId"])
        names = tuple(text_hashes(series(pc.utf8_lower(arrow(frame[name])))) for name in _NAMES)
        at = KeySet(self._keys).positions(keys)
        met = (at >= 0) & frame[["sourcedId", *_NAMES]].notna().all(axis=1).to_numpy(dtype=bool)
        for known, theirs in zip(self._names, names, strict=True):
            met[met] = known[at[met]] != theirs[met]
        met[met] = self._tables[at[met]] != table
        self._keys = np.concatenate([self._keys, keys])
        both = zip(self._names, names, strict=True)
        self._names = tuple(np.concatenate(pair) for pair in both)
        self._tables = np.concatenate([self._tables, np.full(len(keys), table, dtype=np.int64)])
        return met
