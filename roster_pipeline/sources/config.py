"""What a district's file in `sources/` may say."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from roster_pipeline.fields import Identifier, Part, Text
from roster_pipeline.sources import vendors
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport.config import TransportConfig

LATER: Final[Mapping[str, str]] = {
    "lookups": "translating a district's own words",
    "repairs": "repairing dates and other cells",
    "end_dates": "end dates that include the last day",
    "mapping": "files that are not OneRoster",
    "files": "loose files instead of a zip",
    "encryption": "encrypted drops",
    "archive": "moving files away after they were read",
    "delete": "deleting files after they were read",
    "owners": "routing alerts",
    "notify": "routing alerts",
    "expect.students": "expecting a number of students apart from other users",
    "expect.teachers": "expecting a number of teachers apart from other users",
    "expect.last_date": "expecting dates",
    "transport.sftp.jump_host": "going through another host",
    "transport.sftp.proxy": "going through a proxy",
    "transport.sftp.algorithms": "servers with outdated algorithms",
    "transport.s3": "object stores",
    "transport.https": "downloads by HTTPS",
}
"""Keys that are planned, by their path in a source's file, and what each will do."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class DateRule(Part):
    """Which date a drop belongs to."""

    name: Text | None = None
    """A regular expression searched in the file's name, with a group called `date` (year, month,
    day as digits, separated or not) or the groups `year`, `month` and `day`. None: the date of
    arrival in the source's timezone."""

    @field_validator("name")
    @classmethod
    def _has_a_date(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            groups = re.compile(name).groupindex
        except re.error as error:
            raise ValueError(f"this is not a regular expression: {error}") from None
        if "date" not in groups and not {"year", "month", "day"} <= set(groups):
            raise ValueError(
                "the expression needs a group for the date, such as (?P<date>[0-9]{8}), "
                "or the groups year, month and day"
            )
        return name

    def date_in(self, file_name: str) -> date | None:
        """The date that a file's name states by this rule; None where it states none."""
        found = re.search(self.name, file_name) if self.name is not None else None
        if found is None:
            return None
        groups = found.groupdict()
        if "date" in groups:
            digits = re.sub(r"[^0-9]", "", groups["date"] or "")
            parts = (digits[:4], digits[4:6], digits[6:])
            if len(digits) != 8:
                return None
        else:
            parts = (groups["year"] or "", groups["month"] or "", groups["day"] or "")
        try:
            return date(*(int(part) for part in parts))
        except ValueError:
            return None


def _date_rule(value: Any) -> Any:
    if value == "arrival":
        return DateRule()
    if not isinstance(value, (Mapping, DateRule)) or (isinstance(value, Mapping) and not value):
        raise ValueError("say `arrival`, or `name:` with a regular expression")
    return value


class Complete(Part):
    """How one knows that a drop is complete. Exactly one of the three."""

    stable_seconds: Annotated[StrictInt, Field(ge=0, le=600)] | None = None
    """Listed twice, this many seconds apart, it has the same size and time. A file that has rested
    for a minute already is not waited for."""
    quiet_seconds: Annotated[StrictInt, Field(ge=0)] | None = None
    """It was last modified at least this many seconds ago."""
    marker: Text | None = None
    """A file of this name lies beside it and is not older. `{name}` stands for the drop's file
    name, `{stem}` for the same without its ending."""

    @field_validator("marker")
    @classmethod
    def _names_the_drop(cls, marker: str | None) -> str | None:
        if marker is None:
            return None
        rest = marker.replace("{name}", "").replace("{stem}", "")
        if rest == marker or "{" in rest or "}" in rest or "/" in rest:
            raise ValueError(
                "a marker is a file name with {name} or {stem} in it, such as {name}.done"
            )
        if marker == "{name}":
            raise ValueError("the marker cannot be the drop itself")
        return marker

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError("say exactly one of stable_seconds, quiet_seconds and marker")
        return self


Year = Annotated[StrictInt, Field(ge=1900, le=2999)]


class Courses(Part):
    """Which courses are taken, by shell patterns for their courseCode; case counts."""

    include: tuple[Text, ...] = ("*",)
    """At least one of these has to fit. A course without a code fits only `*`."""
    exclude: tuple[Text, ...] = ()
    """None of these may fit."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.include or (self.include == ("*",) and not self.exclude):
            raise ValueError("this takes all courses or none; leave `courses` out to take all")
        return self


def _courses(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f'say a list of courseCodes or patterns for them, such as ["{value}"]')
    return {"include": value} if isinstance(value, list) else value


class Scope(Part):
    """What of a source is taken; all of it by default. What is said has to hold all together."""

    schools: tuple[Text, ...] | None = None
    """sourcedIds of the schools to take; an org stands for those below it, too."""
    grades: tuple[Text, ...] | None = None
    """Grades of the students to take, spelled as the source spells them. With them come the classes
    that they are in, their guardians, and the teachers of these classes."""
    years: tuple[Year, ...] | None = None
    """School years, as academicSessions say them in schoolYear, whose classes to take."""
    terms: tuple[Text, ...] | None = None
    """sourcedIds or titles of the academicSessions whose classes to take; one stands for those
    below it, too."""
    roles: tuple[Text, ...] | None = None
    """Roles of OneRoster 1.2 to take; who has none of them is left out."""
    courses: Annotated[
        Courses | None, BeforeValidator(_courses, json_schema_input_type=list[Text] | Courses)
    ] = None
    """The courses whose classes to take; a list is short for `include`."""

    @field_validator("schools", "grades", "years", "terms", "roles")
    @classmethod
    def _some(cls, named: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[Any, ...] | None:
        if named is not None and not named:
            raise ValueError(f"the list is empty; leave `{info.field_name}` out to take all")
        if named is not None and len(set(named)) < len(named):
            raise ValueError(f"a {str(info.field_name).removesuffix('s')} is named twice")
        return named

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for role in roles or ():
            if problem := _wrong_role(role):
                raise ValueError(problem)
        return roles

    @model_validator(mode="after")
    def _students_of_grades(self) -> Self:
        if self.grades is not None and self.roles is not None and "student" not in self.roles:
            raise ValueError("`grades` choose students, and `roles` leave all students out")
        return self

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return all(getattr(self, key) is None for key in type(self).model_fields)


def _span(value: Any) -> Any:
    if isinstance(value, list):
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value)
        if len(value) != 2 or not whole or value[0] > value[1]:
            raise ValueError("say the fewest and the most rows, such as [4000, 9000]")
    return value


Span = Annotated[tuple[int, int], BeforeValidator(_span)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


def _entities() -> Mapping[str, Collection[str]]:
    """The columns of each entity."""
    from roster_pipeline.oneroster.entities import ENTITIES, columns

    return {entity: [column.name for column in columns(entity)] for entity in ENTITIES}


def _no_entity(name: str) -> str:
    return f"no entity is called {name}; {_nearest(name, _entities(), 'the entities are')}"


def _nearest(name: str, known: Collection[str], listed: str) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"{listed} {', '.join(known)}"


class Expect(Part):
    """What a source is expected to have: rows by entity, and how full columns are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Span]

    fill: dict[str, Percent] = Field(default_factory=dict)
    """Entity and column (`users.email`) → the least share of rows that have the cell filled."""

    @property
    def rows(self) -> Mapping[str, tuple[int, int]]:
        """Entity → the fewest and the most rows it should have."""
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _known_entities(self) -> Self:
        for entity in self.rows:
            if entity not in _entities():
                raise ValueError(_no_entity(entity))
        return self

    @field_validator("fill")
    @classmethod
    def _known_columns(cls, fill: dict[str, float]) -> dict[str, float]:
        for name in fill:
            entity, dot, column = name.partition(".")
            if not dot:
                raise ValueError(f"{name}: say an entity and a column, such as users.email")
            if entity not in _entities():
                raise ValueError(_no_entity(entity))
            if column not in _entities()[entity]:
                near = _nearest(column, _entities()[entity], "its columns are")
                raise ValueError(f"{entity} has no column {column}; {near}")
        return fill


