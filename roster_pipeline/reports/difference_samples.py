"""A few rows of a difference, chosen and masked so that anybody may see them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.delta import Delta, EntityDelta
from roster_pipeline.oneroster.entities import BULK_BLANK, names
from roster_pipeline.oneroster.findings import Texts
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.reports.masking import clipped, is_never_shown, is_personal, shown
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow

HIDDEN: Final = "…"
"""In the place of a cell of which not even the shape is shown."""
MOST: Final = 5
"""Of each entity, how many rows added, changed and gone are shown."""

Cells = list[str | None]


def samples(delta: Delta, entity: str) -> dict[str, list[dict[str, Any]]]:
    """Up to `MOST` rows of an entity that were added, changed, and gone for whatever reason.

    Added and gone ones have their filled `cells`, changed ones the cells that differ, `before` and
    `after`. The same rosters give the same rows, spread over all that there are.
    """
    few = replace(delta, entities={entity: _few(delta.entities[entity])})
    return {
        "added": [row for block in few.blocks(entity, "added") for row in _rows(entity, block)],
        "changed": [row for pair in few.pairs(entity) for row in _changed(entity, *pair)],
        "gone": [row for block in few.blocks(entity, "removed") for row in _rows(entity, block)],
    }


def shown_name(name: str | None) -> str | None:
    """The name of an org, as it may be shown."""
    return _masked("orgs", pd.DataFrame({"name": pd.Series([name], dtype=TEXT)}))["name"][0]


def _few(of: EntityDelta) -> EntityDelta:
    return replace(
        of,
        added=_spread(of.added),
        changed=_spread(of.changed),
        changed_from=_spread(of.changed_from),
        removed=_spread(of.removed),
    )


def _spread(positions: Positions) -> Positions:
    """Some positions, as far from each other as can be."""
    few = min(MOST, len(positions))
    return positions[np.linspace(0, len(positions) - 1, few).astype(np.int64)]


def _rows(entity: str, block: pd.DataFrame) -> Iterator[dict[str, Any]]:
    cells = _masked(entity, block)
    ids = cells.pop("sourcedId")
    for row, sourced_id in enumerate(ids):
        filled = {name: of[row] for name, of in cells.items() if of[row] is not None}
        yield {"sourcedId": sourced_id, "cells": filled}


def _changed(entity: str, before: pd.DataFrame, after: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """`before` and `after` have the same columns, and the rows of one sourcedId side by side."""
    old, new = _masked(entity, before), _masked(entity, after)
    differs = {name: _differs(before[name], after[name]) for name in new}
    for row, sourced_id in enumerate(new["sourcedId"]):
        told = [name for name in new if differs[name][row]]
        yield {
            "sourcedId": sourced_id,
            "before": {name: old[name][row] for name in told},
            "after": {name: new[name][row] for name in told},
        }


def _differs(before: "pd.Series[str]", after: "pd.Series[str]") -> list[bool]:
    # Masked cells may be alike though the cells differ.
    pairs = zip(arrow(before).to_pylist(), arrow(after).to_pylist(), strict=True)
    return [old != new for old, new in pairs]


def _masked(entity: str, frame: pd.DataFrame) -> dict[str, Cells]:
    """By column the cells as they may be shown; columns that hold secrets are left out."""
    return {
        str(name): _shown(arrow(frame[name]), entity, str(name)).to_pylist()
        for name in frame.columns
        if name not in BULK_BLANK and not is_never_shown(str(name))
    }


def _shown(cells: Texts, entity: str, column: str) -> Texts:
    if _is_told_by_its_shape(entity, column):
        filled: Texts = pc.if_else(pc.is_valid(cells), HIDDEN, pa.scalar(None, pa.large_string()))
        return filled
    # Cut last: an e-mail address is known by what may stand behind the cut.
    return clipped(shown(cells, entity, column))


def _is_told_by_its_shape(entity: str, column: str) -> bool:
    """Whether the few words that a personal column has could be told apart by their lengths, as
    those for a sex can; of metadata nobody knows what words they have."""
    if not is_personal(entity, column):
        return False
    return entity == "demographics" or column == "pronouns" or column not in names(entity)
