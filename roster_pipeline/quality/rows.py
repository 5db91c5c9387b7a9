"""One block of rows, judged by its cells, row by row, and by its references."""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandera.pandas import DataFrameSchema

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.oneroster.entities import Column, Required, schema, schema_1p1
from roster_pipeline.oneroster.findings import Findings, Severity, Texts
from roster_pipeline.oneroster.likeness import Telling, telling
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.package import PackageBlock, tables
from roster_pipeline.oneroster.rules import LENIENT, Policy
from roster_pipeline.quality.causes import first_of_each, joined
from roster_pipeline.quality.cell_rules import weigh_cell
from roster_pipeline.quality.cells import judge_cells
from roster_pipeline.quality.effects import effect
from roster_pipeline.quality.presence import Hashes, Missing, Positions, Presence
from roster_pipeline.quality.references import Misses, among, find_misses, without
from roster_pipeline.quality.roles_1p1 import SAID
from roster_pipeline.quality.row_rules import ROW_RULES
from roster_pipeline.quality.rules import ACCESS, RULES
from roster_pipeline.quality.status import judge_status
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.csv_blocks import Anomaly
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.text import TEXT, arrow

Mask = npt.NDArray[np.bool_]
_GUID: Final = re.compile(GUID)


@dataclass(frozen=True)
class Held:
    """Rows that are not taken."""

    rows: pd.DataFrame
    """sourcedId and, of rows held back, access columns."""
    causes: Texts | None = None
    """For each the row at fault; null, or None for all, for the row itself."""
    telling: Telling = ()
    """What tells the rows apart beside their sourcedIds."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass
class JudgedBlock:
    """What became of the rows of one block."""

    good: pd.DataFrame
    """Rows that can be used, without the optional cells that cannot."""
    lines: Positions
    findings: Findings
    rows: int
    """How many rows there were, good or not."""
    file: str
    held: list["Held"] = field(default_factory=list)
    unidentified: list[pd.DataFrame] = field(default_factory=list)
    """Rows held back whose sourcedId cannot be read; without columns where no cell can be."""
    broken: list[pd.Series] = field(default_factory=list)
    """sourcedIds of rows with a wrong number of cells, also among `held`: they may be cut, too."""
    deleted: list[Hashes] = field(default_factory=list)
    """Keys of rows with status tobedeleted."""
    gone: list["Held"] = field(default_factory=list)
    """Rows that go with what they refer to."""
    unjudged: bool = False
    """Whether some references may point at rows of which nothing is known."""

    @property
    def held_count(self) -> int:
        """How many rows are held back."""
        return sum(map(len, self.held)) + sum(map(len, self.unidentified))


def judge_block(
    block: PackageBlock,
    version: Version,
    presence: dict[str, Presence],
    policy: Policy = LENIENT,
    mode: Mode | None = None,
) -> JudgedBlock:
    """Judge the rows of one block against its table and the entities finished before it.

    `mode` is None where rows are neither a bulk file's nor a delta's. The findings are as grave as
    `policy` says.
    """
    judged = JudgedBlock(
        block.frame,
        block.lines,
        Findings(block.findings.groups),
        len(block.frame) + len(block.broken),
        block.file,
    )
    _identify_broken(block, judged)
    if mode is not None:
        judged.findings.extend(judge_status(block, mode, policy))
    _take_deleted(judged)
    hold, nameless, cells = _judge_cells(block, judged, version, policy)
    hold |= _judge_rows(block, judged, policy, hold)
    at_fault = _judge_references(block, judged, tables(version)[block.entity], presence, hold)
    judged.findings = policy.weighed(judged.findings, RULES)
    judged.findings.extend(cells)
    waits, goes = at_fault.waits, at_fault.goes & ~hold & ~at_fault.waits
    hold |= waits
    _remember_held(block.entity, judged, hold, nameless, at_fault)
    _remember_gone(judged, goes, at_fault)
    good = ~hold & ~goes
    if not good.all():
        judged.good = judged.good[good].reset_index(drop=True)
        judged.lines = judged.lines[good]
    return judged


def _schema(entity: str, version: Version) -> DataFrameSchema:
    return schema_1p1(entity) if version is Version.V1P1 else schema(entity)


def _identify_broken(block: PackageBlock, judged: JudgedBlock) -> None:
    """Rows without the right number of cells: the first cell is in its place all the same."""
    if not block.broken:
        return
    told = block.key_cell == 0
    first = (
        row.values[0].strip() if told and row.values and not _deletes(block, row) else ""
        for row in block.broken
    )
    keys = [key for key in first if _GUID.fullmatch(key)]
    deleted = [row.values[0].strip() for row in block.broken if _deletes(block, row)]
    if deleted:
        judged.deleted.append(text_hashes(pd.Series(deleted, dtype=TEXT)))
    if keys:
        judged.broken.append(pd.Series(keys, dtype=TEXT))
        judged.held.append(Held(judged.broken[-1].to_frame("sourcedId")))
    if nameless := len(block.broken) - len(keys) - len(deleted):
        judged.unidentified.append(pd.DataFrame(index=range(nameless)))


def _deletes(block: PackageBlock, row: Anomaly) -> bool:
    """Whether a row of too few cells says all that a deletion needs: which row, and that it goes.
    Cells are missing at its end, so those before them are in their places."""
    status = block.status_cell
    if row.kind != "too_few_cells" or block.key_cell != 0 or status is None:
        return False
    # The last cell may be cut.
    if len(row.values) < status + 1 or row.values[status].strip() != "tobedeleted":
        return False
    return _GUID.fullmatch(row.values[0].strip()) is not None


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
    block: PackageBlock, judged: JudgedBlock, version: Version, policy: Policy
) -> tuple[Mask, Mask, Findings]:
    """Which rows are held for a cell, which of them cannot be told by their sourcedId, and what
    was found."""
    frame, findings = judged.good, Findings()
    hold, nameless = (np.zeros(len(frame), dtype=bool) for _ in range(2))
    changed: dict[str, pd.Series] = {}
    table = tables(version)[block.entity]
    faults = list(judge_cells(frame, _schema(block.entity, version), table, version))
    for fault in faults:
        if fault.column.name == "sourcedId":
            nameless[fault.rows] = True
    for fault in faults:
        name = fault.column.name
        severity, effect = weigh_cell(fault.column, fault.rule, policy)
        findings.add(
            fault.rule.at(
                block.file,
                name,
                judged.lines[fault.rows],
                severity=severity,
                entity=block.entity,
                sourced_ids=sourced_ids(frame, fault.rows, nameless),
            )
        )
        if effect is Severity.HOLD:
            hold[fault.rows] = True
        elif effect is Severity.DROP or fault.mended is not None:
            changed[name] = with_cells(changed.get(name, frame[name]), fault.rows, fault.mended)
    if changed:
        judged.good = frame.assign(**changed)
    return hold, nameless, findings


def _judge_rows(block: PackageBlock, judged: JudgedBlock, policy: Policy, hold: Mask) -> Mask:
    """Which rows are held because their cells contradict each other. Rows held already are not
    looked at."""
    held = np.zeros(len(hold), dtype=bool)
    for rule in ROW_RULES:
        if block.entity not in rule.entities:
            continue
        rows = rule.rows(judged.good)
        rows = rows[~hold[rows]]
        if not len(rows):
            continue
        judged.findings.add(
            rule.at(
                block.file,
                rule.columns[-1],
                judged.lines[rows],
                entity=block.entity,
                sourced_ids=sourced_ids(judged.good, rows),
            )
        )
        if effect(rule, policy) is Severity.HOLD:
            held[rows] = True
    return held


def sourced_ids(frame: pd.DataFrame, rows: Positions, nameless: Mask | None = None) -> Texts:
    """The sourcedIds of some rows of a block; null where they are none."""
    ids = arrow(frame["sourcedId"]).take(rows)
    if nameless is None or not nameless[rows].any():
        return ids
    known: Texts = pc.if_else(pa.array(nameless[rows]), pa.scalar(None, pa.large_string()), ids)
    return known


@dataclass
class _AtFault:
    """Rows of a block that cannot do without a row that is not there."""

    waits: Mask
    goes: Mask
    rows: list[Positions] = field(default_factory=list)
    causes: list[Texts] = field(default_factory=list)

    def causes_of(self, rows: Positions) -> Texts:
        """For each of these rows the row at fault; null for the row itself."""
        known, first = np.unique(np.concatenate(self.rows), return_index=True)
        at = np.minimum(np.searchsorted(known, rows), len(known) - 1)
        found: Texts = pc.take(joined(self.causes), pa.array(first[at], mask=known[at] != rows))
        return found


def _judge_references(
    block: PackageBlock,
    judged: JudgedBlock,
    table: tuple[Column, ...],
    presence: dict[str, Presence],
    hold: Mask,
) -> _AtFault:
    """Which rows wait for what they refer to, and which go because it is gone.

    References that a row can do without are taken out of it.
    """
    found = _AtFault(np.zeros(len(hold), dtype=bool), np.zeros(len(hold), dtype=bool))
    looked_at = ~hold if hold.any() else None
    for column in table:
        if column.target not in presence:
            continue
        cells = judged.good[column.name]
        misses = find_misses(cells, column, presence[column.target], looked_at)
        judged.unjudged |= misses.unjudged
        if len(misses.wrong_kind):
            judged.findings.add(
                RULES["reference.kind"].at(
                    block.file,
                    column.name,
                    judged.lines[misses.wrong_kind],
                    entity=block.entity,
                    sourced_ids=sourced_ids(judged.good, misses.wrong_kind),
                )
            )
        if not len(misses):
            continue
        rows, mended = without(cells, column, misses)
        lost = mended.isna().to_numpy(dtype=bool) & (column.required is Required.ALWAYS)
        fatal = rows[lost]
        judged.findings.extend(
            missing_findings(
                misses,
                column,
                fatal,
                entity=block.entity,
                file=block.file,
                lines=judged.lines[misses.rows],
                ids=sourced_ids(judged.good, misses.rows),
            )
        )
        if len(fatal):
            waiting = among(fatal, misses.rows[misses.reasons != Missing.REMOVED])
            found.waits[fatal[waiting]] = True
            found.goes[fatal[~waiting]] = True
            found.rows.append(fatal)
            found.causes.append(first_of_each(misses.rows, misses.causes, fatal))
        if not lost.all():
            changed = with_cells(cells, rows[~lost], mended[~lost])
            judged.good = judged.good.assign(**{column.name: changed})
    return found


def missing_findings(
    misses: Misses,
    column: Column,
    fatal: Positions,
    *,
    entity: str,
    file: str,
    lines: Positions,
    ids: Texts,
) -> Findings:
    """Findings for the misses of one column: rows that cannot do without them (`fatal`) apart from
    those that only lose a cell. `lines` and `ids` belong to the misses one by one."""
    findings = Findings()
    for reason in Missing:
        rule = RULES[reason]
        picked = np.flatnonzero(misses.reasons == reason)
        # One finding a row: the first of several misses in one list.
        picked = picked[np.diff(misses.rows[picked], prepend=-1) > 0]
        lost = among(misses.rows[picked], fatal)
        for chosen, severity in ((picked[lost], rule.severity), (picked[~lost], Severity.DROP)):
            if len(chosen):
                findings.add(
                    rule.at(
                        file,
                        column.name,
                        lines[chosen],
                        severity=severity,
                        entity=entity,
                        sourced_ids=ids.take(chosen),
                        causes=misses.causes.take(chosen),
                    )
                )
    return findings


def _remember_held(
    entity: str, judged: JudgedBlock, hold: Mask, nameless: Mask, at_fault: _AtFault
) -> None:
    frame, named = judged.good, hold & ~nameless
    if named.any():
        kept = (*ACCESS.get(entity, ()), *(SAID if entity == "users" else ()))
        rows = frame[named].reset_index(drop=True)
        wanted = ["sourcedId", *(name for name in kept if name in frame.columns)]
        causes = at_fault.causes_of(np.flatnonzero(named)) if at_fault.rows else None
        judged.held.append(Held(rows[wanted], causes, telling(entity, rows)))
    if nameless.any():
        judged.unidentified.append(frame[nameless].reset_index(drop=True))


def _remember_gone(judged: JudgedBlock, goes: Mask, at_fault: _AtFault) -> None:
    if goes.any():
        rows = np.flatnonzero(goes)
        ids = judged.good["sourcedId"].iloc[rows].reset_index(drop=True)
        judged.gone.append(Held(ids.to_frame(), at_fault.causes_of(rows)))


def with_cells(cells: pd.Series, rows: Positions, values: pd.Series | None) -> pd.Series:
    """A copy of a TEXT column with other cells (or none) at some positions."""
    changed = cells.copy()
    changed.iloc[rows] = None if values is None else values.array
    return changed.astype(TEXT)
