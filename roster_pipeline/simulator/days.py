"""What happens in a zone from one day to the next, at the rates of its season."""

from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.simulator.names import NameBook
from roster_pipeline.simulator.people import add_guardians, add_students, found_households, hire
from roster_pipeline.simulator.seasons import STEADY, Rates
from roster_pipeline.simulator.zone import CO_TEACHER, KIN, STUDENT, TEACHER, Role, Zone, enroll

ARRIVE_AS_SIBLING: Final = 0.3
"""Share of newcomers whose brother or sister is here already."""

Rows = npt.NDArray[np.int64]


def next_day(
    zone: Zone,
    seed: int,
    book: NameBook,
    guardians: float,
    open_terms: frozenset[int],
    rates: Rates = STEADY,
) -> None:
    """Bring the zone to its next day. `open_terms` are the terms not yet over then."""
    zone.day += 1
    rng = np.random.default_rng([seed, zone.number, zone.day])
    leave(zone, _drawn(rng, students(zone), rates.students_leave))
    if open_terms:
        _arrive(zone, rng, book, guardians, open_terms, rates)
        _change_school(zone, rng, open_terms, rates)
        _change_classes(zone, rng, open_terms, rates)
        _replace_teachers(zone, rng, book, rates)
    _change_details(zone, rng, book, rates)
    if rates.classes_close:
        _close_classes(zone, rng, open_terms, rates)


def students(zone: Zone) -> Rows:
    """The students of today."""
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


def leave(zone: Zone, leavers: Rows) -> None:
    """Students go with all their rows, and guardians who have no child left. Who would leave a
    class empty stays."""
    people = zone.people
    leavers = _spared(zone, leavers)
    people["active"][leavers] = False
    _end_enrollments(zone, leavers)
    lived_in = np.zeros(len(zone.households), dtype=np.bool_)
    lived_in[people["household"][students(zone)]] = True
    kin = np.flatnonzero(np.isin(people["role"], KIN))
    people["active"][kin] &= lived_in[people["household"][kin]]


def _arrive(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    guardians: float,
    open_terms: frozenset[int],
    rates: Rates,
) -> None:
    """Students come, each into the classes of someone of the same grade and school."""
    present = students(zone)
    like = (
        rng.choice(present, rng.binomial(len(present), rates.students_arrive))
        if len(present)
        else present
    )
    people = zone.people
    new = come(zone, rng, book, guardians, people["school"][like], people["grade"][like])
    for student, model in zip(new, like, strict=True):
        _follow(zone, student, model, open_terms)


def come(
    zone: Zone,
    rng: np.random.Generator,
    book: NameBook,
    guardians: float,
    school: Rows,
    grade: Rows,
) -> Rows:
    """New students with their guardians, in no class yet; some have siblings here."""
    present = students(zone)
    siblings = rng.random(len(school)) < ARRIVE_AS_SIBLING
    household = np.empty(len(school), dtype=np.int64)
    household[siblings] = zone.people["household"][rng.choice(present, siblings.sum())]
    homes = found_households(zone, rng, book, int((~siblings).sum()))
    household[~siblings] = homes
    new = add_students(zone, rng, book, household, school, grade)
    add_guardians(zone, rng, book, homes[rng.random(len(homes)) < guardians])
    return new


def _follow(zone: Zone, student: np.int64, model: np.int64, open_terms: frozenset[int]) -> None:
    """Enrol a student in the classes of another."""
    enrollments = zone.enrollments
    rows = np.flatnonzero(enrollments["active"] & (enrollments["person"] == model))
    classes = enrollments["cls"][rows]
    classes = classes[np.isin(zone.classes["term"][classes], list(open_terms))]
    enroll(zone, np.full(len(classes), student), classes, since=zone.day)


def _change_school(
    zone: Zone, rng: np.random.Generator, open_terms: frozenset[int], rates: Rates
) -> None:
    people = zone.people
    present = students(zone)
    for student in _drawn(rng, present, rates.change_school):
        same_grade = people["grade"][present] == people["grade"][student]
        elsewhere = people["school"][present] != people["school"][student]
        models = present[same_grade & elsewhere]
        if len(models) and len(_spared(zone, np.array([student]))):
            model = rng.choice(models)
            _end_enrollments(zone, np.array([student]))
            people["school"][student] = people["school"][model]
            _follow(zone, student, model, open_terms)


