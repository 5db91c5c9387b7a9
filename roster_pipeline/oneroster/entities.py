"""The nine rostering entities of OneRoster, each stated once.

A model is the OneRoster 1.2 table of one entity: column order, type, requiredness, vocabulary and
references (CSV Binding 1.2, its tables, with the 1.2.1 corrections). `V1P1` says where
1.1 differs. Bindings, rules, receivers, documentation and the simulator derive from here; nothing
else spells a column's type, vocabulary or reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import pandera.pandas as pa

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.tables.text import TEXT

if TYPE_CHECKING:
    Text = str
else:
    Text = TEXT


class Kind(StrEnum):
    """The lexical type of a cell (CSV Binding 1.2, data types)."""

    GUID = "guid"
    REFERENCE = "reference"
    REFERENCES = "references"
    STRING = "string"
    STRINGS = "strings"
    WORD = "word"
    """A term of a closed vocabulary, or `ext:…` where the column allows it."""
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "dateTime"
    YEAR = "year"
    USER_IDS = "userIds"


class Required(StrEnum):
    """When a cell must be filled."""

    ALWAYS = "always"
    DELTA = "delta"
    """Filled in a delta file, blank in a bulk file (CSV Binding 1.2, bulk and delta)."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a rostering table."""

    name: str
    kind: Kind
    required: Required
    words: tuple[str, ...] = ()
    extensible: bool = False
    target: str | None = None
    """The entity that a reference points at."""
    target_types: tuple[str, ...] = ()
    """The `type` that the referenced row must have; empty where any will do."""


GUIDS: Final = r"^[0-9A-Za-z._/@-]{1,255}(?:,[0-9A-Za-z._/@-]{1,255})*$"
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME: Final = (
    r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?Z$"
)
YEAR: Final = r"^[0-9]{4}$"
USER_IDS: Final = r"^\{[^:{}]+:[^{}]+\}(?:,\{[^:{}]+:[^{}]+\})*$"
EXTENSION: Final = r"ext:[a-zA-Z0-9._-]+"
BOOLEANS: Final = ("true", "false")


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar in the standard's form, `YYYY-MM-DD`."""
    if not DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_word(text: str, *, words: tuple[str, ...], extensible: bool) -> bool:
    """Whether a text is in a vocabulary, or extends it where that is allowed."""
    return text in words or (extensible and re.fullmatch(EXTENSION, text) is not None)


_PATTERNS: Final[Mapping[Kind, str]] = {
    Kind.REFERENCES: GUIDS,
    Kind.DATETIME: DATETIME,
    Kind.YEAR: YEAR,
    Kind.USER_IDS: USER_IDS,
}


def _rule(kind: Kind, words: tuple[str, ...] = (), extensible: bool = False) -> dict[str, Any]:
    """What Pandera checks of a filled cell, as a keyword of `Field` or a method of `Check`."""
    if words:
        return {"each_text": partial(is_word, words=words, extensible=extensible)}
    if kind is Kind.DATE:
        return {"each_text": is_date}
    if kind in (Kind.GUID, Kind.REFERENCE):
        return {"sourced_ids": GUID}
    pattern = {"str_matches": _PATTERNS[kind]} if kind in _PATTERNS else {}
    return {**pattern, "each_day": is_date} if kind is Kind.DATETIME else pattern


def _column(kind: Kind, required: bool | Required = False, **metadata: Any) -> Any:
    if isinstance(required, bool):
        required = Required.ALWAYS if required else Required.NEVER
    return pa.Field(
        nullable=required is not Required.ALWAYS,
        metadata={"kind": kind, "required": required, **metadata},
        **_rule(kind, metadata.get("words", ()), metadata.get("extensible", False)),
    )


def _guid() -> Any:
    return _column(Kind.GUID, required=True)


def _string(required: bool = False) -> Any:
    return _column(Kind.STRING, required)


def _strings() -> Any:
    return _column(Kind.STRINGS)


def _word(*words: str, required: bool = True, extensible: bool = True) -> Any:
    return _column(Kind.WORD, required, words=words, extensible=extensible)


def _flag() -> Any:
    return _column(Kind.WORD, words=BOOLEANS)


def _date(required: bool = False) -> Any:
    return _column(Kind.DATE, required)


def _reference(target: str, *types: str, required: bool = False) -> Any:
    return _column(Kind.REFERENCE, required, target=target, target_types=types)


def _references(target: str, *types: str, required: bool = False) -> Any:
    return _column(Kind.REFERENCES, required, target=target, target_types=types)


class Base(pa.DataFrameModel):
    """The three columns that open every table. In bulk the last two are blank."""

    sourcedId: Text = _guid()
    status: Text = _column(
        Kind.WORD, Required.DELTA, words=("active", "tobedeleted"), extensible=False
    )
    dateLastModified: Text = _column(Kind.DATETIME, Required.DELTA)


