"""What is done to the cells of one column, step by step."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.oneroster.entities import Column, Kind, is_date
from roster_pipeline.oneroster.spelling import BLANK
from roster_pipeline.sources.date_forms import DateForm
from roster_pipeline.sources.repairs_config import Mending
from roster_pipeline.tables.arrow import is_true, pc

Cells = pa.LargeStringArray
Step = Callable[[Cells], Cells]
"""Gives the mended cells; the same object where there are none."""
Steps = tuple[tuple[str, Step], ...]
"""Each with its name, in their order."""
Said = TypeVar("Said")

_IDS: Final = (Kind.GUID, Kind.REFERENCE, Kind.REFERENCES)
_LISTS: Final = (Kind.REFERENCES, Kind.STRINGS, Kind.USER_IDS)
# What ends does so before this day, in whatever table (CSV Binding 1.2, the endDate of
# academicSessions, roles and enrollments).
_END: Final = "endDate"
_DAY: Final = timedelta(days=1)


def steps_of(mending: Mending, entity: str, column: Column) -> Steps:
    """What is done to the cells of a column of an entity."""
    return tuple(_steps(mending, entity, column))


def mend(cells: Cells, steps: Steps) -> tuple[Cells, Counter[str]]:
    """The cells after all steps, and how many each step changed. The same object comes back if
    none did."""
    counts: Counter[str] = Counter()
    # Each text is looked at once.
    encoded: Any = cells.dictionary_encode()
    texts: Cells = encoded.dictionary
    codes = encoded.indices.drop_null().to_numpy()
    rows = np.bincount(codes, minlength=len(texts))
    for name, step in steps:
        after = step(texts)
        if after is not texts and (number := int(rows[_differ(texts, after)].sum())):
            counts[name] += number
            texts = after
    return (texts.take(encoded.indices) if counts else cells), counts


def _steps(mending: Mending, entity: str, column: Column) -> Iterator[tuple[str, Step]]:
    in_list, repairs = column.kind in _LISTS, mending.repairs
    if words := _said(mending.lookups, entity, column):
        yield "lookups", _each_item(_lookup(words)) if in_list else _lookup(words)
    if repairs.blanks_in_ids == "underscore" and column.kind in _IDS:
        yield "blanks_in_ids", _without_blanks
    if width := _said(repairs.pad, entity, column):
        pad = partial(_padded, width=width)
        yield "pad", _each_item(pad) if in_list else pad
    if column.kind is Kind.DATE:
        if repairs.dates:
            yield "dates", _each_text(partial(_day, [DateForm(form) for form in repairs.dates]))
        if mending.end_dates == "inclusive" and column.name == _END:
            yield "end_dates", _each_text(_day_after)


def _said(by_column: Mapping[str, Said], entity: str, column: Column) -> Said | None:
    """What is said of a column; of a reference, if nothing else is, what is said of the sourcedIds
    that it refers to."""
    own = by_column.get(f"{entity}.{column.name}")
    if own is None and column.target is not None:
        return by_column.get(f"{column.target}.sourcedId")
    return own


def _differ(before: Cells, after: Cells) -> npt.NDArray[np.bool_]:
    """Where a filled cell is another, or none."""
    same = pc.fill_null(pc.equal(before, after), False)
    return is_true(pc.and_(pc.is_valid(before), pc.invert(same)))


def _lookup(words: Mapping[str, str]) -> Step:
    keys = _plain(pa.array(list(words), pa.large_string()))
    meant = pa.array([text or None for text in words.values()], pa.large_string())

    def look_up(texts: Cells) -> Cells:
        at = pc.index_in(_plain(texts), value_set=keys, skip_nulls=True)
        if at.null_count == len(at):
            return texts
        found: Cells = pc.if_else(pc.is_valid(at), meant.take(at), texts)
        return found

    return look_up


def _plain(texts: Cells) -> Any:
    """As words are compared."""
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts))


def _each_item(step: Step) -> Step:
    """A step for lists: each item is mended; one that becomes nothing is left out."""

    def mend_lists(lists: Cells) -> Cells:
        items = pc.split_pattern(pc.fill_null(lists, ""), ",")
        before = pc.list_flatten(items)
        after = step(before)
        if after is before:
            return lists
        of_list = pc.list_parent_indices(items).to_numpy()
        odd = np.zeros(len(lists), dtype=bool)
        odd[of_list[_differ(before, after)]] = True
        kept = is_true(pc.is_valid(after))
        ends = np.cumsum(np.bincount(of_list[kept], minlength=len(lists)))
        joined = pc.binary_join(
            pa.ListArray.from_arrays(
                pa.array(np.concatenate([[0], ends]), pa.int32()), after.filter(pa.array(kept))
            ),
            pa.scalar(",", pa.large_string()),
        )
        # A list of which nothing is left is an empty cell.
        filled = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.large_string()), joined)
        mended: Cells = pc.if_else(pa.array(odd), filled, lists)
        return mended

    return mend_lists


def _without_blanks(texts: Cells) -> Cells:
    return pc.replace_substring_regex(texts, BLANK, "_")  # type: ignore[no-any-return]


def _padded(texts: Cells, width: int) -> Cells:
    short = pc.match_substring_regex(texts, f"^[0-9]{{1,{width - 1}}}$")
    if not is_true(short).any():
        return texts
    padded: Cells = pc.if_else(short, pc.ascii_lpad(texts, width, padding="0"), texts)
    return padded


def _each_text(mended: Callable[[str], str]) -> Step:
    """A step for columns of few distinct texts."""

    def mend_texts(texts: Cells) -> Cells:
        made = [None if text is None else mended(text) for text in texts.to_pylist()]
        return pa.array(made, pa.large_string())

    return mend_texts


def _day(forms: list[DateForm], text: str) -> str:
    if is_date(text):
        return text
    days = (form.day(text) for form in forms)
    return next((day for day in days if day is not None), text)


def _day_after(text: str) -> str:
    # The last day of the calendar stands for never, and has none after it.
    if not is_date(text) or text == date.max.isoformat():
        return text
    return (date.fromisoformat(text) + _DAY).isoformat()
