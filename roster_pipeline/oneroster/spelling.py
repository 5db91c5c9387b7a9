"""Cells that mean something valid are rewritten to the standard's spelling.

Dates then compare as text, round trips are identities and row hashes are stable.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import BOOLEANS, Column, Kind
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Lines, Texts
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.text_faults import readable
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import arrow, series

Cells = pa.LargeStringArray

# 1.0 said inactive for what is now tobedeleted.
STATUS_1P0: Final = {"inactive": "tobedeleted"}
BOOLEANS_AS_SENT: Final = {
    "1": "true",
    "yes": "true",
    "y": "true",
    "0": "false",
    "no": "false",
    "n": "false",
}
# Excel writes truth in capitals.
_EXCEL: Final = pa.array(["TRUE", "FALSE"], pa.large_string())
# PostgreSQL writes +00, Ruby a blank before an offset, and ISO 8601 lets a comma stand for a point.
_DATE_WITH_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)"
    r"(?: ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_MIDNIGHT: Final = re.compile(r"[0:.,]+")
BLANK: Final = r"[\t\n\v\f\r ]"
"""A blank, as a pattern: one of ASCII."""
# Columns that hold few distinct texts, so that each text is looked at once.
_FEW: Final = (Kind.WORD, Kind.BOOLEAN, Kind.DATE)
_LISTS: Final = (Kind.REFERENCES, Kind.STRINGS, Kind.USER_IDS)
_CHUNK: Final = 1 << 18
# For each byte whether a cell begins after it, and whether one ends before it.
_BEFORE: Final = np.isin(np.arange(256), list(b',"\n'))
_AFTER: Final = np.isin(np.arange(256), list(b',"\r\n'))


def may_be_padded(raw: bytes) -> bool:
    """Whether any cell of a block of CSV could begin or end with a blank, but for a line break.

    Cheap; errs to True.
    """
    if any(blank in raw for blank in (b"\t", b"\v", b"\f")):
        return True
    text = np.frombuffer(raw, dtype=np.uint8)
    if raw.startswith(b" ") or raw.endswith(b" "):
        return True
    # Some that fit the processor's cache at a time: arrays as long as a block are slow to make.
    for start in range(0, len(text), _CHUNK):
        blanks = start + np.flatnonzero(text[start : start + _CHUNK] == ord(" "))
        if (_BEFORE[text[blanks - 1]] | _AFTER[text[blanks + 1]]).any():
            return True
    return False


def day_as_written(text: str) -> str:
    """The date in a date with a time; any other text stays as it is."""
    match = _DATE_WITH_TIME.fullmatch(text)
    return match.group(1) if match else text


def moment_of(text: str) -> datetime | None:
    """The moment that a date with a time is, in UTC where it has no offset."""
    match = _DATE_WITH_TIME.fullmatch(text)
    if match is None:
        return None
    day, time, offset = match.groups(default="Z")
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset.upper()}")
    except ValueError:
        return None


def day_in(timezone: str) -> Callable[[str], str]:
    """What turns a date with a time and an offset into the day that it is in a timezone.

    Midnight, with whatever offset, is the day as it is written: who writes that means a day.
    """
    zone = ZoneInfo(timezone)

    def day(text: str) -> str:
        match = _DATE_WITH_TIME.fullmatch(text)
        if match is None or match.group(3) is None or _MIDNIGHT.fullmatch(match.group(2)):
            return day_as_written(text)
        moment = moment_of(text)
        try:
            return moment.astimezone(zone).date().isoformat() if moment else match.group(1)
        except OverflowError:
            return match.group(1)

    return day


def respell(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    lines: Lines,
    file: str,
    entity: str,
    *,
    padded: bool = True,
    day: Callable[[str], str] = day_as_written,
) -> tuple[pd.DataFrame, Findings]:
    """Rewrite near misses in vocabulary, boolean and date columns, and trim blanks in all.

    Each rewritten cell is a finding `cell.spelling` or `excel.boolean`; what cannot be understood
    stays as it is, to be judged. `frame` has TEXT columns; `padded` False promises that no cell has
    blanks at its ends; `day` makes a date of a date with a time.
    """
    changed: dict[str, tuple[Cells, Cells]] = {}
    for column in columns:
        cells = arrow(frame[column.name])
        mended = _trim(cells, in_list=column.kind in _LISTS) if padded else cells
        if column.kind in _FEW:
            mended = _by_distinct(mended, _respeller(column, day))
        if mended is not cells:
            changed[column.name] = cells, mended
    if not changed:
        return frame, Findings()
    frame = frame.assign(**{n: series(cells, frame.index) for n, (_, cells) in changed.items()})
    ids = arrow(frame["sourcedId"])
    return frame, Findings(
        group
        for name, (before, mended) in changed.items()
        for group in _respelt(before, mended, lines, file, name, entity, ids)
    )


def as_read(column: Column, text: str) -> str:
    """What `respell` makes of a cell of a column."""
    return _respeller(column, day_as_written)(text) if column.kind in _FEW else text


def _respelt(
    before: Cells, after: Cells, lines: Lines, file: str, column: str, entity: str, ids: Texts
) -> Iterator[FindingGroup]:
    rows = np.flatnonzero(_differs(before, after))
    by_excel = pc.is_in(before.take(rows), value_set=_EXCEL).to_numpy(zero_copy_only=False)
    for code, some in (("cell.spelling", rows[~by_excel]), ("excel.boolean", rows[by_excel])):
        if len(some):
            known = readable(ids.take(some))
            yield RULES[code].at(file, column, lines[some], entity=entity, sourced_ids=known)


def _differs(before: Cells, after: Cells) -> npt.NDArray[np.bool_]:
    """Where a filled cell has changed."""
    same = pc.fill_null(pc.equal(before, after), False)
    moved = pc.and_(pc.is_valid(before), pc.invert(same))
    found: npt.NDArray[np.bool_] = moved.to_numpy(zero_copy_only=False)
    return found


def _trim(cells: Cells, *, in_list: bool) -> Cells:
    """Strip blanks at both ends, and around the commas of a list; blanks alone are an empty cell.

    The same object comes back if nothing has to be stripped. Blanks are those of ASCII: what
    becomes of a cell must not depend on whether another one has blanks.
    """
    blank = f"^{BLANK}|{BLANK}$"
    if in_list:
        blank += f"|{BLANK},|,{BLANK}"
    if not pc.any(pc.match_substring_regex(cells, blank)).as_py():
        return cells
    trimmed = pc.ascii_trim_whitespace(cells)
    if in_list:
        trimmed = pc.replace_substring_regex(trimmed, f"{BLANK}*,{BLANK}*", ",")
    empty = pc.equal(trimmed, "")
    stripped: Cells = pc.if_else(empty, pa.scalar(None, pa.large_string()), trimmed)
    return stripped


def _by_distinct(cells: Cells, respeller: Callable[[str], str]) -> Cells:
    """Apply a function to each distinct text. The same object if it changes none."""
    distinct = pc.unique(cells).drop_null().to_pylist()
    moved = {text: new for text in distinct if (new := respeller(text)) != text}
    if not moved:
        return cells
    index = pc.index_in(cells, value_set=pa.array(moved, pa.large_string()))
    respelt: Cells = pc.coalesce(pa.array(moved.values(), pa.large_string()).take(index), cells)
    return respelt


def _respeller(column: Column, day: Callable[[str], str]) -> Callable[[str], str]:
    if column.kind is Kind.DATE:
        return day
    words: Mapping[str, str] = {word.casefold(): word for word in column.words}
    if column.name == "status":
        words = {**words, **STATUS_1P0}
    if column.words == BOOLEANS:
        words = {**words, **BOOLEANS_AS_SENT}
    return lambda text: text if text in column.words else words.get(text.strip().casefold(), text)
