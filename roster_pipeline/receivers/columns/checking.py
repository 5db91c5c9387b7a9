"""What of a receiver's own files it would not take, counted before they are sent.

The files are made as they would be written. Kept of them are 64-bit hashes of the columns that
have to be unique, or that others refer to.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.columns.beside import Mask
from roster_pipeline.receivers.columns.cells import Cells
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.columns.dated import paths_of
from roster_pipeline.receivers.columns.dialect import unencodable
from roster_pipeline.receivers.columns.names import VIEWS
from roster_pipeline.receivers.columns.views import seats
from roster_pipeline.receivers.columns.writing import Column, Files
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import Hashes, KeySet
from roster_pipeline.tables.text import series

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "required": ("{n} row of {file} has no {column}", "{n} rows of {file} have no {column}"),
    "words": (
        "{n} row of {file} has a {column} that the receiver has no word for",
        "{n} rows of {file} have a {column} that the receiver has no word for",
    ),
    "among": (
        "{n} row of {file} has a {column} that {other} lacks",
        "{n} rows of {file} have a {column} that {other} lacks",
    ),
    "unique": (
        "{n} row has a text that an earlier row has too in {column} of {file}",
        "{n} rows have a text that an earlier row has too in {column} of {file}",
    ),
    "most": (
        "{n} row of {file} has more than there are columns for in {column}; the rest is not sent",
        "{n} rows of {file} have more than there are columns for in {column}; the rest is not sent",
    ),
    "encoding": (
        "{n} cell in {column} of {file} has a letter that the encoding lacks, sent as ?",
        "{n} cells in {column} of {file} have a letter that the encoding lacks, sent as ?",
    ),
}
_HARD: Final = ("required", "among", "unique")
_Place = tuple[str, str]
"""File and column."""


@dataclass(frozen=True)
class Misfit:
    """Rows of a file that are not as the receiver wants them."""

    wrong: str
    """In what way: a key of the format that says otherwise, or `encoding`."""
    files: tuple[str, ...]
    column: str
    rows: int
    of: int
    """How many rows were looked at."""
    stops: bool
    """Whether the receiver would refuse the whole delivery."""
    message: str
    """A sentence without cells."""


def misfits(roster: Roster, format_: ColumnsFormat) -> list[Misfit]:
    """What of an outgoing roster a receiver would not take as these files."""
    files = Files(roster, format_)
    look = _Look(format_, _targets(files))
    for name in format_.files:
        for block in files.blocks(name):
            look.at(name, files.columns(name), block.columns)
        for column, rows in files.too_many(name).items():
            look.found["most", name, column, ""] += rows
    return [*look.misfits()]


def told(roster: Roster, format_: ColumnsFormat) -> dict[str, Mask]:
    """By entity that any file is about which of its rows stand in one; an enrollment also does
    where a class tells its teachers."""
    there: dict[str, Mask] = {}
    files = Files(roster, format_)
    for name, file in format_.files.items():
        if (entity := VIEWS[file.rows]) in ENTITIES:
            there[entity] = there.get(entity, False) | files.taken(name)
    if "enrollments" in there and _tells_teachers(format_):
        there["enrollments"] |= seats(files.beside, "staffRole", "teacher")
    return there


def left_out(roster: Roster, format_: ColumnsFormat) -> Mapping[str, int]:
    """By entity that any file is about how many rows stand in none."""
    there = told(roster, format_)
    return {entity: int((~mask).sum()) for entity, mask in there.items() if not mask.all()}


def _tells_teachers(format_: ColumnsFormat) -> bool:
    named = (path.column for file in format_.files.values() for path in paths_of(file))
    return "teachers" in named


def _targets(files: Files) -> Mapping[_Place, KeySet]:
    """What stands in the columns that others refer to."""
    wanted = {
        place
        for file in files.format.files.values()
        for value in file.columns.values()
        for place in value.among.items()
    }
    hashes: defaultdict[_Place, list[Hashes]] = defaultdict(list)
    for name in dict.fromkeys(name for name, _ in wanted):
        for block in files.blocks(name):
            for column, cells in zip(files.columns(name), block.columns, strict=True):
                if (name, column.said) in wanted:
                    hashes[name, column.said].append(_hashed(cells))
    return {place: KeySet(_joined(hashes[place])) for place in wanted}


class _Look:
    """Counts what is wrong, block by block."""

    def __init__(self, format_: ColumnsFormat, targets: Mapping[_Place, KeySet]) -> None:
        self._format = format_
        self._targets = targets
        self._rows: Counter[str] = Counter()
        self._unique: defaultdict[int, list[Hashes]] = defaultdict(list)
        self.found: Counter[tuple[str, str, str, str]] = Counter()
        """Way, file, column and other file → rows."""

    def at(self, name: str, columns: list[Column], cells: list[Cells]) -> None:
        """Look at some rows of a file."""
        self._rows[name] += len(cells[0])
        for column, texts in zip(columns, cells, strict=True):
            for wrong, other, rows in self._wrong(column, texts):
                self.found[wrong, name, column.said, other] += rows
            for number, group in enumerate(self._format.unique):
                if group.get(name) == column.said:
                    self._unique[number].append(_hashed(texts))

    def misfits(self) -> Iterator[Misfit]:
        """All that was found."""
        for (wrong, file, column, other), rows in self.found.items():
            if rows:
                yield self._misfit(wrong, (file,), column, rows, self._rows[file], other)
        for number, hashes in self._unique.items():
            joined, group = _joined(hashes), self._format.unique[number]
            if rows := len(KeySet(joined).duplicated()):
                columns = " and ".join(dict.fromkeys(group.values()))
                yield self._misfit("unique", tuple(group), columns, rows, len(joined))

    def _wrong(self, column: Column, cells: Cells) -> Iterator[tuple[str, str, int]]:
        value = column.value
        if value.required:
            yield "required", "", cells.null_count
        if value.words:
            known = pc.is_in(cells, value_set=pa.array(value.words, pa.large_string()))
            yield "words", "", len(cells) - cells.null_count - int(is_true(known).sum())
        for file, of in value.among.items():
            known = self._targets[file, of].contains(_hashed(cells))
            yield "among", file, int((~known).sum())
        yield "encoding", "", unencodable(cells, self._format.csv)

    def _misfit(
        self, wrong: str, files: tuple[str, ...], column: str, rows: int, of: int, other: str = ""
    ) -> Misfit:
        stops = wrong in _HARD and self._format.refuses == "delivery"
        words = {"n": f"{rows:,}", "file": ", ".join(files), "column": column, "other": other}
        message = _SENTENCES[wrong][rows != 1].format(**words) + "."
        return Misfit(wrong, files, column, rows, of, stops, message)


def _hashed(cells: Cells) -> Hashes:
    filled: Any = cells.drop_null()
    return text_hashes(series(filled))


def _joined(hashes: list[Hashes]) -> Hashes:
    return np.concatenate([np.empty(0, dtype=np.uint64), *hashes])