class Orgs(Base):
    """Districts, schools and the bodies above and below them."""

    name: Text = _string(required=True)
    type: Text = _word("department", "school", "district", "local", "state", "national")
    identifier: Text = _string()
    parentSourcedId: Text = _reference("orgs")


class AcademicSessions(Base):
    """School years, semesters, terms, grading periods. The end date is exclusive."""

    title: Text = _string(required=True)
    type: Text = _word("gradingPeriod", "semester", "schoolYear", "term")
    startDate: Text = _date(required=True)
    endDate: Text = _date(required=True)
    parentSourcedId: Text = _reference("academicSessions")
    schoolYear: Text = _column(Kind.YEAR, required=True)


class Courses(Base):
    """What is taught, apart from when and to whom."""

    schoolYearSourcedId: Text = _reference("academicSessions", "schoolYear")
    title: Text = _string(required=True)
    courseCode: Text = _string()
    grades: Text = _strings()
    orgSourcedId: Text = _reference("orgs", required=True)
    subjects: Text = _strings()
    subjectCodes: Text = _strings()


class Classes(Base):
    """A course taught at one school in one or more terms: a section."""

    title: Text = _string(required=True)
    grades: Text = _strings()
    courseSourcedId: Text = _reference("courses", required=True)
    classCode: Text = _string()
    classType: Text = _word("homeroom", "scheduled")
    location: Text = _string()
    schoolSourcedId: Text = _reference("orgs", "school", required=True)
    termSourcedIds: Text = _references(
        "academicSessions", "term", "semester", "gradingPeriod", required=True
    )
    subjects: Text = _strings()
    subjectCodes: Text = _strings()
    periods: Text = _strings()


class Users(Base):
    """People. What they are, and where, stands in their roles."""

    enabledUser: Text = _column(Kind.BOOLEAN, required=True, words=BOOLEANS)
    username: Text = _string(required=True)
    userIds: Text = _column(Kind.USER_IDS)
    givenName: Text = _string(required=True)
    familyName: Text = _string(required=True)
    middleName: Text = _string()
    identifier: Text = _string()
    email: Text = _string()
    sms: Text = _string()
    phone: Text = _string()
    agentSourcedIds: Text = _references("users")
    grades: Text = _strings()
    password: Text = _string()
    userMasterIdentifier: Text = _string()
    preferredGivenName: Text = _string()
    preferredMiddleName: Text = _string()
    preferredFamilyName: Text = _string()
    primaryOrgSourcedId: Text = _reference("orgs")
    pronouns: Text = _string()


class UserProfiles(Base):
    """A person's account at another vendor's system."""

    userSourcedId: Text = _reference("users", required=True)
    profileType: Text = _string(required=True)
    vendorId: Text = _string(required=True)
    applicationId: Text = _string()
    description: Text = _string()
    credentialType: Text = _string(required=True)
    username: Text = _string(required=True)
    password: Text = _string()


class Roles(Base):
    """One person's role at one org."""

    userSourcedId: Text = _reference("users", required=True)
    roleType: Text = _word("primary", "secondary", extensible=False)
    role: Text = _word(
        "aide",
        "counselor",
        "districtAdministrator",
        "guardian",
        "parent",
        "principal",
        "proctor",
        "relative",
        "siteAdministrator",
        "student",
        "systemAdministrator",
        "teacher",
    )
    beginDate: Text = _date()
    endDate: Text = _date()
    orgSourcedId: Text = _reference("orgs", required=True)
    userProfileSourcedId: Text = _reference("userProfiles")


class Demographics(Base):
    """One row for a user; its sourcedId is the user's."""

    sourcedId: Text = _reference("users", required=True)
    birthDate: Text = _date()
    sex: Text = _word("male", "female", "unspecified", "other", required=False)
    americanIndianOrAlaskaNative: Text = _flag()
    asian: Text = _flag()
    blackOrAfricanAmerican: Text = _flag()
    nativeHawaiianOrOtherPacificIslander: Text = _flag()
    white: Text = _flag()
    demographicRaceTwoOrMoreRaces: Text = _flag()
    hispanicOrLatinoEthnicity: Text = _flag()
    countryOfBirthCode: Text = _string()
    stateOfBirthAbbreviation: Text = _string()
    cityOfBirth: Text = _string()
    publicSchoolResidenceStatus: Text = _string()


class Enrollments(Base):
    """One person in one class, in one role."""

    classSourcedId: Text = _reference("classes", required=True)
    schoolSourcedId: Text = _reference("orgs", "school", required=True)
    userSourcedId: Text = _reference("users", required=True)
    role: Text = _word("administrator", "proctor", "student", "teacher")
    primary: Text = _flag()
    beginDate: Text = _date()
    endDate: Text = _date()


