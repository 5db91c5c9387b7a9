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
is empty, so is the whole. `{{` and `}}` are braces.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt

from roster_pipeline.fields import Part, Text

Name = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""What the parts of a mapping call one another."""


class SourceFile(Part):
    """One file of a drop."""

    name: Text
    """A shell pattern for its name; case does not count. The file may lie in a folder."""
    required: StrictBool = True
    """Whether a drop without it stops the sync."""
    ignore: tuple[Text, ...] = ()
    """Shell patterns for columns that are known, and not taken. Any other column that no value
    names is told once."""


class Split(Part):
    """One part of a cell."""

    at: Text | Literal[" "]
    """What stands between the parts."""
    part: StrictInt
    """Which one, from 1 on; -1 is the last."""


class Value(Part):
    """How a cell is made, in the order of these keys."""

    value: str
    """A template."""
    split: Split | None = None
    date: Text | None = None
    """How a date is written there, in the letters Y, M and D, such as `M/D/YYYY`."""
    lookup: Name | None = None
    """A lookup of the mapping by which it is translated; a word that it lacks stays."""
    id: StrictBool = False
    """Whether it is to be an id: signs that no sourcedId may have are replaced, and different texts
    stay different."""
    otherwise: str | None = None
    """What stands there where the result is empty; a template."""


def _value(given: Any) -> Any:
    return {"value": given} if isinstance(given, str) else given


AValue = Annotated[Value, BeforeValidator(_value, json_schema_input_type=str | Value)]


class Join(Part):
    """A row of another file beside each row, or none: `{name.Column}` is one of its cells."""

    file: Name
    on: Text
    """A template over the row's own file."""
    key: Text
    """A template over the other file; of rows with one key the first counts."""


class Table(Part):
    """Rows of an entity out of the rows of one file."""

    rows_of: Name
    """A file of the mapping."""
    join: dict[Name, Join] = Field(default_factory=dict)
    each: tuple[Mapping[Name, Text], ...] = ()
    """Word → column, as often as one row of the file becomes one of the entity: in a value,
    `{word}` is then the cell of that column."""
    only: dict[Text, tuple[str, ...]] = Field(default_factory=dict)
    """Column → the texts that it has in rows that are taken."""
    filled: tuple[Text, ...] = ()
    """Columns, or words of `each`, that are not empty in rows that are taken."""
    first: StrictBool = False
    """Whether rows with one sourcedId are the same thing said again: the first is taken, and where
    later ones differ that is told. Otherwise each row is one of its own."""
    columns: Annotated[dict[Text, AValue], Field(min_length=1)]
    """Column of the entity → how its cells are made."""


class CsvMapping(Part):
    """The whole of it."""

    version: Literal["1.1", "1.2"] = "1.2"
    """The OneRoster whose tables are made."""
    lookups: dict[Name, dict[str, str]] = Field(default_factory=dict)
    """Name → what stands there → what is meant. Blanks around a cell and its case do not count."""
    files: Annotated[dict[Name, SourceFile], Field(min_length=1)]
    tables: Annotated[dict[Text, tuple[Table, ...]], Field(min_length=1)]
    """Entity → what its rows are made of, one after the other."""
