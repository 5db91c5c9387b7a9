"""What a district's file in `sources/` may say."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from difflib import get_close_matches
from posixpath import join as posix_join
from posixpath import normpath
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from roster_pipeline.fields import (
    WEEKDAYS,
    Day,
    Identifier,
    Part,
    Text,
    TimeOfDay,
    Timezone,
    Weekday,
)
from roster_pipeline.oneroster.named_columns import named_columns, nearest
from roster_pipeline.oneroster.scoping.config import Scope, wrong_role
from roster_pipeline.sources import vendors
from roster_pipeline.sources.drops_config import Archive, Encryption, Files, one_of
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.repairs_config import EndDates, Lookups, Mending, Repairs, over
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport.config import TransportConfig

LATER: Final[Mapping[str, str]] = {
    "owners": "routing alerts",
    "notify": "routing alerts",
    "transport.s3": "object stores",
    "transport.https": "downloads by HTTPS",
}
"""Keys that are planned, by their path in a source's file, and what each will do."""

# What stands between a file's name and the date in it.
_SEPARATORS: Final = "_-. "


class DateRule(Part):
    """Which date a drop belongs to."""

    name: Text | None = None
    """A regular expression searched in the file's name, with a group called `date` (year, month,
    day as digits, separated or not) or the groups `year`, `month` and `day`. None: the date of
    arrival in the source's timezone. Of loose files the date is taken out of the name, with the
    sign that stands before or behind it; a group called `stamp` says what else is."""

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

    def without_date(self, file_name: str) -> str:
        """A file's name without the date that it states: `orgs.csv` of `orgs_20260823.csv`."""
        found = re.search(self.name, file_name) if self.name is not None else None
        if found is None:
            return file_name
        groups = found.groupdict()
        named = ("stamp",) if groups.get("stamp") else ("date", "year", "month", "day")
        spans = [found.span(name) for name in named if groups.get(name)]
        if not spans:
            return file_name
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        before, behind = file_name[:start], file_name[end:]
        return before.rstrip(_SEPARATORS) + behind if before else behind.lstrip(_SEPARATORS)


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
    name, `{stem}` for the same without its ending. Of `files`, which have one marker together, it
    is the marker's name as it stands."""

    def wrong_marker(self, *, of_files: bool) -> str | None:
        """Why the marker cannot be one, of `files` or of a single file; None where it can."""
        if self.marker is None:
            return None
        rest = self.marker.replace("{name}", "").replace("{stem}", "")
        if of_files:
            fits = rest == self.marker and not set(rest) & set("{}/*?[")
            said = "a marker of `files` is the name of one file, such as done.flag"
        else:
            fits = rest != self.marker and not set(rest) & set("{}/")
            said = "a marker is a file name with {name} or {stem} in it, such as {name}.done"
        if not fits:
            return said
        return "the marker cannot be the drop itself" if self.marker == "{name}" else None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError("say exactly one of stable_seconds, quiet_seconds and marker")
        return self


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


def _date_columns() -> list[str]:
    """Those that say when something is; nobody's birth tells how old an export is."""
    from roster_pipeline.oneroster.entities import ENTITIES, Kind, columns

    return [
        f"{entity}.{column.name}"
        for entity in ENTITIES
        for column in columns(entity)
        if column.kind is Kind.DATE and entity != "demographics"
    ]


def _no_entity(name: str) -> str:
    return f"no entity is called {name}; {nearest(name, _entities(), 'the entities are')}"


Days = Annotated[StrictInt, Field(ge=-3660, le=3660)]


