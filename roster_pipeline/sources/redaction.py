"""Blanks the secret columns of a CSV file and leaves every other byte where it was.

Line ends, quoting, encoding and byte order mark stay, so that line numbers and findings of the
blanked file are those of the original.
"""

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.oneroster.entities import SECRET
from roster_pipeline.oneroster.header import nearest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.csv_blocks import Anomaly, Block, CsvBlocks
from roster_pipeline.tables.csv_lines import LineEnds, split_lines
from roster_pipeline.tables.csv_patient import HELD

# ---- which columns -------------------------------------------------------------------------

_METADATA: Final = "metadata"
_LONG: Final = 8
"""Words at least this long are recognised with a slip in them; a slip from `passwd` is `passed`."""


def secret_columns(header: Sequence[str], secrets: Secrets) -> tuple[int, ...]:
    """The positions of the columns whose names say that they hold a secret."""
    return tuple(n for n, name in enumerate(header) if is_secret(name, secrets))


def is_secret(name: str, secrets: Secrets) -> bool:
    """Whether a column's name is, has in it, or nearly is one of the words for a secret.

    Case, spaces, signs and the prefix `metadata.` do not count. Whatever a reader would take for a
    secret column of the standard is one.
    """
    if nearest(name, SECRET):
        return True
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    tokens = re.findall(r"\w+", split.replace("_", " ").casefold())
    if tokens[:1] == [_METADATA]:
        tokens = tokens[1:]
    whole = "".join(tokens)
    candidates = {whole, *tokens, *(a + b for a, b in pairwise(tokens))}
    return whole in secrets.names or any(
        word in whole or (len(word) >= _LONG and any(_one_slip(c, word) for c in candidates))
        for word in secrets.words
    )


def _one_slip(text: str, word: str) -> bool:
    """Whether one letter was left out, added, changed, or swapped with the next."""
    while text and word and text[0] == word[0]:
        text, word = text[1:], word[1:]
    while text and word and text[-1] == word[-1]:
        text, word = text[:-1], word[:-1]
    return (len(text) <= 1 and len(word) <= 1) or (len(text) == 2 and text == word[::-1])


# ---- blanking ------------------------------------------------------------------------------

# A cell as Python's csv sees it: text may follow a closing quote, quotes may stand in unquoted
# text, and a quote that nothing closes takes the rest.
_CELL: Final = re.compile(rb'"[^"]*+(?:""[^"]*+)*+(?:"[^,]*+)?|[^,]*+')
_PLAIN: Final = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_NO_ROW: Final = {*HELD, "blank_line"}
_NO_SIGN: Final = re.compile(rb'[^",]')


@dataclass(frozen=True)
class Redacted:
    """Some bytes of a file after blanking."""

    data: bytes
    rows: int
    """How many rows are not as they came."""


def redacted(blocks: CsvBlocks, columns: Sequence[int]) -> Iterator[Redacted]:
    """The whole file, `blocks.head` first, with the cells of some columns (one or more) blanked.

    A row that the reader keeps out loses every cell that could be the secret one. A line break
    inside a blanked cell stays, so that line numbers do. Raises `CsvError`.
    """
    yield Redacted(blocks.head, 0)
    after_head = 1 + LineEnds.of(blocks.head).lines
    plain = len(blocks.header) > 1 and not blocks.head.endswith(b"\r")
    for block in blocks:
        full = block.frame.iloc[:, list(columns)].notna().any(axis=1).to_numpy()
        if not block.anomalies and plain:
            yield _plainly(block, columns, int(full.sum()))
        else:
            yield _Redaction(blocks, block, columns, full, after_head).run()


def _plainly(block: Block, columns: Sequence[int], full: int) -> Redacted:
    """Of a block in which every line is one row, quoted as RFC 4180 has it."""
    data = block.raw
    for column in columns if full else ():
        data = _up_to(column).sub(rb"\1", data)
    return Redacted(data, full)


@cache
def _up_to(column: int) -> re.Pattern[bytes]:
    """A plain line up to the end of a cell; the group is what stands before that cell."""
    return re.compile(rb"^((?:%b,){%d})%b" % (_PLAIN, column, _PLAIN), re.MULTILINE)


