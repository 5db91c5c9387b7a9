"""Rows of the roster accepted last, beside those of the package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import Required, references
from roster_pipeline.oneroster.findings import Lines
from roster_pipeline.oneroster.layout import FILE, LINE
from roster_pipeline.oneroster.origins import ways_of
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.quality.access import less_access
from roster_pipeline.quality.causes import first_of_each
from roster_pipeline.quality.presence import Positions, Presence
from roster_pipeline.quality.references import find_misses, without
from roster_pipeline.quality.rows import Held
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.text import arrow


def came_from(
    base: Roster, entity: str, positions: Positions, patterns: Sequence[str]
) -> Positions:
    """Those of some rows (ascending) that came from a file whose name fits one of some shell
    patterns; its case and its folder do not count."""
    files = arrow(base.take(entity, positions, [FILE])[FILE])
    fitting = [
        file
        for file in pc.unique(files).to_pylist()
        if any(fnmatchcase(PurePosixPath(file).name.casefold(), each) for each in patterns)
    ]
    return positions[is_true(pc.is_in(files, value_set=pa.array(fitting, pa.large_string())))]


def made_in(base: Roster, entity: str, positions: Positions) -> Lines:
    """The ways in which some rows (ascending) were made of the rows of their file."""
    return ways_of(base.take(entity, positions, [LINE])[LINE].to_numpy())


@dataclass(frozen=True)
class LastGood:
    """The roster accepted last, and the writer that takes rows of it."""

    base: Roster
    writer: RosterWriter

    def copy(
        self, entity: str, positions: Positions, presence: Mapping[str, Presence]
    ) -> tuple[Positions, list[Held]]:
        """Take rows (ascending) but for those that cannot do without a row that is gone; lists
        lose the items that are. Returns the positions taken, and the rows left behind."""
        kept = positions
        behind: list[Held] = []
        shorter: list[tuple[Positions, pd.DataFrame]] = []
        for column in references(entity):
            target = presence.get(column.target or "")
            if column.required is not Required.ALWAYS or target is None or not len(target.removed):
                continue
            cells = self.base.take(entity, kept, [column.name])[column.name]
            misses = find_misses(cells, column, target)
            rows, mended = without(cells, column, misses)
            lost = mended.isna().to_numpy(dtype=bool)
            if lost.any():
                causes = first_of_each(misses.rows, misses.causes, rows[lost])
                ids = self.base.take(entity, kept[rows[lost]], ["sourcedId"])
                behind.append(Held(ids, causes))
            if not lost.all():
                shorter.append((kept[rows[~lost]], mended[~lost].to_frame(column.name)))
            kept = np.delete(kept, rows[lost])
        whole = len(kept) == self.base.counts[entity]
        self.writer.copy_from(self.base, entity, None if whole else kept)
        for at, lists in shorter:
            self.replace(entity, kept, at, lists)
        return kept, behind

    def take_away(self, entity: str, held: pd.DataFrame, copied: Positions) -> None:
        """Let rows held back take access away from the rows that stand in for them, which were
        copied last."""
        for positions, cells in less_access(self.base, entity, held):
            self.replace(entity, copied, positions, cells)

    def replace(
        self, entity: str, copied: Positions, positions: Positions, cells: pd.DataFrame
    ) -> None:
        """Give the rows of some positions in the base other cells, as far as they are among those
        copied last."""
        start = self.writer.so_far(entity).counts[entity] - len(copied)
        stands = np.isin(positions, copied)
        at = start + np.searchsorted(copied, positions[stands])
        self.writer.replace(entity, at.astype(np.int64), cells[stands].reset_index(drop=True))

    def doubtful(self, entity: str, broken: Sequence[pd.Series], stand_ins: Positions) -> int:
        """How many broken rows no row stands in for. What is left of a cut row may begin with a
        part of a sourcedId: it names nothing, or another row."""
        if not broken:
            return 0
        found = self.base.find(entity, pd.concat(list(broken), ignore_index=True))
        return int((~np.isin(found, stand_ins)).sum())
