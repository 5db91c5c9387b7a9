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
Days = npt.NDArray[np.int32]
"""Dates as numbers that are in their order: 20270115; `NEVER` for what never ends."""
NEVER: Final = 2**31 - 1
_UNSAID: Final = -1
_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


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


def in_force(rows: pd.DataFrame, day: date, begins: str = "beginDate") -> Mask:
    """Which rows have begun by a day and are not over on it, by their own two dates."""
    return ~to_come(arrow(rows[begins]), day) & ~past(arrow(rows["endDate"]), day)


def numbered(day: date) -> int:
    """A day as `Days` have it."""
    return day.year * 10_000 + day.month * 100 + day.day


def days(end_dates: pa.LargeStringArray) -> Days:
    """The number of each end date; what is missing, and what is no date, never ends."""
    return by_text(end_dates.dictionary_encode(), _days)


class Endings:
    """What of a roster is over on a day, and when what hangs on sessions ends; each thing is read
    once, when it is first needed."""

    _COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
        "academicSessions": ("endDate",),
        "courses": ("schoolYearSourcedId",),
        "classes": ("termSourcedIds", "courseSourcedId"),
        "roles": ("endDate",),
        "enrollments": ("endDate", "classSourcedId"),
    }

    def __init__(self, roster: Roster, day: date) -> None:
        self._roster = roster
        self.day = day

    def columns(self, entity: str) -> tuple[str, ...]:
        """What `over` looks at; nothing for what never is."""
        return self._COLUMNS.get(entity, ())

    def over(self, entity: str, rows: pd.DataFrame) -> Mask:
        """Which of some rows of this roster, given in `columns`, are over."""
        match entity:
            case "academicSessions" | "roles":
                return past(arrow(rows["endDate"]), self.day)
            case "courses" | "classes":
                return self._past(self._ends(*(arrow(rows[name]) for name in self.columns(entity))))
            case "enrollments":
                own = past(arrow(rows["endDate"]), self.day)
                if not len(self._classes):
                    return own
                return own | self._classes.contains(hashed(arrow(rows["classSourcedId"])))
            case _:
                return np.zeros(len(rows), dtype=bool)

    def all_ends(self, entity: str) -> Days:
        """When each course, or each class, of the roster ends, by its sessions."""
        columns = self.columns(entity)
        ends = [
            self._ends(*(part[name] for name in columns))
            for part in self._roster.coded(entity, columns)
        ]
        return np.concatenate([np.empty(0, dtype=np.int32), *ends])

    def _past(self, ends: Days) -> Mask:
        return ends <= numbered(self.day)

    @cached_property
    def _sessions(self) -> tuple[pa.LargeStringArray, Days]:
        """The sourcedIds of all, and when each ends; the last is of those that are unknown."""
        rows = self._roster.columns("academicSessions", ["sourcedId", "endDate"])
        return arrow(rows["sourcedId"]), np.append(days(arrow(rows["endDate"])), np.int32(NEVER))

    @cached_property
    def _courses(self) -> tuple[KeySet, Days]:
        ends = np.append(self.all_ends("courses"), np.int32(NEVER))
        return KeySet(self._roster.keys("courses")), ends

    @cached_property
    def _classes(self) -> KeySet:
        """Those that are over."""
        if not self._past(self._sessions[1]).any():
            return KeySet(np.empty(0, dtype=np.uint64))
        return KeySet(self._roster.keys("classes")[self._past(self.all_ends("classes"))])

    def _ends(self, sessions: Any, courses: Any | None = None) -> Days:
        """When things end that have these sessions, or where they have none, these courses."""
        ends = by_text(sessions, self._last)
        unsaid = np.flatnonzero(ends == _UNSAID)
        if len(unsaid) and courses is not None:
            some = courses.take(unsaid).cast(pa.large_string())
            ends[unsaid] = by_text(some, self._course_ends)
        return np.where(ends == _UNSAID, np.int32(NEVER), ends)

    def _course_ends(self, sourced_ids: pa.LargeStringArray) -> Days:
        courses, ends = self._courses
        return ends[courses.positions(hashed(sourced_ids))]

    def _last(self, lists: pa.LargeStringArray) -> Days:
        """For each list of sessions when the last of them ends; an unknown one never does."""
        sourced_ids, ends = self._sessions
        items = pc.split_pattern(lists, ",")
        at = pc.index_in(pc.list_flatten(items), value_set=sourced_ids, skip_nulls=True)
        found = np.full(len(lists), _UNSAID, dtype=np.int32)
        np.maximum.at(
            found, pc.list_parent_indices(items).to_numpy(), ends[at.fill_null(-1).to_numpy()]
        )
        return found


def _days(end_dates: pa.LargeStringArray) -> Days:
    dates = pc.match_substring_regex(end_dates, pattern=_DATE)
    digits = pc.replace_substring(pc.if_else(dates, end_dates, None), "-", "")
    found: Days = pc.fill_null(digits.cast(pa.int32()), NEVER).to_numpy()
    return found


def _dated(answers: pa.BooleanArray, texts: pa.LargeStringArray) -> Mask:
    """Those answers that were given about a date: a source may let wrong ones pass."""
    found = is_true(answers)
    if found.any():
        at = np.flatnonzero(found)
        found[at] = is_true(pc.match_substring_regex(texts.take(at), pattern=_DATE))
    return found
