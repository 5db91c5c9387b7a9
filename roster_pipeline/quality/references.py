"""References of one column: which point at nothing, and the cells without them."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.entities import Column, Kind
from roster_pipeline.oneroster.findings import Texts
from roster_pipeline.oneroster.versions import items
from roster_pipeline.quality.presence import Missing, Positions, Presence, key_hashes
from roster_pipeline.tables.text import TEXT

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Misses:
    """References of a column that point at no row, one entry each; a list cell may have several."""

    rows: Positions
    """Positions in the column, ascending."""
    reasons: npt.NDArray[np.object_]
    texts: pd.Series
    causes: Texts
    """The row at fault for each, as `Finding.cause` writes it."""
    wrong_kind: Positions
    """Rows whose reference points at a row of another type than the standard asks for."""
    unjudged: bool
    """Whether nothing is known of some rows that are referred to; those are no misses."""

    def __len__(self) -> int:
        return len(self.rows)


def find_misses(
    cells: pd.Series, column: Column, presence: Presence, looked_at: Mask | None = None
) -> Misses:
    """Look up each reference of a column (RangeIndex, TEXT) among the rows that are there.

    Where `looked_at` is given, rows that it does not hold are passed over.
    """
    if column.kind is Kind.REFERENCES:
        parents, texts = items(cells)
    else:
        parents, texts = np.arange(len(cells), dtype=np.int64), cells
    filled, hashes = key_hashes(texts)
    there = presence.present.contains(hashes)
    wrong = parents[filled[there & ~presence.of_type(hashes, column.target_types)]]
    absent = filled[~there]
    if looked_at is not None:
        wrong, absent = wrong[looked_at[wrong]], absent[looked_at[parents[absent]]]
    reasons = presence.why(texts.iloc[absent].reset_index(drop=True))
    judged = ~((reasons == Missing.UNKNOWN) & presence.partial)
    absent, unjudged = absent[judged], not judged.all()
    missed = texts.iloc[absent].reset_index(drop=True)
    return Misses(
        parents[absent],
        reasons[judged],
        missed,
        presence.faults.of(missed),
        distinct(wrong),
        unjudged,
    )


def without(cells: pd.Series, column: Column, misses: Misses) -> tuple[Positions, pd.Series]:
    """The rows with a missing reference, and their cells without it (null where none stays)."""
    rows = distinct(misses.rows)
    if column.kind is not Kind.REFERENCES:
        return rows, pd.Series([None] * len(rows), dtype=TEXT)
    gone: dict[int, set[str]] = defaultdict(set)
    for row, text in zip(misses.rows.tolist(), misses.texts.to_list(), strict=True):
        gone[row].add(text)
    lists = cells.iloc[rows].to_list()
    mended = [
        ",".join(item for item in text.split(",") if item not in gone[row]) or None
        for row, text in zip(rows.tolist(), lists, strict=True)
    ]
    return rows, pd.Series(mended, dtype=TEXT)


def distinct(rows: Positions) -> Positions:
    """Ascending rows, each once."""
    return rows[np.append(True, rows[1:] != rows[:-1])] if len(rows) else rows


def among(rows: Positions, some: Positions) -> Mask:
    """Which rows are among some others, which ascend."""
    if not len(some):
        return np.zeros(len(rows), dtype=bool)
    at = np.minimum(np.searchsorted(some, rows), len(some) - 1)
    found: Mask = some[at] == rows
    return found
