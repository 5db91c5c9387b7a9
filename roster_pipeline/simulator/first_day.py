"""A zone as it stands on its first day."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.curriculum import FIRST_SECONDARY, GRADES
from roster_pipeline.simulator.names import NameBook
from roster_pipeline.simulator.people import (
    Faculty,
    add_guardians,
    add_students,
    found_first_households,
    give_children_to_teachers,
    staff_central_office,
    staff_school,
)
from roster_pipeline.simulator.timetables import (
    co_teach,
    enroll_teachers,
    share_teachers,
    timetable,
)
from roster_pipeline.simulator.zone import LEVEL_GRADES, Level, Zone

# Students of a school, as US districts have them.
ELEMENTARY_SIZE: Final = 450
MIDDLE_SIZE: Final = 750
HIGH_SIZE: Final = 1500
JOINT_SECONDARY_BELOW: Final = 400
"""With fewer secondary students than this, one school takes all grades from 6."""


def build_zone(seed: int, number: int, students: int, book: NameBook, guardians: float) -> Zone:
    """A zone of so many students as it stands on day 0. `guardians` is the share of households
    whose guardians are on file."""
    rng = np.random.default_rng([seed, number, 0])
    per_grade = rng.multinomial(students, np.full(len(GRADES), 1 / len(GRADES)))
    zone = Zone(number, _levels(per_grade))
    household = found_first_households(zone, rng, book, students)
    _seat_students(zone, rng, book, per_grade, household)
    faculty = Faculty(zone, rng, book)
    for school in range(len(zone.levels)):
        timetable(zone, rng, faculty, school)
        staff_school(zone, rng, book, school)
    if number == 0:
        staff_central_office(zone, rng, book)
    share_teachers(zone, rng)
    co_teach(zone, rng, faculty)
    on_file = np.flatnonzero(rng.random(len(zone.households)) < guardians)
    give_children_to_teachers(zone, rng, book, on_file)
    add_guardians(zone, rng, book, on_file)
    enroll_teachers(zone)
    return zone


def _levels(per_grade: npt.NDArray[np.int64]) -> tuple[Level, ...]:
    def schools(level: Level, size: int) -> list[Level]:
        return [level] * max(1, math.ceil(per_grade[LEVEL_GRADES[level]].sum() / size))

    elementary = schools(Level.ELEMENTARY, ELEMENTARY_SIZE)
    if per_grade[FIRST_SECONDARY:].sum() < JOINT_SECONDARY_BELOW:
        return (*elementary, Level.SECONDARY)
    return (*elementary, *schools(Level.MIDDLE, MIDDLE_SIZE), *schools(Level.HIGH, HIGH_SIZE))


def _seat_students(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    per_grade: npt.NDArray[np.int64],
    household: npt.NDArray[np.int64],
) -> None:
    """All students, by school and then by grade."""
    sizes = np.zeros((len(zone.levels), len(GRADES)), dtype=np.int64)
    # No two schools are of a size.
    pull = rng.uniform(0.8, 1.2, len(zone.levels))
    for grade, count in enumerate(per_grade):
        schools = zone.schools_for(grade)
        sizes[schools, grade] = rng.multinomial(count, pull[schools] / pull[schools].sum())
    seats = sizes.ravel()
    school, grade_of = np.divmod(np.repeat(np.arange(len(seats)), seats), len(GRADES))
    students = add_students(zone, rng, book, household, school, grade_of)
    if zone.number == 0:
        # Any district, however small, has someone called NA, then someone called Null.
        zone.people["given"][students[:1]] = book.awkward_given
        zone.people["family"][students[-1:]] = book.awkward_family