class _Redaction:
    """Of one block."""

    def __init__(
        self,
        blocks: CsvBlocks,
        block: Block,
        columns: Sequence[int],
        full: npt.NDArray[np.bool_],
        after_head: int,
    ) -> None:
        # Every line is a row's or an odd one's; those of the head come with the first block.
        starts = (*block.lines[:1].tolist(), *(a.line for a in block.anomalies))
        self._first = min((line for line in starts if line >= after_head), default=after_head)
        self._full = full
        self._head = blocks.head
        self._width = len(blocks.header)
        self._block = block
        self._columns = columns
        self._held = [a for a in block.anomalies if a.kind in HELD]
        self._lines: list[bytes] = []
        self._changed = 0

    def run(self) -> Redacted:
        if not self._held and not self._full.any():
            return Redacted(self._block.raw, 0)
        self._lines = split_lines(self._block.raw)
        self._blank_rows(self._block.lines[self._full])
        for row in self._held:
            self._rewrite(row.line, row.line + 1, self._kept_out(row))
        data = b"".join(self._lines)
        unclosed = [row for row in self._held if row.kind == "unclosed_quote"]
        if unclosed and not self._reads_alike(data):
            for row in unclosed:
                self._unquote(row)
            data = b"".join(self._lines)
        return Redacted(data, self._changed)

    def _blank_rows(self, starts: npt.NDArray[np.int64]) -> None:
        block = self._block
        odd = [a.line for a in block.anomalies if a.kind in _NO_ROW]
        past_end = self._first + len(self._lines)
        borders = np.sort(np.concatenate([block.lines, np.array([*odd, past_end], dtype=np.int64)]))
        ends = borders[np.searchsorted(borders, starts, side="right")]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            self._rewrite(start, end, self._columns)

    def _rewrite(self, start: int, end: int, blank: Sequence[int] | None) -> None:
        """Blank cells of the record in these lines; None: it opens a quote that nothing closes."""
        at = slice(start - self._first, end - self._first)
        record = b"".join(self._lines[at])
        body = record.rstrip(b"\r\n")
        body_now = self._masked(body) if blank is None else _blanked(body, blank)
        self._changed += body_now != body
        self._lines[at] = [body_now + record[len(body) :], *[b""] * (end - start - 1)]

    def _kept_out(self, row: Anomaly) -> list[int] | None:
        """Where the secrets of a row with too many or too few cells may be."""
        if row.kind == "unclosed_quote":
            return None
        missing, extra = max(0, self._width - row.cells), max(0, row.cells - self._width)
        reach = (range(column - missing, column + extra + 1) for column in self._columns)
        return sorted({place for places in reach for place in places if 0 <= place < row.cells})

    def _masked(self, body: bytes) -> bytes:
        """Every cell but the first made unreadable, quotes and commas kept, so that it reads as
        the same odd row. The first, which says whose row it is, goes too if it may be secret."""
        first, comma, rest = body.partition(b",")
        missing = max(0, self._width - body.count(b",") - 1)
        if first.startswith(b'"') or min(self._columns) <= missing:
            return _NO_SIGN.sub(b"x", body)
        return first + comma + _NO_SIGN.sub(b"x", rest)

    def _reads_alike(self, data: bytes) -> bool:
        """Whether the blanked block has the rows and the odd rows of the original. What is blanked
        after an unclosed quote may have been what showed that nothing closes it."""
        shift = self._first - 1 - LineEnds.of(self._head).lines
        lines: list[int] = []
        odd: list[Anomaly] = []
        for block in CsvBlocks(io.BytesIO(self._head + data)):
            lines += (block.lines + shift).tolist()
            odd += block.anomalies
        same = _no_rows(self._block.anomalies, 0, self._first)
        return lines == self._block.lines.tolist() and _no_rows(odd, shift, self._first) == same

    def _unquote(self, row: Anomaly) -> None:
        """Make a row with an unclosed quote one with the wrong number of cells: still kept out."""
        at = row.line - self._first
        body = self._lines[at].rstrip(b"\r\n")
        end = self._lines[at][len(body) :]
        first, comma, rest = body.partition(b",")
        body = first.replace(b'"', b"x") + comma + rest.replace(b'"', b"x")
        wrong = b"," if body.count(b",") + 1 == self._width else b""
        self._lines[at] = body + wrong + end


def _no_rows(anomalies: Iterable[Anomaly], shift: int, first: int) -> list[tuple[int, str, int]]:
    """The lines, from line `first` on, that make no row, and why. (A quote or a line break within
    a secret cell goes with it, so what is only noted may differ.)"""
    placed = ((a.line + shift, a.kind, a.cells) for a in anomalies if a.kind in _NO_ROW)
    return [odd for odd in placed if odd[0] >= first]


def _blanked(body: bytes, columns: Sequence[int]) -> bytes:
    """A record without its line end, with some of its cells blanked."""
    cells = body.split(b",") if b'"' not in body else list(_cells(body))
    for column in columns:
        cells[column] = _blank(cells[column])
    return b",".join(cells) or b'""'  # a blank line would be no row at all


def _blank(cell: bytes) -> bytes:
    ends = b"".join(_LINE_ENDS.findall(cell))
    return b'"' + ends + b'"' if ends else b""


def _cells(body: bytes) -> Iterator[bytes]:
    place = 0
    while found := _CELL.match(body, place):
        yield found.group()
        if found.end() == len(body):
            return
        place = found.end() + 1
