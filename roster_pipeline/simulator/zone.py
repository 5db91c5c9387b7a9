"""One feeder pattern of the district, the elementary schools and the secondary ones they lead to.

A zone is what is generated at a time: siblings, teachers at two schools and changes of school stay
within it. It remembers numbers only; `zone_rows` turns them into cells.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.curriculum import FIRST_SECONDARY, GRADES
from roster_pipeline.simulator.names import Ints
from roster_pipeline.simulator.table import Table


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


class Level(IntEnum):
    """What kind of school it is."""

    ELEMENTARY = 0
    MIDDLE = 1
    HIGH = 2
    SECONDARY = 3


LEVEL_GRADES: Final = {
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
    years: int = 0
    """How many school years went before this one."""
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
            year=np.int16,
            active=np.bool_,
        )
    )
    """`year` counts as `years` does."""
    enrollments: Table = field(
        default_factory=lambda: Table(
            person=np.int32, cls=np.int32, teaching=np.int8, since=np.int16, active=np.bool_
        )
    )
    """`since` is the day, 0 for the start of the term."""

    def copy(self) -> "Zone":
        """An independent copy."""
        return Zone(
            self.number,
            self.levels,
            self.day,
            self.years,
            self.people.copy(),
            self.households.copy(),
            self.classes.copy(),
            self.enrollments.copy(),
        )

    def schools_for(self, grade: int) -> list[int]:
        """The schools that take a grade."""
        return [s for s, level in enumerate(self.levels) if grade in LEVEL_GRADES[level]]


def enroll(zone: Zone, person: Ints, cls: Ints, *, teaching: int = STUDENT, since: int = 0) -> None:
    """Put people into classes, pair by pair."""
    zone.enrollments.append(
        len(person), person=person, cls=cls, teaching=teaching, since=since, active=True
    )


def some(
    rng: np.random.Generator, among: npt.NDArray[np.int64], share: float
) -> npt.NDArray[np.int64]:
    """About a share of the rows, and at least one where there are any."""
    if not len(among):
        return among
    count = max(1, int(rng.binomial(len(among), share)))
    return np.sort(rng.choice(among, count, replace=False))
