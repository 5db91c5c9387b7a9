"""Cells as the bytes of a receiver's CSV file."""

import codecs
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from roster_pipeline.receivers.columns.cells import Cells, content_of, one
from roster_pipeline.receivers.columns.config import Dialect
from roster_pipeline.tables.arrow import pc

_TEXT: Final = pa.large_string()
_NEWLINES: Final = {"crlf": "\r\n", "lf": "\n"}
_CODECS: Final = {"utf-8": "utf-8", "utf-16": "utf-16-le", "windows-1252": "cp1252"}
_MARKS: Final = {"utf-8": codecs.BOM_UTF8, "utf-16": codecs.BOM_UTF16_LE, "windows-1252": b""}
_SPECIAL: Final = (b'"', b"\\", b"\n", b"\r", b" ")
"""What may need quotes or an escape, beside the delimiter."""
_ESCAPED: Final = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\\n"), ("\r", "\\\r"))


def opening(header: Sequence[str], dialect: Dialect) -> bytes:
    """What a file begins with: its mark, if it has one, and its header."""
    mark = _MARKS[dialect.encoding] if dialect.bom else b""
    return mark + lines([pa.array([name], _TEXT) for name in header], dialect)


def lines(columns: Sequence[Cells], dialect: Dialect) -> bytes:
    """One line for each row. An empty cell alone in its row is quoted, for readers skip empty
    lines."""
    quotes_empty = dialect.quotes == "all" or len(columns) == 1
    cells = [_spelt(column, dialect, quotes_empty) for column in columns]
    delimiter = pa.scalar(dialect.delimiter, _TEXT)
    rows: Any = pc.binary_join_element_wise(*cells, delimiter)
    ends = pa.scalar(_NEWLINES[dialect.newline], _TEXT)
    rows = one(pc.binary_join_element_wise(rows, ends, pa.scalar("", _TEXT)))
    return _encoded(content_of(rows), dialect)


def unencodable(cells: Cells, dialect: Dialect) -> int:
    """How many cells hold a letter that the encoding does not have."""
    if dialect.encoding != "windows-1252":
        return 0
    foreign = pc.match_substring_regex(cells, r"[^\x00-\x7f]")
    asked: list[Any] = cells.filter(pc.fill_null(foreign, False)).to_pylist()
    return sum(text.encode("cp1252", "replace").decode("cp1252") != text for text in asked)


def _spelt(cells: Cells, dialect: Dialect, quotes_empty: bool) -> Cells:
    """Cells as they stand in a line; none is null."""
    text = one(pc.fill_null(cells, ""))
    content = content_of(text)
    if dialect.line_breaks == "blanks" and (b"\n" in content or b"\r" in content):
        text = one(pc.replace_substring_regex(text, "\r\n|\r|\n", " "))
        content = content_of(text)
    plain = not any(sign in content for sign in (*_SPECIAL, dialect.delimiter.encode()))
    if plain and dialect.quotes != "all" and not quotes_empty:
        return text
    mask = None if dialect.quotes == "all" else _to_be_quoted(text, dialect, quotes_empty)
    if dialect.escape == "double":
        text = pc.replace_substring(text, '"', '""')
    else:
        for sign, instead in _ESCAPED:
            text = pc.replace_substring(text, sign, instead)
    if mask is not None and not pc.any(mask).as_py():
        return one(text)
    quote = pa.scalar('"', _TEXT)
    quoted = pc.binary_join_element_wise(quote, text, quote, pa.scalar("", _TEXT))
    return one(quoted if mask is None else pc.if_else(mask, quoted, text))


def _to_be_quoted(text: Any, dialect: Dialect, quotes_empty: bool) -> Any:
    signs = dialect.delimiter.replace("|", r"\|").replace("\t", r"\t")
    signs += " " if dialect.quotes == "spaced" else ""
    signs += '"\r\n' if dialect.escape == "double" else ""
    mask = pc.match_substring_regex(text, f"[{signs}]")
    return pc.or_(mask, pc.equal(text, "")) if quotes_empty else mask


def _encoded(content: bytes, dialect: Dialect) -> bytes:
    if dialect.encoding == "utf-8":
        return content
    return content.decode().encode(_CODECS[dialect.encoding], "replace")
