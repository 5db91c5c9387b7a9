"""One feeder pattern of the district, the elementary schools and the secondary ones they lead to.

A zone is what is generated at a time: siblings, teachers at two schools and changes of school stay
within it. It remembers numbers only; `rendering` turns them into cells.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.curriculum import (
    COURSES,
    FIRST_SECONDARY,
    GRADES,
    PERIODS,
    SLOTS,
    Department,
    offered,
)
from roster_pipeline.simulator.names import Ints, NameBook
from roster_pipeline.simulator.school_year import FALL, SPRING, YEAR
from roster_pipeline.simulator.table import Table

# Sizes as US districts have them: pupils of a school, of a class, classes of a teacher.
ELEMENTARY_SIZE: Final = 450
MIDDLE_SIZE: Final = 750
HIGH_SIZE: Final = 1500
JOINT_SECONDARY_BELOW: Final = 400
"""With fewer secondary students than this, one school takes all grades from 6."""
HOMEROOM_SIZE: Final = 24
SECTION_SIZE: Final = 28
GROUP_SIZE: Final = 90
"""Students of a grade who have the same subjects in the same periods."""
CHOICE_SIZE: Final = 15
"""A further choice is offered for each so many students of a group."""
TEACHER_LOAD: Final = 5
SPECIALIST_LOAD: Final = 12
STUDENTS_PER_AIDE: Final = 200

CO_TAUGHT: Final = 0.06
"""Share of classes with a second teacher: special education in the general classroom."""
TWO_SCHOOLS: Final = 0.03
"""Share of teachers who also teach at another school."""
HOUSEHOLDS_PER_STUDENT: Final = 0.72
"""Of ten students seven have no sibling in the district."""
SECOND_GUARDIAN: Final = 0.6
TEACHER_PARENT: Final = 0.02
"""Share of households on file whose first guardian teaches in the zone."""
OTHER_FAMILY_NAME: Final = 0.15
"""Share of guardians who do not bear the child's name."""
SECOND_SURNAME: Final = 0.8
"""Share of families with a second surname where that is the custom."""
AWKWARD: Final = 0.001
"""Share of people named so that careless readers stumble."""


class Role(IntEnum):
    """What a person is, by position in `ROLE_WORDS`."""

    STUDENT = 0
    TEACHER = 1
    PARENT = 2
    GUARDIAN = 3
    RELATIVE = 4
    PRINCIPAL = 5
    SITE_ADMINISTRATOR = 6
    COUNSELOR = 7
    AIDE = 8
    DISTRICT_ADMINISTRATOR = 9
    SYSTEM_ADMINISTRATOR = 10


ROLE_WORDS: Final = (
    "student",
    "teacher",
    "parent",
    "guardian",
    "relative",
    "principal",
    "siteAdministrator",
    "counselor",
    "aide",
    "districtAdministrator",
    "systemAdministrator",
)
KIN: Final = (Role.PARENT, Role.GUARDIAN, Role.RELATIVE)
CENTRAL: Final = -1
"""In place of a school: the district's central office."""
NONE: Final = -2
"""In place of a school: none at all."""
STUDENT, TEACHER, CO_TEACHER = range(3)
"""What a person does in a class: the values of an enrolment's `teaching`."""
_CENTRAL_OFFICE: Final = (
    Role.DISTRICT_ADMINISTRATOR,
    Role.DISTRICT_ADMINISTRATOR,
    Role.SYSTEM_ADMINISTRATOR,
)


class Level(IntEnum):
    """What kind of school it is."""

    ELEMENTARY = 0
    MIDDLE = 1
    HIGH = 2
    SECONDARY = 3


_LEVEL_GRADES: Final = {
    Level.ELEMENTARY: range(FIRST_SECONDARY),
    Level.MIDDLE: range(FIRST_SECONDARY, 9),
    Level.HIGH: range(9, len(GRADES)),
    Level.SECONDARY: range(FIRST_SECONDARY, len(GRADES)),
}


