"""Drops with something in their files changed."""

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

Rows = list[list[str]]


def edited(drop: bytes, edits: Mapping[str, Callable[[Rows], Rows]]) -> bytes:
    """A zip with some files' rows, the header first, changed by functions."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(drop)) as archive, zipfile.ZipFile(out, "w") as copy:
        for member in archive.namelist():
            content = archive.read(member)
            if member in edits:
                rows = list(csv.reader(io.StringIO(content.decode())))
                text = io.StringIO()
                csv.writer(text).writerows(edits[member](rows))
                content = text.getvalue().encode()
            copy.writestr(member, content)
    return out.getvalue()


def with_cell(drop: bytes, file: str, line: int, column: str, cell: str) -> bytes:
    """A drop with one cell changed."""

    def change(rows: Rows) -> Rows:
        rows[line - 1][rows[0].index(column)] = cell
        return rows

    return edited(drop, {file: change})


def with_header(drop: bytes, file: str, old: str, new: str) -> bytes:
    """A drop with one column called otherwise."""
    return edited(drop, {file: lambda rows: [[new if n == old else n for n in rows[0]], *rows[1:]]})


def with_columns(drop: bytes, columns: Mapping[str, str]) -> bytes:
    """A drop with these columns of these files alone, in this order."""
    return edited(drop, {file: _chosen(names.split()) for file, names in columns.items()})


def _chosen(names: Sequence[str]) -> Callable[[Rows], Rows]:
    def choose(rows: Rows) -> Rows:
        places = [rows[0].index(name) for name in names]
        return [[row[place] for place in places] for row in rows]

    return choose


def without(drop: bytes, *files: str) -> bytes:
    """A drop without some of its files."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(drop)) as archive, zipfile.ZipFile(out, "w") as copy:
        for member in archive.namelist():
            if member not in files:
                copy.writestr(member, archive.read(member))
    return out.getvalue()
