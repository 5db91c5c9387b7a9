"""The records of one file of a pull: a line each, read some at a time.

Where records with one sourcedId are to become one they may stand anywhere in the file. So it is
read once for its sourcedIds, of which hashes are kept; then only the records of those that repeat
are gathered, and of them so many at a time that memory does not grow with the file.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.findings import Lines
from roster_pipeline.oneroster.merging import Union
from roster_pipeline.oneroster.rest_json import Record, sourced_id
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import Hashes, KeySet, distinct
from roster_pipeline.tables.text import TEXT

_LONGEST_LINE: Final = 64 << 20
_GATHERED: Final = 50_000
_IN_A_BLOCK: Final = 10_000

Open = Callable[[], BinaryIO]


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


def read_records(open_file: Open, most_bytes: int) -> Iterator[Records]:
    """The records in their order, about so many bytes of JSON at a time. Raises `LineError`."""
    line, size, records = 0, 0, []
    with open_file() as stream:
        while text := stream.readline(_LONGEST_LINE):
            line += 1
            try:
                records.append(json.loads(text))
            except (ValueError, RecursionError):
                raise LineError(line) from None
            size += len(text)
            if size >= most_bytes:
                yield Records(records, _lines(line, len(records)))
                size, records = 0, []
    if records:
        yield Records(records, _lines(line, len(records)))


def _lines(last: int, count: int) -> Lines:
    return np.arange(last - count + 1, last + 1, dtype=np.int64)


def repeated_ids(open_file: Open, most_bytes: int) -> Hashes:
    """Hashes, ascending, of the sourcedIds that more than one record has. Raises `LineError`."""
    hashes = [np.empty(0, dtype=np.uint64)]
    for some in read_records(open_file, most_bytes):
        found, known = _hashes(some.records)
        hashes.append(found[known])
    every = np.concatenate(hashes)
    return distinct(every[KeySet(every).duplicated()])


def united_records(
    open_file: Open, most_bytes: int, repeated: Hashes, *, gathered: int = _GATHERED
) -> Iterator[Records]:
    """The records whose sourcedIds are not among the `repeated` ones, in their order; then those
    of each that is, put together. At most so many sourcedIds are `gathered` in one reading of the
    file. Raises `LineError`."""
    every = KeySet(repeated)
    parts = [repeated[start : start + gathered] for start in range(0, len(repeated), gathered)]
    for number, part in enumerate(parts or [repeated]):
        aside = _Aside(part)
        for some in read_records(open_file, most_bytes):
            hashes, known = _hashes(some.records)
            aside.take(some, hashes, known)
            if not number:
                yield from _without(some, every.contains(hashes) & known)
        yield from aside.put_together()


def _hashes(records: Sequence[Any]) -> tuple[Hashes, npt.NDArray[np.bool_]]:
    """The hash of the sourcedId of each record, and whether it has one."""
    ids = [sourced_id(record) if isinstance(record, Mapping) else None for record in records]
    column = pd.Series(ids, dtype=TEXT)
    return text_hashes(column), column.notna().to_numpy(dtype=bool)


def _without(some: Records, left_out: npt.NDArray[np.bool_]) -> Iterator[Records]:
    if not left_out.any():
        yield some
    elif not left_out.all():
        kept = np.flatnonzero(~left_out)
        yield Records([some.records[place] for place in kept.tolist()], some.lines[kept])


class _Aside:
    """The records of some sourcedIds, put together as they come."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = KeySet(hashes)
        self._found: dict[str, tuple[int, Union]] = {}

    def take(self, some: Records, hashes: Hashes, known: npt.NDArray[np.bool_]) -> None:
        """Put those aside that are of these sourcedIds."""
        if not len(self._hashes):
            return
        for place in np.flatnonzero(self._hashes.contains(hashes) & known).tolist():
            line = int(some.lines[place])
            try:
                self._put(some.records[place], line)
            except RecursionError:
                raise LineError(line) from None

    def _put(self, record: Record, line: int) -> None:
        known = str(sourced_id(record))
        if known in self._found:
            self._found[known][1].add(record)
        else:
            self._found[known] = line, Union(record)

    def put_together(self) -> Iterator[Records]:
        """What became of them, by their first lines."""
        found = list(self._found.values())
        for start in range(0, len(found), _IN_A_BLOCK):
            yield _put_together(found[start : start + _IN_A_BLOCK])


def _put_together(found: Sequence[tuple[int, Union]]) -> Records:
    differing: dict[str, list[int]] = {}
    for place, (_, union) in enumerate(found):
        for name in union.differing:
            differing.setdefault(name, []).append(place)
    lines = np.array([line for line, _ in found], dtype=np.int64)
    return Records([union.record for _, union in found], lines, dict(sorted(differing.items())))
