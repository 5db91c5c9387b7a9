"""The night in which one school year takes the place of another (docs/churn.md)."""

from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.curriculum import GRADES, KINDERGARTEN, LAST_GRADE
from roster_pipeline.simulator.days import come, leave, students
from roster_pipeline.simulator.names import NameBook
from roster_pipeline.simulator.people import Faculty, hire
from roster_pipeline.simulator.timetables import (
    co_teach,
    enroll_teachers,
    share_teachers,
    timetable,
)
from roster_pipeline.simulator.zone import LEVEL_GRADES, NONE, Role, Zone

STUDENTS_MOVE_AWAY: Final = 0.04
"""In summer, beside those who have finished; as many come."""
STAFF_LEAVE: Final = 0.1
TEACHERS_CHANGE_SCHOOL: Final = 0.03
_OF_SCHOOLS: Final = (Role.PRINCIPAL, Role.SITE_ADMINISTRATOR, Role.COUNSELOR, Role.AIDE)

Rows = npt.NDArray[np.int64]


def roll_over(zone: Zone, seed: int, book: NameBook, guardians: float) -> None:
    """Bring the zone to its next day, on which a new school year stands in the export."""
    zone.day += 1
    zone.years += 1
    rng = np.random.default_rng([seed, zone.number, zone.day])
    zone.classes["active"][:] = False
    zone.enrollments["active"][:] = False
    _finish(zone, rng)
    _promote(zone)
    _begin(zone, rng, book, guardians)
    _change_staff(zone, rng, book)
    _schedule(zone, rng, book)


def _finish(zone: Zone, rng: np.random.Generator) -> None:
    present = students(zone)
    done = zone.people["grade"][present] == LAST_GRADE
    leave(zone, present[done | (rng.random(len(present)) < STUDENTS_MOVE_AWAY)])


def _promote(zone: Zone) -> None:
    """Everybody a grade further, and on to the school that takes it."""
    people = zone.people
    present = students(zone)
    people["grade"][present] += 1
    for school, level in enumerate(zone.levels):
        here = present[people["school"][present] == school]
        last = LEVEL_GRADES[level][-1]
        moving = here[people["grade"][here] > last]
        if len(moving):
            following = zone.schools_for(last + 1)
            people["school"][moving] = following[school % len(following)]


def _begin(zone: Zone, rng: np.random.Generator, book: NameBook, guardians: float) -> None:
    """Beginners, and newcomers to any grade."""
    people, present = zone.people, students(zone)
    like = rng.choice(present, rng.binomial(len(present), STUDENTS_MOVE_AWAY))
    count = rng.poisson(len(present) / (len(GRADES) - 1))
    beginners_at = rng.choice(zone.schools_for(KINDERGARTEN), count)
    school = np.concatenate((people["school"][like], beginners_at))
    grade = np.concatenate((people["grade"][like], np.full(count, KINDERGARTEN)))
    come(zone, rng, book, guardians, school, grade)


def _change_staff(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    """Some go, some teachers change schools; new teachers are hired for classes without one."""
    people = zone.people
    # Whoever is on file as a parent too does not vanish.
    may_go = people["active"] & (people["household"] < 0)
    staff = np.flatnonzero(may_go & np.isin(people["role"], (Role.TEACHER, *_OF_SCHOOLS)))
    leavers = staff[rng.random(len(staff)) < STAFF_LEAVE]
    people["active"][leavers] = False
    posts = leavers[people["role"][leavers] != Role.TEACHER]
    hire(zone, rng, book, people["role"][posts], people["school"][posts])
    people["second_school"][_teachers(zone)] = NONE
    if len(zone.levels) > 1:
        stay = _teachers(zone)
        moving = stay[rng.random(len(stay)) < TEACHERS_CHANGE_SCHOOL]
        step = rng.integers(1, len(zone.levels), len(moving))
        people["school"][moving] = (people["school"][moving] + step) % len(zone.levels)


def _schedule(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    """New classes for everybody, given to the teachers who are there as far as they go."""
    faculty = Faculty(zone, rng, book, _teachers(zone))
    for school in range(len(zone.levels)):
        timetable(zone, rng, faculty, school)
    share_teachers(zone, rng)
    co_teach(zone, rng, faculty)
    enroll_teachers(zone)


def _teachers(zone: Zone) -> Rows:
    people = zone.people
    return np.flatnonzero(people["active"] & (people["role"] == Role.TEACHER))
