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

from roster_pipeline.tables.csv_lines import CsvError, decode_line, split_lines
from roster_pipeline.tables.csv_records import is_well_formed, record_at


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
# What one cell may hold; Python's csv stops at 131,072 characters unless told otherwise.
CELL_LIMIT: Final = 1 << 25
# Each odd line costs some microseconds and some hundred bytes; an export that is worth reading
# line by line has far fewer.
ODD_LIMIT: Final = 500_000
_RETURN: Final = b"\r"[0]
_ENDS: Final = b"\r\n"
_BLANK: Final = re.compile(rb"[\r\n]*+")


@dataclass
class Patient:
    """What was read of some bytes."""

    end: int
    """The offset up to which they were read. What follows begins a record that goes on after
    them, or is more than was asked for."""
    line: int
    """The number of the line there."""
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    first_cp1252: int | None = None


def read_patiently(
    data: bytes,
    first_line: int,
    width: int,
    *,
    final: bool,
    cr_ends: bool = False,
    start: int = 0,
    stop: int | None = None,
    odd: int = 0,
) -> Patient:
    """Read the records of `data` that begin between `start` and `stop`; `start` is on `first_line`.

    `data` is whole lines, the file's last ones if `final`; `cr_ends` says that a bare carriage
    return is the file's usual line end; `odd` anomalies were found before. Raises CsvError for
    bytes that are neither UTF-8 nor cp1252, and where there are more than ODD_LIMIT anomalies.
    """
    read = Patient(start, first_line)
    while read.end < (len(data) if stop is None else stop):
        if odd + len(read.anomalies) > ODD_LIMIT:
            raise CsvError(
                "not_a_table",
                f"{ODD_LIMIT:,} lines before this one are blank, cut or not written as CSV has "
                "it. Export the file again.",
                read.line,
            )
        if data[read.end] in _ENDS:
            _skip_blank(data, len(data) if stop is None else stop, width, cr_ends, read)
            continue
        extent = record_at(data, read.end, final=final)
        if extent is None:
            break
        _take(data[read.end : extent.end], extent.closed, width, read)
        if not cr_ends and data[read.end - 1] == _RETURN:
            read.anomalies.append(Anomaly(read.line - 1, "bare_carriage_return", width, width))
    return read


def cells_of(record: Sequence[str]) -> list[str]:
    """The cells of one record, given as its lines; none for a blank line."""
    csv.field_size_limit(CELL_LIMIT)
    return next(csv.reader(record), [])


def _skip_blank(data: bytes, stop: int, width: int, cr_ends: bool, read: Patient) -> None:
    """Note the blank lines that begin here, all at once: there may be millions."""
    found = _BLANK.match(data, read.end, stop)
    end = stop if found is None else found.end()
    lines = split_lines(data[read.end : end])
    for number, line in enumerate(lines, read.line):
        read.anomalies.append(Anomaly(number, "blank_line", 0, width))
        if line == b"\r" and not cr_ends:
            read.anomalies.append(Anomaly(number, "bare_carriage_return", width, width))
    read.end = end
    read.line += len(lines)


def _take(record: bytes, closed: bool, width: int, read: Patient) -> None:
    """Put one record into its place: among the rows, the anomalies, or both."""
    lines = split_lines(record)
    texts = [_decoded(line, number, read) for number, line in enumerate(lines, read.line)]
    cells = cells_of(texts) if b'"' in record else texts[0].rstrip("\r\n").split(",")
    if len(lines) > 1 and len(cells) != width:
        # More likely a quote that was not meant to open anything than a ragged row with a line
        # break; and the lines after it are then judged for themselves.
        _take(lines[0], False, width, read)
        return
    kind = _kind(record, len(lines), len(cells), width, closed)
    if kind not in HELD:
        read.rows.append(cells)
        read.lines.append(read.line)
    if kind:
        values = tuple(cells) if kind in HELD else ()
        read.anomalies.append(Anomaly(read.line, kind, len(cells), width, values))
    read.end += len(record)
    read.line += len(lines)


def _decoded(line: bytes, number: int, read: Patient) -> str:
    text, foreign = decode_line(line, number)
    if foreign and read.first_cp1252 is None:
        read.first_cp1252 = number
    return text


def _kind(record: bytes, lines: int, cells: int, width: int, closed: bool) -> str | None:
    if not closed:
        return "unclosed_quote"
    if cells != width:
        return "too_many_cells" if cells > width else "too_few_cells"
    if lines > 1:
        return "line_break_in_cell"
    return None if b'"' not in record or is_well_formed(record) else "bare_quote"
