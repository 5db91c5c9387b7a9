"""Rows of an entity, made of the rows of one file by one table of a mapping."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.oneroster.findings import Lines
from roster_pipeline.oneroster.origins import marked
from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.sources.mapping.config import Table
from roster_pipeline.sources.mapping.names import Meant, entries, meaning, templates
from roster_pipeline.sources.mapping.reading import Joined, Read
from roster_pipeline.sources.mapping.values import Cells, Lookups, filled_in, made
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import Positions

_TEXT = pa.large_string()


@dataclass(frozen=True)
class Made:
    """Rows of an entity."""

    cells: pa.Table
    """The columns that the table makes."""
    places: Lines
    """See `oneroster/origins.py`."""


def make_rows(
    table: Table, read: Read, joins: Mapping[str, Joined], lookups: Lookups, first_way: int
) -> Made:
    """The rows that a table makes of some rows of its file, in their order.

    The first entry of `each` has the number `first_way`, and those behind it the next ones.
    """
    cells, places, order = [], [], []
    for number, words in enumerate(entries(table), first_way):
        rows = _chosen(_Rows(table, words, read.cells, joins, len(read.lines)))
        count = len(rows.at)
        columns = {
            name: made(value, rows.cells_of, count, lookups)
            for name, value in table.columns.items()
        }
        cells.append(pa.table(columns, schema=pa.schema([(name, _TEXT) for name in columns])))
        places.append(marked(read.lines[rows.at], number))
        order.append(rows.at)
    if len(cells) == 1:
        return Made(cells[0], places[0])
    by_row = np.argsort(np.concatenate(order), kind="stable")
    return Made(pa.concat_tables(cells).take(by_row), np.concatenate(places)[by_row])


@dataclass
class _Rows:
    """Some rows of a file, with the words of one entry of `each`."""

    table: Table
    words: Mapping[str, str]
    own: Mapping[str, Cells]
    joins: Mapping[str, Joined]
    count: int
    at: Positions = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Which rows of the block they are."""
    _found: dict[str, Positions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.at):
            self.at = np.arange(self.count, dtype=np.int64)

    def cells_of(self, name: str) -> Cells:
        """The cells of whatever a name stands for."""
        meant = meaning(name, self.table, self.words)
        if meant.join is None:
            return self.own[meant.column]
        return self.joins[meant.join].column(meant.column, self._rows_of(meant.join))

    def _rows_of(self, join: str) -> Positions:
        """For each row the one that a join finds."""
        if join not in self._found:
            key = filled_in(self.table.join[join].by, self.cells_of, self.count)
            self._found[join] = self.joins[join].positions(key)
        return self._found[join]

    def some(self, at: Positions) -> "_Rows":
        """Some of the rows."""
        places: pa.Int64Array = pa.array(at, pa.int64())
        own = {name: cells.take(places) for name, cells in self.own.items()}
        found = {name: rows[at] for name, rows in self._found.items()}
        return _Rows(self.table, self.words, own, self.joins, len(at), self.at[at], found)


def _chosen(rows: _Rows) -> _Rows:
    """The rows that are taken."""
    mask = np.ones(rows.count, dtype=np.bool_)
    for name in rows.table.filled:
        mask &= is_true(pc.is_valid(rows.cells_of(name)))
    for name, texts in rows.table.only.items():
        mask &= _has(rows.cells_of(name), texts)
    for name, texts in rows.table.but.items():
        mask &= ~_has(rows.cells_of(name), texts)
    return rows if mask.all() else rows.some(np.flatnonzero(mask).astype(np.int64))


def _has(cells: Cells, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    wanted = pa.array([text.strip().lower() for text in texts], _TEXT)
    return is_true(pc.is_in(pc.fill_null(pc.utf8_lower(cells), ""), value_set=wanted))


def _told(meant: Meant, table: Table, words: Mapping[str, str]) -> Iterator[str]:
    """Where to look for cells: for those of a joined row also where its key stands."""
    if meant.join is None:
        yield meant.column
        return
    for name in names_in(table.join[meant.join].by):
        yield from _told(meaning(name, table, words), table, words)
    yield f"{meant.join}.{meant.column}"


def columns_told(table: Table) -> Iterator[Mapping[str, str]]:
    """For each entry of `each`: column of the entity → the columns of the files that its cells are
    made of. Columns that are made of none have no entry."""
    for words in entries(table):
        told: dict[str, str] = {}
        for column, value in table.columns.items():
            meant = [
                meaning(name, table, words) for text in templates(value) for name in names_in(text)
            ]
            said = [text for one in meant for text in _told(one, table, words)]
            if said:
                told[column] = ", ".join(dict.fromkeys(said))
        yield told
