"""Looks for a text in everything that lies below a folder, whatever it is wrapped in."""

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

_SQLITE = b"SQLite format 3\x00"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"


def places_of(text: str, folder: Path) -> set[str]:
    """Where a text occurs, in any case and in UTF-8 or UTF-16: paths below the folder.

    Archives are inflated (`roster.zip!users.csv`), Parquet is decoded, databases are dumped.
    """
    return {
        place
        for path in folder.rglob("*")
        if path.is_file()
        for place, content in _contents(str(path.relative_to(folder)), path.read_bytes(), path)
        if _holds(content, text)
    }


def _holds(content: bytes, text: str) -> bool:
    lowered = content.lower()
    sought = text.lower()
    return any(
        sought.encode(encoding) in lowered for encoding in ("utf-8", "utf-16-le", "utf-16-be")
    )


def _contents(place: str, raw: bytes, path: Path | None) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, and of all that can be made out of them."""
    yield place, raw
    if raw.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist():
                yield from _contents(f"{place}!{name}", archive.read(name), None)
    elif raw.startswith(_PARQUET):
        table = pq.read_table(io.BytesIO(raw))
        yield place, repr([table.schema.metadata, table.to_pydict()]).encode()
    elif raw.startswith(_GZIP):
        yield from _contents(place, gzip.decompress(raw), None)
    elif raw.startswith(_SQLITE) and path is not None:
        with sqlite3.connect(path) as database:
            yield place, "\n".join(database.iterdump()).encode()
