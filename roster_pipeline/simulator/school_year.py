"""The school year around a day: its semesters and quarters."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

YEAR: Final = 0
"""Position of the whole year in `SchoolYear.sessions`; the semesters and quarters follow."""
FALL: Final = 1
SPRING: Final = 2
_ROLLS_OVER_BEFORE: Final = timedelta(days=14)
_SHOWN_BEFORE: Final = timedelta(days=14)
_SHOWN_AFTER: Final = timedelta(days=7)


@dataclass(frozen=True)
class Session:
    """One academic session; `end` is exclusive (CSV Binding 1.2, data types)."""

    title: str
    type: str
    start: date
    end: date
    parent: int | None
    """Position of the parent among the year's sessions."""


@dataclass(frozen=True)
class SchoolYear:
    """The sessions of one school year, the year itself first."""

    ends: int
    """The calendar year in which it ends, which is its name: 2027 for 2026/27."""
    sessions: tuple[Session, ...]

    @classmethod
    def around(cls, day: date) -> "SchoolYear":
        """The school year that a day falls in; from July on that is the one about to begin."""
        first = day.year if day.month >= 7 else day.year - 1
        last = first + 1
        start, end = _monday(first, 8, 17), _monday(last, 6, 14)
        fall, winter, spring = _monday(first, 10, 19), _monday(last, 1, 11), _monday(last, 3, 22)
        return cls(
            last,
            (
                Session(f"{first}-{last}", "schoolYear", start, end, None),
                Session(f"Fall {first}", "semester", start, winter, YEAR),
                Session(f"Spring {last}", "semester", winter, end, YEAR),
                Session("Quarter 1", "term", start, fall, FALL),
                Session("Quarter 2", "term", fall, winter, FALL),
                Session("Quarter 3", "term", winter, spring, SPRING),
                Session("Quarter 4", "term", spring, end, SPRING),
            ),
        )

    @classmethod
    def exported(cls, day: date) -> "SchoolYear":
        """The school year that a system with seasons sends on a day (docs/churn.md)."""
        next_one = cls.around(date(day.year, 7, 1))
        return next_one if day >= next_one.rollover else cls.around(date(day.year, 6, 30))

    @property
    def start(self) -> date:
        """The first day of school."""
        return self.sessions[YEAR].start

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.sessions[YEAR].end

    @property
    def rollover(self) -> date:
        """The day on which its classes take the place of last year's."""
        return self.start - _ROLLS_OVER_BEFORE

    def shown(self, day: date) -> frozenset[int]:
        """The sessions whose classes a system with seasons sends on a day: from some time before
        they start until some time after their end, or until the year's rollover."""
        return frozenset(
            position
            for position, session in enumerate(self.sessions)
            if session.start - _SHOWN_BEFORE <= day
            and (session.end == self.end or day < session.end + _SHOWN_AFTER)
        )


def _monday(year: int, month: int, day: int) -> date:
    """The first Monday on or after a day."""
    that = date(year, month, day)
    return that + timedelta(days=-that.weekday() % 7)
