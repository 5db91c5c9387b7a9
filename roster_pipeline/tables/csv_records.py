"""Where the records of a CSV text begin and end, decided on its bytes.

Commas, quotes and line ends are the same bytes in UTF-8 and cp1252, and part of no other sign.
"""

import re
from typing import Final, NamedTuple

from roster_pipeline.tables.csv_lines import body_end, next_end

# A cell with line breaks beyond this size is no cell but an unclosed quote.
RECORD_LIMIT: Final = 1 << 20

_TEXT: Final = r'[^"]*+(?:""[^"]*+)*+'
_CELL: Final = f'(?:"{_TEXT}"|[^",]*+)'
# As Python's csv sees it: text may follow a closing quote, quotes may stand in unquoted text.
_LOOSE_CELL: Final = f'(?:"{_TEXT}"[^,]*+|[^",][^,]*+|)'
_INSIDE: Final = re.compile(_TEXT.encode())
_WELL_FORMED: Final = re.compile(f"{_CELL}(?:,{_CELL})*+".encode())
_WELL_OPENED: Final = re.compile(f'(?:{_CELL},)*+"{_TEXT}'.encode())
_OPENED: Final = re.compile(f'(?:{_LOOSE_CELL},)*+"{_TEXT}'.encode())
_COMMA: Final = b","[0]


class Extent(NamedTuple):
    """How far a record goes."""

    end: int
    """The offset after its last line."""
    closed: bool
    """False if it opens a quote that nothing closes: then it is its first line only."""


def record_at(data: bytes, start: int, *, final: bool) -> Extent | None:
    """The record that begins at `start`; None if it may go on after `data`.

    A quote closes a cell with line breaks only where RFC 4180 lets it, before a comma or the
    line's end, in a record that is well formed and no longer than RECORD_LIMIT. So a stray quote
    takes no line but its own. `data` is whole lines, the file's last ones if `final`.
    """
    end = next_end(data, start)
    body = body_end(data, end)
    if data.find(b'"', start, body) < 0 or not _OPENED.fullmatch(data, start, body):
        return Extent(end, closed=True)
    unclosed = Extent(end, closed=False)
    if not _WELL_OPENED.fullmatch(data, start, body):
        return unclosed
    limit = start + RECORD_LIMIT
    while True:
        close = _closing_quote(data, end, limit)
        if close is None:
            return unclosed if final or len(data) >= limit else None
        end = next_end(data, close)
        body = body_end(data, end)
        after = close + 1
        if after == body or (
            data[after] == _COMMA and _WELL_FORMED.fullmatch(data, after + 1, body)
        ):
            return Extent(end, closed=True) if end <= limit else unclosed
        if data[after] != _COMMA or not _WELL_OPENED.fullmatch(data, after + 1, body):
            return unclosed


def is_well_formed(line: bytes) -> bool:
    """Whether a record of one line has quotes only where RFC 4180 has them."""
    return _WELL_FORMED.fullmatch(line, 0, body_end(line, len(line))) is not None


def _closing_quote(data: bytes, start: int, limit: int) -> int | None:
    found = _INSIDE.match(data, start, limit)
    close = found.end() if found else start
    return close if close < min(limit, len(data)) else None
