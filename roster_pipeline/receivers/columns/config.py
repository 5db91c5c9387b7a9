"""What `columns:` of a receiver's profile, or of a destination's file, may say.

    columns:
      csv: {newline: lf}
      lookups:
        grades: {KG: K, "01": "1"}
      files:
        students.csv:
          rows: students
          columns:
            Student ID: {value: "{sourcedId}", required: true}
            Name: "{familyName}, {givenName}"
            School: "{studentRole.org.name}"
            Grade: {value: "{grades}", item: 1, lookup: grades}

In a value, `{name}` is a cell of the row, `{school.name}` one of the row that it refers to by
`schoolSourcedId`; all else stands as it is. Where a cell that it names is empty, so is the whole.
`{{` and `}}` are braces. Which names there are says `names.py`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from roster_pipeline.fields import Part, Text
from roster_pipeline.oneroster.templates import parsed
from roster_pipeline.receivers.in_force_config import Without

Name = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""What the parts of a format call one another."""
N = "{n}"
"""In a column's name: the number of the item that it holds."""
DATE_LETTERS = re.compile("YYYY|YY|MM?|DD?")
"""What stands for a part of a day in a date form."""


def _a_template(text: str) -> str:
    parsed(text)
    return text


def _a_place(place: int) -> int:
    if place == 0:
        raise ValueError("items count from 1 on; -1 is the last")
    return place


def _a_date_form(text: str) -> str:
    if sorted(letters[0] for letters in DATE_LETTERS.findall(text)) != ["D", "M", "Y"]:
        raise ValueError("say Y, M and D with what stands between them, such as M/D/YYYY")
    return text


def _a_file_name(name: str) -> str:
    if "/" in name or "\\" in name or "." not in name.strip("."):
        raise ValueError("say a file's name with its ending and without folders: students.csv")
    return name


def _signs(text: str) -> str:
    if re.search(r"[\[\]\\^]", text) or not re.fullmatch(f"[{text}]{{17}}", "-0123456789abcdef"):
        raise ValueError("say signs as in 0-9A-Za-z-, with the digits, a to f and the hyphen")
    return text


Template = Annotated[StrictStr, AfterValidator(_a_template)]
FileName = Annotated[Text, AfterValidator(_a_file_name)]


class Dialect(Part):
    """How cells become a file."""

    delimiter: Literal[",", ";", "\t", "|"] = ","
    newline: Literal["crlf", "lf"] = "crlf"
    quotes: Literal["needed", "spaced", "all"] = "needed"
    """Around which cells: those that cannot do without, those with a space as well, all."""
    escape: Literal["double", "backslash"] = "double"
    """What is done to a quote in a cell: it is doubled, or gets a backslash, as line breaks and
    backslashes then do as well."""
    line_breaks: Literal["kept", "blanks"] = "kept"
    """What becomes of a line break in a cell."""
    encoding: Literal["utf-8", "utf-16", "windows-1252"] = "utf-8"
    """UTF-16 has its low byte first. A letter that there is none of becomes `?`; see
    `checking.py`."""
    bom: StrictBool = False
    """Whether a byte order mark opens each file."""


class Value(Part):
    """How a cell is made, in the order of these keys, and what the receiver wants of it."""

    value: Template
    item: Annotated[StrictInt, AfterValidator(_a_place)] | None = None
    """Which item of a list, from 1 on; -1 is the last. Of a column with `{n}` in its name, the
    first number."""
    most: Annotated[StrictInt, Field(ge=1)] | None = None
    """For a column with `{n}` in its name: the last number that there may be. There are as many
    columns as some row needs."""
    last_day: StrictBool = False
    """Whether an end date, on which something is over, is to be the last day on which it is not."""
    date: Annotated[Text, AfterValidator(_a_date_form)] | None = None
    """How a date is written, such as `M/D/YYYY`: one letter for as few digits as it takes, MM and
    DD for two, YYYY or YY for the year."""
    lookup: Name | None = None
    """A lookup of the format by which it is translated."""
    id: Name | None = None
    """Of which kind of the format's ids it is."""
    otherwise: Template | None = None
    """What stands there where the result is empty."""
    required: StrictBool = False
    """Whether the receiver refuses a row in which it is empty."""
    words: tuple[StrictStr, ...] = ()
    """All that may stand there, where the receiver has a list."""
    among: dict[FileName, Text] = Field(default_factory=dict)
    """File → column in which what stands here has to stand as well."""


def _value(given: Any) -> Any:
    if isinstance(given, str):
        return {"value": given}
    if isinstance(given, (Mapping, Value)):
        return given
    raise ValueError('write this as text in quotes, such as "{givenName}" or "school"')


AValue = Annotated[Value, BeforeValidator(_value, json_schema_input_type=str | Value)]


class File(Part):
    """One file: a row for each row of the roster that is named here."""

    rows: Text
    """Of what: an entity, or one of the other views in `names.py`, such as `students`."""
    only: dict[Text, tuple[StrictStr, ...]] = Field(default_factory=dict)
    """Name → the texts that it stands for in rows that are taken; "" is an empty cell."""
    but: dict[Text, tuple[StrictStr, ...]] = Field(default_factory=dict)
    """Name → the texts that it stands for in rows that are not taken."""
    filled: tuple[Text, ...] = ()
    """Names of what is not empty in rows that are taken."""
    distinct: StrictBool = False
    """Whether a row that is equal to one above it is left out."""
    if_empty: Literal["written", "left_out"] = "written"
    """What becomes of the file when it has no rows."""
    order: tuple[Text, ...] = ()
    """All columns once more, where their order is not that of `columns`."""
    columns: Annotated[dict[Text, AValue], Field(min_length=1)]
    """Column → how its cells are made."""

    @property
    def ordered(self) -> Mapping[str, Value]:
        """The columns in the order of the file."""
        return {name: self.columns[name] for name in self.order or self.columns}


class IdKind(Part):
    """Ids that belong together."""

    of: Text
    """The view whose sourcedIds they are."""
    prefix: Text
    """What stands before those that get one."""


class Ids(Part):
    """Ids where a receiver does not take sourcedIds as they are."""

    signs: Annotated[Text, AfterValidator(_signs)] | None = None
    """The signs that an id may have, as in a regular expression: `0-9A-Za-z-`. Each other one
    becomes its number in Unicode, in hexadecimal digits between hyphens."""
    prefix: Literal["clashing", "always", "never"] = "never"
    """Which get their kind's prefix. An id clashes that a kind above its own has as well: the
    first keeps it, and all later ones change."""
    kinds: Annotated[dict[Name, IdKind], Field(min_length=1)]


class ColumnsFormat(Part):
    """The whole of it."""

    csv: Dialect = Dialect()
    lookups: dict[Name, dict[StrictStr, StrictStr]] = Field(default_factory=dict)
    """Name → what stands in the roster → what is written. What a lookup lacks stays as it is,
    unless it has `*`, which is written for all that."""
    ids: Ids | None = None
    without: Without = Without()
    """Which roles and enrollments stay at home by their dates."""
    files: Annotated[dict[FileName, File], Field(min_length=1)]
    """By their names, in their order in the archive."""
    refuses: Literal["rows", "delivery"] = "rows"
    """What the receiver does not take where a row lacks what it requires: the row, or all."""
    unique: tuple[Annotated[dict[FileName, Text], Field(min_length=1)], ...] = ()
    """File → column: in all of these together no text may stand twice."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        from roster_pipeline.receivers.columns.faults import located

        wrong = located(self)
        if wrong is not None:
            raise wrong
        return self