@dataclass
class Zone:
    """The numbers of one zone on one day."""

    number: int
    levels: tuple[Level, ...]
    """The zone's schools, known elsewhere by their position here."""
    day: int = 0
    people: Table = field(
        default_factory=lambda: Table(
            role=np.int8,
            school=np.int16,
            second_school=np.int16,
            sex=np.int8,
            locale=np.int8,
            given=np.int32,
            middle=np.int32,
            preferred=np.int32,
            family=np.int32,
            second_family=np.int32,
            login=np.int32,
            grade=np.int8,
            household=np.int32,
            mails=np.int8,
            phones=np.int8,
            birthday=np.int16,
            race=np.int8,
            dice=np.int32,
            active=np.bool_,
        )
    )
    """`login` is the family name a username was made of; `mails` and `phones` count changes;
    `dice` is drawn once and decides whatever small trait needs no column of its own."""
    households: Table = field(
        default_factory=lambda: Table(
            locale=np.int8,
            family=np.int32,
            second_family=np.int32,
            guardian=np.int32,
            second_guardian=np.int32,
        )
    )
    classes: Table = field(
        default_factory=lambda: Table(
            course=np.int16,
            school=np.int16,
            grade=np.int8,
            group=np.int16,
            period=np.int8,
            term=np.int8,
            room=np.int16,
            teacher=np.int32,
            co_teacher=np.int32,
        )
    )
    enrollments: Table = field(
        default_factory=lambda: Table(
            person=np.int32,
            cls=np.int32,
            teaching=np.int8,
            since=np.int16,
            active=np.bool_,
        )
    )
    """`since` is the day, 0 for the start of the term."""

    def copy(self) -> "Zone":
        """An independent copy."""
        return Zone(
            self.number,
            self.levels,
            self.day,
            self.people.copy(),
            self.households.copy(),
            self.classes.copy(),
            self.enrollments.copy(),
        )

    def schools_for(self, grade: int) -> list[int]:
        """The schools that take a grade."""
        return [s for s, level in enumerate(self.levels) if grade in _LEVEL_GRADES[level]]


def build_zone(seed: int, number: int, students: int, book: NameBook, guardians: float) -> Zone:
    """A zone of so many students as it stands on day 0. `guardians` is the share of households
    whose guardians are on file."""
    rng = np.random.default_rng([seed, number, 0])
    per_grade = rng.multinomial(students, np.full(len(GRADES), 1 / len(GRADES)))
    zone = Zone(number, _levels(per_grade))
    household = _found_first_households(zone, rng, book, students)
    _seat_students(zone, rng, book, per_grade, household)
    for school, level in enumerate(zone.levels):
        if level is Level.ELEMENTARY:
            _timetable_elementary(zone, rng, book, school)
        else:
            _timetable_secondary(zone, rng, book, school)
        _staff(zone, rng, book, school)
    if number == 0:
        hire(zone, rng, book, np.array(_CENTRAL_OFFICE), CENTRAL)
    _share_teachers(zone, rng)
    _co_teach(zone, rng, book)
    on_file = np.flatnonzero(rng.random(len(zone.households)) < guardians)
    add_guardians(zone, rng, book, _teachers_with_children(zone, rng, book, on_file))
    _enroll_teachers(zone)
    return zone


def _levels(per_grade: npt.NDArray[np.int64]) -> tuple[Level, ...]:
    def schools(level: Level, size: int) -> list[Level]:
        return [level] * max(1, math.ceil(per_grade[_LEVEL_GRADES[level]].sum() / size))

    elementary = schools(Level.ELEMENTARY, ELEMENTARY_SIZE)
    if per_grade[FIRST_SECONDARY:].sum() < JOINT_SECONDARY_BELOW:
        return (*elementary, Level.SECONDARY)
    return (*elementary, *schools(Level.MIDDLE, MIDDLE_SIZE), *schools(Level.HIGH, HIGH_SIZE))


def found_households(
    zone: Zone, rng: np.random.Generator, book: NameBook, count: int
) -> npt.NDArray[np.int64]:
    """New households with a name and nobody in them."""
    locale = book.locales(rng, count)
    second = book.draw_family(rng, locale)
    second[~book.two_surnames[locale] | (rng.random(count) >= SECOND_SURNAME)] = -1
    return zone.households.append(
        count,
        locale=locale,
        family=book.draw_family(rng, locale),
        second_family=second,
        guardian=-1,
        second_guardian=-1,
    )


def _found_first_households(
    zone: Zone, rng: np.random.Generator, book: NameBook, students: int
) -> npt.NDArray[np.int64]:
    """A household for each student; some share one."""
    count = max(1, round(students * HOUSEHOLDS_PER_STUDENT))
    households = found_households(zone, rng, book, count)
    siblings = rng.choice(households, max(0, students - count))
    return rng.permutation(np.concatenate((households, siblings)))


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


