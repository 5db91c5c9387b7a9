"""Cells of a OneRoster table, made of cells of another file, whole columns at a time."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.entities import is_date
from roster_pipeline.oneroster.templates import Name, parsed
from roster_pipeline.sources.date_forms import DateForm
from roster_pipeline.sources.mapping.config import Split, Value
from roster_pipeline.sources.repairs_config import folded
from roster_pipeline.tables.arrow import is_true, pc

Cells = pa.LargeStringArray
CellsOf = Callable[[str], Cells]
"""What a template names → its cells."""
Lookups = Mapping[str, Mapping[str, str]]
"""Name → what stands there, folded → what is meant."""

_TEXT: Final = pa.large_string()
_NOTHING: Final = pa.scalar("", _TEXT)
_EMPTY: Final = pa.scalar(None, _TEXT)
_NO_ID: Final = r"[^0-9A-Za-z._/@-]|^.{256}"
_KEPT: Final = 200
"""How much of a text too long for an id is kept before the hash."""


def folded_lookups(lookups: Mapping[str, Mapping[str, str]]) -> Lookups:
    """Lookups as `made` wants them."""
    return {
        name: {folded(word): meant for word, meant in words.items()}
        for name, words in lookups.items()
    }


def made(value: Value, cells_of: CellsOf, rows: int, lookups: Lookups) -> Cells:
    """The cells that a value makes; null where it makes none."""
    cells = filled_in(value.value, cells_of, rows)
    if value.split is not None:
        cells = split(cells, value.split)
    if value.date is not None:
        form = DateForm(value.date)
        cells = _by_distinct(cells, lambda text: form.day(text) or text)
    if (month := value.school_year_from) is not None:
        cells = _by_distinct(cells, lambda text: school_year(text, month))
    if value.lookup is not None:
        words = lookups[value.lookup]
        cells = _by_distinct(cells, lambda text: words.get(folded(text), text))
    if value.otherwise is not None and cells.null_count:
        cells = _one(pc.coalesce(cells, filled_in(value.otherwise, cells_of, rows)))
    if value.id == "each":
        return _by_distinct(cells, _each_as_id)
    return as_ids(cells) if value.id else cells


def filled_in(template: str, cells_of: CellsOf, rows: int) -> Cells:
    """A template with cells in it; null where any of them is."""
    pieces = parsed(template)
    if not any(isinstance(piece, Name) for piece in pieces):
        text = "".join(map(str, pieces))
        return pa.repeat(pa.scalar(text or None, _TEXT), rows)
    parts: list[Any] = [
        cells_of(piece.said) if isinstance(piece, Name) else pa.scalar(piece, _TEXT)
        for piece in pieces
    ]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _NOTHING)
    return _one(joined)


def split(cells: Cells, said: Split) -> Cells:
    """One part of each cell, without blanks around it; null where there is none."""
    lists = pc.split_pattern(cells, said.at)
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = lists.offsets.to_numpy()
    if said.part > 0:
        at, there = offsets[:-1] + said.part - 1, counts >= said.part
    else:
        at, there = offsets[1:] + said.part, counts >= -said.part
    places = pa.array(np.where(there, at, 0), mask=~there)
    return trimmed(lists.values.take(places))


def trimmed(cells: Cells) -> Cells:
    """Cells without blanks around them; null where nothing is left."""
    bare = pc.utf8_trim_whitespace(cells)
    empty = pc.equal(pc.binary_length(bare), pa.scalar(0, pa.int64()))
    return _one(pc.if_else(empty, _EMPTY, bare)) if pc.any(empty).as_py() else _one(bare)


def school_year(text: str, month: int) -> str:
    """The year in which the school year of a date ends, where one begins with a month (1 to 12);
    with the first, it is the calendar's. What is no date stays."""
    if not is_date(text):
        return text
    year = int(text[:4])
    return f"{year + 1 if 1 < month <= int(text[5:7]) else year:04d}"


def as_ids(cells: Cells) -> Cells:
    """Texts as sourcedIds.

    A text that is one stays. In any other each sign that no sourcedId has becomes `_`, only the
    first 200 signs are kept, and behind them stand `-` and the first 16 hexadecimal digits of the
    SHA-256 of the text in UTF-8. This never changes: whoever changes it renames everything.
    """
    odd = is_true(pc.match_substring_regex(cells, _NO_ID))
    if not odd.any():
        return cells
    mask = pa.array(odd)
    return _one(pc.replace_with_mask(cells, mask, _by_distinct(cells.filter(mask), _as_id)))


def _each_as_id(text: str) -> str:
    items = [item.strip() for item in text.split(",")]
    return ",".join(_as_id(item) if re.search(_NO_ID, item) else item for item in items)


def _as_id(text: str) -> str:
    plain = "".join(sign if _is_kept(sign) else "_" for sign in text[:_KEPT])
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _is_kept(sign: str) -> bool:
    return (sign.isascii() and sign.isalnum()) or sign in "._/@-"


def _by_distinct(cells: Cells, change: Callable[[str], str]) -> Cells:
    """Cells with a function done to each distinct text; what becomes empty is null."""
    coded = cells.dictionary_encode()
    changed = [change(str(text)) or None for text in coded.dictionary.to_pylist()]
    return pa.array(changed, _TEXT).take(coded.indices)


def _one(cells: Any) -> Cells:
    """What a kernel made, in one piece."""
    whole = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    return cast("Cells", whole)
