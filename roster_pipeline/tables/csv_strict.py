"""The fast CSV reader: takes only text on which all readers of RFC 4180 agree.

Arrow's own reader does the work: it was the fastest measured (polars takes half as long again,
because its strings have to be rewritten as Arrow's), and it refuses short and long rows. It is
trusted only with what the tests here have proved to be one record per line and correctly quoted;
everything else is for the patient reader (csv_patient).
"""

import struct
from collections.abc import Sequence
from typing import IO, Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from roster_pipeline.tables.csv_lines import LineEnds

_CHUNK: Final = 4 << 20
_BOM: Final = b"\xef\xbb\xbf"
_QUOTE, _COMMA, _FEED, _RETURN = b'",\n\r'


def read_strict(
    data: bytes, names: Sequence[str], ends: LineEnds, wanted: Sequence[str] | None = None
) -> pa.Table | None:
    """The records of `data` as large strings, the empty cell null; None if there is any doubt.

    All columns `names` are looked at, the `wanted` ones (all, by default) are kept.

    `data` is whole lines without NUL, `ends` are theirs. Doubtful are: a wrong number of cells, a
    blank line, a bare carriage return, a line break in a cell, a quote that RFC 4180 does not
    allow, bytes that are not UTF-8.
    """
    if ends.returns or not _quotes_are_plain(data):
        return None
    if wanted is not None and len(wanted) < len(names) and not _is_utf8(data):
        return None  # Arrow looks at the text of wanted columns only
    try:
        table = pa_csv.read_csv(
            cast(IO[bytes], pa.BufferReader(data)),
            read_options=pa_csv.ReadOptions(
                column_names=list(names), block_size=_CHUNK, use_threads=len(data) > _CHUNK
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.large_string() for name in names},
                include_columns=list(names if wanted is None else wanted),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    # Arrow skips blank lines: taken as rows, it would read them as all null.
    if len(table) != ends.lines:
        return None
    # One piece per column, the chunks let go column by column.
    names, columns = table.column_names, list[Any](table.columns)
    del table
    for place in range(len(columns)):
        columns[place] = columns[place].combine_chunks()
    return pa.table(columns, names=names)


def _is_utf8(data: bytes) -> bool:
    ends = pa.py_buffer(struct.pack("=2q", 0, len(data)))
    whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(data)])
    try:
        whole.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _quotes_are_plain(data: bytes) -> bool:
    # Arrow drops a byte order mark from anything it reads; in a later block it is a cell's text.
    if not data or data.startswith(_BOM):
        return False
    return b'"' not in data or _well_quoted(np.frombuffer(data, dtype=np.uint8))


def _well_quoted(data: "np.typing.NDArray[np.uint8]") -> bool:
    """Whether every quote opens a cell, closes one, or is half of a pair within one, and no line
    ends between an opening and its closing.

    Counted from the start, odd quotes open and even ones close; a pair inside a cell is a close
    and an open that touch.
    """
    quotes = np.flatnonzero(data == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = data[opening - 1]
    before[opening == 0] = _FEED
    after = data[np.minimum(closing + 1, len(data) - 1)]
    after[closing == len(data) - 1] = _FEED
    if not (
        np.isin(before, (_COMMA, _FEED, _QUOTE)).all()
        and np.isin(after, (_COMMA, _FEED, _RETURN, _QUOTE)).all()
    ):
        return False
    feeds = np.flatnonzero(data == _FEED)
    return np.array_equal(np.searchsorted(feeds, opening), np.searchsorted(feeds, closing))
