"""What academic sessions mean together, and beside the calendar."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Source
from roster_pipeline.quality.view import Days, Mask, RosterView
from roster_pipeline.quality.whole_rules import Broken, WholeRule

_WARN: Final = Severity.WARN
_SESSIONS: Final = "academicSessions"


def session_spans(view: RosterView) -> tuple[Days, Days]:
    """The first day of each session, and the first one after it."""
    return view.days(_SESSIONS, "startDate"), view.days(_SESSIONS, "endDate")


def _outside_parent(view: RosterView) -> Iterable[Broken]:
    starts, ends = session_spans(view)
    parents = view.links(_SESSIONS, "parentSourcedId")
    child = parents >= 0
    early = child & ((starts < starts[parents]) | (starts >= ends[parents]))
    late = child & ~early & (ends > ends[parents])
    yield Broken(_SESSIONS, "startDate", np.flatnonzero(early))
    yield Broken(_SESSIONS, "endDate", np.flatnonzero(late))


def _year_of(days: Days) -> npt.NDArray[np.int64]:
    years: npt.NDArray[np.int64] = (
        days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    )
    return years


def _school_year(view: RosterView) -> Iterable[Broken]:
    _, ends = session_spans(view)
    said, last = view.years(_SESSIONS, "schoolYear"), _year_of(ends - 1)
    parents = view.links(_SESSIONS, "parentSourcedId")
    whole = view.is_word(_SESSIONS, "type", "schoolYear")
    wrong: Mask = whole & (said != last)
    # A term may lie in the calendar year before the one in which its school year ends.
    alone = ~whole & (parents < 0)
    wrong |= alone & ~np.isin(last - said, (-1, 0))
    # Whoever differs from a parent that is wrong itself may well be right.
    wrong |= (parents >= 0) & ~wrong[parents] & (said != said[parents])
    yield Broken(_SESSIONS, "schoolYear", np.flatnonzero(wrong))


def _all_past(view: RosterView) -> Iterable[Broken]:
    _, ends = session_spans(view)
    if view.today is not None and len(ends) and (ends <= view.today).all():
        yield Broken(_SESSIONS, "endDate", None)


def _all_future(view: RosterView) -> Iterable[Broken]:
    starts, _ = session_spans(view)
    if view.today is not None and len(starts) and (starts > view.today).all():
        yield Broken(_SESSIONS, "startDate", None)


SESSIONS: Final = (
    WholeRule(
        code="session.outside_parent",
        layer=Layer.MEANING,
        severity=_WARN,
        message="the session begins before or ends after its parent",
        why="Receivers that look for the term of a day by going down from the school year do not "
        "find it.",
        fix="mend the dates, or the parent",
        source=Source.PRACTICE,
        entities=(_SESSIONS,),
        columns=("startDate", "endDate", "parentSourcedId"),
        may_be=(_WARN,),
        reads={_SESSIONS: ("startDate", "endDate", "parentSourcedId")},
        breaks=_outside_parent,
    ),
    WholeRule(
        code="session.school_year",
        layer=Layer.MEANING,
        severity=_WARN,
        message="schoolYear is not the year in which the session's school year ends",
        why="Receivers put the classes into last year or next year, where nobody sees them.",
        fix="write the calendar year in which the school year ends: 2027 for 2026-27",
        source=Source.TYPES,
        entities=(_SESSIONS,),
        columns=("schoolYear", "endDate", "parentSourcedId"),
        may_be=(_WARN,),
        reads={_SESSIONS: ("type", "schoolYear", "startDate", "endDate", "parentSourcedId")},
        breaks=_school_year,
    ),
    WholeRule(
        code="session.all_past",
        layer=Layer.MEANING,
        severity=_WARN,
        message="every session is over",
        why="Receivers show no class of a term that is over: this may be last year's export.",
        fix="send the sessions of the present school year",
        source=Source.PRACTICE,
        entities=(_SESSIONS,),
        columns=("endDate",),
        may_be=(_WARN,),
        reads={_SESSIONS: ("startDate", "endDate")},
        breaks=_all_past,
        clock=True,
    ),
    WholeRule(
        code="session.all_future",
        layer=Layer.MEANING,
        severity=_WARN,
        message="no session has begun",
        why="Receivers show no class of a term that has not begun: before school starts that is "
        "right, later it is not.",
        fix="send the sessions of the present school year too, if there is one",
        source=Source.PRACTICE,
        entities=(_SESSIONS,),
        columns=("startDate",),
        may_be=(_WARN,),
        reads={_SESSIONS: ("startDate", "endDate")},
        breaks=_all_future,
        clock=True,
    ),
)
