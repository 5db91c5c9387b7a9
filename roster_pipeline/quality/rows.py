"""One block of rows, judged by its cells and its references."""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.oneroster.entities import Column, Required, schema, schema_1p1
from roster_pipeline.oneroster.findings import Findings, Severity
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import PackageBlock, tables
from roster_pipeline.quality.cells import judge_cells
from roster_pipeline.quality.presence import Hashes, Missing, Positions, Presence
from roster_pipeline.quality.references import Misses, find_misses, without
from roster_pipeline.quality.rules import ACCESS, RULES, cell_severity
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.text import TEXT

Mask = npt.NDArray[np.bool_]
_GUID: Final = re.compile(GUID)


@dataclass
class JudgedBlock:
    """What became of the rows of one block."""

    good: pd.DataFrame
    """Rows that can be used, without the optional cells that cannot."""
    lines: Positions
    findings: Findings
    held: list[pd.DataFrame] = field(default_factory=list)
    """sourcedId and access columns of rows held back."""
    unidentified: list[pd.DataFrame] = field(default_factory=list)
    """Rows held back whose sourcedId cannot be read; without columns where no cell can be."""
    broken: list[pd.Series] = field(default_factory=list)
    """sourcedIds of rows with a wrong number of cells, also among `held`: they may be cut, too."""
    deleted: list[Hashes] = field(default_factory=list)
    """Keys of rows with status tobedeleted."""
    cascaded: int = 0
    """Rows that go with what they refer to."""

    @property
    def held_count(self) -> int:
        """How many rows are held back."""
        return sum(map(len, self.held)) + sum(map(len, self.unidentified))


def judge_block(
    block: PackageBlock, version: Version, presence: dict[str, Presence]
) -> JudgedBlock:
    """Judge the rows of one block against its table and the entities finished before it."""
    judged = JudgedBlock(block.frame, block.lines, Findings(block.findings.groups))
    table = tables(version)[block.entity]
    _identify_broken(block, judged)
    _take_deleted(judged)
    hold, nameless = _judge_cells(block, judged, table, _schema(block.entity, version))
    waits, goes = _judge_references(block, judged, table, presence, hold)
    hold |= waits
    _remember_held(block.entity, judged, hold, nameless)
    judged.cascaded = int((goes & ~hold).sum())
    good = ~hold & ~goes
    if not good.all():
        judged.good = judged.good[good].reset_index(drop=True)
        judged.lines = judged.lines[good]
    return judged


def _schema(entity: str, version: Version) -> pa.DataFrameSchema:
    return schema_1p1(entity) if version is Version.V1P1 else schema(entity)


def _identify_broken(block: PackageBlock, judged: JudgedBlock) -> None:
    """Rows without the right number of cells: the first cell is in its place all the same."""
    if not block.broken:
        return
    told = block.key_cell == 0
    first = (row.values[0].strip() if told and row.values else "" for row in block.broken)
    keys = [key for key in first if _GUID.fullmatch(key)]
    if keys:
        judged.broken.append(pd.Series(keys, dtype=TEXT))
        judged.held.append(judged.broken[-1].to_frame("sourcedId"))
    if nameless := len(block.broken) - len(keys):
        judged.unidentified.append(pd.DataFrame(index=range(nameless)))


def _take_deleted(judged: JudgedBlock) -> None:
    """Take out rows with status tobedeleted: they need nothing but their sourcedId."""
    frame = judged.good
    if not frame["status"].notna().any():
        return
    gone = frame["status"].eq("tobedeleted").fillna(False)
    told = frame["sourcedId"].where(gone).str.match(GUID).fillna(False)
    mask: Mask = told.to_numpy(dtype=bool)
    if mask.any():
        judged.deleted.append(text_hashes(frame["sourcedId"][mask].reset_index(drop=True)))
        judged.good = frame[~mask].reset_index(drop=True)
        judged.lines = judged.lines[~mask]


