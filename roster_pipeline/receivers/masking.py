"""Takes out of a roster, or hashes in it, what a receiver shall not see."""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import ENTITIES, Kind, columns
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.layout import FILE, LINE, ROLE
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.scope import Scoped
from roster_pipeline.oneroster.shape import nulls
from roster_pipeline.receivers.mask_config import EXTENSIONS, Mask
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import arrow, series

_DIGITS: Final = 32
"""Hexadecimal digits of a hash: 128 bits, so that no two people of any district share one."""


@dataclass(frozen=True)
class ColumnsMasked:
    """What is done to the columns of one entity."""

    gone: frozenset[str]
    empty: frozenset[str]
    hashed: frozenset[str]
    hashed_lists: frozenset[str]

    def among(self, there: Iterable[str]) -> "ColumnsMasked":
        """The same for the columns that there are, by their names there."""
        named = (
            frozenset(column for column in there if _is_among(column, names))
            for names in (self.gone, self.empty, self.hashed, self.hashed_lists)
        )
        return ColumnsMasked(*named)

    @property
    def is_nothing(self) -> bool:
        return not (self.gone or self.empty or self.hashed or self.hashed_lists)


def masked(roster: Roster, mask: Mask | None, into: Path, key: bytes | None = None) -> Roster:
    """Write to the empty folder `into` a roster without what a mask takes out of it; with no mask
    it comes back itself, and nothing is written.

    Rows keep their order. A hash is HMAC-SHA256 of the text under `key`, its first 128 bits in hex;
    `ValueError` where the mask hashes and there is no key. References to an entity that is dropped
    are emptied.
    """
    if mask is None:
        return roster
    if mask.hash and not key:
        raise ValueError("a mask that hashes needs a key")
    with closing(RosterWriter(into)) as writer:
        for entity in ENTITIES:
            if entity in mask.entities:
                continue
            todo = columns_masked(mask, entity).among(roster.header(entity))
            if todo.is_nothing:
                writer.copy_from(roster, entity)
                continue
            for block in roster.blocks(entity, provenance=True):
                _write(writer, entity, _changed(block, todo, key or b""))
        return writer.finish()


def key_print(key: bytes) -> str:
    """What tells one key from another without telling the key."""
    return _hash(key, "roster_pipeline: which mask_key is this?")[:16]


def part_print(scope: Scope, mask: Mask | None, key: bytes | None) -> str | None:
    """What tells one part of a roster from another part, or from one masked otherwise; None where
    all of it goes out as it is."""
    if scope.is_everything and mask is None:
        return None
    said = [
        scope.model_dump(mode="json"),
        None if mask is None else mask.model_dump(mode="json"),
        None if key is None else key_print(key),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def columns_masked(mask: Mask, entity: str) -> ColumnsMasked:
    """What a mask does to the columns of an entity of which rows go out."""
    named = {way: _columns(getattr(mask, way), entity) for way in ("drop", "hash", "blank")}
    targets = {name.removesuffix(".sourcedId") for name in mask.hash if name.endswith(".sourcedId")}
    refers = [column for column in columns(entity) if column.target is not None]
    hashed = [column for column in refers if column.target in targets]
    dangling = {column.name for column in refers if column.target in mask.entities}
    return ColumnsMasked(
        gone=frozenset(named["drop"]),
        empty=frozenset(named["blank"] | dangling),
        hashed=frozenset(named["hash"] | {c.name for c in hashed if c.kind is Kind.REFERENCE}),
        hashed_lists=frozenset(c.name for c in hashed if c.kind is Kind.REFERENCES),
    )


def plain(extension: str) -> str:
    """The name of an extension column as far as it counts: a district may spell it otherwise from
    one day to the next. The letters A to Z alone, so that a database can do the same."""
    return extension.encode().lower().decode()


def remarks(inside: Scoped, mask: Mask | None) -> tuple[str, ...]:
    """What of a scope and a mask nobody may have meant, in sentences."""
    said = (inside.remark, None if mask is None else _overlooked(inside.roster, mask))
    return tuple(one for one in said if one)


def _overlooked(roster: Roster, mask: Mask) -> str | None:
    """Extension columns that a mask names and a roster lacks may be there under another name."""
    there = [f"{entity}.{name}" for entity in ENTITIES for name in roster.tables[entity].metadata]
    known = {plain(name) for name in there}
    named = [name for name in (*mask.drop, *mask.hash, *mask.blank) if f".{METADATA}" in name]
    if not (odd := [name for name in named if plain(name) not in known]):
        return None
    entities = {name.partition(".")[0] for name in odd}
    near = [name for name in there if name.partition(".")[0] in entities]
    has = f"; it has {', '.join(near)}" if near else ""
    return f"`mask` names {', '.join(odd)}, and the roster has no such column{has}."


def _is_among(column: str, names: Collection[str]) -> bool:
    if not column.startswith(METADATA):
        return column in names
    return EXTENSIONS in names or plain(column) in map(plain, names)


def _columns(names: tuple[str, ...], entity: str) -> set[str]:
    return {name.removeprefix(f"{entity}.") for name in names if name.startswith(f"{entity}.")}


def _changed(block: pd.DataFrame, todo: ColumnsMasked, key: bytes) -> pd.DataFrame:
    cells: dict[str, Any] = {}
    for name in block.columns:
        if name in todo.gone:
            continue
        if name in todo.empty:
            cells[name] = nulls(len(block))
        elif name in todo.hashed:
            cells[name] = series(_hashes(arrow(block[name]), key)).array
        elif name in todo.hashed_lists:
            cells[name] = series(_list_hashes(arrow(block[name]), key)).array
        else:
            cells[name] = block[name].array
    return pd.DataFrame(cells, copy=False)


def _hashes(cells: "pa.Array[Any]", key: bytes) -> "pa.Array[Any]":
    """The hash of each cell; each text is hashed once."""
    coded: Any = cells.dictionary_encode()
    hashes = [_hash(key, text) for text in coded.dictionary.to_pylist()]
    found: pa.Array[Any] = pa.array(hashes, pa.large_string()).take(coded.indices)
    return found


def _list_hashes(cells: "pa.Array[Any]", key: bytes) -> "pa.Array[Any]":
    lists = pc.split_pattern(cells, ",")
    hashed = type(lists).from_arrays(lists.offsets, _hashes(lists.values, key).cast(pa.string()))
    joined = pc.binary_join(hashed, ",").cast(pa.large_string())
    found: pa.Array[Any] = pc.if_else(
        pc.is_valid(cells), joined, pa.scalar(None, pa.large_string())
    )
    return found


def _hash(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:_DIGITS]


def _write(writer: RosterWriter, entity: str, rows: pd.DataFrame) -> None:
    """Append rows with where they came from, which may be several files."""
    for file, some in _by_file(rows):
        writer.write(
            entity,
            some.drop(columns=[name for name in (FILE, LINE, ROLE) if name in some.columns]),
            file=file,
            lines=some[LINE].to_numpy(np.int64),
            role_words=some[ROLE] if ROLE in some.columns else None,
        )


def _by_file(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Neighbouring rows of one file each."""
    files: Any = arrow(rows[FILE]).dictionary_encode()
    codes = files.indices.to_numpy(zero_copy_only=False)
    cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(rows)]
    for start, end in pairwise(cuts):
        if start < end:
            yield str(files.dictionary[int(codes[start])]), rows.iloc[start:end]
