"""References that are judged when everything is written: within an entity, and those that rows
taken from the last accepted roster can do without."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import Column, Required, references
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.roster import RosterWriter
from roster_pipeline.quality.presence import Positions, Presence
from roster_pipeline.quality.references import find_misses, without
from roster_pipeline.quality.rows import missing_findings
from roster_pipeline.tables.text import arrow

_NONE: Positions = np.empty(0, dtype=np.int64)


def blank_dangling(
    writer: RosterWriter, entity: str, presence: Mapping[str, Presence], file: str
) -> tuple[Findings, bool]:
    """Take references to rows that are not there out of all rows written, as far as it was not
    done with the block. Also says whether some may point at rows of which nothing is known."""
    findings, unjudged = Findings(), False
    for column in references(entity):
        target = presence.get(column.target or "")
        if target is None or not _may_dangle(entity, column, target):
            continue
        for found, unknown in _blank(writer, entity, column, target, file):
            findings.extend(found)
            unjudged |= unknown
    return findings, unjudged


def _may_dangle(entity: str, column: Column, target: Presence) -> bool:
    if column.required is Required.ALWAYS:
        return False
    return column.target == entity or len(target.removed) > 0


def _blank(
    writer: RosterWriter, entity: str, column: Column, target: Presence, file: str
) -> Iterator[tuple[Findings, bool]]:
    kept, start = writer.kept(entity), 0
    wanted = ["sourcedId", column.name]
    for block in writer.so_far(entity).blocks(entity, wanted, provenance=True):
        cells = block[column.name]
        misses = find_misses(cells, column, target, kept[start : start + len(block)])
        found = Findings()
        if len(misses):
            rows, mended = without(cells, column, misses)
            frame = pd.DataFrame({column.name: mended})
            writer.replace(entity, (rows + start).astype(np.int64), frame)
            lines = block["_line"].to_numpy(dtype=np.int64)[misses.rows]
            ids = arrow(block["sourcedId"]).take(misses.rows)
            found = missing_findings(
                misses, column, _NONE, entity=entity, file=file, lines=lines, ids=ids
            )
        yield found, misses.unjudged
        start += len(block)
