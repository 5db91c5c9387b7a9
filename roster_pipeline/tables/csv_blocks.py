"""CSV in blocks of rows: the fast reader first, the patient one where there is any doubt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.tables.arrow import to_frame
from roster_pipeline.tables.csv_lines import (
    CsvError,
    LineEnds,
    decode_line,
    last_end,
    next_end,
    refuse_nul,
    split_lines,
)
from roster_pipeline.tables.csv_patient import HELD, Anomaly, cells_of, read_patiently
from roster_pipeline.tables.csv_records import record_at
from roster_pipeline.tables.csv_strict import read_strict

__all__ = ["HELD", "Anomaly", "Block", "CsvBlocks", "CsvError"]

BLOCK_BYTES: Final = 32 << 20
# No roster has a line this long; a file without line ends must not be read into memory whole.
LINE_LIMIT: Final = 16 << 20
# No table has a tenth of it, and each column costs a millisecond.
COLUMN_LIMIT: Final = 4096
_READ: Final = 1 << 20
_NO_LINES: Final = np.empty(0, dtype=np.int64)
# Of a block with a doubt in it, only the piece with the doubt goes the slow way.
_PIECE: Final = 64 << 10
_HEADER_READ: Final = 64 << 10
_BOM: Final = b"\xef\xbb\xbf"
_MARKS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Some consecutive rows of a file."""

    frame: pd.DataFrame
    """One TEXT column per header cell; null is the empty cell, quoted or not."""
    lines: npt.NDArray[np.int64]
    """The line of the file on which each row of the frame starts; the file's first is 1."""
    anomalies: tuple[Anomaly, ...]
    raw: bytes
    """The block's own bytes, as they came: `head` and these, in order, are the file."""


@dataclass
class _Read:
    """What a reader made of some bytes."""

    table: pa.Table
    lines: npt.NDArray[np.int64]
    anomalies: list[Anomaly]
    used: int
    ends: LineEnds | None = None
    """The line ends of all bytes used, where they have been counted."""