def add_students(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    household: Ints,
    school: Ints,
    grade: Ints,
) -> npt.NDArray[np.int64]:
    """New students, named after their households."""
    homes = zone.households
    return add_people(
        zone,
        rng,
        book,
        Role.STUDENT,
        school,
        locale=homes["locale"][household],
        family=homes["family"][household],
        second_family=homes["second_family"][household],
        household=household,
        grade=grade,
    )


def add_people(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    role: npt.ArrayLike,
    school: npt.ArrayLike,
    *,
    locale: Ints,
    family: Ints,
    second_family: npt.ArrayLike = -1,
    household: npt.ArrayLike = -1,
    grade: npt.ArrayLike = -1,
) -> npt.NDArray[np.int64]:
    """New people, one for each entry of `locale` and `family`."""
    count = len(locale)
    sex = rng.integers(0, 2, count)
    given = book.draw_given(rng, locale, sex)
    family = family.copy()
    awkward = np.flatnonzero(rng.random(count) < AWKWARD)
    given[awkward] = rng.integers(book.awkward_given, len(book.given), len(awkward))
    family[awkward] = rng.integers(book.awkward_family, len(book.family), len(awkward))
    middle = book.draw_given(rng, locale, sex)
    middle[rng.random(count) < 0.6] = -1
    preferred = book.draw_given(rng, locale, sex)
    preferred[rng.random(count) < 0.97] = -1
    return zone.people.append(
        count,
        role=role,
        school=school,
        second_school=NONE,
        sex=sex,
        locale=locale,
        given=given,
        middle=middle,
        preferred=preferred,
        family=family,
        second_family=second_family,
        login=family,
        grade=grade,
        household=household,
        mails=0,
        phones=0,
        birthday=rng.integers(0, 365, count),
        race=rng.choice(len(_RACES), count, p=_RACES),
        dice=rng.integers(0, 1 << 30, count),
        active=True,
    )


# American Indian, Asian, Black, Pacific Islander, White, two or more, Hispanic of any race:
# roughly the shares of US public schools (NCES).
_RACES: Final = (0.01, 0.06, 0.15, 0.004, 0.45, 0.046, 0.28)


def hire(
    zone: Zone, rng: np.random.Generator, book: NameBook, role: Ints, school: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """New staff of one school (or of the central office), one for each role."""
    locale = book.locales(rng, len(role))
    return add_people(
        zone, rng, book, role, school, locale=locale, family=book.draw_family(rng, locale)
    )


def _staff(zone: Zone, rng: np.random.Generator, book: NameBook, school: int) -> None:
    people = zone.people
    students = int(((people["role"] == Role.STUDENT) & (people["school"] == school)).sum())
    roles = [Role.PRINCIPAL, Role.SITE_ADMINISTRATOR, Role.COUNSELOR]
    roles += [Role.AIDE] * math.ceil(students / STUDENTS_PER_AIDE)
    hire(zone, rng, book, np.array(roles), school)


def _teachers(
    zone: Zone, rng: np.random.Generator, book: NameBook, count: int, school: int
) -> npt.NDArray[np.int64]:
    return hire(zone, rng, book, np.full(count, int(Role.TEACHER)), school)


def _cohort(zone: Zone, rng: np.random.Generator, school: int, grade: int) -> npt.NDArray[np.int64]:
    """The students of one grade of one school, shuffled."""
    people = zone.people
    mine = (people["school"] == school) & (people["grade"] == grade)
    return rng.permutation(np.flatnonzero(mine))


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
    )


def enroll(zone: Zone, person: Ints, cls: Ints, *, teaching: int = STUDENT, since: int = 0) -> None:
    """Put people into classes, pair by pair."""
    zone.enrollments.append(
        len(person), person=person, cls=cls, teaching=teaching, since=since, active=True
    )


def _timetable_elementary(
    zone: Zone, rng: np.random.Generator, book: NameBook, school: int
) -> None:
    """Homerooms by grade, each with its own teacher; specialists go from one to the next."""
    specials: dict[str, list[npt.NDArray[np.int64]]] = {}
    for grade in range(FIRST_SECONDARY):
        cohort = _cohort(zone, rng, school, grade)
        groups = math.ceil(len(cohort) / HOMEROOM_SIZE)
        seat = np.arange(len(cohort)) % max(1, groups)
        homeroom = _teachers(zone, rng, book, groups, school)
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
        staff = _teachers(zone, rng, book, math.ceil(len(classes) / SPECIALIST_LOAD), school)
        zone.classes["teacher"][classes] = staff[np.arange(len(classes)) % max(1, len(staff))]


