"""Parents of orgs and academicSessions: loops, and parents of a type that cannot be one."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.roster import RosterWriter
from roster_pipeline.quality.presence import Positions
from roster_pipeline.quality.rules import RULES
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import TEXT, arrow

WITH_PARENTS: Final = ("orgs", "academicSessions")
"""The entities whose rows may have a parent among themselves."""

_ORGS: Final = ("national", "state", "local", "district", "school")
# What may stand above each type. Types not named, and those of `ext:`, may stand anywhere; so may
# departments be above anything, as the standard puts them nowhere in the order.
_ABOVE: Final[Mapping[str, tuple[str, ...]]] = {
    **{kind: _ORGS[:place] for place, kind in enumerate(_ORGS)},
    "department": ("local", "district", "school"),
    "schoolYear": (),
    "semester": ("schoolYear", "semester", "term"),
    "term": ("schoolYear", "semester", "term"),
    "gradingPeriod": ("schoolYear", "semester", "term", "gradingPeriod"),
}


def judge_parents(writer: RosterWriter, entity: str, own: int, file: str) -> Findings:
    """Take the parents of rows in a loop away, and say which other parents cannot be.

    The first `own` rows that are kept came with the package; only those are judged.
    """
    kept = np.flatnonzero(writer.kept(entity)).astype(np.int64)
    wanted = ["sourcedId", "parentSourcedId", "type"]
    frame = writer.so_far(entity).take(entity, kept, wanted, provenance=True)
    parents = parent_positions(frame)
    loops = in_loops(parents)
    if len(loops) and loops[0] < own:
        cells = pd.DataFrame({"parentSourcedId": pd.Series([None] * len(loops), dtype=TEXT)})
        writer.replace(entity, kept[loops], cells)
    odd = np.setdiff1d(
        np.flatnonzero(wrong_kinds(frame["type"], parents)), loops, assume_unique=True
    )
    findings = Findings()
    for code, found in (("reference.loop", loops), ("reference.parent_kind", odd)):
        rows = found[found < own]
        if len(rows):
            lines = frame["_line"].to_numpy(dtype=np.int64)[rows]
            ids = arrow(frame["sourcedId"]).take(rows)
            findings.add(
                RULES[code].at(file, "parentSourcedId", lines, entity=entity, sourced_ids=ids)
            )
    return findings


def parent_positions(frame: pd.DataFrame) -> Positions:
    """For each row (sourcedId, parentSourcedId) the position of its parent; -1 for none."""
    ids, parents = arrow(frame["sourcedId"]), arrow(frame["parentSourcedId"])
    found = pc.index_in(parents, value_set=ids, skip_nulls=True)
    positions: Positions = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return positions


def in_loops(parents: Positions) -> Positions:
    """The rows that are their own parent, or their parents' parent; ascending.

    Everybody goes upwards at once, twice as far each time: who has not arrived after as many steps
    as there are rows goes round in a loop, and stands on it.
    """
    there = parents
    for _ in range(max(1, len(parents).bit_length())):
        there = np.where(there >= 0, there[there], -1)
    return distinct(there[there >= 0])


def wrong_kinds(types: pd.Series, parents: Positions) -> npt.NDArray[np.bool_]:
    """Which rows have a parent of a type that cannot stand above theirs."""
    wrong = np.zeros(len(types), dtype=bool)
    having = np.flatnonzero(parents >= 0)
    above, below = (types.iloc[rows].to_numpy(dtype=object) for rows in (parents[having], having))
    for kind, allowed in _ABOVE.items():
        fits = np.isin(above, [*allowed, "department"]) | ~np.isin(above, list(_ABOVE))
        wrong[having[(below == kind) & ~fits]] = True
    return wrong
