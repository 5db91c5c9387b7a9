"""A zone's numbers as rows of the standard: canonical OneRoster 1.2, bulk."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.simulator.cells import Cells, joined, listed, numbers, only, uuids, words
from roster_pipeline.simulator.curriculum import COURSES, GRADES
from roster_pipeline.simulator.names import NameBook
from roster_pipeline.simulator.school_year import FALL, SPRING
from roster_pipeline.simulator.style import POSITION, Style, dates, frame_of, header, nces, texts
from roster_pipeline.simulator.zone import (
    CENTRAL,
    KIN,
    NONE,
    ROLE_WORDS,
    TEACHER,
    Level,
    Role,
    Zone,
)

# Serial numbers leave each zone room to grow; they are what readable ids are made of.
_PEOPLE_ROOM: Final = 1_000_000
_CLASS_ROOM: Final = 1_000_000
_ENROLLMENT_ROOM: Final = 10_000_000
_SCHOOL_ROOM: Final = 100
_ROLE_ROOM: Final = 100

_PLACES: Final = (
    "Cedar Valley",
    "Lakeside",
    "Maple Grove",
    "Riverbend",
    "Prairie View",
    "Stonebridge",
    "Harbor Point",
    "Willow Creek",
    "Eagle Ridge",
    "Sunnyside",
    "Fox Hollow",
    "Granite Falls",
)
_NAMESAKES: Final = ("Oak", "Birch", "Heron", "Poppy", "Juniper", "Otter", "Sequoia", "Linden")
_LEVEL_NAMES: Final = {
    Level.ELEMENTARY: "Elementary School",
    Level.MIDDLE: "Middle School",
    Level.HIGH: "High School",
    Level.SECONDARY: "Secondary School",
}
_TITLES: Final = {
    Role.TEACHER: "Teacher",
    Role.PRINCIPAL: "Principal",
    Role.SITE_ADMINISTRATOR: "Assistant Principal",
    Role.COUNSELOR: "School Counselor",
    Role.AIDE: "Paraprofessional",
    Role.DISTRICT_ADMINISTRATOR: "Superintendent's Office",
    Role.SYSTEM_ADMINISTRATOR: "Systems Analyst",
}
_SEXES: Final = ("female", "male", "unspecified", "other")
_BIRTHPLACES: Final = (
    ("US", "CA", "Sacramento"),
    ("US", "CA", "Fresno"),
    ("US", "TX", "El Paso"),
    ("US", "WA", "Coeur d'Alene Park"),
    ("MX", None, "Mérida"),
    ("VN", None, "Đà Nẵng"),
    ("UA", None, "Харків"),
    (None, None, None),
)
# Which of the five race flags (in the standard's order) each race code sets; 5 is two or more
# races, 6 Hispanic of any race.
_RACE_FLAGS: Final[Mapping[str, tuple[int, ...]]] = {
    "americanIndianOrAlaskaNative": (0,),
    "asian": (1, 5),
    "blackOrAfricanAmerican": (2,),
    "nativeHawaiianOrOtherPacificIslander": (3,),
    "white": (4, 5, 6),
    "demographicRaceTwoOrMoreRaces": (5,),
    "hispanicOrLatinoEthnicity": (6,),
}
_PROFILE_VENDOR: Final = "reader.example"
_STAFF_PROFILES: Final = 3
"""One of so many of the staff has an account at the reading programme."""
_STUDENT_PROFILES: Final = 20
_DISABLED: Final = 251
"""One of so many accounts of people who are in no class is blocked."""
_CLASS_CELLS: Final = ("course", "grade", "room", "school", "term", "period")
_UNSTATED_SEX: Final = 97
"""One of so many students has a sex other than female or male on file."""

Rows = npt.NDArray[np.int64]


class ZoneRows:
    """The rows of one zone. Frames hold the zone's rows only, in the order of its registers."""

    def __init__(self, zone: Zone, book: NameBook, style: Style) -> None:
        self._zone = zone
        self._book = book
        self._style = style
        self._base = zone.number + 1

    def frame(self, entity: str) -> pd.DataFrame | None:
        """The zone's rows of an entity; None for what it does not have."""
        makers = {
            "orgs": self._orgs,
            "classes": self._classes,
            "users": self._users,
            "userProfiles": self._user_profiles,
            "roles": self._roles,
            "demographics": self._demographics,
            "enrollments": self._enrollments,
        }
        if entity not in makers:
            return None
        values = makers[entity]()
        return frame_of(header(entity, self._style), values)

    @cached_property
    def person_ids(self) -> Cells:
        """The sourcedId of everyone who ever was in the zone."""
        return self._style.identify(self._serials(np.arange(len(self._zone.people))), "usr")

    @cached_property
    def org_ids(self) -> Cells:
        """The sourcedIds of the zone's schools, then the district's."""
        schools = self._base * _SCHOOL_ROOM + np.arange(len(self._zone.levels))
        ids = self._style.identify(schools, "sch")
        return pa.concat_arrays([ids, self._style.district_id])

    @cached_property
    def _class_ids(self) -> Cells:
        serials = self._base * _CLASS_ROOM + np.arange(len(self._zone.classes))
        return self._style.identify(serials, "cls")

    @cached_property
    def active(self) -> Rows:
        """The people of today."""
        return np.flatnonzero(self._zone.people["active"])

    @cached_property
    def _in_class(self) -> npt.NDArray[np.bool_]:
        """Who ever was in the zone and is in a class today."""
        enrollments = self._zone.enrollments
        there = np.zeros(len(self._zone.people), dtype=np.bool_)
        there[enrollments["person"][enrollments["active"]]] = True
        return there

    @cached_property
    def _kinships(self) -> tuple[Rows, Rows]:
        """Guardian and student of each pair on file."""
        people, homes = self._zone.people, self._zone.households
        students = np.flatnonzero(people["active"] & (people["role"] == Role.STUDENT))
        household = people["household"][students]
        guardians = np.concatenate(
            (homes["guardian"][household], homes["second_guardian"][household])
        ).astype(np.int64)
        pairs = guardians >= 0
        pairs[pairs] &= people["active"][guardians[pairs]]
        return guardians[pairs], np.concatenate((students, students))[pairs]

    @cached_property
    def role_rows(self) -> tuple[Rows, Rows, Rows]:
        """Person, role and org (a position, the district last) of each role held, by person."""
        people = self._zone.people
        own = self.active[~np.isin(people["role"][self.active], KIN)]
        twice = own[people["second_school"][own] != NONE]
        guardians, children = self._kinships
        kin_role = people["role"][guardians].astype(np.int64)
        kin_role[kin_role == Role.TEACHER] = Role.PARENT
        person = np.concatenate((own, twice, guardians))
        role = np.concatenate((people["role"][own], people["role"][twice], kin_role))
        school = np.concatenate(
            (people["school"][own], people["second_school"][twice], people["school"][children])
        ).astype(np.int64)
        school[school == CENTRAL] = len(self._zone.levels)
        step = np.repeat([0, 1, 2], [len(own), len(twice), len(guardians)])
        rows = np.unique(np.stack((person, step, school, role), axis=1), axis=0)
        return rows[:, 0], rows[:, 3], rows[:, 2]

    def agents(self, kin_ids: Cells) -> Cells:
        """The agents of everyone who ever was in the zone, in both directions."""
        guardians, children = self._kinships
        owner = np.concatenate((children, guardians))
        other = np.concatenate((guardians, children))
        order = np.argsort(owner, kind="stable")
        return listed(len(self._zone.people), owner[order], words(kin_ids, other[order]))

    def _serials(self, people: Rows) -> Rows:
        return self._base * _PEOPLE_ROOM + people

    def _orgs(self) -> Mapping[str, Cells]:
        zone, style = self._zone, self._style
        count = len(zone.levels)
        round_, place = divmod(zone.number, len(_PLACES))
        area = _PLACES[place] + (f" {round_ + 1}" if round_ else "")
        return {
            "sourcedId": self.org_ids[:count],
            "name": texts(
                f"{area} {_NAMESAKES[s % len(_NAMESAKES)]} {_LEVEL_NAMES[level]}"
                for s, level in enumerate(zone.levels)
            ),
            "type": texts(["school"] * count),
            "identifier": texts(
                f"{nces(style)}{zone.number * 20 + s + 1:05d}" for s in range(count)
            ),
            "parentSourcedId": words(style.district_id, np.zeros(count, dtype=np.int64)),
        }

    @cached_property
    def _shown(self) -> npt.NDArray[np.bool_]:
        """Which of all classes that ever were are sent."""
        classes = self._zone.classes
        shown: npt.NDArray[np.bool_] = classes["active"] & np.isin(
            classes["term"], list(self._style.terms)
        )
        return shown

    def _classes(self) -> Mapping[str, Cells]:
        register = self._zone.classes
        at_school = register["course"].astype(np.int64) * _SCHOOL_ROOM + register["school"]
        # A closed section keeps its number.
        section = (
            _rank(register["year"].astype(np.int64) * len(COURSES) * _SCHOOL_ROOM + at_school) + 1
        )
        rows = np.flatnonzero(self._shown)
        classes = {name: register[name][rows] for name in _CLASS_CELLS}
        course = classes["course"].astype(np.int64)
        sections = numbers(section[rows], width=2)
        fall, spring = (str(session) for session in self._style.session_ids[FALL : SPRING + 1])
        terms = texts([f"{fall},{spring}", fall, spring])
        return {
            "sourcedId": words(self._class_ids, rows),
            "title": joined(words([c.title for c in COURSES], course), " ", sections),
            "grades": words(GRADES, classes["grade"]),
            "courseSourcedId": words(self._style.course_ids, course),
            "classCode": joined(words([c.code for c in COURSES], course), "-", sections),
            "classType": words(
                ["homeroom" if c.homeroom else "scheduled" for c in COURSES], course
            ),
            "location": joined("Room ", numbers(classes["room"])),
            "schoolSourcedId": words(self.org_ids, classes["school"]),
            "termSourcedIds": words(terms, classes["term"]),
            "subjects": words([c.subject for c in COURSES], course),
            "subjectCodes": words([c.sced for c in COURSES], course),
            "periods": only(classes["period"] > 0, numbers(classes["period"])),
        }

    def _users(self) -> Mapping[str, Cells]:
        return self.people(self.active, self.person_ids)

    def people(self, rows: Rows, kin_ids: Cells) -> dict[str, Cells]:
        """Cells of the users columns for some people; `kin_ids` is what agents are called."""
        people, book, style = self._zone.people, self._book, self._style
        role, dice, sex = people["role"][rows], people["dice"][rows], people["sex"][rows]
        student, kin = role == Role.STUDENT, np.isin(role, KIN)
        staff = ~student & ~kin
        serial = numbers(self._serials(rows))
        username = self._usernames(rows)
        phone = self._phones(rows)
        cells = {
            "sourcedId": words(self.person_ids, rows),
            "enabledUser": words(
                ("false", "true"), (self._in_class[rows] | (dice % _DISABLED != 0)).astype(np.int8)
            ),
            "username": username,
            "userIds": only(
                ~kin,
                joined(
                    joined("{SIS:", serial, "}"),
                    only(staff, joined("{LDAP:", username, "}")),
                    separator=",",
                ),
            ),
            "givenName": words(book.given, people["given"][rows]),
            "familyName": joined(
                words(book.family, people["family"][rows]),
                words(book.family, people["second_family"][rows]),
                separator=" ",
            ),
            "middleName": words(book.given, people["middle"][rows]),
            "identifier": only(~kin, joined(words(("", "E"), staff.astype(np.int8)), serial)),
            "email": self._emails(rows),
            "sms": only(kin & (dice % 2 == 0), phone),
            "phone": only(~student, phone),
            "agentSourcedIds": words(self.agents(kin_ids), rows),
            "grades": words(GRADES, people["grade"][rows]),
            "userMasterIdentifier": only(
                staff, uuids(self._serials(rows).astype(np.uint64), f"{style.seed}/master")
            ),
            "preferredGivenName": words(book.given, people["preferred"][rows]),
            "primaryOrgSourcedId": words(
                self.org_ids,
                np.where(kin, -1, self._positions(people["school"][rows])),
            ),
            "pronouns": only(dice % 19 == 0, words(("she/her", "he/him"), sex)),
        }
        if style.passwords:
            cells["password"] = joined("Start-", numbers(dice % 1_000_000, width=6))
        if style.metadata:
            titles = [_TITLES.get(r) for r in Role]
            cells[POSITION] = words(titles, role)
        return cells

    def _positions(self, school: npt.NDArray[Any]) -> Rows:
        return np.where(school == CENTRAL, len(self._zone.levels), school).astype(np.int64)

    def _usernames(self, rows: Rows) -> Cells:
        people, book = self._zone.people, self._book
        return joined(
            words(book.initial_login, people["given"][rows]),
            words(book.family_login, people["login"][rows]),
            numbers(self._serials(rows)),
        )

    def _emails(self, rows: Rows) -> Cells:
        """Addresses under domains that belong to nobody (RFC 2606); every tenth has none."""
        people, book = self._zone.people, self._book
        role, mails = people["role"][rows], people["mails"][rows]
        student, kin = role == Role.STUDENT, np.isin(role, KIN)
        hosts = (f"students.{self._style.domain}", self._style.domain, "mail.invalid")
        address = joined(
            words(book.given_login, people["given"][rows]),
            ".",
            words(book.family_login, people["family"][rows]),
            numbers(self._serials(rows)),
            only(mails > 0, joined("-", numbers(mails))),
            "@",
            words(hosts, np.where(student, 0, np.where(kin, 2, 1))),
        )
        return only(~kin | (people["dice"][rows] % 10 != 0), address)

    def _phones(self, rows: Rows) -> Cells:
        """Numbers that are kept for fiction: 555-0100 to 555-0199 of any area."""
        people = self._zone.people
        number = (
            people["dice"][rows].astype(np.int64) + people["phones"][rows].astype(np.int64) * 7919
        )
        area, last = numbers(200 + number % 700), numbers(number // 700 % 100, width=2)
        return joined("+1 ", area, " 555 01", last)

    @cached_property
    def _with_profile(self) -> npt.NDArray[np.bool_]:
        people = self._zone.people
        role, dice = people["role"], people["dice"]
        student, kin = role == Role.STUDENT, np.isin(role, KIN)
        one_of = np.where(student, _STUDENT_PROFILES, _STAFF_PROFILES)
        chosen: npt.NDArray[np.bool_] = people["active"] & ~kin & (dice // 7 % one_of == 0)
        return chosen

    @cached_property
    def _profile_ids(self) -> Cells:
        return self._style.identify(self._serials(np.arange(len(self._zone.people))), "prf")

    def _user_profiles(self) -> Mapping[str, Cells]:
        rows = np.flatnonzero(self._with_profile)
        cells = {
            "sourcedId": words(self._profile_ids, rows),
            "userSourcedId": words(self.person_ids, rows),
            "profileType": texts(["reading"] * len(rows)),
            "vendorId": texts([_PROFILE_VENDOR] * len(rows)),
            "applicationId": texts(["reader-web"] * len(rows)),
            "credentialType": texts(["username"] * len(rows)),
            "username": joined("rd-", self._usernames(rows)),
        }
        if self._style.passwords:
            dice = self._zone.people["dice"][rows]
            cells["password"] = joined("Read-", numbers(dice % 999_983, width=6))
        return cells

    def _roles(self) -> Mapping[str, Cells]:
        person, role, org = self.role_rows
        at_org = _rank(person * _SCHOOL_ROOM + org)
        key = (self._serials(person) * _SCHOOL_ROOM + org) * _ROLE_ROOM + role
        own = ~np.isin(role, KIN) & self._with_profile[person]
        return {
            "sourcedId": self._style.identify(key, "rol"),
            "userSourcedId": words(self.person_ids, person),
            "roleType": words(("primary", "secondary"), np.minimum(at_org, 1)),
            "role": words(ROLE_WORDS, role),
            "orgSourcedId": words(self.org_ids, org),
            "userProfileSourcedId": only(own, words(self._profile_ids, person)),
        }

    def _demographics(self) -> Mapping[str, Cells]:
        people = self._zone.people
        rows = self.active[people["role"][self.active] == Role.STUDENT]
        dice, race = people["dice"][rows], people["race"][rows]
        # Grade 1 are those who are six on 1 September.
        turned = self._style.year.ends - 7 - people["grade"][rows].astype(np.int64)
        born = _ordinals(turned) + people["birthday"][rows]
        sex = people["sex"][rows] + np.where(dice % _UNSTATED_SEX == 0, 2, 0)
        place = np.minimum(dice // 11 % 16, len(_BIRTHPLACES) - 1)
        country, state, city = zip(*_BIRTHPLACES, strict=True)
        flags = {
            name: words(("false", "true"), np.isin(race, codes).astype(np.int8))
            for name, codes in _RACE_FLAGS.items()
        }
        return {
            "sourcedId": words(self.person_ids, rows),
            "birthDate": dates(born),
            "sex": words(_SEXES, sex),
            **flags,
            "countryOfBirthCode": words(country, place),
            "stateOfBirthAbbreviation": words(state, place),
            "cityOfBirth": words(city, place),
            "publicSchoolResidenceStatus": texts(["01652"] * len(rows)),
        }

    def _enrollments(self) -> Mapping[str, Cells]:
        enrollments, classes = self._zone.enrollments, self._zone.classes
        rows = np.flatnonzero(enrollments["active"] & self._shown[enrollments["cls"]])
        cls, teaching = enrollments["cls"][rows], enrollments["teaching"][rows]
        since = enrollments["since"][rows].astype(np.int64)
        term = classes["term"][cls]
        sessions = self._style.year.sessions
        starts = np.array([s.start.toordinal() for s in sessions])
        ends = np.array([s.end.toordinal() for s in sessions])
        begin = np.where(
            since == 0,
            starts[term],
            np.maximum(starts[term], self._style.today.toordinal() + since),
        )
        return {
            "sourcedId": self._style.identify(self._base * _ENROLLMENT_ROOM + rows, "enr"),
            "classSourcedId": words(self._class_ids, cls),
            "schoolSourcedId": words(self.org_ids, classes["school"][cls]),
            "userSourcedId": words(self.person_ids, enrollments["person"][rows]),
            "role": words(("student", "teacher", "teacher"), teaching),
            "primary": words(("false", "true"), (teaching == TEACHER).astype(np.int8)),
            "beginDate": dates(begin),
            "endDate": dates(ends[term]),
        }


def _rank(keys: npt.NDArray[Any]) -> Rows:
    """How many rows before each one have its key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys)) - first
    return rank


def _ordinals(years: Rows) -> Rows:
    """1 September of each year, as `date.toordinal` counts."""
    january = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    september = (january + 8).astype("datetime64[D]").astype(np.int64)
    return september + 719163
