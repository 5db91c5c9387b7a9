"""Which rows of an entity a reference may point at, and why another may not."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.quality.excel import but_for_zeros, scientific
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet

if TYPE_CHECKING:
    from roster_pipeline.quality.causes import Faults

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]


class Missing(StrEnum):
    """Why a row that is referred to is not there. The values name the rules."""

    WAITING = "reference.waiting"
    REMOVED = "reference.removed"
    UNKNOWN = "reference.unknown"
    """Never seen; so are the next two, and it shows why."""
    ZEROS = "excel.leading_zeros"
    NUMBER = "excel.scientific"


_REASONS = tuple(Missing)


@dataclass(frozen=True)
class Presence:
    """The rows of one finished entity of a candidate, by the hashes of their sourcedIds."""

    present: KeySet
    waiting: KeySet
    """Held back and never accepted: new, but not to be had yet."""
    removed: KeySet
    """In the last accepted roster and not in this one, or gone with what they refer to."""
    faults: "Faults" = field(repr=False)
    """Whose fault it is that the rows waiting and removed are not to be had."""
    types: pd.Series | None = field(default=None, repr=False)
    """For orgs and academicSessions: type by key hash."""
    partial: bool = False
    """Whether there may be rows of which nothing is known: a delta without what it changes."""

    def why(self, keys: pd.Series) -> npt.NDArray[np.object_]:
        """For each key that is not present the reason."""
        hashes = text_hashes(keys)
        reasons = np.full(len(hashes), Missing.UNKNOWN, dtype=object)
        reasons[self.removed.contains(hashes)] = Missing.REMOVED
        reasons[self.waiting.contains(hashes)] = Missing.WAITING
        unknown = np.flatnonzero(reasons == Missing.UNKNOWN)
        if len(unknown) and not self.partial:
            texts = keys.iloc[unknown].reset_index(drop=True)
            reasons[unknown[scientific(texts)]] = Missing.NUMBER
            zeros = np.zeros(len(texts), dtype=bool)
            for known in (self.present, self.waiting, self.removed):
                zeros |= but_for_zeros(texts, known)
            reasons[unknown[zeros]] = Missing.ZEROS
        return reasons

    def of_type(self, hashes: Hashes, wanted: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Whether each referred row has one of these types, or an extension of the vocabulary."""
        if not wanted or self.types is None:
            return np.ones(len(hashes), dtype=bool)
        fits = self.types.isin(wanted) | self.types.str.startswith("ext:")
        good = KeySet(self.types.index.to_numpy(dtype=np.uint64)[fits.to_numpy(dtype=bool)])
        known = KeySet(self.types.index.to_numpy(dtype=np.uint64))
        found: npt.NDArray[np.bool_] = good.contains(hashes) | ~known.contains(hashes)
        return found


def key_hashes(cells: pd.Series) -> tuple[Positions, Hashes]:
    """The positions of the filled cells of a column of references, and the hashes of the texts."""
    rows = np.flatnonzero(cells.notna().to_numpy(dtype=bool)).astype(np.int64)
    filled = cells if len(rows) == len(cells) else cells.iloc[rows].reset_index(drop=True)
    return rows, text_hashes(filled)
