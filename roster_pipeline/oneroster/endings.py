"""What is over by its own dates, so that its going removes nothing.

An end date is exclusive everywhere (OneRoster CSV binding 1.2), so what ends on a day is over on
it. A class is over when all its terms are, or where it has none, the school year of its course; an
enrollment also when its class is. People, orgs, and what hangs on a person alone are never over.
"""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.coded import by_text, hashed
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow

Mask = npt.NDArray[np.bool_]
_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NO_TERM, _GOING, _OVER = range(3)


def ended(roster: Roster, entity: str, positions: Positions, day: date) -> Mask:
    """Which of these rows, by ascending position, are over on a day, as the roster has them."""
    endings = Endings(roster, day)
    if not len(positions) or not endings.columns(entity):
        return np.zeros(len(positions), dtype=bool)
    blocks = roster.select(entity, positions, endings.columns(entity))
    return np.concatenate([endings.over(entity, block) for block in blocks])


def past(end_dates: pa.LargeStringArray, day: date) -> Mask:
    """Which end dates a day has reached; a missing one, and what is no date, never."""
    return _dated(pc.less_equal(end_dates, day.isoformat()), end_dates)


def to_come(begin_dates: pa.LargeStringArray, day: date) -> Mask:
    """Which dates of beginning lie after a day; a missing one, and what is no date, never."""
    return _dated(pc.greater(begin_dates, day.isoformat()), begin_dates)


def in_force(rows: pd.DataFrame, day: date) -> Mask:
    """Which rows have begun by a day and are not over on it, by their own two dates."""
    return ~to_come(arrow(rows["beginDate"]), day) & ~past(arrow(rows["endDate"]), day)


class Endings:
    """What of a roster is over on a day; each thing is read once, when it is first needed."""

    _COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
        "academicSessions": ("endDate",),
        "courses": ("schoolYearSourcedId",),
        "classes": ("termSourcedIds", "courseSourcedId"),
        "roles": ("endDate",),
        "enrollments": ("endDate", "classSourcedId"),
    }

    def __init__(self, roster: Roster, day: date) -> None:
        self._roster = roster
        self._day = day

    def columns(self, entity: str) -> tuple[str, ...]:
        """What `over` looks at; nothing for what never is."""
        return self._COLUMNS.get(entity, ())

    def over(self, entity: str, rows: pd.DataFrame) -> Mask:
        """Which of some rows of this roster, given in `columns`, are over."""
        match entity:
            case "academicSessions" | "roles":
                return past(arrow(rows["endDate"]), self._day)
            case "courses":
                return self._year_over(arrow(rows["schoolYearSourcedId"]))
            case "classes":
                terms = self._terms(arrow(rows["termSourcedIds"]))
                return self._class_over(terms, arrow(rows["courseSourcedId"]))
            case "enrollments":
                own = past(arrow(rows["endDate"]), self._day)
                if not len(self._classes):
                    return own
                return own | self._classes.contains(hashed(arrow(rows["classSourcedId"])))
            case _:
                return np.zeros(len(rows), dtype=bool)

    @cached_property
    def _sessions(self) -> pa.LargeStringArray:
        """The sourcedIds of those that are over."""
        rows = self._roster.columns("academicSessions", ["sourcedId", "endDate"])
        return arrow(rows["sourcedId"][past(arrow(rows["endDate"]), self._day)])

    @cached_property
    def _courses(self) -> KeySet:
        parts = self._roster.coded("courses", ["schoolYearSourcedId"])
        return self._those("courses", [by_text(part[0], self._year_over) for part in parts])

    @cached_property
    def _classes(self) -> KeySet:
        found = []
        if len(self._sessions):
            for part in self._roster.coded("classes", ["termSourcedIds", "courseSourcedId"]):
                terms = by_text(part[0], self._terms)
                found.append(self._class_over(terms, part[1]))
        return self._those("classes", found)

    def _those(self, entity: str, over: list[Mask]) -> KeySet:
        keys = self._roster.keys(entity) if over else np.empty(0, dtype=np.uint64)
        return KeySet(keys[np.concatenate([np.empty(0, dtype=bool), *over])])

    def _year_over(self, sourced_ids: pa.LargeStringArray) -> Mask:
        return is_true(pc.is_in(sourced_ids, value_set=self._sessions))

    def _class_over(self, terms: npt.NDArray[np.int8], courses: Any) -> Mask:
        over: Mask = terms == _OVER
        unsaid = np.flatnonzero(terms == _NO_TERM)
        if len(unsaid):
            some = courses.take(unsaid).cast(pa.large_string())
            over[unsaid] = by_text(some, lambda ids: self._courses.contains(hashed(ids)))
        return over

    def _terms(self, lists: pa.LargeStringArray) -> npt.NDArray[np.int8]:
        """For each list of sessions whether it has one that goes on; an unknown one does."""
        items = pc.split_pattern(lists, ",")
        going = ~self._year_over(pc.list_flatten(items))
        owners = pc.list_parent_indices(items).to_numpy()
        found = np.where(pc.is_valid(lists).to_numpy(zero_copy_only=False), _OVER, _NO_TERM)
        found[owners[going]] = _GOING
        return found.astype(np.int8)


def _dated(answers: pa.BooleanArray, texts: pa.LargeStringArray) -> Mask:
    """Those answers that were given about a date: a source may let wrong ones pass."""
    found = is_true(answers)
    if found.any():
        at = np.flatnonzero(found)
        found[at] = is_true(pc.match_substring_regex(texts.take(at), pattern=_DATE))
    return found
