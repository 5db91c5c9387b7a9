"""The patient CSV reader: Python's csv, line by line, for text with something odd in it.

It reads what Python's csv reads, with two differences. A row with too many or too few cells is
kept out and reported. A quote that opens a cell and is not closed as RFC 4180 has it takes only
its own line with it, where Python's csv would swallow lines up to the next quote.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from roster_pipeline.tables.csv_lines import decode_line


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something odd about one row. Its text shows no cells."""

    line: int
    """The line of the file on which the row starts; the file's first is 1."""
    kind: str
    """Kept out of the frame: "too_many_cells", "too_few_cells", "unclosed_quote". In the frame
    and only noted: "line_break_in_cell", "bare_carriage_return", "bare_quote". No row at all:
    "blank_line"."""
    cells: int
    expected: int
    values: tuple[str, ...] = field(default=(), repr=False)
    """The cells of a row that was kept out, so that a caller can tell which row it is."""


HELD: Final = frozenset({"too_many_cells", "too_few_cells", "unclosed_quote"})
# A cell with line breaks beyond this size is no cell but an unclosed quote.
RECORD_LIMIT: Final = 1 << 20
# What one cell may hold; Python's csv stops at 131,072 characters unless told otherwise.
CELL_LIMIT: Final = 1 << 25

_TEXT: Final = r'[^"]*+(?:""[^"]*+)*+'
_QUOTED: Final = f'"{_TEXT}"'
_INSIDE: Final = re.compile(_TEXT)
_WELL_FORMED: Final = re.compile(rf'(?:{_QUOTED}|[^",]*+)(?:,(?:{_QUOTED}|[^",]*+))*+')
_WELL_OPENED: Final = re.compile(rf'(?:(?:{_QUOTED}|[^",]*+),)*+"{_TEXT}')
# As Python's csv sees it: text may follow a closing quote, quotes may stand in unquoted text.
_OPENED: Final = re.compile(rf'(?:(?:{_QUOTED}[^,]*+|[^",][^,]*+|),)*+"{_TEXT}')


@dataclass
class Patient:
    """What was read of some lines."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    used: int = 0
    """How many of the lines. The rest begin a record that goes on after them."""


def read_patiently(
    lines: Sequence[bytes], first_line: int, width: int, *, final: bool, cr_ends: bool = False
) -> Patient:
    """Read physical lines (each with its end), the first of which has number `first_line`.

    `final` says that the file ends here, `cr_ends` that a bare carriage return is its usual line
    end. Raises CsvError for bytes that are neither UTF-8 nor cp1252.
    """
    read = Patient()
    texts = [decode_line(line, number)[0] for number, line in enumerate(lines, first_line)]
    while read.used < len(texts):
        count = record_lines(texts, read.used, final=final)
        if count is None:
            break
        _take(texts[read.used : read.used + max(1, count)], not count, first_line, width, read)
        if not cr_ends and texts[read.used - 1].endswith("\r"):
            last = first_line + read.used - 1
            read.anomalies.append(Anomaly(last, "bare_carriage_return", width, width))
    return read


def record_lines(texts: Sequence[str], start: int, *, final: bool) -> int | None:
    """How many lines the record has that begins with line `start`; 0 if it opens a quote that
    nothing closes; None if that is not known before more lines are there."""
    text = texts[start].rstrip("\r\n")
    if '"' not in text or not _OPENED.fullmatch(text):
        return 1
    if not _WELL_OPENED.fullmatch(text):
        return 0
    size = len(texts[start])
    for end in range(start + 1, len(texts)):
        size += len(texts[end])
        if size > RECORD_LIMIT:
            return 0
        text = texts[end].rstrip("\r\n")
        found = _INSIDE.match(text)
        close = found.end() if found else 0
        if close == len(text):
            continue
        rest = text[close + 1 :]
        if not rest or (rest[0] == "," and _WELL_FORMED.fullmatch(rest, 1)):
            return end - start + 1
        if rest[0] != "," or not _WELL_OPENED.fullmatch(rest, 1):
            return 0
    return 0 if final else None


def cells_of(record: Sequence[str]) -> list[str]:
    """The cells of one record, given as its lines; none for a blank line."""
    csv.field_size_limit(CELL_LIMIT)
    return next(csv.reader(record), [])


def _take(record: list[str], unclosed: bool, first_line: int, width: int, read: Patient) -> None:
    """Put one record into its place: among the rows, the anomalies, or both."""
    text = record[0].rstrip("\r\n")
    cells = cells_of(record) if '"' in text else text.split(",")
    if len(record) > 1 and len(cells) != width:
        # More likely a quote that was not meant to open anything than a ragged row with a line
        # break; and the lines after it are then judged for themselves.
        _take(record[:1], True, first_line, width, read)
        return
    line = first_line + read.used
    read.used += len(record)
    kind = _kind(record, text, len(cells), width, unclosed)
    if kind == "blank_line":
        read.anomalies.append(Anomaly(line, kind, 0, width))
        return
    if kind:
        kept_out = tuple(cells) if kind in HELD else ()
        read.anomalies.append(Anomaly(line, kind, len(cells), width, kept_out))
    if kind not in HELD:
        read.rows.append(cells)
        read.lines.append(line)


def _kind(record: list[str], text: str, cells: int, width: int, unclosed: bool) -> str | None:
    if not text and len(record) == 1:
        return "blank_line"
    if unclosed:
        return "unclosed_quote"
    if cells != width:
        return "too_many_cells" if cells > width else "too_few_cells"
    if len(record) > 1:
        return "line_break_in_cell"
    return None if '"' not in text or _WELL_FORMED.fullmatch(text) else "bare_quote"
