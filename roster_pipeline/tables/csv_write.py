"""Frames to CSV as RFC 4180 has it."""

import io
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from roster_pipeline.tables.arrow import pc, to_table

_ROWS: Final = 1 << 16
_QUOTED: Final = frozenset(',"\r\n')


def write_csv(
    out: BinaryIO,
    header: Sequence[str],
    frames: Iterable[pd.DataFrame],
    *,
    newline: str = "\r\n",
    breaks: bool = True,
) -> int:
    """Write the header and the `header` columns of each frame; return the number of rows.

    UTF-8 without a byte order mark; a cell is quoted only where RFC 4180 needs it; null and the
    empty string are an empty cell. Without `breaks`, a line break in a cell becomes a blank. The
    same frames give the same bytes, however they are cut.
    Raises KeyError for a column that a frame does not have.
    """
    out.write((",".join(map(_cell, header)) + newline).encode())
    rows = 0
    for frame in frames:
        table = to_table(frame, header)
        if not breaks:
            table = _on_one_line(table)
        starts = range(0, len(table), _ROWS)
        out.writelines(_lines(table.slice(start, _ROWS), newline) for start in starts)
        rows += len(table)
    return rows


def _on_one_line(table: pa.Table) -> pa.Table:
    for place, (name, cells) in enumerate(zip(table.column_names, table.columns, strict=True)):
        content = [bytes(chunk.buffers()[2] or b"") for chunk in cells.chunks]
        # To look for a sign takes a hundredth of what it takes to look into each cell.
        if any(b"\n" in text or b"\r" in text for text in content):
            said = pc.replace_substring_regex(cells, "\r\n|\r|\n", " ")
            table = table.set_column(place, name, said)
    return table


def _lines(table: pa.Table, newline: str) -> memoryview:
    # Arrow's writer is twice as fast, and refuses a cell that must be quoted: then polars.
    if table.num_columns > 1:
        sink = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=False, eol=newline, quoting_style="none")  # type: ignore[call-arg]  # not in the stubs
        try:
            pa_csv.write_csv(table, sink, options)
        except pa.ArrowInvalid:
            pass
        else:
            return memoryview(sink.getvalue())
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  a table always makes a frame
    if frame.width == 1:
        # An empty cell alone in its row would be a blank line, which readers skip.
        frame = frame.fill_null("")
    text = io.BytesIO()
    frame.write_csv(text, include_header=False, line_terminator=newline)
    return text.getbuffer()


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED & set(text) else text
