"""Cells of a receiver's file, made of cells of a roster, whole columns at a time."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.templates import Name, parsed
from roster_pipeline.receivers.columns.cells import Cells, content_of, one
from roster_pipeline.receivers.columns.config import DATE_LETTERS, Value
from roster_pipeline.tables.arrow import pc

CellsOf = Callable[[str], Cells]
"""What a template names → its cells."""
AsIds = Callable[[str, Cells], Cells]
"""Kind of ids, and sourcedIds → ids as they are written."""

_TEXT: Final = pa.large_string()
_NOTHING: Final = pa.scalar("", _TEXT)


def made(
    value: Value,
    cells_of: CellsOf,
    rows: int,
    lookups: Mapping[str, Mapping[str, str]],
    as_ids: AsIds,
    *,
    item: int | None = None,
) -> Cells:
    """The cells of a column; null where there are none. `item` goes before the value's own."""
    cells = filled_in(value.value, cells_of, rows)
    if (place := item or value.item) is not None:
        cells = item_of(cells, place)
    if value.last_day:
        cells = _by_distinct(cells, _day_before)
    if value.date is not None:
        cells = _by_distinct(cells, partial(_written, form=value.date))
    if value.lookup is not None:
        words = lookups[value.lookup]
        cells = _by_distinct(cells, lambda text: words.get(text, words.get("*", text)))
    if value.id is not None:
        cells = as_ids(value.id, cells)
    if value.otherwise is not None and cells.null_count:
        cells = one(pc.coalesce(cells, filled_in(value.otherwise, cells_of, rows)))
    return cells


def filled_in(template: str, cells_of: CellsOf, rows: int) -> Cells:
    """A template with cells in it; null where any of them is empty."""
    pieces = parsed(template)
    if not any(isinstance(piece, Name) for piece in pieces):
        text = "".join(map(str, pieces))
        return pa.repeat(pa.scalar(text or None, _TEXT), rows)
    parts: list[Any] = [
        cells_of(piece.said) if isinstance(piece, Name) else pa.scalar(piece, _TEXT)
        for piece in pieces
    ]
    return one(parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _NOTHING))


def item_of(cells: Cells, place: int) -> Cells:
    """One item of each list, from 1 on, or from the end; null where there are not so many."""
    lists = pc.split_pattern(cells, ",")
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = lists.offsets.to_numpy()
    at = offsets[:-1] + place - 1 if place > 0 else offsets[1:] + place
    there = counts >= abs(place)
    return one(lists.values.take(pa.array(np.where(there, at, 0), mask=~there)))


def longest(cells: Cells) -> int:
    """How many items the longest list has."""
    if cells.null_count == len(cells):
        return 0
    if b"," not in content_of(cells):
        return 1
    return int(pc.max(pc.count_substring(cells, ",")).as_py()) + 1


def _day_before(text: str) -> str:
    day = _day(text)
    return text if day is None or day == date.min else (day - timedelta(days=1)).isoformat()


def _written(text: str, form: str) -> str:
    day = _day(text)
    if day is None:
        return text
    parts = {
        "YYYY": f"{day.year:04d}",
        "YY": f"{day.year % 100:02d}",
        "MM": f"{day.month:02d}",
        "M": str(day.month),
        "DD": f"{day.day:02d}",
        "D": str(day.day),
    }
    return DATE_LETTERS.sub(lambda letters: parts[letters.group()], form)


def _day(text: str) -> date | None:
    """The day of a date, or of a moment."""
    found = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T|$)", text)
    try:
        return date.fromisoformat(text[:10]) if found else None
    except ValueError:
        return None


def _by_distinct(cells: Cells, change: Callable[[str], str]) -> Cells:
    """Cells with a function done to each distinct text; what becomes empty is null."""
    coded = cells.dictionary_encode()
    changed = [change(str(text)) or None for text in coded.dictionary.to_pylist()]
    return one(pa.array(changed, _TEXT).take(coded.indices))
