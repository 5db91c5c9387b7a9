"""Mends the cells of a package as its source says, before they are judged.

The steps, in this order: words are looked up, blanks within ids become underscores, zeros are put
in front, dates are brought to the standard's form, and where last days are sent as such, the day
after is taken for the end. An empty cell stays empty. What no step knows stays as it is and is
judged as ever.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.package import Package, PackageBlock, tables
from roster_pipeline.sources.mending import Steps, mend, steps_of
from roster_pipeline.sources.repairs_config import Mending
from roster_pipeline.tables.csv_blocks import Anomaly
from roster_pipeline.tables.text import arrow, series

Counts = Counter[tuple[str, str]]
"""Column and step → cells."""


def repaired(package: Package, mending: Mending) -> Package:
    """A package whose cells are mended; the same one where there is nothing to mend."""
    return package if mending == Mending() else Repaired(package, mending)


def repaired_cells(package: Package) -> dict[str, dict[str, int]]:
    """How many cells were mended of what has been read of a package: `entity.column` → step
    (`lookups`, `blanks_in_ids`, `pad`, `dates`, `end_dates`) → cells. A cell that two steps mend
    counts for both; rows with too few or too many cells are not counted."""
    return package.cells() if isinstance(package, Repaired) else {}


class Repaired:
    """A package with mended cells; see `Package`."""

    def __init__(self, package: Package, mending: Mending) -> None:
        self._package = package
        self._mending = mending
        self._counts: dict[str, Counts] = {}
        self.findings = package.findings
        self.version = package.version
        self.modes = package.modes
        self.absent = package.absent

    def file(self, entity: str) -> str:
        """See `Package.file`."""
        return self._package.file(entity)

    def blocks(
        self, entity: str, *, findings: Findings | None = None, block_bytes: int = 32 << 20
    ) -> Iterator[PackageBlock]:
        """See `Package.blocks`. What is mended is counted anew with each reading."""
        counts = self._counts[entity] = Counter()
        if self.version is None:
            return
        table = tables(self.version)[entity]
        steps = {column.name: steps_of(self._mending, entity, column) for column in table}
        for block in self._package.blocks(entity, findings=findings, block_bytes=block_bytes):
            yield _mended(block, steps | self._of_metadata(entity, block.frame), counts)

    def without_rows(self, entity: str) -> tuple[str, ...]:
        """See `Package.without_rows`."""
        return self._package.without_rows(entity)

    def without_columns(self, entity: str) -> Mapping[int, tuple[str, str]]:
        """See `Package.without_columns`."""
        return self._package.without_columns(entity)

    def located(self, findings: Findings) -> Findings:
        """See `Package.located`."""
        return self._package.located(findings)

    def _of_metadata(self, entity: str, frame: pd.DataFrame) -> dict[str, Steps]:
        return {
            name: steps_of(self._mending, entity, Column(name, Kind.STRING, Required.NEVER))
            for name in frame.columns
            if name.startswith(METADATA)
        }

    def cells(self) -> dict[str, dict[str, int]]:
        """See `repaired_cells`."""
        made: dict[str, dict[str, int]] = {}
        for entity, counts in self._counts.items():
            for (column, step), number in counts.items():
                made.setdefault(f"{entity}.{column}", {})[step] = number
        return made


def _mended(block: PackageBlock, steps: Mapping[str, Steps], counts: Counts) -> PackageBlock:
    frame, changed = block.frame, {}
    for name, of_column in steps.items():
        before = arrow(frame[name]) if of_column else None
        if before is None or before.null_count == len(before):
            continue
        after, mended = mend(before, of_column)
        for step, number in mended.items():
            counts[name, step] += number
        if after is not before:
            changed[name] = series(after, frame.index)
    made = replace(block, frame=frame.assign(**changed)) if changed else block
    return _told_alike(made, steps["sourcedId"]) if steps["sourcedId"] else made


def _told_alike(block: PackageBlock, of_ids: Steps) -> PackageBlock:
    """The block with the mended sourcedIds also where its findings and broken rows tell a row by
    it: else the last good version of a broken row is not found, and seems gone."""
    findings = Findings(_with_ids(group, of_ids) for group in block.findings.groups)
    broken = _with_keys(block.broken, of_ids) if block.key_cell == 0 else block.broken
    return replace(block, findings=findings, broken=broken)


def _with_ids(group: FindingGroup, of_ids: Steps) -> FindingGroup:
    if group.sourced_ids is None:
        return group
    return replace(group, sourced_ids=mend(group.sourced_ids, of_ids)[0])


def _with_keys(broken: tuple[Anomaly, ...], of_ids: Steps) -> tuple[Anomaly, ...]:
    keys = pd.Series([row.values[0].strip() if row.values else None for row in broken])
    before = arrow(keys)
    after, _ = mend(before, of_ids)
    if after is before:
        return broken
    return tuple(
        replace(row, values=(key or "", *row.values[1:])) if row.values else row
        for row, key in zip(broken, after.to_pylist(), strict=True)
    )