def _timetable_secondary(zone: Zone, rng: np.random.Generator, book: NameBook, school: int) -> None:
    """Seven periods: groups of a grade take the subjects in a different order each."""
    before = len(zone.classes)
    for grade in _LEVEL_GRADES[zone.levels[school]]:
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
        staff = _teachers(zone, rng, book, int(numbers.max(initial=-1)) + 1, school)
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


def _some(
    rng: np.random.Generator, among: npt.NDArray[np.int64], share: float
) -> npt.NDArray[np.int64]:
    """About a share of the rows, and at least one where there are any."""
    if not len(among):
        return among
    count = max(1, int(rng.binomial(len(among), share)))
    return np.sort(rng.choice(among, count, replace=False))


def _share_teachers(zone: Zone, rng: np.random.Generator) -> None:
    """Give some teachers a second school, where they join a colleague's class."""
    if len(zone.levels) < 2:
        return
    people, classes = zone.people, zone.classes
    for teacher in _some(rng, np.flatnonzero(people["role"] == Role.TEACHER), TWO_SCHOOLS):
        elsewhere = people["school"][teacher] != classes["school"]
        free = np.flatnonzero(elsewhere & (classes["co_teacher"] < 0))
        if len(free):
            cls = rng.choice(free)
            people["second_school"][teacher] = classes["school"][cls]
            classes["co_teacher"][cls] = teacher


def _co_teach(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    classes = zone.classes
    for school in range(len(zone.levels)):
        open_to = np.flatnonzero((classes["school"] == school) & (classes["co_teacher"] < 0))
        shared = _some(rng, open_to, CO_TAUGHT)
        numbers = rota(classes["period"][shared], classes["term"][shared])
        staff = _teachers(zone, rng, book, int(numbers.max(initial=-1)) + 1, school)
        classes["co_teacher"][shared] = staff[numbers]


def add_guardians(
    zone: Zone, rng: np.random.Generator, book: NameBook, households: npt.NDArray[np.int64]
) -> None:
    """Put the guardians of some households on file, beside whoever is there already."""
    homes = zone.households
    alone = households[homes["guardian"][households] < 0]
    homes["guardian"][alone] = _add_kin(zone, rng, book, alone)
    pairs = households[rng.random(len(households)) < SECOND_GUARDIAN]
    homes["second_guardian"][pairs] = _add_kin(zone, rng, book, pairs)


def _add_kin(
    zone: Zone, rng: np.random.Generator, book: NameBook, household: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    locale = zone.households["locale"][household]
    other_name = rng.random(len(household)) < OTHER_FAMILY_NAME
    family = np.where(
        other_name, book.draw_family(rng, locale), zone.households["family"][household]
    )
    role = rng.choice(np.array(KIN), len(household), p=(0.85, 0.1, 0.05))
    return add_people(
        zone, rng, book, role, NONE, locale=locale, family=family, household=household
    )


def _teachers_with_children(
    zone: Zone, rng: np.random.Generator, book: NameBook, on_file: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Make teachers the first guardians of some households, whose name they take."""
    people, homes = zone.people, zone.households
    chosen = _some(rng, on_file, TEACHER_PARENT)
    teachers = rng.permutation(np.flatnonzero(people["role"] == Role.TEACHER))[: len(chosen)]
    chosen = chosen[: len(teachers)]
    homes["guardian"][chosen] = teachers
    locale = homes["locale"][chosen]
    people["household"][teachers] = chosen
    people["locale"][teachers] = locale
    people["given"][teachers] = book.draw_given(rng, locale, people["sex"][teachers])
    people["family"][teachers] = people["login"][teachers] = homes["family"][chosen]
    return on_file


def _enroll_teachers(zone: Zone) -> None:
    for teaching, column in ((TEACHER, "teacher"), (CO_TEACHER, "co_teacher")):
        classes = np.flatnonzero(zone.classes[column] >= 0)
        enroll(zone, zone.classes[column][classes], classes, teaching=teaching)