def _change_classes(
    zone: Zone, rng: np.random.Generator, open_terms: frozenset[int], rates: Rates
) -> None:
    """Students change to another section, or in secondary schools to another choice of the same
    period."""
    enrollments, classes = zone.enrollments, zone.classes
    taught = np.isin(classes["term"], list(open_terms))
    if not rates.in_elementary:
        taught &= classes["period"] > 0
    held = enrollments["active"] & (enrollments["teaching"] == STUDENT)
    rows = np.flatnonzero(held & taught[enrollments["cls"]])
    able = np.unique(enrollments["person"][rows])
    for student in _drawn(rng, able, rates.change_class):
        mine = rows[enrollments["person"][rows] == student]
        if rates.at_most_replaced == 1:
            _exchange(zone, rng, rng.choice(mine))
            continue
        count = min(len(mine), int(rng.integers(1, rates.at_most_replaced + 1)))
        for row in rng.choice(mine, count, replace=False):
            _exchange(zone, rng, row)


def _exchange(zone: Zone, rng: np.random.Generator, row: np.int64) -> None:
    """Put an enrollment's student into another class like it, unless the old one is left empty."""
    enrollments = zone.enrollments
    old = enrollments["cls"][row]
    alike = _like(zone, old)
    if len(alike) and _size(zone, old) > 1:
        student = enrollments["person"][row]
        enrollments["active"][row] = False
        enroll(zone, np.array([student]), np.array([rng.choice(alike)]), since=zone.day)


def _like(zone: Zone, cls: np.int64) -> Rows:
    """The other classes that somebody of a class could be in at the same time."""
    classes = zone.classes
    own = "group" if classes["period"][cls] else "course"
    alike = classes["active"].copy()
    for column in ("school", "grade", own, "period", "term"):
        alike &= classes[column] == classes[column][cls]
    alike[cls] = False
    return np.flatnonzero(alike)


def _close_classes(
    zone: Zone, rng: np.random.Generator, open_terms: frozenset[int], rates: Rates
) -> None:
    """Classes end before their time, and their students are spread over others like them."""
    enrollments, classes = zone.enrollments, zone.classes
    held = np.flatnonzero(classes["active"] & np.isin(classes["term"], list(open_terms)))
    for cls in _drawn(rng, held, rates.classes_close):
        alike = _like(zone, cls)
        if not len(alike):
            continue
        rows = np.flatnonzero(enrollments["active"] & (enrollments["cls"] == cls))
        pupils = enrollments["person"][rows[enrollments["teaching"][rows] == STUDENT]]
        enrollments["active"][rows] = False
        classes["active"][cls] = False
        enroll(zone, pupils, rng.choice(alike, len(pupils)), since=zone.day)


def _size(zone: Zone, cls: np.int64) -> int:
    """How many students a class has."""
    seats = zone.enrollments["active"] & (zone.enrollments["teaching"] == STUDENT)
    return int(np.count_nonzero(seats & (zone.enrollments["cls"] == cls)))


def _replace_teachers(zone: Zone, rng: np.random.Generator, book: NameBook, rates: Rates) -> None:
    """A teacher goes for good and a newcomer takes over every class."""
    people, classes = zone.people, zone.classes
    # Whoever is on file as a parent too does not vanish from one day to the next.
    teachers = people["active"] & (people["role"] == Role.TEACHER) & (people["household"] < 0)
    for old in _drawn(rng, np.flatnonzero(teachers), rates.teachers_replaced):
        new = hire(zone, rng, book, np.array([Role.TEACHER]), people["school"][old])
        people["second_school"][new] = people["second_school"][old]
        people["active"][old] = False
        _end_enrollments(zone, np.array([old]))
        for teaching, column in ((TEACHER, "teacher"), (CO_TEACHER, "co_teacher")):
            taken = np.flatnonzero(classes["active"] & (classes[column] == old))
            classes[column][taken] = new
            enroll(zone, np.repeat(new, len(taken)), taken, teaching=teaching, since=zone.day)


def _change_details(zone: Zone, rng: np.random.Generator, book: NameBook, rates: Rates) -> None:
    people, classes = zone.people, zone.classes
    kin = np.isin(people["role"], KIN)
    pupils_and_staff = np.flatnonzero(people["active"] & ~kin)
    renamed = _drawn(rng, pupils_and_staff, rates.names_change)
    people["family"][renamed] = book.draw_family(rng, people["locale"][renamed])
    people["mails"][_drawn(rng, pupils_and_staff, rates.emails_change)] += 1
    people["phones"][_drawn(rng, np.flatnonzero(people["active"] & kin), rates.phones_change)] += 1
    moved = _drawn(rng, np.flatnonzero(classes["active"]), rates.rooms_change)
    classes["room"][moved] = rng.integers(100, 400, len(moved))