MODELS: Final[Mapping[str, type[Base]]] = {
    "orgs": Orgs,
    "academicSessions": AcademicSessions,
    "courses": Courses,
    "classes": Classes,
    "users": Users,
    "userProfiles": UserProfiles,
    "roles": Roles,
    "demographics": Demographics,
    "enrollments": Enrollments,
}
"""Entity name (which is also the file name without `.csv`) to model, in an order in which every
reference but users' agents points at an entity already read."""

ENTITIES: Final[tuple[str, ...]] = tuple(MODELS)


@cache
def columns(entity: str) -> tuple[Column, ...]:
    """The 1.2 columns of an entity, in the standard's order."""
    return tuple(
        Column(name=name, **(column.metadata or {}))
        for name, column in MODELS[entity].to_schema().columns.items()
    )


@cache
def names(entity: str) -> tuple[str, ...]:
    """The names of an entity's 1.2 columns, in the standard's order."""
    return tuple(column.name for column in columns(entity))


@cache
def references(entity: str) -> tuple[Column, ...]:
    """The columns of an entity that point at another one."""
    return tuple(column for column in columns(entity) if column.target is not None)


TARGETS: Final[frozenset[str]] = frozenset(
    column.target for entity in ENTITIES for column in references(entity) if column.target
)
"""The entities that some reference points at."""

# Columns that a bulk file leaves blank (CSV Binding 1.2, bulk and delta).
BULK_BLANK: Final = ("status", "dateLastModified")
# Never kept: blanked before anything is stored.
SECRET: Final = ("password",)


# ---- OneRoster 1.1 (CSV Tables 1.1), stated as what differs from 1.2 ----

_USERS_1P1: Final = (
    "sourcedId",
    "status",
    "dateLastModified",
    "enabledUser",
    "orgSourcedIds",
    "role",
    "username",
    "userIds",
    "givenName",
    "familyName",
    "middleName",
    "identifier",
    "email",
    "sms",
    "phone",
    "agentSourcedIds",
    "grades",
    "password",
)
USER_ROLES_1P1: Final = (
    "administrator",
    "aide",
    "guardian",
    "parent",
    "proctor",
    "relative",
    "student",
    "teacher",
)
_CHANGED_1P1: Final[Mapping[tuple[str, str], Column]] = {
    ("users", "orgSourcedIds"): Column(
        "orgSourcedIds", Kind.REFERENCES, Required.ALWAYS, target="orgs"
    ),
    ("users", "role"): Column("role", Kind.WORD, Required.ALWAYS, USER_ROLES_1P1),
    ("demographics", "sex"): Column("sex", Kind.WORD, Required.NEVER, ("male", "female")),
}
ENTITIES_1P1: Final = tuple(e for e in ENTITIES if e not in ("userProfiles", "roles"))


@cache
def columns_1p1(entity: str) -> tuple[Column, ...]:
    """The 1.1 columns of an entity, in that standard's order; no vocabulary is extensible."""
    current = {column.name: column for column in columns(entity)}
    wanted = _USERS_1P1 if entity == "users" else tuple(current)
    found = []
    for name in wanted:
        column = _CHANGED_1P1.get((entity, name)) or current[name]
        found.append(
            Column(
                column.name,
                column.kind,
                column.required,
                column.words,
                extensible=False,
                target=column.target,
                target_types=column.target_types,
            )
        )
    return tuple(found)


@cache
def schema(entity: str) -> pa.DataFrameSchema:
    """The Pandera schema of a 1.2 table; columns that it does not name pass unseen."""
    return MODELS[entity].to_schema()


@cache
def schema_1p1(entity: str) -> pa.DataFrameSchema:
    """The Pandera schema of a 1.1 table."""
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                TEXT,
                [
                    getattr(pa.Check, name)(argument)
                    for name, argument in _rule(
                        column.kind, column.words, column.extensible
                    ).items()
                ],
                nullable=column.required is not Required.ALWAYS,
            )
            for column in columns_1p1(entity)
        }
    )


# Every data file that a manifest of each version names (CSV Binding 1.2, manifest table).
FILES_1P1: Final = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItems",
    "orgs",
    "resources",
    "results",
    "users",
)
FILES_1P2: Final = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)
# A bulk rostering set must hold these (CSV Binding 1.2, table A1; 1.1: the same without roles).
REQUIRED_1P2: Final = (
    "orgs",
    "academicSessions",
    "courses",
    "classes",
    "users",
    "roles",
    "enrollments",
)
REQUIRED_1P1: Final = tuple(e for e in REQUIRED_1P2 if e != "roles")
