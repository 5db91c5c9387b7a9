"""Classes and who is in them: homerooms, periods, teachers and co-teachers."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.curriculum import (
    COURSES,
    FIRST_SECONDARY,
    PERIODS,
    SLOTS,
    Department,
    offered,
)
from roster_pipeline.simulator.names import Ints
from roster_pipeline.simulator.people import Faculty
from roster_pipeline.simulator.school_year import FALL, SPRING, YEAR
from roster_pipeline.simulator.zone import (
    CO_TEACHER,
    LEVEL_GRADES,
    TEACHER,
    Level,
    Role,
    Zone,
    enroll,
    some,
)

# Sizes as US districts have them: students of a class, classes of a teacher.
HOMEROOM_SIZE: Final = 24
SECTION_SIZE: Final = 28
GROUP_SIZE: Final = 90
"""Students of a grade who have the same subjects in the same periods."""
CHOICE_SIZE: Final = 15
"""A further choice is offered for each so many students of a group."""
TEACHER_LOAD: Final = 5
SPECIALIST_LOAD: Final = 12
"""Homerooms of an elementary art or gym teacher."""
CO_TAUGHT: Final = 0.06
"""Share of classes with a second teacher: special education in the general classroom."""
TWO_SCHOOLS: Final = 0.03
"""Share of teachers who also teach at another school."""


def timetable(zone: Zone, rng: np.random.Generator, faculty: Faculty, school: int) -> None:
    """The classes of a school's year, with their students and first teachers."""
    if zone.levels[school] is Level.ELEMENTARY:
        _timetable_elementary(zone, rng, faculty, school)
    else:
        _timetable_secondary(zone, rng, faculty, school)


def _timetable_elementary(
    zone: Zone, rng: np.random.Generator, faculty: Faculty, school: int
) -> None:
    """Homerooms by grade, each with its own teacher; specialists go from one to the next."""
    specials: dict[str, list[npt.NDArray[np.int64]]] = {}
    for grade in range(FIRST_SECONDARY):
        cohort = _cohort(zone, rng, school, grade)
        groups = math.ceil(len(cohort) / HOMEROOM_SIZE)
        seat = np.arange(len(cohort)) % max(1, groups)
        homeroom = faculty.teachers(groups, school)
        for course in offered(grade):
            special = COURSES[course].department is Department.SPECIALIST
            opened = _open_classes(
                zone,
                rng,
                course=np.full(groups, course),
                school=school,
                grade=grade,
                group=np.arange(groups),
                period=0,
                term=YEAR,
                teacher=-1 if special else homeroom,
            )
            if special:
                specials.setdefault(COURSES[course].subject, []).append(opened)
            enroll(zone, cohort, opened[seat])
    for pieces in specials.values():
        classes = np.concatenate(pieces)
        staff = faculty.teachers(math.ceil(len(classes) / SPECIALIST_LOAD), school)
        zone.classes["teacher"][classes] = staff[np.arange(len(classes)) % max(1, len(staff))]


