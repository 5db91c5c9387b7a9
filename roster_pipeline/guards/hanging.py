"""What ends before its time because the sessions that it hangs on do, whether its own row changed
or not.

A class ends with its terms, or without any with the school year of its course. Where one session
is given another end, classes and enrollments end of which no cell is another. On a day on which no
session moves, and no course or class is put into another, nothing of this is read.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.guards.moved import Moved, soon
from roster_pipeline.oneroster.coded import by_text, hashed
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.endings import Endings, numbered, past, to_come
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow

_HANGS_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "academicSessions": ("endDate",),
    "courses": ("schoolYearSourcedId",),
    "classes": ("termSourcedIds", "courseSourcedId"),
}
"""The cells that say when a class ends."""


def shortened(rows: Mapping[str, Moved]) -> dict[str, Positions]:
    """By entity the rows of the new roster, by ascending position, that are over now, or are to end
    soon and earlier than before, by the sessions that they hang on, and were not over.

    Not among them are rows that were added or are about something else, nor those that `Moved.off`
    counts already by their own cells.
    """
    before = rows["classes"].endings
    delta = rows["classes"].delta
    if delta.old is None or not _may_be(delta):
        return {}
    after = Endings(delta.new, before.day)
    found = {entity: _earlier(delta, entity, before, after) for entity in ("courses", "classes")}
    if len(found["classes"]):
        classes = KeySet(delta.new.keys("classes")[found["classes"]])
        found["enrollments"] = _seats(rows["enrollments"], classes)
    return found


def _may_be(delta: Delta) -> bool:
    """Whether any session, or what hangs on one, is another."""
    if len(delta.entities["academicSessions"].added):
        return True
    return any(
        not is_true(pc.equal(_told(before[name]), _told(after[name]))).all()
        for entity, columns in _HANGS_ON.items()
        for before, after in delta.pairs(entity, columns)
        for name in columns
    )


def _told(cells: "pd.Series[str]") -> pa.LargeStringArray:
    told: pa.LargeStringArray = pc.fill_null(arrow(cells), "")
    return told


def _earlier(delta: Delta, entity: str, before: Endings, after: Endings) -> Positions:
    old = delta.old or Roster.empty()
    at = KeySet(old.keys(entity)).positions(delta.new.keys(entity))
    # What is new was over before it came, so it is never shortened.
    was, now = np.append(before.all_ends(entity), np.int32(0))[at], after.all_ends(entity)
    return np.flatnonzero((was > numbered(before.day)) & (now < was) & (now <= soon(before)))


def _seats(enrollments: Moved, classes: KeySet) -> Positions:
    """The enrollments of some classes that are in force by their own dates."""
    delta, day = enrollments.delta, enrollments.endings.day
    change = delta.entities["enrollments"]
    stays = np.ones(delta.new.counts["enrollments"], dtype=bool)
    stays[change.added] = False
    counted = enrollments.off | enrollments.another | ~enrollments.before["in_force"]
    stays[change.changed[counted]] = False
    found, start = [np.empty(0, dtype=np.int64)], 0
    for part in delta.new.coded("enrollments", ["classSourcedId", "beginDate", "endDate"]):
        theirs = stays[start : start + len(part)]
        theirs &= by_text(part["classSourcedId"], lambda ids: classes.contains(hashed(ids)))
        theirs &= ~by_text(part["beginDate"], lambda dates: to_come(dates, day))
        theirs &= ~by_text(part["endDate"], lambda dates: past(dates, day))
        found.append(start + np.flatnonzero(theirs))
        start += len(part)
    return np.concatenate(found)