def _as_editors_see_it(schema: dict[str, Any]) -> None:
    schema["required"].remove("vendor")
    schema["properties"]["vendor"]["enum"] = list(vendors.known())
    schema["oneOf"] = [{"required": [way]} for way in ("transport", "rest")]


# What is said of drops, and of nothing else.
_OF_DROPS: Final = ("folder", "pattern", "date_from", "complete")


def _default_vendor(data: Mapping[str, Any]) -> str:
    rest = data.get("rest")
    if rest is None:
        return "generic-csv"
    version = rest.get("version", "1.2") if isinstance(rest, Mapping) else "1.2"
    return "generic-rest-1.1" if str(version) == "1.1" else "generic-rest-1.2"


class Source(Part):
    """One district: where its roster comes from, when, and what is to be expected of it."""

    model_config = ConfigDict(json_schema_extra=_as_editors_see_it)

    id: Identifier
    name: Text
    """What people call the district."""
    vendor: Text
    """The profile that says how this vendor's exports and servers differ; what it says holds for
    the keys that are not given here. `generic-csv`, or `generic-rest-` and the version, by
    default."""
    transport: TransportConfig | None = None
    """The way to the drops. Exactly one of this and `rest`."""
    rest: Rest | None = None
    """The OneRoster server that the roster is pulled from."""
    folder: Text = "."
    """The folder on the server; `.` is where the login lands."""
    pattern: Text = "*.zip"
    """A shell pattern for the names of drops; case counts."""
    timezone: Text
    """The district's own, by its IANA name."""
    cadence: Literal["daily", "weekly"] = "daily"
    weekday: Weekday | None = Field(default=None, validate_default=True)
    """The day on which a weekly source runs."""
    at: Text = "02:30"
    """When it runs, in the district's timezone."""
    date_from: Annotated[
        DateRule, BeforeValidator(_date_rule, json_schema_input_type=Literal["arrival"] | DateRule)
    ] = DateRule()
    complete: Complete = Complete(stable_seconds=5)
    roles: dict[str, dict[str, Text]] = Field(default_factory=dict)
    """1.1 role word → type of org, or `other` → 1.2 role, where the usual translation is wrong."""
    scope: Scope = Field(default_factory=Scope)
    expect: Expect = Field(default_factory=lambda: Expect.model_validate({}))
    """How many rows each entity should have, and how full columns should be."""
    strict: StrictBool | None = None
    """Whether findings that are usually tolerated stop the sync; as roster.yaml says by default."""

    @model_validator(mode="before")
    @classmethod
    def _vendor_defaults(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = {"vendor": _default_vendor(data), **data}
        if given["vendor"] not in vendors.known():
            return given
        profile = vendors.load(given["vendor"])
        given = {**profile.defaults, **given}
        if profile.rest is not None and isinstance(given.get("rest"), Mapping):
            given["rest"] = profile.rest.complete(given["rest"])
        return given

    @field_validator("vendor")
    @classmethod
    def _known_vendor(cls, name: str) -> str:
        vendors.load(name)
        return name

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            near = get_close_matches(name, available_timezones(), n=1)
            hint = f"; did you mean {near[0]}?" if near else ", such as America/Chicago"
            raise ValueError(f"this is not an IANA timezone{hint}") from None
        return name

    @field_validator("at")
    @classmethod
    def _time_of_day(cls, at: str) -> str:
        if not _TIME.fullmatch(at):
            raise ValueError('say a time of day as "HH:MM", such as "02:30"')
        return at

    @field_validator("roles")
    @classmethod
    def _known_words(cls, roles: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for word, by_type in roles.items():
            for org_type, role in by_type.items():
                if problem := _wrong_word(word, org_type, role):
                    raise ValueError(problem)
        return roles

    @field_validator("weekday")
    @classmethod
    def _weekday_for_weekly(cls, weekday: str | None, info: ValidationInfo) -> str | None:
        cadence = info.data.get("cadence")
        if cadence == "weekly" and weekday is None:
            raise ValueError("a weekly source needs a weekday, such as monday")
        if cadence == "daily" and weekday is not None:
            raise ValueError("this is for `cadence: weekly`; a daily source runs every day")
        return weekday

    @field_validator("rest")
    @classmethod
    def _known_by_the_vendor(cls, rest: Rest | None, info: ValidationInfo) -> Rest | None:
        name = info.data.get("vendor")
        if rest is None or name is None:
            return rest
        accents = vendors.load(name).rest
        if accents is None:
            known = ", ".join(n for n in vendors.known() if vendors.load(n).rest is not None)
            raise ValueError(f"the profile {name} knows no servers; choose as `vendor` {known}")
        most = accents.most_at_once
        if most is not None and rest.at_once > most:
            raise ValueError(
                f"`at_once: {rest.at_once}` is more than this vendor allows; say {most} or fewer"
            )
        return rest

    @model_validator(mode="after")
    def _comes_one_way(self) -> Self:
        if (self.transport is None) == (self.rest is None):
            raise ValueError("give exactly one of `transport` (drops) and `rest` (a server)")
        if self.rest is not None and (said := self.model_fields_set.intersection(_OF_DROPS)):
            keys = ", ".join(f"`{key}`" for key in _OF_DROPS if key in said)
            raise ValueError(f"{keys}: these are about drops, and with `rest` there are none")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The district's timezone."""
        return ZoneInfo(self.timezone)

    @property
    def time(self) -> time_of_day:
        """The local time of day at which the source runs."""
        return time_of_day.fromisoformat(self.at)

    @property
    def cron(self) -> str:
        """When the source runs, in the words of cron, read in `timezone`."""
        day = "*" if self.weekday is None else str((WEEKDAYS.index(self.weekday) + 1) % 7)
        return f"{self.time.minute} {self.time.hour} * * {day}"

    def date_of(self, moment: datetime) -> date:
        """The date in the district at an aware moment."""
        return moment.astimezone(self.zone).date()

    def date_of_drop(self, file_name: str, modified: datetime) -> date | None:
        """The date that a drop belongs to; None where its name should state one and does not."""
        if self.date_from.name is None:
            return self.date_of(modified.astimezone(UTC))
        return self.date_from.date_in(file_name)

    def runs_on(self, day: date) -> bool:
        """Whether the schedule runs this source on a date."""
        return self.weekday is None or WEEKDAYS[day.weekday()] == self.weekday

    @property
    def role_map(self) -> Mapping[str, Mapping[str, str]]:
        """1.1 role word → org type or `other` → 1.2 role: the usual translation, overridden."""
        from roster_pipeline.oneroster.versions import DEFAULT_ROLES

        words = DEFAULT_ROLES.keys() | self.roles.keys()
        return {
            word: {**DEFAULT_ROLES.get(word, {}), **self.roles.get(word, {})}
            for word in sorted(words)
        }

    @property
    def profile(self) -> vendors.Vendor:
        """The vendor's accents."""
        return vendors.load(self.vendor)


def _wrong_word(word: str, org_type: str, role: str) -> str | None:
    from roster_pipeline.oneroster.entities import USER_ROLES_1P1, columns

    org_types = next(column.words for column in columns("orgs") if column.name == "type")
    if word not in USER_ROLES_1P1:
        return f"1.1 has no role {word}; its roles are {', '.join(USER_ROLES_1P1)}"
    if org_type not in (*org_types, "other"):
        return f"no org has the type {org_type}; say {', '.join(org_types)} or other"
    return _wrong_role(role)


def _wrong_role(role: str) -> str | None:
    from roster_pipeline.oneroster.entities import EXTENSION, columns

    roles = next(column.words for column in columns("roles") if column.name == "role")
    if role in roles or re.fullmatch(EXTENSION, role):
        return None
    return f"1.2 has no role {role}; its roles are {', '.join(roles)}, or ext: and a word"
