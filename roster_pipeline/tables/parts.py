"""Parts: Parquet files of some tens of thousands of rows, of which large tables are made."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import PurePath
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from roster_pipeline.tables.arrow import to_frame, to_table

_SAMPLE: Final = 1 << 14
# Above this share of distinct cells in the sample a dictionary costs more than it saves.
_REPETITIVE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Part:
    """A written part."""

    name: str
    rows: int
    digest: str
    """SHA-256, in hex, of the cells: equal for equal column names and cells, whatever wrote the
    file, however the frame was cut, and whatever provenance stands beside the cells."""


File = str | PathLike[str] | IO[bytes]


def write_part(
    file: File,
    frame: pd.DataFrame,
    extra: Mapping[str, "npt.NDArray[Any] | pd.Series[Any]"] | None = None,
) -> Part:
    """Write the frame's columns as cells, and `extra` columns (provenance) with their own types.

    Writing is not atomic: a reader finds a part by a list that is written after it.
    """
    cells = to_table(frame, list(frame.columns))
    with ThreadPoolExecutor(1) as worker:
        digest = worker.submit(digest_of, cells)
        whole = cells
        for name, values in (extra or {}).items():
            whole = whole.append_column(name, pa.array(values))
        pq.write_table(
            whole,
            file if not isinstance(file, PathLike) else fspath(file),
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in whole.column_names if _repetitive(whole[name])],
            write_statistics=False,
            row_group_size=max(1, len(whole)),
        )
        return Part(_name(file), len(cells), digest.result())


def read_part(file: File, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read the named columns in that order, or all as written.

    Cells are TEXT, extras have their own dtype; a column that the file does not have comes back
    as all-null TEXT.
    """
    source = pq.ParquetFile(file if not isinstance(file, PathLike) else fspath(file))
    with source:
        if columns is None:
            return to_frame(source.read())
        held = set(source.schema_arrow.names)
        table = source.read(columns=[name for name in columns if name in held])
        absent = pa.nulls(source.metadata.num_rows, pa.large_string())
    return to_frame(
        pa.table([table[name] if name in held else absent for name in columns], names=list(columns))
    )


def digest_of(cells: pa.Table) -> str:
    """SHA-256 of column names and cells, over lengths and text rather than any file's bytes.

    Of each column: the length of its name and the name, the number of rows, the cells' lengths in
    bytes as little-endian 32-bit numbers (0 for null), the cells' UTF-8 one after the other.
    """
    total = hashlib.sha256()
    for name in cells.column_names:
        encoded = name.encode()
        total.update(len(encoded).to_bytes(8, "little") + encoded)
        total.update(len(cells).to_bytes(8, "little"))
        for chunk in cells[name].chunks:
            lengths = pc.fill_null(pc.binary_length(chunk), 0).to_numpy(zero_copy_only=False)
            total.update(lengths.astype("<u4"))
        for chunk in cells[name].chunks:
            total.update(_text(chunk))
    return total.hexdigest()


def _text(chunk: pa.LargeStringArray) -> memoryview:
    """The bytes of all cells of a chunk. A null may lie over bytes that are nobody's text."""
    if chunk.null_count:
        chunk = chunk.drop_null()
    _, offsets, text = chunk.buffers()
    if not len(chunk) or text is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int64)
    return memoryview(text)[ends[chunk.offset] : ends[chunk.offset + len(chunk)]]


def _repetitive(column: pa.ChunkedArray) -> bool:
    sample = column.slice(0, _SAMPLE)
    return bool(pc.count_distinct(sample).as_py() <= _REPETITIVE * len(sample))


def _name(file: File) -> str:
    path = file if isinstance(file, str | PathLike) else getattr(file, "name", "")
    return PurePath(str(path)).name
