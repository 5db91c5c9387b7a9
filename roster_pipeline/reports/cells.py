"""The cells that findings are about, read once more from the package: findings hold none."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.container import Container, open_container
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.header import match_header
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import PULL, open_package, tables
from roster_pipeline.reports.causes import Values
from roster_pipeline.reports.masking import clipped, is_never_shown, shown
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError
from roster_pipeline.tables.text import arrow

_Lines = npt.NDArray[np.int64]
_Blocks = Iterator[tuple[pd.DataFrame, _Lines]]
_Found = dict[int, list[str | None]]


def read_cells(
    where: Path | BinaryIO,
    version: Version | None,
    findings: Findings,
    *,
    masking: bool = True,
    own_columns: bool = False,
) -> Values:
    """The cell of each finding that has a line and a column, as it is written in the file.

    Long ones are cut. Personal ones keep their shape alone unless `masking` is off; secrets are
    never among them. Nothing is held but the cells of findings. Where a file cannot be read (any
    more), its findings have none. With `own_columns` files are not OneRoster, and findings name
    their columns as they are.
    """
    found: _Found = {}
    if version is not None:
        with open_container(where) as container:
            pulled = PULL in container.names
            for file, numbers in _wanted(findings.groups).items():
                if not pulled and file in container.names:
                    names = {str(findings.groups[number].column) for number in numbers}
                    known = None if own_columns else version
                    blocks = _csv_blocks(container, file, known, names)
                    _collect(blocks, findings.groups, numbers, found, masking)
        if pulled:
            _collect_pulled(where, findings.groups, found, masking)
    return [found.get(number) for number in range(len(findings.groups))]


def _wanted(groups: Sequence[FindingGroup]) -> Mapping[str, list[int]]:
    """By file, the groups that have cells to show."""
    wanted: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        if len(group.lines) and group.column and not is_never_shown(group.column):
            wanted.setdefault(group.file, []).append(number)
    return wanted


def _csv_blocks(
    container: Container, file: str, version: Version | None, names: set[str]
) -> _Blocks:
    """Rows of a file with just the wanted columns, called as the standard calls them; without a
    version as the file does."""
    try:
        with container.open(file) as stream:
            read_as = _read_as(CsvBlocks(stream).header, file, version)
        places = [place for place, name in enumerate(read_as) if name in names]
        if not places:
            return
        with container.open(file) as stream:
            for block in CsvBlocks(stream, only=places):
                yield (
                    block.frame.set_axis([read_as[place] for place in places], axis=1),
                    block.lines,
                )
    except (CsvError, ArchiveError):
        return


def _read_as(header: Sequence[str], file: str, version: Version | None) -> Sequence[str | None]:
    if version is None:
        return header
    table = _table(file, version)
    return () if table is None else match_header(header, tables(version)[table], file).read_as


def _table(file: str, version: Version) -> str | None:
    stem = PurePosixPath(file).stem.casefold()
    return next((name for name in tables(version) if name.casefold() == stem), None)


def _collect_pulled(
    where: Path | BinaryIO, groups: Sequence[FindingGroup], found: _Found, masking: bool
) -> None:
    """From a pull, whose records become rows only when it is read as a package."""
    with open_package(where) as package:
        wanted = [number for numbers in _wanted(groups).values() for number in numbers]
        for entity in {groups[number].entity for number in wanted} & package.modes.keys():
            numbers = [number for number in wanted if groups[number].entity == entity]
            blocks = ((block.frame, block.lines) for block in package.blocks(str(entity)))
            _collect(blocks, groups, numbers, found, masking)


def _collect(
    blocks: _Blocks,
    groups: Sequence[FindingGroup],
    numbers: Sequence[int],
    found: _Found,
    masking: bool,
) -> None:
    """Put the cells of some groups, all of one file, beside their lines."""
    for frame, lines in blocks:
        for number in numbers if len(lines) else ():
            group = groups[number]
            if group.column is None or group.column not in frame.columns:
                continue
            at = np.searchsorted(lines, group.lines)
            here = lines[np.minimum(at, len(lines) - 1)] == group.lines
            if not here.any():
                continue
            cells = clipped(arrow(frame[group.column]).take(pa.array(at[here])))
            if masking:
                entity = group.entity or PurePosixPath(group.file).stem
                cells = shown(cells, entity, group.column)
            listed = found.setdefault(number, [None] * len(group.lines))
            for row, cell in zip(np.flatnonzero(here).tolist(), cells.to_pylist(), strict=True):
                listed[row] = cell