def _judge_cells(
    block: PackageBlock,
    judged: JudgedBlock,
    table: tuple[Column, ...],
    pandera_schema: pa.DataFrameSchema,
) -> tuple[Mask, Mask]:
    """Which rows are held for a cell, and which of them cannot be told by their sourcedId."""
    frame, lines = judged.good, judged.lines
    hold, nameless = (np.zeros(len(frame), dtype=bool) for _ in range(2))
    blanked: dict[str, pd.Series] = {}
    for fault in judge_cells(frame, pandera_schema, table):
        severity, name = cell_severity(fault.column), fault.column.name
        judged.findings.add(fault.rule.at(block.file, name, lines[fault.rows], severity=severity))
        if severity is Severity.HOLD:
            hold[fault.rows] = True
            nameless[fault.rows] |= name == "sourcedId"
        else:
            blanked[name] = with_cells(blanked.get(name, frame[name]), fault.rows, None)
    if blanked:
        judged.good = frame.assign(**blanked)
    return hold, nameless


def _judge_references(
    block: PackageBlock,
    judged: JudgedBlock,
    table: tuple[Column, ...],
    presence: dict[str, Presence],
    hold: Mask,
) -> tuple[Mask, Mask]:
    """Which rows wait for what they refer to, and which go because it is gone.

    References that a row can do without are taken out of it.
    """
    waits, goes = (np.zeros(len(hold), dtype=bool) for _ in range(2))
    for column in table:
        if column.target not in presence:
            continue
        cells = judged.good[column.name]
        misses = find_misses(
            cells.mask(hold) if hold.any() else cells, column, presence[column.target]
        )
        if len(misses.wrong_kind):
            lines = judged.lines[misses.wrong_kind]
            judged.findings.add(RULES["reference.kind"].at(block.file, column.name, lines))
        if not len(misses):
            continue
        rows, mended = without(cells, column, misses)
        emptied = rows[mended.isna().to_numpy(dtype=bool)]
        fatal = emptied if column.required is Required.ALWAYS else emptied[:0]
        judged.findings.extend(miss_findings(misses, block.file, column, judged.lines, fatal))
        waiting = misses.rows[misses.reasons != Missing.REMOVED]
        waits[np.intersect1d(fatal, waiting)] = True
        goes[np.setdiff1d(fatal, waiting)] = True
        judged.good = judged.good.assign(**{column.name: with_cells(cells, rows, mended)})
    return waits, goes


def miss_findings(
    misses: Misses, file: str, column: Column, lines: Positions, fatal: Positions
) -> Findings:
    """Findings for references that point at nothing: rows that cannot do without them (`fatal`)
    apart from those that only lose a cell."""
    findings = Findings()
    for reason in Missing:
        at = np.unique(misses.rows[misses.reasons == reason])
        lost = np.isin(at, fatal)
        rule = RULES[reason]
        if lost.any():
            findings.add(rule.at(file, column.name, lines[at[lost]]))
        if not lost.all():
            rest = lines[at[~lost]]
            findings.add(rule.at(file, column.name, rest, severity=Severity.DROP))
    return findings


def _remember_held(entity: str, judged: JudgedBlock, hold: Mask, nameless: Mask) -> None:
    frame, named = judged.good, hold & ~nameless
    if named.any():
        wanted = ["sourcedId", *(name for name in ACCESS.get(entity, ()) if name in frame.columns)]
        judged.held.append(frame.loc[named, wanted].reset_index(drop=True))
    if nameless.any():
        judged.unidentified.append(frame[nameless].reset_index(drop=True))


def with_cells(cells: pd.Series, rows: Positions, values: pd.Series | None) -> pd.Series:
    """A copy of a TEXT column with other cells (or none) at some positions."""
    changed = cells.copy()
    changed.iloc[rows] = None if values is None else values.array
    return changed.astype(TEXT)
