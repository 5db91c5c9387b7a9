"""Columns of cells built from whole arrays: identifiers, numbers, words, joined texts."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Cells = pa.LargeStringArray
Keys = npt.NDArray[np.uint64]


class IdStyle(StrEnum):
    """How a district's system spells a sourcedId."""

    UUID = "uuid"
    NUMBER = "number"
    """Plain database numbers: another district's will be the same ones."""
    PREFIXED = "prefixed"
    """A number with what it is in front, as in `usr_1000017`."""


_HEX: Final = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
_DASHED: Final = np.array([p for p in range(36) if p not in (8, 13, 18, 23)])


def _mix(keys: Keys, salt: int) -> Keys:
    """SplitMix64's finaliser: distinct keys give distinct, evenly spread numbers."""
    z = (keys + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uuids(keys: Keys, space: str) -> Cells:
    """A UUID for each key, the same each time for the same key and name space."""
    digest = hashlib.blake2b(space.encode(), digest_size=16).digest()
    halves = np.empty((len(keys), 2), dtype=">u8")
    halves[:, 0] = _mix(keys, int.from_bytes(digest[:8]))
    halves[:, 1] = _mix(keys, int.from_bytes(digest[8:]))
    octets = halves.view(np.uint8)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    text = np.full((len(keys), 36), ord("-"), dtype=np.uint8)
    text[:, _DASHED] = _HEX[octets].view(np.uint8)
    offsets = np.arange(0, 36 * len(keys) + 1, 36, dtype=np.int64)
    buffers = pa.py_buffer(offsets.data), pa.py_buffer(text.reshape(-1).data)
    return cast("Cells", pa.LargeStringArray.from_buffers(len(keys), *buffers))


def identifiers(keys: Keys, style: IdStyle, seed: int, kind: str) -> Cells:
    """The sourcedIds of things of one kind (`usr`, `cls`, ...) in one district."""
    if style is IdStyle.UUID:
        return uuids(keys, f"{seed}/{kind}")
    text = numbers(keys)
    return text if style is IdStyle.NUMBER else joined(f"{kind}_", text)


def numbers(values: npt.NDArray[Any], width: int = 0) -> Cells:
    """Decimal numbers, padded with zeros on the left."""
    text: Any = pc.cast(pa.array(values), pa.large_string())
    if width:
        text = pc.utf8_lpad(text, width=width, padding="0")
    return cast("Cells", text)


def words(vocabulary: Sequence[str | None] | Cells, codes: npt.NDArray[Any]) -> Cells:
    """The word that each code stands for; a code of -1 leaves the cell empty."""
    if not isinstance(vocabulary, pa.Array):
        vocabulary = pa.array(list(vocabulary), pa.large_string())
    if len(codes) and codes.min() < 0:
        return vocabulary.take(pa.array(codes, mask=codes < 0))
    return vocabulary.take(pa.array(codes))


def joined(*parts: Cells | str, separator: str = "") -> Cells:
    """The parts put together; an empty one is left out with its separator."""
    operands: list[Any] = [
        pa.scalar(p, pa.large_string()) if isinstance(p, str) else p for p in (*parts, separator)
    ]
    return cast("Cells", pc.binary_join_element_wise(*operands, null_handling="skip"))


def only(where: npt.NDArray[np.bool_], values: Cells) -> Cells:
    """The values where a condition holds, empty cells elsewhere."""
    return cast("Cells", pc.if_else(pa.array(where), values, pa.scalar(None, pa.large_string())))


def listed(rows: int, owner: npt.NDArray[Any], items: Cells) -> Cells:
    """A list cell per row: the items of each owner (ascending row numbers), joined by commas."""
    counts = np.bincount(owner, minlength=rows)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    # Arrow joins lists of ordinary strings only.
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items.cast(pa.string()))
    text: Any = pc.binary_join(lists, ",")
    return only(counts > 0, text.cast(pa.large_string()))


def empty(rows: int) -> Cells:
    """So many empty cells."""
    return pa.nulls(rows, pa.large_string())