def _timetable_secondary(
    zone: Zone, rng: np.random.Generator, faculty: Faculty, school: int
) -> None:
    """Seven periods: groups of a grade take the subjects in a different order each."""
    before = len(zone.classes)
    for grade in LEVEL_GRADES[zone.levels[school]]:
        cohort = _cohort(zone, rng, school, grade)
        if not len(cohort):
            continue
        groups = min(PERIODS, max(1, len(cohort) // GROUP_SIZE))
        for slot, department in enumerate(SLOTS):
            courses = offered(grade, department)
            terms = (FALL, SPRING) if COURSES[courses[0]].semester else (YEAR,)
            for term in terms:
                _fill_slot(zone, rng, school, grade, cohort, groups, slot, courses, term)
    opened = np.arange(before, len(zone.classes))
    department_of = np.array([COURSES[c].department for c in zone.classes["course"][opened]])
    for department in SLOTS:
        classes = opened[department_of == department]
        numbers = rota(zone.classes["period"][classes], zone.classes["term"][classes])
        staff = faculty.teachers(int(numbers.max(initial=-1)) + 1, school)
        zone.classes["teacher"][classes] = staff[numbers]


def _fill_slot(
    zone: Zone,
    rng: np.random.Generator,
    school: int,
    grade: int,
    cohort: npt.NDArray[np.int64],
    groups: int,
    slot: int,
    courses: Sequence[int],
    term: int,
) -> None:
    """Open the sections of one subject for a grade and seat every student in one."""
    choices = min(len(courses), max(1, len(cohort) // groups // CHOICE_SIZE))
    group = np.arange(len(cohort)) % groups
    wish = group * choices + rng.integers(0, choices, len(cohort))
    wanted = np.bincount(wish, minlength=groups * choices)
    sections = -(-wanted // SECTION_SIZE)
    kind = np.repeat(np.arange(len(wanted)), sections)
    opened = _open_classes(
        zone,
        rng,
        course=np.array(courses)[kind % choices],
        school=school,
        grade=grade,
        group=kind // choices,
        # Grades are out of step, or every English teacher would be wanted in the same period.
        period=(slot + 2 * grade + kind // choices) % PERIODS + 1,
        term=term,
    )
    order = np.argsort(wish, kind="stable")
    first_of = np.cumsum(wanted) - wanted
    rank = np.arange(len(cohort)) - first_of[wish[order]]
    first_section = np.cumsum(sections) - sections
    section = first_section[wish[order]] + rank % sections[wish[order]]
    enroll(zone, cohort[order], opened[section])


def rota(periods: Ints, terms: Ints) -> npt.NDArray[np.int64]:
    """A teacher's number, from 0, for each class, so that nobody teaches two classes at once.

    Classes without a period (0) are never at once."""
    if not periods.any():
        return np.arange(len(periods)) // TEACHER_LOAD
    taken: dict[tuple[int, int], int] = {}
    ranks = np.zeros(len(periods), dtype=np.int64)
    for i in np.lexsort((terms, periods)).tolist():
        period, term = int(periods[i]), int(terms[i])
        halves = (FALL, SPRING) if term == YEAR else (term,)
        ranks[i] = max(taken.get((period, half), 0) for half in halves)
        taken.update({(period, half): int(ranks[i]) + 1 for half in halves})
    needed = max(int(ranks.max(initial=-1)) + 1, math.ceil(len(periods) / TEACHER_LOAD))
    return (ranks + periods) % max(1, needed)


def share_teachers(zone: Zone, rng: np.random.Generator) -> None:
    """Give some teachers a second school, where they join a colleague's class."""
    if len(zone.levels) < 2:
        return
    people, classes = zone.people, zone.classes
    teachers = people["active"] & (people["role"] == Role.TEACHER)
    for teacher in some(rng, np.flatnonzero(teachers), TWO_SCHOOLS):
        elsewhere = classes["active"] & (people["school"][teacher] != classes["school"])
        free = np.flatnonzero(elsewhere & (classes["co_teacher"] < 0))
        if len(free):
            cls = rng.choice(free)
            people["second_school"][teacher] = classes["school"][cls]
            classes["co_teacher"][cls] = teacher


def co_teach(zone: Zone, rng: np.random.Generator, faculty: Faculty) -> None:
    """Give some classes of each school a second teacher, hired for that."""
    classes = zone.classes
    for school in range(len(zone.levels)):
        here = classes["active"] & (classes["school"] == school)
        open_to = np.flatnonzero(here & (classes["co_teacher"] < 0))
        shared = some(rng, open_to, CO_TAUGHT)
        numbers = rota(classes["period"][shared], classes["term"][shared])
        staff = faculty.teachers(int(numbers.max(initial=-1)) + 1, school)
        classes["co_teacher"][shared] = staff[numbers]


def enroll_teachers(zone: Zone) -> None:
    """Enrol everyone who teaches a class in it."""
    for teaching, column in ((TEACHER, "teacher"), (CO_TEACHER, "co_teacher")):
        classes = np.flatnonzero(zone.classes["active"] & (zone.classes[column] >= 0))
        enroll(zone, zone.classes[column][classes], classes, teaching=teaching)


def _open_classes(
    zone: Zone,
    rng: np.random.Generator,
    *,
    course: Ints,
    school: int,
    grade: int,
    group: npt.ArrayLike,
    period: npt.ArrayLike,
    term: npt.ArrayLike,
    teacher: npt.ArrayLike = -1,
) -> npt.NDArray[np.int64]:
    return zone.classes.append(
        len(course),
        course=course,
        school=school,
        grade=grade,
        group=group,
        period=period,
        term=term,
        room=rng.integers(100, 400, len(course)),
        teacher=teacher,
        co_teacher=-1,
        year=zone.years,
        active=True,
    )


def _cohort(zone: Zone, rng: np.random.Generator, school: int, grade: int) -> npt.NDArray[np.int64]:
    """The students of one grade of one school, shuffled."""
    people = zone.people
    mine = people["active"] & (people["school"] == school) & (people["grade"] == grade)
    return rng.permutation(np.flatnonzero(mine))
