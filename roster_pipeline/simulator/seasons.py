"""How much happens in a zone on a day, by season: the rates of docs/churn.md.

All are shares of those that there are.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from roster_pipeline.simulator.school_year import SPRING, SchoolYear

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Rates:
    """What happens on one day. The defaults are those of a school day early in a year, when most
    of the moving is done: together they touch about half a percent of the rows."""

    students_leave: float = 0.0015
    """Yearly mobility of 15 to 20 % in US districts, most of it in the first and last weeks."""
    students_arrive: float = 0.0015
    """As many come as go: enrolment is steady over a year."""
    change_school: float = 0.0002
    """A move within the district: a few in a thousand a month."""
    change_class: float = 0.004
    """Add/drop weeks: about one secondary student in twelve changes a class in the first month."""
    at_most_replaced: int = 1
    """How many enrollments one who changes classes may change at once."""
    in_elementary: bool = False
    """Whether elementary students change classes too."""
    classes_close: float = 0.0
    """Sections that turn out small, and whose students go to others."""
    teachers_replaced: float = 0.0005
    """One in ten teachers leaves during or after a year; a fraction of them within it."""
    names_change: float = 0.0001
    """Marriages, adoptions, corrected spellings."""
    emails_change: float = 0.0003
    """Renamed accounts and corrected typing errors."""
    phones_change: float = 0.001
    """Guardians: about a fifth have a new number each year."""
    rooms_change: float = 0.001
    """Classes that move to another room."""


STEADY: Final = Rates()
"""Every day of a district without seasons."""

_YEAR_ROUND: Final = Rates(at_most_replaced=3, in_elementary=True)
SUMMER: Final = replace(
    _YEAR_ROUND,
    students_leave=0.001,
    students_arrive=0,
    change_school=0,
    change_class=0,
    teachers_replaced=0,
)
BEFORE_SCHOOL: Final = replace(
    _YEAR_ROUND,
    students_leave=0.001,
    students_arrive=0.002,
    change_school=0.0005,
    change_class=0.005,
    teachers_replaced=0.002,
)
FIRST_WEEK: Final = replace(
    _YEAR_ROUND,
    students_leave=0.003,
    students_arrive=0.003,
    change_school=0.0005,
    change_class=0.04,
    classes_close=0.002,
    teachers_replaced=0.002,
    rooms_change=0.01,
)
SECOND_WEEK: Final = replace(FIRST_WEEK, change_class=0.02)
EARLY_WEEKS: Final = replace(_YEAR_ROUND, change_class=0.007)
ORDINARY_WEEKS: Final = replace(
    _YEAR_ROUND,
    students_leave=0.0006,
    students_arrive=0.0006,
    change_school=0.0001,
    change_class=0.003,
    teachers_replaced=0.0003,
)
SEMESTER_STARTS: Final = replace(_YEAR_ROUND, change_school=0.0005, change_class=0.009)


def rates_on(day: date, year: SchoolYear) -> Rates | None:
    """The rates of a day of the year in the export; None for a Saturday or Sunday."""
    if day.weekday() >= 5:
        return None
    start = year.start
    if not start <= day < year.end:
        return BEFORE_SCHOOL if day < start else SUMMER
    if day < start + _WEEK:
        return FIRST_WEEK
    if day < start + 2 * _WEEK:
        return SECOND_WEEK
    if day < start + 6 * _WEEK:
        return EARLY_WEEKS
    spring = year.sessions[SPRING].start
    return SEMESTER_STARTS if spring <= day < spring + 2 * _WEEK else ORDINARY_WEEKS
