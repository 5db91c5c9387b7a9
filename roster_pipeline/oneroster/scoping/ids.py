"""sourcedIds of rows, rows by their sourcedIds, and what hangs below what."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.versions import items
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import TEXT, arrow

Mask: TypeAlias = npt.NDArray[np.bool_]
"""For each row of an entity yes or no."""
Ids: TypeAlias = pa.LargeStringArray
"""Texts to look for, each once or more; null is none of them."""
NOBODY: Final[Ids] = pa.array([], pa.large_string())


def ids_of(values: Iterable[str]) -> Ids:
    """Some texts to look for."""
    return pa.array(sorted(values), pa.large_string())


def texts(ids: Ids) -> list[str]:
    """The texts as a list."""
    return [text for text in ids.to_pylist() if text is not None]


def is_in(cells: pd.Series, ids: Ids) -> Mask:
    """For each cell whether it is one of some texts."""
    return is_true(pc.is_in(arrow(cells), value_set=ids, skip_nulls=True))


def any_in(lists: pd.Series, ids: Ids) -> Mask:
    """For each list cell whether any of its items is one of some texts."""
    rows, each = items(lists)
    found = np.zeros(len(lists), dtype=bool)
    found[rows[is_in(each, ids)]] = True
    return found


def rows_where(
    roster: Roster, entity: str, columns: Sequence[str], holds: Callable[[pd.DataFrame], Mask]
) -> Mask:
    """The rows of an entity for which something holds, asked block by block."""
    masks = [holds(block) for block in roster.blocks(entity, columns)]
    return np.concatenate([np.zeros(0, dtype=bool), *masks])


def values(roster: Roster, entity: str, mask: Mask | None, column: str = "sourcedId") -> Ids:
    """The distinct filled cells of a column in some rows, or in all."""
    blocks = (
        roster.blocks(entity, [column])
        if mask is None
        else roster.select(entity, np.flatnonzero(mask).astype(np.int64), [column])
    )
    return union(*(arrow(block[column].drop_duplicates()) for block in blocks))


def items_of(roster: Roster, entity: str, mask: Mask | None, column: str) -> Ids:
    """The distinct items of a column of lists in some rows, or in all."""
    lists = values(roster, entity, mask, column)
    return union(arrow(items(pd.Series(lists, dtype=TEXT))[1]))


def union(*parts: Ids) -> Ids:
    """The texts that are in any of these, each once."""
    found: Ids = pc.drop_null(pc.unique(pa.concat_arrays([NOBODY, *parts])))
    return found


def without(some: Ids, others: Ids) -> Ids:
    """The texts of the first that are not in the second."""
    left: Ids = some.filter(pc.invert(pc.is_in(some, value_set=others)))
    return left


def lines(roster: Roster, entity: str) -> dict[str, set[str]]:
    """Of every row of a small entity its sourcedId and those of all rows above it."""
    frame = roster.columns(entity, ["sourcedId", "parentSourcedId"])
    parents = dict(zip(frame["sourcedId"], frame["parentSourcedId"], strict=True))
    return {row: set(_line(row, parents)) for row in parents}


def _line(row: str, parents: Mapping[str, object]) -> Iterator[str]:
    """A row, its parent, its parent's parent …, also where somebody made that a circle."""
    seen: set[str] = set()
    step: object = row
    while isinstance(step, str) and step not in seen:
        seen.add(step)
        yield step
        step = parents.get(step)
