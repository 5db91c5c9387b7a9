"""Households, students, guardians and staff: who is in a zone and what they are called."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.names import Ints, NameBook
from roster_pipeline.simulator.zone import CENTRAL, KIN, NONE, Role, Zone, some

STUDENTS_PER_AIDE: Final = 200
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
# American Indian, Asian, Black, Pacific Islander, White, two or more, Hispanic of any race:
# roughly the shares of US public schools (NCES).
_RACES: Final = (0.01, 0.06, 0.15, 0.004, 0.45, 0.046, 0.28)


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


def found_first_households(
    zone: Zone, rng: np.random.Generator, book: NameBook, students: int
) -> npt.NDArray[np.int64]:
    """A household for each student; some share one."""
    count = max(1, round(students * HOUSEHOLDS_PER_STUDENT))
    households = found_households(zone, rng, book, count)
    siblings = rng.choice(households, max(0, students - count))
    return rng.permutation(np.concatenate((households, siblings)))


def add_students(
    zone: Zone, rng: np.random.Generator, book: NameBook, household: Ints, school: Ints, grade: Ints
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


def hire(
    zone: Zone, rng: np.random.Generator, book: NameBook, role: Ints, school: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """New staff of one school (or of the central office), one for each role."""
    locale = book.locales(rng, len(role))
    return add_people(
        zone, rng, book, role, school, locale=locale, family=book.draw_family(rng, locale)
    )


def hire_teachers(
    zone: Zone, rng: np.random.Generator, book: NameBook, count: int, school: int
) -> npt.NDArray[np.int64]:
    """New teachers of one school."""
    return hire(zone, rng, book, np.full(count, int(Role.TEACHER)), school)


class Faculty:
    """Who can be given classes: teachers on file who have none yet, then new ones."""

    def __init__(
        self, zone: Zone, rng: np.random.Generator, book: NameBook, free: Ints | None = None
    ) -> None:
        self._zone, self._rng, self._book = zone, rng, book
        self._free = np.empty(0, np.int64) if free is None else free.astype(np.int64)

    def teachers(self, count: int, school: int) -> npt.NDArray[np.int64]:
        """So many teachers of one school."""
        mine = self._free[self._zone.people["school"][self._free] == school][:count]
        self._free = np.setdiff1d(self._free, mine)
        new = hire_teachers(self._zone, self._rng, self._book, count - len(mine), school)
        return np.concatenate((mine, new))


def staff_central_office(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    """Hire those who work for the whole district."""
    roles = (Role.DISTRICT_ADMINISTRATOR, Role.DISTRICT_ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR)
    hire(zone, rng, book, np.array(roles), CENTRAL)


def staff_school(zone: Zone, rng: np.random.Generator, book: NameBook, school: int) -> None:
    """Hire everyone a school of its size has besides teachers."""
    people = zone.people
    students = int(((people["role"] == Role.STUDENT) & (people["school"] == school)).sum())
    roles = [Role.PRINCIPAL, Role.SITE_ADMINISTRATOR, Role.COUNSELOR]
    roles += [Role.AIDE] * math.ceil(students / STUDENTS_PER_AIDE)
    hire(zone, rng, book, np.array(roles), school)


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


def give_children_to_teachers(
    zone: Zone, rng: np.random.Generator, book: NameBook, on_file: npt.NDArray[np.int64]
) -> None:
    """Make teachers the first guardians of some of these households, whose name they take."""
    people, homes = zone.people, zone.households
    chosen = some(rng, on_file, TEACHER_PARENT)
    teachers = rng.permutation(np.flatnonzero(people["role"] == Role.TEACHER))[: len(chosen)]
    chosen = chosen[: len(teachers)]
    homes["guardian"][chosen] = teachers
    locale = homes["locale"][chosen]
    people["household"][teachers] = chosen
    people["locale"][teachers] = locale
    people["given"][teachers] = book.draw_given(rng, locale, people["sex"][teachers])
    people["family"][teachers] = people["login"][teachers] = homes["family"][chosen]
