"""Parts: Parquet files of some tens of thousands of rows, of which large tables are made."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import PurePath
from typing import IO, Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from roster_pipeline.tables.arrow import cells, to_frame

_SAMPLE: Final = 1 << 14
# Above this share of distinct cells in the sample a dictionary costs more than it saves.
_REPETITIVE: Final = 0.75

File = str | PathLike[str] | IO[bytes]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A written part."""

    name: str
    """The file's own name, without folders."""
    rows: int
    digest: str
    """SHA-256, in hex, of the cells: equal for equal column names and cells, whatever wrote the
    file, however the frame was cut, and whatever provenance stands beside the cells."""


def write_part(
    file: File,
    frame: pd.DataFrame,
    extra: "Mapping[str, npt.NDArray[Any] | pd.Series[Any]] | None" = None,
) -> Part:
    """Write the frame's columns as cells, and `extra` columns (provenance) with their own types.

    Writing is not atomic: a reader finds parts by a list that is written after them.
    """
    columns = {str(name): cells(frame[name]) for name in frame.columns}
    extras = {name: pa.array(values) for name, values in (extra or {}).items()}
    table = pa.table({**columns, **extras})
    with ThreadPoolExecutor(1) as worker:
        digest = worker.submit(digest_of, columns)
        pq.write_table(
            table,
            fspath(file) if isinstance(file, PathLike) else file,
            compression="zstd",
            compression_level=1,
            use_dictionary=[n for n in table.column_names if _repetitive(table[n])],  # type: ignore[arg-type]  # the stubs know only bool
            write_statistics=False,
            row_group_size=max(1, len(frame)),
        )
        return Part(_name(file), len(frame), digest.result())


def read_part(
    file: File, columns: Sequence[str] | None = None, positions: Positions | None = None
) -> pd.DataFrame:
    """Read the named columns in that order, or all as written; of the rows at these positions only.

    Cells are TEXT, extras have their own dtype; a column that the file does not have comes back
    as all-null TEXT.
    """
    where = fspath(file) if isinstance(file, PathLike) else file
    with pq.ParquetFile(where) as source:
        held = source.schema_arrow.names
        wanted = held if columns is None else columns
        names = [name for name in held if name in wanted]
        if positions is None:
            rows, table = source.metadata.num_rows, source.read(columns=names)
        else:
            rows, table = len(positions), _read_rows(where, source.metadata, names, positions)
    absent = pa.nulls(rows, pa.large_string())
    arrays = [table[name] if name in held else absent for name in wanted]
    return to_frame(pa.table(arrays, names=list(wanted)))


def read_coded(file: File, columns: Sequence[str]) -> pa.Table:
    """Read the named columns in that order as Arrow: those that lie as dictionaries stay so, which
    takes a fourth of the time of spelling them out. A column that the file lacks is all null."""
    where = fspath(file) if isinstance(file, PathLike) else file
    with pq.ParquetFile(where) as source:
        metadata = source.metadata
        names = [name for name in source.schema_arrow.names if name in columns]
        coded = [name for name in names if _lies_as_dictionary(metadata, name)]
        with pq.ParquetFile(where, metadata=metadata, read_dictionary=coded) as again:
            table = again.read(columns=names)
    absent = pa.nulls(metadata.num_rows, pa.large_string())
    arrays = [table[name] if name in names else absent for name in columns]
    return pa.table(arrays, names=list(columns))


def _read_rows(
    where: str | IO[bytes], metadata: pq.FileMetaData, names: Sequence[str], positions: Positions
) -> pa.Table:
    """Some rows of some columns. Columns that lie as dictionaries are only spelt out for these
    rows: that takes a third of the time."""
    coded = [name for name in names if _lies_as_dictionary(metadata, name)]
    with pq.ParquetFile(where, metadata=metadata, read_dictionary=coded) as source:
        rows = source.read(columns=list(names)).take(positions)
    for name in coded:
        place = rows.schema.get_field_index(name)
        text = rows[name].cast(pa.large_string())
        rows = rows.set_column(place, pa.field(name, pa.large_string()), text)
    return rows


def _lies_as_dictionary(metadata: pq.FileMetaData, name: str) -> bool:
    place = metadata.schema.names.index(name)
    groups = range(metadata.num_row_groups)
    chunks = [metadata.row_group(number).column(place) for number in groups]
    return bool(chunks) and all(
        chunk.physical_type == "BYTE_ARRAY" and "RLE_DICTIONARY" in chunk.encodings
        for chunk in chunks
    )


def digest_of(columns: Mapping[str, pa.LargeStringArray]) -> str:
    """SHA-256, in hex, of column names and cells rather than of any file's bytes.

    Of each column: the length of its name and the name, the number of rows, the cells' lengths in
    bytes as little-endian 32-bit numbers (0 for null), the cells' UTF-8 one after the other.
    """
    total = hashlib.sha256()
    for name, array in columns.items():
        encoded = name.encode()
        total.update(len(encoded).to_bytes(8, "little") + encoded)
        total.update(len(array).to_bytes(8, "little"))
        # A null may lie over bytes that are nobody's text.
        filled = cast(pa.LargeStringArray, array.fill_null("")) if array.null_count else array
        ends, text = _ends_and_text(filled)
        total.update(np.diff(ends).astype("<u4").data)
        total.update(text[ends[0] : ends[-1]])
    return total.hexdigest()


def _ends_and_text(array: pa.LargeStringArray) -> tuple[npt.NDArray[np.int64], memoryview]:
    _, offsets, text = array.buffers()
    if not len(array) or offsets is None:
        return np.zeros(1, dtype=np.int64), memoryview(b"")
    ends = np.frombuffer(memoryview(offsets), dtype=np.int64)
    ends = ends[array.offset : array.offset + len(array) + 1]
    return ends, memoryview(text or b"")


def _repetitive(column: "pa.ChunkedArray[Any]") -> bool:
    sample = column.slice(0, _SAMPLE)
    return bool(pc.count_distinct(sample).as_py() <= _REPETITIVE * len(sample))


def _name(file: File) -> str:
    path = file if isinstance(file, str | PathLike) else getattr(file, "name", "")
    return PurePath(str(path)).name