class CsvBlocks:
    """The rows of a CSV stream, some 32 MB at a time, in one pass.

    With `only`, places in the header, the frames have just these columns; all else is the same.

    The stream is read forwards only, and never more of it is held than a block, a line, and the
    longest record with line breaks (1 MiB). Rows, line numbers and anomalies do not depend on the
    size of the blocks.

    Raises CsvError, at once or while iterating: "no_header", "duplicate_header",
    "unreadable_encoding", "line_too_long", "not_a_table".
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        block_bytes: int = BLOCK_BYTES,
        only: Sequence[int] | None = None,
    ) -> None:
        self._stream = stream
        self._block_bytes = max(1, block_bytes)
        self._ended = False
        self._line = 1
        self._noted: list[Anomaly] = []
        self._odd = 0
        self.first_cp1252_line: int | None = None
        """The first line that had to be read as cp1252, known when it was reached."""
        self.line_endings: frozenset[str] = frozenset()
        """Which of LF, CRLF and CR have been seen so far."""
        self.bom = False
        """Whether the file begins with a UTF-8 byte order mark."""
        self.head = b""
        """The bytes before the first block: byte order mark, blank lines, header."""
        self._rest = b""
        self.header: tuple[str, ...] = self._read_header()
        """The column names. A column without a name is called `column N`."""
        self._names = [self.header[place] for place in only or range(len(self.header))]

    @property
    def encoding(self) -> str:
        """ "utf-8", or "cp1252" once a line was reached that is not UTF-8."""
        return "utf-8" if self.first_cp1252_line is None else "cp1252"

    def __iter__(self) -> Iterator[Block]:
        while not (self._ended and not self._rest):
            # Only who asked for a block holds it while the next one is made.
            made = [block for block in (self._next_block(),) if block is not None]
            if made:
                yield made.pop()

    def _next_block(self) -> Block | None:
        """The rows that begin in the next bytes; None if they are all part of one record."""
        data = self._more_lines()
        read = self._rows(data, final=self._ended)
        self._rest = data[read.used :] + self._rest
        raw = data if read.used == len(data) else data[: read.used]
        if not raw:
            return None
        ends = read.ends or LineEnds.of(raw)
        self.line_endings |= ends.kinds
        self._line += ends.lines
        anomalies, self._noted = (*self._noted, *read.anomalies), []
        return Block(to_frame(read.table), read.lines, anomalies, raw)

    # -- bytes ----------------------------------------------------------------------------------

    def _read_some(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._ended = not data
        return data

    def _more_lines(self) -> bytes:
        """Whole lines of about a block, or all that is left; what follows them stays in _rest."""
        pieces, size = [self._rest], len(self._rest)
        # Doubled, so that the beginning of a long record is not read over and over.
        target = max(self._block_bytes, 2 * size)
        while size < target and (data := self._read_some(min(_READ, target - size))):
            pieces.append(data)
            size += len(data)
        if self._ended:
            self._rest = b""
            data = b"".join(pieces)
            end = last_end(data)
            if len(data) - end > LINE_LIMIT:
                raise self._too_long(self._line + LineEnds.of(data[:end]).lines)
            return data
        tail = pieces.pop()
        cut = last_end(tail)
        if not cut:
            tail = b"".join([*pieces, tail])
            pieces = []
            cut = last_end(tail)
            if not cut and len(tail) > LINE_LIMIT:
                raise self._too_long(self._line)
        self._rest = tail[cut:]
        return b"".join([*pieces, tail[:cut]])

    def _too_long(self, line: int) -> CsvError:
        return CsvError(
            "line_too_long",
            f"this line does not end within {LINE_LIMIT >> 20} MiB. This is not a CSV file, or "
            "its line ends are damaged.",
            line,
        )

    # -- header ---------------------------------------------------------------------------------

    def _read_header(self) -> tuple[str, ...]:
        data = b""
        lines = None
        while lines is None:
            if len(data) > LINE_LIMIT:
                raise self._too_long(self._line)
            data += self._read_some(min(_HEADER_READ, self._block_bytes))
            lines = self._header_lines(data)
        blank, header = lines
        size = len(_BOM) * self.bom + sum(map(len, blank)) + sum(map(len, header))
        self.head, self._rest = data[:size], data[size:]
        self.line_endings = frozenset(LineEnds.of(self.head).kinds)
        first = len(blank) + 1
        self._line = first + len(header)
        self._noted = [Anomaly(n, "blank_line", 0, 0) for n in range(1, first)]
        self._cr_ends = header[-1].endswith(b"\r")
        names = cells_of([self._decoded(line, n) for n, line in enumerate(header, first)])
        if self._cr_ends:
            self._noted.append(Anomaly(first, "bare_carriage_return", len(names), len(names)))
        if len(names) > COLUMN_LIMIT:
            raise CsvError(
                "not_a_table",
                f"the header has {len(names):,} columns; at most {COLUMN_LIMIT:,} are read.",
                first,
            )
        return _named(names, first)

    def _header_lines(self, data: bytes) -> tuple[list[bytes], list[bytes]] | None:
        """The blank lines before the header, and the header's lines; None if more is needed."""
        for mark, name in _MARKS.items():
            if data.startswith(mark):
                raise CsvError(
                    "unreadable_encoding",
                    f"the file is {name} text. Export it again as UTF-8.",
                    1,
                )
        self.bom = data.startswith(_BOM)
        data = data[len(_BOM) * self.bom :]
        if not self._ended:
            data = data[: last_end(data)]
        refuse_nul(data, 1)
        start = len(data) - len(data.lstrip(b"\r\n"))
        if start == len(data):
            if self._ended:
                raise CsvError("no_header", "the file is empty: there is no row of column names.")
            return None
        extent = record_at(data, start, final=self._ended)
        if extent is None:
            return None
        return split_lines(data[:start]), split_lines(data[start : extent.end])

    def _decoded(self, line: bytes, number: int) -> str:
        text, foreign = decode_line(line, number)
        if foreign:
            self._note_cp1252(number)
        return text

    def _note_cp1252(self, line: int | None) -> None:
        if self.first_cp1252_line is None:
            self.first_cp1252_line = line

    # -- rows -----------------------------------------------------------------------------------

    def _rows(self, data: bytes, *, final: bool) -> _Read:
        refuse_nul(data, self._line)
        ends = LineEnds.of(data)
        table = self._strictly(data, ends)
        if table is None:
            return self._by_pieces(data, final=final)
        lines = self._line + np.arange(len(table), dtype=np.int64)
        return _Read(table, lines, [], len(data), ends)

    def _strictly(self, data: bytes, ends: LineEnds) -> pa.Table | None:
        if self._cr_ends and not ends.feeds and not ends.both:
            data = data.replace(b"\r", b"\n")
            ends = LineEnds.of(data)
        return read_strict(data, self.header, ends, self._names)

    def _by_pieces(self, data: bytes, *, final: bool) -> _Read:
        reads = [_Read(self._table([]), _NO_LINES, [], 0)]
        line = self._line
        while (used := reads[-1].used) < len(data):
            read = self._piece(data, used, line, final=final)
            if read.used == used:
                break
            reads.append(read)
            self._odd += len(read.anomalies)
            line += LineEnds.of(data[used : read.used]).lines
        return _Read(
            pa.concat_tables([read.table for read in reads]).combine_chunks(),
            np.concatenate([read.lines for read in reads]),
            [anomaly for read in reads for anomaly in read.anomalies],
            reads[-1].used,
        )

    def _piece(self, data: bytes, start: int, line: int, *, final: bool) -> _Read:
        """The records of `data` that begin in the piece at `start`."""
        stop = next_end(data, start + _PIECE)
        piece = data[start:stop]
        table = self._strictly(piece, LineEnds.of(piece))
        if table is None and (utf8 := self._as_utf8(piece, line)):
            table = self._strictly(utf8, LineEnds.of(utf8))
        if table is not None:
            return _Read(table, line + np.arange(len(table), dtype=np.int64), [], stop)
        found = read_patiently(
            data,
            line,
            len(self.header),
            final=final,
            cr_ends=self._cr_ends,
            start=start,
            stop=stop,
            odd=self._odd,
        )
        self._note_cp1252(found.first_cp1252)
        lines = np.array(found.lines, dtype=np.int64)
        return _Read(self._table(found.rows), lines, found.anomalies, found.end)

    def _table(self, rows: list[list[str]]) -> pa.Table:
        columns = zip(*rows, strict=True) if rows else [()] * len(self.header)
        arrays = [pa.array([c or None for c in column], pa.large_string()) for column in columns]
        return pa.table(arrays, names=list(self.header)).select(self._names)

    def _as_utf8(self, data: bytes, first_line: int) -> bytes | None:
        """`data` with those lines made UTF-8 that are cp1252; None if there are none."""
        try:
            data.decode()
        except UnicodeDecodeError:
            lines = enumerate(split_lines(data), first_line)
            return "".join([self._decoded(line, number) for number, line in lines]).encode()
        return None


def _named(names: list[str], line: int) -> tuple[str, ...]:
    named = tuple(name or f"column {place}" for place, name in enumerate(names, 1))
    places: dict[str, int] = {}
    for place, name in enumerate(named, 1):
        if name in places:
            raise CsvError(
                "duplicate_header",
                f"columns {places[name]} and {place} have the same name. Remove or rename one.",
                line,
            )
        places[name] = place
    return named