def _day_or_days(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return TypeAdapter(Day).validate_python(value)
    except ValidationError:
        raise ValueError(
            "say a date as YYYY-MM-DD, or how many days after the date of the sync, such as 30; "
            "-30 for days before"
        ) from None


class Expect(Part):
    """What a source is expected to have: rows by entity, people, how full columns are, and how far
    their dates reach."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Span]

    fill: dict[str, Percent] = Field(default_factory=dict)
    """Entity and column (`users.email`) → the least share of rows that have the cell filled."""
    students: Span | None = None
    """The fewest and the most people who are students anywhere."""
    teachers: Span | None = None
    """The fewest and the most people who are teachers anywhere."""
    last_date: dict[
        str,
        Annotated[date | Days, BeforeValidator(_day_or_days, json_schema_input_type=date | int)],
    ] = Field(default_factory=dict)
    """Entity and column (`academicSessions.endDate`) → the earliest that its latest date may be: a
    date, or so many days after the date of the sync (negative: before)."""

    @property
    def rows(self) -> Mapping[str, tuple[int, int]]:
        """Entity → the fewest and the most rows it should have."""
        return self.__pydantic_extra__

    @property
    def people(self) -> Mapping[str, tuple[int, int]]:
        """Kind of people → the fewest and the most that there should be."""
        spans = {"students": self.students, "teachers": self.teachers}
        return {kind: span for kind, span in spans.items() if span is not None}

    def last_days(self, day: date) -> dict[str, int]:
        """`last_date` as days after the date of a sync."""
        return {
            name: (least - day).days if isinstance(least, date) else least
            for name, least in self.last_date.items()
        }

    @model_validator(mode="after")
    def _known_entities(self) -> Self:
        for entity in self.rows:
            if entity not in _entities():
                near = get_close_matches(entity, ("students", "teachers"), n=1, cutoff=0.7)
                hint = f"no entity is called {entity}; did you mean {near[0]}?" if near else ""
                raise ValueError(hint or _no_entity(entity))
        return self

    @field_validator("last_date")
    @classmethod
    def _dates(cls, last: dict[str, date | int]) -> dict[str, date | int]:
        known = _date_columns()
        for name in last:
            if name not in known:
                raise ValueError(
                    f"{name} is no column of dates; {nearest(name, known, 'there are')}"
                )
        return last

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
                near = nearest(column, _entities()[entity], "its columns are")
                raise ValueError(f"{entity} has no column {column}; {near}")
        return fill


def _as_editors_see_it(schema: dict[str, Any]) -> None:
    schema["required"].remove("vendor")
    schema["properties"]["vendor"]["enum"] = list(vendors.known())
    schema["oneOf"] = [{"required": [way]} for way in ("transport", "rest")]


# What is said of drops, and of nothing else.
_OF_DROPS: Final = (
    "folder",
    "pattern",
    "files",
    "mapping",
    "date_from",
    "complete",
    "encryption",
    "archive",
    "delete",
)


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
    files: Files | None = None
    """Loose files that are a drop together, in the place of `pattern`."""
    encryption: Encryption | None = None
    """How drops are encrypted, if they are."""
    timezone: Timezone
    """The district's own, by its IANA name."""
    cadence: Literal["daily", "weekly"] = "daily"
    weekday: Weekday | None = Field(default=None, validate_default=True)
    """The day on which a weekly source runs."""
    at: TimeOfDay = "02:30"
    """When it runs, in the district's timezone."""
    date_from: Annotated[
        DateRule, BeforeValidator(_date_rule, json_schema_input_type=Literal["arrival"] | DateRule)
    ] = DateRule()
    complete: Complete = Complete(stable_seconds=5)
    archive: Archive | None = None
    """Where a drop is moved to on the server after its roster was accepted; it stays where it is
    without."""
    delete: StrictBool = False
    """Whether a drop is removed from the server after its roster was accepted."""
    roles: dict[str, dict[str, Text]] = Field(default_factory=dict)
    """1.1 role word → type of org, or `other` → 1.2 role, where the usual translation is wrong."""
    mapping: CsvMapping | None = None
    """How OneRoster is made of drops that are not; as the vendor's profile says by default."""
    lookups: Lookups = Field(default_factory=dict)
    """`entity.column` → a word of the district's → the standard's. Added to the vendor's."""
    repairs: Repairs = Repairs()
    """Cells that are written in a way of the district's own."""
    end_dates: EndDates = "exclusive"
    """Whether a last day is the first that is over, as the standard has it, or the last that is
    not."""
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
        given = {**one_of(given, profile.defaults), **given, **over(profile.defaults, given)}
        if profile.rest is not None and isinstance(given.get("rest"), Mapping):
            given["rest"] = profile.rest.complete(given["rest"])
        return given

    @field_validator("vendor")
    @classmethod
    def _known_vendor(cls, name: str) -> str:
        vendors.load(name)
        return name

    @field_validator("complete")
    @classmethod
    def _fitting_marker(cls, complete: Complete, info: ValidationInfo) -> Complete:
        if problem := complete.wrong_marker(of_files=info.data.get("files") is not None):
            raise ValueError(f"`marker`: {problem}")
        return complete

    @field_validator("encryption")
    @classmethod
    def _a_zips_password(
        cls, encryption: Encryption | None, info: ValidationInfo
    ) -> Encryption | None:
        loose = info.data.get("files") is not None
        if encryption is not None and encryption.password is not None and loose:
            raise ValueError("`password` opens zips, and with `files` there are none")
        return encryption

    @field_validator("archive")
    @classmethod
    def _another_folder(cls, archive: str | None, info: ValidationInfo) -> str | None:
        folder = info.data.get("folder")
        if archive and folder and normpath(posix_join(folder, archive)) == normpath(folder):
            raise ValueError("this is `folder` itself; say another, such as processed")
        return archive

    @field_validator("delete")
    @classmethod
    def _not_archived(cls, delete: bool, info: ValidationInfo) -> bool:
        if delete and info.data.get("archive") is not None:
            raise ValueError("a drop is moved by `archive` or removed by `delete`; take one out")
        return delete

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
            said = "give exactly one of `transport` (drops) and `rest` (a server)"
            raise ValueError(said) if self.rest is None else _wrong("rest", said)
        if self.rest is not None:
            if of_drops := [key for key in _OF_DROPS if key in self.model_fields_set]:
                keys = ", ".join(f"`{key}`" for key in of_drops)
                said = f"{keys}: these are about drops, and with `rest` there are none"
                raise _wrong(of_drops[0], said)
        elif self.files is not None and "pattern" in self.model_fields_set:
            said = "give one of `pattern` (each file is a drop) and `files` (all are)"
            raise _wrong("files", said)
        return self

    @model_validator(mode="after")
    def _mends_what_its_server_has(self) -> Self:
        if self.rest is not None:
            pads = [("repairs", "pad", name) for name in self.repairs.pad]
            for place in [*(("lookups", name) for name in self.lookups), *pads]:
                try:
                    named_columns(place[-1], self.rest.version)
                except ValueError as error:
                    raise _wrong(*place, str(error)) from None
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

    @property
    def patterns(self) -> tuple[str, ...]:
        """Shell patterns for the names of the files that drops are made of."""
        return (self.pattern,) if self.files is None else self.files.names

    @property
    def keeps_drops(self) -> bool:
        """Whether drops stay where they are after they were read."""
        return self.archive is None and not self.delete

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
    def mending(self) -> Mending:
        """How cells are mended before they are judged."""
        return Mending(lookups=self.lookups, repairs=self.repairs, end_dates=self.end_dates)

    @property
    def csv_mapping(self) -> CsvMapping | None:
        """How OneRoster is made of its drops; None where they are OneRoster, or come by REST."""
        return None if self.rest is not None else self.mapping or self.profile.mapping

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
    return wrong_role(role)


def _wrong(*place_and_sentence: str) -> ValidationError:
    """What is wrong with keys that are sound one by one, placed where one of them stands."""
    *place, sentence = place_and_sentence
    detail = InitErrorDetails(
        type="value_error", loc=tuple(place), input=None, ctx={"error": ValueError(sentence)}
    )
    return ValidationError.from_exception_data("Source", [detail], hide_input=True)
