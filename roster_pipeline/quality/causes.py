"""Whose fault it is that a row is not to be had."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.findings import Texts, row_at_fault
from roster_pipeline.quality.presence import Hashes, Positions
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow, series

_EMPTY: Texts = pa.array([], pa.large_string())


class Faults:
    """Rows of one entity that are not to be had, each with the row at fault.

    A row that is wrong itself is its own; one that waits for, or goes with, another one has the
    fault of that one. So every chain of consequences ends at one root.
    """

    def __init__(self, entity: str) -> None:
        self._entity = entity
        self._hashes: list[Hashes] = []
        self._labels: list[Texts] = []
        self._lookup: tuple[KeySet, Texts] | None = None

    def add(self, sourced_ids: pd.Series, causes: Texts | None = None) -> None:
        """Some rows, and for each the row at fault; null, or None for all, for the row itself."""
        if not len(sourced_ids):
            return
        own = row_at_fault(self._entity, arrow(sourced_ids))
        self._hashes.append(text_hashes(sourced_ids))
        self._labels.append(own if causes is None else pc.coalesce(causes, own))
        self._lookup = None

    def of(self, sourced_ids: pd.Series) -> Texts:
        """The row at fault for each of these; one that nothing is known of is its own."""
        own = row_at_fault(self._entity, arrow(sourced_ids))
        if not self._hashes:
            return own
        if self._lookup is None:
            self._lookup = KeySet(np.concatenate(self._hashes)), joined(self._labels)
        known, labels = self._lookup
        at = known.positions(text_hashes(sourced_ids))
        found: Texts = pc.coalesce(pc.take(labels, pa.array(at, mask=at < 0)), own)
        return found


def first_of_each(rows: Positions, texts: Texts, wanted: Positions) -> Texts:
    """For each wanted row the first text that stands beside it in `rows`, which ascends."""
    return texts.take(np.searchsorted(rows, wanted))


def joined(texts: Sequence[Texts]) -> Texts:
    """Several arrays of texts as one."""
    return arrow(series(pa.concat_arrays([_EMPTY, *texts])))
