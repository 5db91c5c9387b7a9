"""A small roster: what a pull must come to, and the records in which a server sends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Record = dict[str, Any]
Cells = tuple[str, ...]

# 1.1 → 1.2, where a school employs them.
_WORDS = {"administrator": "siteAdministrator"}
_BEFORE, _AFTER = "2026-08-01T00:00:00.000Z", "2026-09-01T20:00:00.000Z"


@dataclass(frozen=True)
class Person:
    """A user, with what 1.1 calls their role and the schools at which they have it."""

    key: str
    role: str
    schools: Cells

    @property
    def given(self) -> str:
        return f"Given{self.key[2:]}"


@dataclass(frozen=True)
class Enrollment:
    """Somebody in a class."""

    key: str
    class_id: str
    school: str
    user: str
    role: str


@dataclass(frozen=True)
class Town:
    """60 people at three schools and their 120 enrollments, unless something was changed."""

    people: tuple[Person, ...]
    enrollments: tuple[Enrollment, ...]

    def after_a_change(self) -> "Town":
        """The town after seven students left it and as many came, and the first enrollment of
        those who stayed became another: there are as many rows as before, and every page begins
        elsewhere."""
        left = {person.key: f"v-{person.key[2:]}" for person in self.people[:7]}
        came = [replace(person, key=left[person.key]) for person in self.people[:7]]
        stayed = [each for each in self.enrollments if each.user not in left]
        others = [
            replace(each, key=f"f-{each.key[2:]}", user=left[each.user])
            for each in self.enrollments
            if each.user in left
        ]
        first, *stayed = stayed
        others.append(replace(first, key=f"f-{first.key[2:]}"))
        return Town((*self.people[7:], *came), (*stayed, *others))

    def of(self, *roles: str) -> "Town":
        """The town with people of these roles only."""
        return replace(self, people=tuple(p for p in self.people if p.role in roles))

    def rows(self) -> dict[str, set[Cells]]:
        """Entity → the cells of `COLUMNS`, row by row."""
        return {
            "orgs": {(key, name, kind, parent) for key, name, kind, parent in _ORGS},
            "academicSessions": set(_SESSIONS),
            "courses": {(key, title, "d-1") for key, title in _COURSES},
            "classes": set(_CLASSES),
            "users": {(p.key, p.key, p.given, "O'Neill", "true") for p in self.people},
            "roles": {
                (p.key, school, _WORDS.get(p.role, p.role))
                for p in self.people
                for school in p.schools
            },
            "enrollments": {
                (e.key, e.class_id, e.school, e.user, e.role) for e in self.enrollments
            },
        }

    def records(self, version: str) -> dict[str, list[Record]]:
        """Endpoint → its records by OneRoster 1.1 or 1.2."""
        users = [_user(person, version) for person in self.people]
        of_role = dict(
            zip((p.key for p in self.people), (p.role for p in self.people), strict=True)
        )
        return {
            "orgs": list(map(_org, _ORGS)),
            "academicSessions": list(map(_session, _SESSIONS)),
            "courses": list(map(_course, _COURSES)),
            "classes": list(map(_class, _CLASSES)),
            "users": users,
            "students": [u for u in users if of_role[u["sourcedId"]] == "student"],
            "teachers": [u for u in users if of_role[u["sourcedId"]] == "teacher"],
            "enrollments": list(map(_enrollment, self.enrollments)),
            "demographics": [{**_base(p.key), "sex": "female"} for p in self.people],
        }


COLUMNS = {
    "orgs": ("sourcedId", "name", "type", "parentSourcedId"),
    "academicSessions": ("sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId"),
    "courses": ("sourcedId", "title", "orgSourcedId"),
    "classes": ("sourcedId", "title", "courseSourcedId", "schoolSourcedId", "termSourcedIds"),
    "users": ("sourcedId", "username", "givenName", "familyName", "enabledUser"),
    "roles": ("userSourcedId", "orgSourcedId", "role"),
    "enrollments": (
        "sourcedId",
        "classSourcedId",
        "schoolSourcedId",
        "userSourcedId",
        "role",
    ),
}
"""Entity → the columns that are compared."""

_ORGS = [("d-1", "Springfield", "district", "")] + [
    (f"s-{n}", f"School {n}", "school", "d-1") for n in (1, 2, 3)
]
_SESSIONS = [
    ("y-1", "2026-27", "schoolYear", "2026-08-20", "2027-06-12", ""),
    ("t-1", "Fall", "term", "2026-08-20", "2027-01-15", "y-1"),
    ("t-2", "Spring", "term", "2027-01-16", "2027-06-12", "y-1"),
]
_COURSES = [(f"co-{n}", f"Course {n}") for n in range(1, 7)]
_CLASSES = [
    (f"cl-{n:02}", f"Class {n}", f"co-{n % 6 + 1}", f"s-{n % 3 + 1}", f"t-{n % 2 + 1}")
    for n in range(12)
]


def town() -> Town:
    """The town as it is."""
    students = [Person(f"u-{n:03}", "student", (f"s-{n % 3 + 1}",)) for n in range(54)]
    teachers = [
        Person("u-054", "teacher", ("s-1",)),
        Person("u-055", "teacher", ("s-2",)),
        Person("u-056", "teacher", ("s-3",)),
        Person("u-057", "teacher", ("s-1", "s-2")),
        Person("u-058", "teacher", ("s-2", "s-3")),
    ]
    people = (*students, *teachers, Person("u-059", "administrator", ("s-1",)))
    return Town(people, tuple(_enrolled(students, teachers)))


def _enrolled(students: list[Person], teachers: list[Person]) -> Iterator[Enrollment]:
    count = 0
    for number, student in enumerate(students):
        (school,) = student.schools
        here = [key for key, _, _, at, _ in _CLASSES if at == school]
        for step in (0, 1):
            class_id = here[(number // 3 + step) % len(here)]
            yield Enrollment(f"e-{count:03}", class_id, school, student.key, "student")
            count += 1
    for number, (key, _, _, school, _) in enumerate(_CLASSES):
        here = [teacher.key for teacher in teachers if school in teacher.schools]
        yield Enrollment(f"e-{count:03}", key, school, here[number // 3 % len(here)], "teacher")
        count += 1


# ---- records ----


def reference(kind: str, key: str) -> Record:
    """A reference to a record."""
    return {"href": f"https://sis.example/{kind}/{key}", "sourcedId": key, "type": kind}


def _base(key: str) -> Record:
    changed = _AFTER if key.startswith(("v-", "f-")) else _BEFORE
    return {"sourcedId": key, "status": "active", "dateLastModified": changed}


def deleted(record: Record) -> Record:
    """A record that is no more, as those are told that ask what changed."""
    return {**record, "status": "tobedeleted", "dateLastModified": _AFTER}


def _org(cells: Cells) -> Record:
    key, name, kind, parent = cells
    record = {**_base(key), "name": name, "type": kind, "identifier": f"{key}.id"}
    return record | ({"parent": reference("org", parent)} if parent else {})


def _session(cells: Cells) -> Record:
    key, title, kind, start, end, parent = cells
    record = {**_base(key), "title": title, "type": kind, "startDate": start, "endDate": end}
    record["schoolYear"] = "2027"
    return record | ({"parent": reference("academicSession", parent)} if parent else {})


def _course(cells: Cells) -> Record:
    key, title = cells
    return {**_base(key), "title": title, "courseCode": key, "org": reference("org", "d-1")}


def _class(cells: Cells) -> Record:
    key, title, course, school, term = cells
    return {
        **_base(key),
        "title": title,
        "classType": "scheduled",
        "course": reference("course", course),
        "school": reference("org", school),
        "terms": [reference("academicSession", term)],
    }


def _user(person: Person, version: str) -> Record:
    record = {
        **_base(person.key),
        "username": person.key,
        "enabledUser": "true",
        "givenName": person.given,
        "familyName": "O'Neill",
        "email": f"{person.key}@springfield.example",
    }
    orgs = [reference("org", school) for school in person.schools]
    if version == "1.1":
        return {**record, "role": person.role, "orgs": orgs}
    return record | {
        "roles": [
            {
                "roleType": "secondary" if number else "primary",
                "role": _WORDS.get(person.role, person.role),
                "org": org,
            }
            for number, org in enumerate(orgs)
        ],
        "primaryOrg": orgs[0],
    }


def _enrollment(enrollment: Enrollment) -> Record:
    return {
        **_base(enrollment.key),
        "class": reference("class", enrollment.class_id),
        "school": reference("org", enrollment.school),
        "user": reference("user", enrollment.user),
        "role": enrollment.role,
    }


# ---- the ways in which servers spell records ----


def once_a_school(users: list[Record], version: str) -> list[Record]:
    """Each user once for each school, with what they are there."""
    if version == "1.1":
        return [{**user, "orgs": [org]} for user in users for org in user["orgs"]]
    return [
        {**user, "roles": [role], "primaryOrg": role["org"]}
        for user in users
        for role in user["roles"]
    ]


def with_blanks(value: Any) -> Any:
    """A record with a blank for the hyphen in each sourcedId."""
    return _respelled(value, "sourcedId", lambda key: key.replace("-", " "))


def with_nulls(record: Record) -> Record:
    """A record with null for optional properties that it does not have."""
    return dict.fromkeys(("identifier", "grades", "parent", "metadata"), None) | record


def with_booleans(value: Any) -> Any:
    """A record with real booleans."""
    return _respelled(value, "enabledUser", lambda text: text == "true")


def with_moments(value: Any) -> Any:
    """A record with the first or last second of a day, where the standard has the day."""
    begun = _respelled(value, "startDate", lambda day: f"{day}T00:00:00.0000000-06:00")
    return _respelled(begun, "endDate", lambda day: f"{day}T23:59:59-05:00")


def with_more(record: Record) -> Record:
    """A record with properties that the standard does not have."""
    return {**record, "_links": {"self": "x"}, "lastEditor": "somebody"}


def _respelled(value: Any, name: str, spell: Callable[[str], Any]) -> Any:
    if isinstance(value, list):
        return [_respelled(each, name, spell) for each in value]
    if isinstance(value, dict):
        return {
            key: spell(held) if key == name else _respelled(held, name, spell)
            for key, held in value.items()
        }
    return value
