"""A roster with all that a difference adds and changes, and nothing removed.

A row that stays may be one that a changed row has let go of, because it was not sent: a student
whose guardian's row is missing comes without the guardian. What refers to a row that stays, stays.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.delta import Delta, differs, write_over
from roster_pipeline.oneroster.entities import ENTITIES, Column, Kind, columns
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.tables.text import TEXT


def keep_removed(delta: Delta, into: Path) -> Roster:
    """Write the old roster with the delta's changes and additions; its removed rows stay, and what
    changed rows referred to among them."""
    old = delta.old or Roster.empty()
    gone = {entity: _removed_ids(delta, entity) for entity in ENTITIES}
    with closing(RosterWriter(into)) as writer:
        for entity, change in delta.entities.items():
            stay, alive = write_over(writer, old, delta, entity, change.changed_from), change.alive
            for rows, cells in _let_go(delta, entity, gone):
                writer.replace(entity, stay + np.searchsorted(alive, rows), cells)
        return writer.finish()


def _removed_ids(delta: Delta, entity: str) -> set[str]:
    ids = (delta.old or Roster.empty()).take(entity, delta.entities[entity].removed, ["sourcedId"])[
        "sourcedId"
    ]
    return set(ids.dropna())


def _let_go(
    delta: Delta, entity: str, gone: dict[str, set[str]]
) -> Iterator[tuple[Positions, pd.DataFrame]]:
    """Changed rows (their positions in the new roster) that lost a reference to a row that stays,
    and the cells that they have with it."""
    wanted = [c for c in columns(entity) if c.target is not None and gone[c.target]]
    if not wanted or not len(delta.entities[entity].changed):
        return
    start, names = 0, [column.name for column in wanted]
    for before, after in delta.pairs(entity, names):
        rows = delta.entities[entity].changed[start : start + len(after)]
        start += len(after)
        for column in wanted:
            was, now = before[column.name], after[column.name]
            at, cells = _restored(was, now, np.flatnonzero(differs(was, now)), column, gone)
            if len(at):
                yield rows[at], pd.DataFrame({column.name: pd.Series(cells, dtype=TEXT)})


def _restored(
    was: pd.Series, now: pd.Series, at: Positions, column: Column, gone: dict[str, set[str]]
) -> tuple[Positions, list[str]]:
    missing = gone[column.target or ""]
    found: list[int] = []
    cells: list[str] = []
    for row in at.tolist():
        items = [] if pd.isna(now.iloc[row]) else str(now.iloc[row]).split(",")
        lost = [] if pd.isna(was.iloc[row]) else str(was.iloc[row]).split(",")
        kept = [item for item in lost if item in missing and item not in items]
        # A single reference to another row is what the source says now.
        if kept and (column.kind is Kind.REFERENCES or not items):
            found.append(row)
            cells.append(",".join([*items, *kept]))
    return np.array(found, dtype=np.int64), cells
