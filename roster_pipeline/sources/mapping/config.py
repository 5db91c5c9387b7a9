"""What `mapping:` of a vendor profile, or of a source's file, may say.

    mapping:
      version: "1.2"
      lookups:
        grades: {K: KG, "1": "01"}
      files:
        students: {name: "students*.csv", ignore: [Locker]}
      tables:
        users:
          - rows_of: students
            columns:
              sourcedId: "student-{Student ID}"
              username: "{Email}"
              givenName: "{First Name}"
              familyName: {value: "{Name}", split: {at: ", ", part: 1}}
              grades: {value: "{Grade}", lookup: grades}

In a value, `{Column}` is that column's cell; all else stands as it is. Where a cell that it names
is empty, so is the whole. `{{` and `}}` are braces. Blanks around cells, and the case of the names
of files and columns, do not count.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from roster_pipeline.fields import Part, Text
from roster_pipeline.oneroster.templates import parsed
from roster_pipeline.sources.date_forms import DateForm

Name = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""What the parts of a mapping call one another."""


def _a_template(text: str) -> str:
    parsed(text)
    return text


def _a_date_form(text: str) -> str:
    DateForm(text)
    return text


def _a_pattern(text: str) -> str:
    if "/" in text:
        raise ValueError("say the name alone, without folders; a file may lie in any")
    return text


def _a_place(place: int) -> int:
    if place == 0:
        raise ValueError("parts count from 1 on; -1 is the last")
    return place


Template = Annotated[StrictStr, AfterValidator(_a_template)]


class SourceFile(Part):
    """One file of a drop."""

    name: Annotated[Text, AfterValidator(_a_pattern)]
    """A shell pattern for its name; case does not count. The file may lie in a folder."""
    required: StrictBool = True
    """Whether a drop without it stops the sync. Without one that is not, there are none of its
    rows."""
    optional: tuple[Text, ...] = ()
    """Shell patterns for columns that may be missing; their cells are then empty. Without any other
    column that a value names no row is read."""
    ignore: tuple[Text, ...] = ()
    """Shell patterns for columns that are known, and not taken. Any other column that no value
    names is told once."""


class Split(Part):
    """One part of a cell."""

    at: Annotated[StrictStr, Field(min_length=1)]
    """What stands between the parts."""
    part: Annotated[StrictInt, AfterValidator(_a_place)]
    """Which one, from 1 on; -1 is the last. Where there are not so many it is empty."""


class Value(Part):
    """How a cell is made, in the order of these keys."""

    value: Template
    split: Split | None = None
    date: Annotated[Text, AfterValidator(_a_date_form)] | None = None
    """How a date is written there, in the letters Y, M and D, such as `M/D/YYYY`. What is not
    written so stays, to be judged."""
    school_year_from: Annotated[StrictInt, Field(ge=1, le=12)] | None = None
    """The month, 1 to 12, with which school years begin: what is a date becomes the year in which
    its school year ends. For files that have terms and no school years."""
    lookup: Name | None = None
    """A lookup of the mapping by which it is translated; a word that it lacks stays."""
    otherwise: Template | None = None
    """What stands there where the result is empty."""
    id: StrictBool | Literal["each"] = False
    """Whether it is to be an id, or `each` item of a list is: signs that no sourcedId may have are
    replaced, and different texts stay different (see `values.as_ids`)."""


def _value(given: Any) -> Any:
    if isinstance(given, str):
        return {"value": given}
    if isinstance(given, (Mapping, Value)):
        return given
    raise ValueError('write this as text in quotes, such as "{Column}" or "school"')


AValue = Annotated[Value, BeforeValidator(_value, json_schema_input_type=str | Value)]


class Join(Part):
    """A row of another file beside each row, or none: `{name.Column}` is one of its cells."""

    file: Name
    by: Template
    """Over the row's own file, and rows that joins above this one find."""
    key: Template
    """Over the other file; of rows with one key the first counts."""
    every: StrictBool = False
    """Whether all rows with one key count: a cell is then the list of theirs, each once."""


class Table(Part):
    """Rows of an entity out of the rows of one file."""

    rows_of: Name
    """A file of the mapping."""
    join: dict[Name, Join] = Field(default_factory=dict)
    each: tuple[Mapping[Name, Text], ...] = ()
    """Word → column, as often as one row of the file becomes one of the entity: in a value,
    `{word}` is then the cell of that column."""
    only: dict[Text, tuple[StrictStr, ...]] = Field(default_factory=dict)
    """Column, or word of `each` → the texts that it has in rows that are taken; their case does not
    count, and "" is an empty cell. A row with a word that nobody thought of is left out unsaid:
    where rows are somebody's, rather say `but`."""
    but: dict[Text, tuple[StrictStr, ...]] = Field(default_factory=dict)
    """The same of rows that are left out."""
    filled: tuple[Text, ...] = ()
    """Columns, or words of `each`, that are not empty in rows that are taken."""
    first: StrictBool = False
    """Whether rows with one sourcedId are the same thing said again: the first is taken, and where
    later ones differ that is told. Otherwise each row is one of its own."""
    columns: Annotated[dict[Text, AValue], Field(min_length=1)]
    """Column of the entity → how its cells are made."""


class Tables(Part):
    """Entity → what its rows are made of, one after the other."""

    orgs: tuple[Table, ...] = ()
    academicSessions: tuple[Table, ...] = ()  # noqa: N815
    courses: tuple[Table, ...] = ()
    classes: tuple[Table, ...] = ()
    users: tuple[Table, ...] = ()
    userProfiles: tuple[Table, ...] = ()  # noqa: N815
    roles: tuple[Table, ...] = ()
    demographics: tuple[Table, ...] = ()
    enrollments: tuple[Table, ...] = ()

    def of(self, entity: str) -> tuple[Table, ...]:
        """What the rows of an entity are made of; nothing where none makes it."""
        found: tuple[Table, ...] = getattr(self, entity)
        return found


class CsvMapping(Part):
    """The whole of it."""

    version: Literal["1.1", "1.2"] = "1.2"
    """The OneRoster whose tables are made."""
    lookups: dict[Name, dict[str, str]] = Field(default_factory=dict)
    """Name → what stands there → what is meant. Blanks around a cell and its case do not count."""
    files: Annotated[dict[Name, SourceFile], Field(min_length=1)]
    tables: Tables

    @property
    def names(self) -> tuple[str, ...]:
        """Shell patterns for the names of its files."""
        return tuple(file.name for file in self.files.values())

    @model_validator(mode="wrap")
    @classmethod
    def _holds_together(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """What its parts say of one another is looked at even where some of them are wrong, so
        that one look tells of everything."""
        from roster_pipeline.sources.mapping.faults import faults, joined

        made, wrong = None, None
        try:
            made = handler(data)
        except ValidationError as error:
            wrong = error
        found = list(faults(data)) if isinstance(data, Mapping) else []
        if made is None or found:
            raise joined(cls.__name__, wrong, found)
        return made
