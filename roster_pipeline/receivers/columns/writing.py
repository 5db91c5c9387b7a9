"""A roster as files of a receiver's own. The same roster gives the same bytes.

Rows are written block by block, in the roster's order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.receivers.columns.beside import Beside, Mask
from roster_pipeline.receivers.columns.cells import Cells
from roster_pipeline.receivers.columns.config import ColumnsFormat, File, N, Value
from roster_pipeline.receivers.columns.dialect import lines, opening
from roster_pipeline.receivers.columns.ids import AsIds
from roster_pipeline.receivers.columns.names import VIEWS
from roster_pipeline.receivers.columns.repeated import NotRepeated
from roster_pipeline.receivers.columns.values import filled_in, item_of, longest, made
from roster_pipeline.receivers.columns.views import Rows, members_of, rows_of
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import Positions

_TEXT: Final = pa.large_string()


@dataclass(frozen=True)
class Block:
    """Some rows of a file."""

    columns: list[Cells]
    at: Positions
    """Which rows of the view's entity they come from."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is written."""

    name: str
    said: str
    """Its name in the format."""
    value: Value
    item: int | None
    """The number that is in its name."""


class Files:
    """The files that a format makes of a roster."""

    def __init__(self, roster: Roster, format_: ColumnsFormat) -> None:
        self.format = format_
        self.beside = Beside(roster)
        self._as_ids = AsIds(format_.ids, self.beside) if format_.ids is not None else _unchanged

    def columns(self, name: str) -> list[Column]:
        """The columns of a file: of those with `{n}`, as many as some row needs."""
        return self._columns[name]

    def taken(self, name: str) -> Mask:
        """For each row of the entity that a file is about whether the file takes it."""
        file = self.format.files[name]
        choosing = {*file.only, *file.but, *file.filled}
        if not choosing:
            return members_of(file.rows, self.beside)
        taken = np.zeros(self.beside.roster.counts[VIEWS[file.rows]], dtype=np.bool_)
        for rows in rows_of(file.rows, choosing, self.beside):
            taken[rows.some(_taken(file, rows)).at] = True
        return taken

    def blocks(self, name: str) -> Iterator[Block]:
        """The rows of a file."""
        file, columns = self.format.files[name], self._columns[name]
        fresh = NotRepeated() if file.distinct else None
        for rows in self._rows(file):
            cells = [
                made(
                    *(column.value, rows.cells_of, len(rows), self.format.lookups, self._as_ids),
                    item=column.item,
                )
                for column in columns
            ]
            block = Block(cells, rows.at)
            yield block if fresh is None else _masked(block, fresh.mask(cells))

    def too_many(self, name: str) -> dict[str, int]:
        """By column with `{n}` in its name how many rows have more items than there may be."""
        counts = {}
        for column, value in self.format.files[name].columns.items():
            if N in column:
                beyond = sum(
                    len(cells) - item_of(cells, (value.most or 1) + 1).null_count
                    for cells in self._lists(self.format.files[name], value)
                )
                if beyond:
                    counts[column] = beyond
        return counts

    @cached_property
    def _columns(self) -> dict[str, list[Column]]:
        return {
            name: [
                column
                for said, value in file.ordered.items()
                for column in self._expanded(file, said, value)
            ]
            for name, file in self.format.files.items()
        }

    def _expanded(self, file: File, said: str, value: Value) -> list[Column]:
        if N not in said:
            return [Column(said, said, value, None)]
        most = max((longest(cells) for cells in self._lists(file, value)), default=0)
        numbers = range(value.item or 1, min(most, value.most or 1) + 1)
        return [Column(said.replace(N, str(number)), said, value, number) for number in numbers]

    def _lists(self, file: File, value: Value) -> Iterator[Cells]:
        for rows in self._rows(file):
            if len(rows):
                yield filled_in(value.value, rows.cells_of, len(rows))

    def _rows(self, file: File) -> Iterator[Rows]:
        """The rows of the roster that a file takes."""
        names = {*file.only, *file.but, *file.filled}
        for value in file.columns.values():
            names.update(names_in(value.value), names_in(value.otherwise or ""))
        for rows in rows_of(file.rows, names, self.beside):
            yield rows.some(_taken(file, rows))


def write(roster: Roster, format_: ColumnsFormat, out: BinaryIO) -> dict[str, int]:
    """Write the files of a format into a zip and return the rows written per file."""
    files, written = Files(roster, format_), {}
    with ZipWriter(out) as archive:
        for name, file in format_.files.items():
            blocks = (block for block in files.blocks(name) if len(block.at))
            first = next(blocks, None)
            if first is None and file.if_empty == "left_out":
                continue
            with archive.open(name) as member:
                member.write(opening([column.name for column in files.columns(name)], format_.csv))
                written[name] = 0
                for block in chain([] if first is None else [first], blocks):
                    member.write(lines(block.columns, format_.csv))
                    written[name] += len(block.at)
    return written


def _taken(file: File, rows: Rows) -> Mask:
    mask = np.ones(len(rows), dtype=np.bool_)
    for name in file.filled:
        mask &= is_true(pc.is_valid(rows.cells_of(name)))
    for wanted, said in ((True, file.only), (False, file.but)):
        for name, texts in said.items():
            cells = pc.fill_null(rows.cells_of(name), "")
            mask &= is_true(pc.is_in(cells, value_set=pa.array(texts, _TEXT))) == wanted
    return mask


def _masked(block: Block, mask: Mask) -> Block:
    if mask.all():
        return block
    taken = pa.array(mask)
    return Block([cells.filter(taken) for cells in block.columns], block.at[mask])


def _unchanged(_: str, cells: Cells) -> Cells:
    return cells
