"""Cells of a district's own files, and rows of one file found by a key of another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.container import Container
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Lines
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.text_faults import row_findings, text_findings
from roster_pipeline.sources.mapping.config import Join
from roster_pipeline.sources.mapping.files import Found
from roster_pipeline.sources.mapping.values import Cells, filled_in, trimmed
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.csv_blocks import HELD, Anomaly, CsvBlocks
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import Hashes, KeySet, Positions, distinct
from roster_pipeline.tables.text import arrow, series

Mask = npt.NDArray[np.bool_]
_TEXT = pa.large_string()
LIST_LIMIT: Final = 200
"""Of how many different cells a list of joined rows is made. Nobody has so many guardians; but a
key that an export gives to everybody makes a list of all there are, for each of them."""
# Where a file is read for an entity, rows that cannot be read are that entity's.
_NO_KEY = -1


@dataclass(frozen=True)
class Read:
    """Some rows of a file."""

    cells: Mapping[str, Cells]
    """Column, as the mapping names it → its cells, without blanks around them."""
    lines: npt.NDArray[np.int64]
    broken: tuple[Anomaly, ...]
    """Rows of which it is not known which cell is which."""
    findings: Findings


def read_file(
    container: Container,
    found: Found,
    wanted: Sequence[str],
    entity: str,
    findings: Findings,
    *,
    block_bytes: int,
) -> Iterator[Read]:
    """The rows of a file, block by block, with the columns that are wanted.

    What is odd about the file as a whole is added to `findings`. Raises `CsvError` and
    `ArchiveError` where it cannot be read to its end.
    """
    member = str(found.member)
    places = {name: place for name in wanted if (place := found.places.get(name)) is not None}
    # At least one column, or there would be no rows.
    only = sorted(set(places.values())) or [0]
    breaks = False
    with container.open(member) as stream:
        reader = CsvBlocks(stream, block_bytes=block_bytes, only=only)
        for block in reader:
            columns = [arrow(block.frame.iloc[:, at]) for at in range(len(only))]
            there = {place: trimmed(cells) for place, cells in zip(only, columns, strict=True)}
            rows = len(block.lines)
            cells = {
                name: there[places[name]] if name in places else pa.nulls(rows, _TEXT)
                for name in wanted
            }
            breaks |= any(a.kind == "line_break_in_cell" for a in block.anomalies)
            odd = row_findings(
                block.anomalies,
                member,
                entity,
                lines=block.lines,
                ids=pa.nulls(rows, _TEXT),
                key_cell=_NO_KEY,
            )
            broken = tuple(a for a in block.anomalies if a.kind in HELD)
            yield Read(cells, block.lines, broken, Findings(odd))
        findings.extend(text_findings(reader, member, entity, breaks_in_cells=breaks))


@dataclass
class Joined:
    """The rows of a file by their keys: of rows with one key the first."""

    cells: Mapping[str, Cells]
    keys: KeySet
    findings: Findings = field(default_factory=Findings)

    def positions(self, wanted: Cells) -> Positions:
        """For each key the row that has it; -1 where none does, or the key is empty."""
        found = self.keys.positions(_hashes(wanted))
        found[pc.is_null(wanted).to_numpy(zero_copy_only=False)] = -1
        return found

    def column(self, name: str, positions: Positions) -> Cells:
        """A column of the rows at some positions; null for those that are not there."""
        places: pa.Int64Array = pa.array(positions, pa.int64(), mask=positions < 0)
        return self.cells[name].take(places)


def no_rows(columns: Sequence[str]) -> Joined:
    """What is found of a file that is not there."""
    nothing = pa.nulls(0, _TEXT)
    return Joined(dict.fromkeys(columns, nothing), KeySet(_hashes(nothing)))


def read_joined(
    container: Container,
    found: Found,
    join: Join,
    columns: Sequence[str],
    key_columns: Sequence[str],
    entity: str,
    findings: Findings,
    *,
    block_bytes: int,
) -> Joined:
    """The rows of a file by the key of a join, with the columns that are taken of them.

    Takes 8 bytes a row beside these columns. Raises `CsvError` and `ArchiveError`.
    """
    wanted = list(dict.fromkeys([*columns, *key_columns]))
    hashes: list[Hashes] = []
    lines: list[Lines] = []
    kept: dict[str, list[Cells]] = {name: [] for name in columns}
    for read in read_file(container, found, wanted, entity, findings, block_bytes=block_bytes):
        findings.extend(read.findings)
        key = filled_in(join.key, read.cells.__getitem__, len(read.lines))
        there = pc.is_valid(key)
        hashes.append(_hashes(key.filter(there)))
        lines.append(read.lines[is_true(there)])
        for name, parts in kept.items():
            parts.append(read.cells[name].filter(there))
    cells = {name: _whole(parts) for name, parts in kept.items()}
    keys = np.concatenate([np.empty(0, dtype=np.uint64), *hashes])
    if not join.every:
        return Joined(cells, KeySet(keys))
    joined, endless = _by_key(keys, cells)
    if len(endless):
        at = np.concatenate(lines)[endless]
        findings.add(_no_list(str(found.member), entity, at))
    return joined


def _no_list(member: str, entity: str, lines: Lines) -> FindingGroup:
    return RULES["mapping.differs"].at(
        member,
        None,
        lines,
        entity=entity,
        message=f"more than {LIST_LIMIT} different rows belong to one, this is the first of them; "
        "none was taken",
        fix="see that the column by which rows are joined is not the same for everybody",
    )


def _by_key(hashes: Hashes, cells: Mapping[str, Cells]) -> tuple[Joined, Positions]:
    """One row for each key, with lists of the cells of its rows; and of the keys for which these
    would be endless the first row each."""
    keys = distinct(hashes)
    of = np.searchsorted(keys, hashes)
    endless = np.zeros(len(keys), dtype=np.bool_)
    lists = {name: _listed(some, of, len(keys), endless) for name, some in cells.items()}
    _, firsts = np.unique(of, return_index=True)
    return Joined(lists, KeySet(keys)), np.sort(firsts[endless]).astype(np.int64)


def _listed(cells: Cells, of: Positions, keys: int, endless: Mask) -> Cells:
    """For each key the list of its different cells, in the order of their rows; none where it would
    be `endless`, which is noted there."""
    there = pd.DataFrame({"of": of, "cell": series(cells)}).dropna().drop_duplicates()
    there = there.sort_values("of", kind="stable")
    counts = np.bincount(there["of"], minlength=keys)
    too_many = counts > LIST_LIMIT
    if too_many.any():
        endless |= too_many
        there = there[~too_many[there["of"].to_numpy()]]
        counts[too_many] = 0
    offsets = np.concatenate(([0], np.cumsum(counts)))
    # Arrow joins lists of ordinary strings only.
    lists = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), arrow(there["cell"]).cast(pa.string())
    )
    text = pc.binary_join(lists, ",").cast(_TEXT)
    return cast("Cells", pc.if_else(pa.array(counts > 0), text, pa.scalar(None, _TEXT)))


def _whole(parts: Sequence[Cells]) -> Cells:
    whole: Any = pa.chunked_array(list(parts), _TEXT).combine_chunks()
    return cast("Cells", whole)


def _hashes(cells: Cells) -> Hashes:
    return text_hashes(series(cells))
