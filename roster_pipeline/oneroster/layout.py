"""How a roster lies on a disk or in an object store: its files, its index, its hashes.

    roster.json                        the index, written last: without it there is no roster
    <entity>/part-00000.parquet        cells and where each row came from
    <entity>/part-00000.hashes         key hashes, then row hashes: 8 bytes each, little-endian

A hash file only saves time: one that is missing, damaged or made by another algorithm is made
again from the part.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.entities import BULK_BLANK, ENTITIES, SECRET, names
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.tables import hashes

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

INDEX: Final = "roster.json"
FILE: Final = "_file"
LINE: Final = "_line"
ROLE: Final = "_role"
_FORMAT: Final = 1
_LITTLE: Final = np.dtype("<u8")


class RosterError(Exception):
    """A stored roster that is missing, unfinished or damaged; the message is for people."""


def provenance(entity: str) -> tuple[str, ...]:
    """The columns that say where a row came from; for roles also the word that 1.1 used."""
    return (FILE, LINE, ROLE) if entity == "roles" else (FILE, LINE)


# ---- the index ----


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One Parquet part."""

    name: str
    """Relative to the roster, with slashes."""
    rows: int
    digest: str
    hashed_by: str
    """The algorithm of the hash file beside it."""
    hash_digest: str
    """SHA-256 of that file."""

    @property
    def hash_file(self) -> str:
        """The name of the hash file, relative to the roster."""
        return self.name.removesuffix(".parquet") + ".hashes"


@dataclass(frozen=True, slots=True)
class Table:
    """The parts of one entity, in order."""

    metadata: tuple[str, ...] = ()
    """The `metadata.*` columns of any part, sorted."""
    parts: tuple[StoredPart, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows all parts hold."""
        return sum(part.rows for part in self.parts)

    @property
    def bounds(self) -> Positions:
        """The position at which each part starts, and the one after the last row."""
        return np.cumsum([0, *(part.rows for part in self.parts)], dtype=np.int64)

    def header(self, entity: str) -> tuple[str, ...]:
        """The cell columns: the standard's, then the metadata."""
        return names(entity) + self.metadata

    def same_cells(self, other: "Table") -> bool:
        """Whether both are known to hold the same cells without looking at them."""
        digests, others = ([part.digest for part in table.parts] for table in (self, other))
        return digests == others


def content_hash(tables: Mapping[str, Table]) -> str:
    """SHA-256 over entities, headers and part digests: equal for equal cells in equal parts."""
    digest = hashlib.sha256()
    for entity in ENTITIES:
        table = tables[entity]
        lines = [entity, *table.header(entity), *(part.digest for part in table.parts)]
        digest.update(json.dumps(lines, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def index_bytes(tables: Mapping[str, Table]) -> bytes:
    """The text of roster.json; equal tables give equal bytes."""
    content = {
        "format": _FORMAT,
        "content_hash": content_hash(tables),
        "entities": {entity: asdict(tables[entity]) for entity in ENTITIES},
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def parse_index(content: bytes, url: str) -> dict[str, Table]:
    """The tables that a roster.json lists; `RosterError` when it does not hold together."""
    try:
        index = cast("dict[str, Any]", json.loads(content))
        if index["format"] != _FORMAT:
            raise RosterError(
                f"The roster at {url} has format {index['format']}; this version reads format "
                f"{_FORMAT}. Use the version that wrote it, or sync again."
            )
        tables = {entity: _table(index["entities"][entity]) for entity in ENTITIES}
        if content_hash(tables) != index["content_hash"]:
            raise ValueError("content_hash")
    except (ValueError, KeyError, TypeError) as error:
        raise RosterError(f"The {INDEX} of the roster at {url} is damaged; sync again.") from error
    return tables


def _table(stored: Mapping[str, Any]) -> Table:
    return Table(tuple(stored["metadata"]), tuple(StoredPart(**part) for part in stored["parts"]))


# ---- hashes ----


@cache
def compared(entity: str) -> tuple[str, ...]:
    """The standard columns in which a row can change. Bulk leaves status and dateLastModified
    blank (CSV Binding 1.2, bulk and delta), and passwords are never kept."""
    return tuple(name for name in names(entity) if name not in (*BULK_BLANK, *SECRET))


def algorithm(entity: str) -> str:
    """What the hashes of an entity were made with: the function, and the columns it saw."""
    seen = hashlib.sha256("\n".join(compared(entity)).encode()).hexdigest()
    return f"{hashes.algorithm()} roster1 {seen[:12]}"


def hash_rows(entity: str, frame: pd.DataFrame) -> tuple[Hashes, Hashes]:
    """The hash of each row's sourcedId and of each row's compared cells.

    A metadata column counts by name, and only where it is filled: a column that appears, vanishes
    or moves without holding anything changes no hash.
    """
    keys = hashes.text_hashes(frame["sourcedId"])
    rows = hashes.row_hashes(frame, compared(entity)).copy()
    for name in frame.columns:
        if name.startswith(METADATA):
            filled = frame[name].notna().to_numpy(dtype=bool)
            rows[filled] += _scatter(hashes.row_hashes(frame, [name])[filled] ^ _salt(name))
    return keys, rows


@cache
def _salt(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


def _scatter(values: Hashes) -> Hashes:
    """Spread each value over all 64 bits (the finaliser of SplitMix64), so that sums of several
    columns do not cancel."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def hash_bytes(keys: Hashes, rows: Hashes) -> bytes:
    """The content of a hash file."""
    return keys.astype(_LITTLE, copy=False).tobytes() + rows.astype(_LITTLE, copy=False).tobytes()


def parse_hashes(content: bytes, part: StoredPart) -> tuple[Hashes, Hashes] | None:
    """Key and row hashes of the hash file of a part; None when it is not what was written."""
    if hashlib.sha256(content).hexdigest() != part.hash_digest:
        return None
    both = np.frombuffer(content, dtype=_LITTLE).astype(np.uint64, copy=False)
    return both[: part.rows], both[part.rows :]


# ---- files ----


def local_folder(url: str) -> Path | None:
    """The folder that a roster's address names, None if it lies in an object store."""
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    return None if "://" in url else Path(url)


def open_file(url: str, name: str) -> BinaryIO:
    """Open one file of a roster for reading; `FileNotFoundError` if there is none."""
    folder = local_folder(url)
    if folder is not None:
        return (folder / name).open("rb")
    import fsspec

    return cast("BinaryIO", fsspec.open(f"{url.rstrip('/')}/{name}", "rb").open())


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place in one step: it is there with all of its content, or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)
