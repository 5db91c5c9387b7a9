"""What happens in a zone from one day to the next.

The rates are those of an ordinary school day early in a year, when most of the moving is done.
Together they touch about half a percent of the rows: far below what a guard should hold.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.names import NameBook
from roster_pipeline.simulator.people import add_guardians, add_students, found_households, hire
from roster_pipeline.simulator.zone import CO_TEACHER, KIN, STUDENT, TEACHER, Role, Zone, enroll

STUDENTS_LEAVE: Final = 0.0015
"""Yearly mobility of 15 to 20 % in US districts, most of it in the first and last weeks."""
STUDENTS_ARRIVE: Final = 0.0015
"""As many come as go: enrolment is steady over a year."""
ARRIVE_AS_SIBLING: Final = 0.3
"""Share of newcomers whose brother or sister is here already."""
STUDENTS_CHANGE_SCHOOL: Final = 0.0002
"""A move within the district: a few in a thousand a month."""
STUDENTS_CHANGE_CLASS: Final = 0.004
"""Add/drop weeks: about one secondary student in twelve changes a class in the first month."""
TEACHERS_REPLACED: Final = 0.0005
"""One in ten teachers leaves during or after a year; a fraction of them within it."""
NAMES_CHANGE: Final = 0.0001
"""Marriages, adoptions, corrected spellings."""
EMAILS_CHANGE: Final = 0.0003
"""Renamed accounts and corrected typing errors."""
PHONES_CHANGE: Final = 0.001
"""Guardians: about a fifth have a new number each year."""
ROOMS_CHANGE: Final = 0.001
"""Classes that move to another room."""

Rows = npt.NDArray[np.int64]


def next_day(
    zone: Zone, seed: int, book: NameBook, guardians: float, open_terms: frozenset[int]
) -> None:
    """Bring the zone to its next day. `open_terms` are the terms not yet over then."""
    zone.day += 1
    rng = np.random.default_rng([seed, zone.number, zone.day])
    _leave(zone, rng)
    if open_terms:
        _arrive(zone, rng, book, guardians, open_terms)
        _change_school(zone, rng, open_terms)
        _change_class(zone, rng, open_terms)
        _replace_teachers(zone, rng, book)
    _change_details(zone, rng, book)


def _students(zone: Zone) -> Rows:
    people = zone.people
    return np.flatnonzero(people["active"] & (people["role"] == Role.STUDENT))


def _drawn(rng: np.random.Generator, among: Rows, rate: float) -> Rows:
    return rng.choice(among, rng.binomial(len(among), rate), replace=False)


def _end_enrollments(zone: Zone, people: Rows) -> None:
    active = zone.enrollments["active"]
    active[active & np.isin(zone.enrollments["person"], people)] = False


def _spared(zone: Zone, leavers: Rows) -> Rows:
    """Those who can go without leaving a class empty, which a school would close."""
    enrollments = zone.enrollments
    seats = np.flatnonzero(enrollments["active"] & (enrollments["teaching"] == STUDENT))
    going = np.isin(enrollments["person"][seats], leavers)
    classes = enrollments["cls"][seats]
    emptied = np.setdiff1d(classes[going], classes[~going])
    return np.setdiff1d(leavers, enrollments["person"][seats[np.isin(classes, emptied)]])


def _leave(zone: Zone, rng: np.random.Generator) -> None:
    """Students go with all their rows, and guardians who have no child left."""
    people = zone.people
    leavers = _spared(zone, _drawn(rng, _students(zone), STUDENTS_LEAVE))
    people["active"][leavers] = False
    _end_enrollments(zone, leavers)
    lived_in = np.zeros(len(zone.households), dtype=np.bool_)
    lived_in[people["household"][_students(zone)]] = True
    kin = np.flatnonzero(np.isin(people["role"], KIN))
    people["active"][kin] &= lived_in[people["household"][kin]]


def _arrive(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    guardians: float,
    open_terms: frozenset[int],
) -> None:
    """Students come, each into the classes of someone of the same grade and school."""
    present = _students(zone)
    like = (
        rng.choice(present, rng.binomial(len(present), STUDENTS_ARRIVE))
        if len(present)
        else present
    )
    siblings = rng.random(len(like)) < ARRIVE_AS_SIBLING
    household = np.empty(len(like), dtype=np.int64)
    household[siblings] = zone.people["household"][rng.choice(present, siblings.sum())]
    new = found_households(zone, rng, book, int((~siblings).sum()))
    household[~siblings] = new
    school, grade = zone.people["school"][like], zone.people["grade"][like]
    students = add_students(zone, rng, book, household, school, grade)
    add_guardians(zone, rng, book, new[rng.random(len(new)) < guardians])
    for student, model in zip(students, like, strict=True):
        _follow(zone, student, model, open_terms)


def _follow(zone: Zone, student: np.int64, model: np.int64, open_terms: frozenset[int]) -> None:
    """Enrol a student in the classes of another."""
    enrollments = zone.enrollments
    rows = np.flatnonzero(enrollments["active"] & (enrollments["person"] == model))
    classes = enrollments["cls"][rows]
    classes = classes[np.isin(zone.classes["term"][classes], list(open_terms))]
    enroll(zone, np.full(len(classes), student), classes, since=zone.day)


def _change_school(zone: Zone, rng: np.random.Generator, open_terms: frozenset[int]) -> None:
    people = zone.people
    present = _students(zone)
    for student in _drawn(rng, present, STUDENTS_CHANGE_SCHOOL):
        same_grade = people["grade"][present] == people["grade"][student]
        elsewhere = people["school"][present] != people["school"][student]
        models = present[same_grade & elsewhere]
        if len(models) and len(_spared(zone, np.array([student]))):
            model = rng.choice(models)
            _end_enrollments(zone, np.array([student]))
            people["school"][student] = people["school"][model]
            _follow(zone, student, model, open_terms)


def _change_class(zone: Zone, rng: np.random.Generator, open_terms: frozenset[int]) -> None:
    """Secondary students change to another section or choice in the same period."""
    enrollments, classes = zone.enrollments, zone.classes
    taught = (classes["period"] > 0) & np.isin(classes["term"], list(open_terms))
    held = enrollments["active"] & (enrollments["teaching"] == STUDENT)
    rows = np.flatnonzero(held & taught[enrollments["cls"]])
    secondary = np.unique(enrollments["person"][rows])
    for student in _drawn(rng, secondary, STUDENTS_CHANGE_CLASS):
        row = rng.choice(rows[enrollments["person"][rows] == student])
        old = enrollments["cls"][row]
        alike = np.ones(len(classes), dtype=np.bool_)
        for column in ("school", "grade", "group", "period", "term"):
            alike &= classes[column] == classes[column][old]
        alike[old] = False
        if alike.any() and _size(zone, old) > 1:
            enrollments["active"][row] = False
            new = rng.choice(np.flatnonzero(alike))
            enroll(zone, np.array([student]), np.array([new]), since=zone.day)


def _size(zone: Zone, cls: np.int64) -> int:
    """How many students a class has."""
    seats = zone.enrollments["active"] & (zone.enrollments["teaching"] == STUDENT)
    return int(np.count_nonzero(seats & (zone.enrollments["cls"] == cls)))


def _replace_teachers(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    """A teacher goes for good and a newcomer takes over every class."""
    people, classes = zone.people, zone.classes
    # Whoever is on file as a parent too does not vanish from one day to the next.
    teachers = people["active"] & (people["role"] == Role.TEACHER) & (people["household"] < 0)
    for old in _drawn(rng, np.flatnonzero(teachers), TEACHERS_REPLACED):
        new = hire(zone, rng, book, np.array([Role.TEACHER]), people["school"][old])
        people["second_school"][new] = people["second_school"][old]
        people["active"][old] = False
        _end_enrollments(zone, np.array([old]))
        for teaching, column in ((TEACHER, "teacher"), (CO_TEACHER, "co_teacher")):
            taken = np.flatnonzero(classes[column] == old)
            classes[column][taken] = new
            enroll(zone, np.repeat(new, len(taken)), taken, teaching=teaching, since=zone.day)


def _change_details(zone: Zone, rng: np.random.Generator, book: NameBook) -> None:
    people, classes = zone.people, zone.classes
    kin = np.isin(people["role"], KIN)
    pupils_and_staff = np.flatnonzero(people["active"] & ~kin)
    renamed = _drawn(rng, pupils_and_staff, NAMES_CHANGE)
    people["family"][renamed] = book.draw_family(rng, people["locale"][renamed])
    people["mails"][_drawn(rng, pupils_and_staff, EMAILS_CHANGE)] += 1
    people["phones"][_drawn(rng, np.flatnonzero(people["active"] & kin), PHONES_CHANGE)] += 1
    moved = _drawn(rng, np.arange(len(classes)), ROOMS_CHANGE)
    classes["room"][moved] = rng.integers(100, 400, len(moved))
