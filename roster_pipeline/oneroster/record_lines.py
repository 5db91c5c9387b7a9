"""The records of one file of a pull: a line each, read some at a time.

Where records with one sourcedId are to become one they may stand anywhere in the file. So it is
read once for its sourcedIds alone; then the records of those that repeat are gathered, so many
sourcedIds in one more reading that memory does not grow with the file.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, islice
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.findings import Lines
from roster_pipeline.oneroster.merging import Union
from roster_pipeline.oneroster.rest_json import Record, sourced_id
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet, distinct
from roster_pipeline.tables.text import TEXT

_LONGEST_LINE: Final = 64 << 20
# People take some KB each while they are gathered.
_GATHERED: Final = 20_000
_IN_A_BLOCK: Final = 10_000
_IDS_AT_A_TIME: Final = 1 << 16

Open = Callable[[], BinaryIO]
Parts = npt.NDArray[np.int32]


class LineError(Exception):
    """A line that is no record."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True)
class Records:
    """Some records of a file."""

    records: Sequence[Any]
    lines: Lines
    """The line of each; of one that was put together the first of its lines."""
    differing: Mapping[str, list[int]] = field(default_factory=dict)
    """Property → the positions of records that were put together of such as differ in it."""


def read_records(
    open_file: Open, most_bytes: int, wanted: npt.NDArray[np.bool_] | None = None
) -> Iterator[Records]:
    """The records in their order, about so many bytes of JSON at a time; of some lines only where
    `wanted` says for each line whether it is. Raises `LineError`."""
    size, lines, records = 0, [], []
    with open_file() as stream:
        for line, text in _lines(stream, wanted):
            records.append(_record(text, line))
            lines.append(line)
            size += len(text)
            if size >= most_bytes:
                yield Records(records, np.array(lines, dtype=np.int64))
                size, lines, records = 0, [], []
    if records:
        yield Records(records, np.array(lines, dtype=np.int64))


def _lines(
    stream: BinaryIO, wanted: npt.NDArray[np.bool_] | None = None
) -> Iterator[tuple[int, bytes]]:
    """The lines that are wanted, with their numbers."""
    every = iter(partial(stream.readline, _LONGEST_LINE), b"")
    numbered = enumerate(every, start=1)
    return numbered if wanted is None else compress(numbered, wanted.tolist())


def _record(text: bytes, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise LineError(line) from None


def find_repeated(open_file: Open, *, gathered: int = _GATHERED) -> Parts | None:
    """For each line of a file -1, or the part, from 0 on, in which its record is to be gathered
    with others of its sourcedId; of so many sourcedIds each. None where no sourcedId repeats.
    Raises `LineError`."""
    made = [np.empty(0, dtype=np.uint64)]
    without = [np.empty(0, dtype=np.bool_)]
    with open_file() as stream:
        # Nothing but its sourcedId is kept of a record: a list of objects costs the garbage
        # collector more than reading them does.
        ids = (_id_in(_record(text, line)) for line, text in _lines(stream))
        while some := list(islice(ids, _IDS_AT_A_TIME)):
            column = pd.Series(some, dtype=TEXT)
            made.append(text_hashes(column))
            without.append(column.isna().to_numpy(dtype=bool))
    hashes, nameless = np.concatenate(made), np.concatenate(without)
    named = hashes[~nameless]
    repeated = distinct(named[KeySet(named).duplicated()])
    if not len(repeated):
        return None
    places = np.minimum(np.searchsorted(repeated, hashes), len(repeated) - 1)
    alone = nameless | (repeated[places] != hashes)
    return np.where(alone, -1, places // gathered).astype(np.int32)


def _id_in(record: Any) -> str | None:
    return sourced_id(record) if isinstance(record, dict) else None


def united_records(open_file: Open, most_bytes: int, parts: Parts) -> Iterator[Records]:
    """The records of sourcedIds that do not repeat, in their order; then, part by part, those of
    each that does, put together. Raises `LineError`."""
    yield from read_records(open_file, most_bytes, parts < 0)
    for part in range(int(parts.max(initial=-1)) + 1):
        found: dict[str, tuple[int, Union]] = {}
        for some in read_records(open_file, most_bytes, parts == part):
            for record, line in zip(some.records, some.lines.tolist(), strict=True):
                _gather(record, line, found)
        gathered = list(found.values())
        for start in range(0, len(gathered), _IN_A_BLOCK):
            yield _put_together(gathered[start : start + _IN_A_BLOCK])


def _gather(record: Record, line: int, found: dict[str, tuple[int, Union]]) -> None:
    known = str(sourced_id(record))
    try:
        if known in found:
            found[known][1].add(record)
        else:
            found[known] = line, Union(record)
    except RecursionError:
        raise LineError(line) from None


def _put_together(found: Sequence[tuple[int, Union]]) -> Records:
    records, differing = [], defaultdict(list)
    for place, (line, union) in enumerate(found):
        try:
            record, names = union.united()
        except RecursionError:
            raise LineError(line) from None
        records.append(record)
        for name in names:
            differing[name].append(place)
    lines = np.array([line for line, _ in found], dtype=np.int64)
    return Records(records, lines, dict(sorted(differing.items())))
