"""What `reports:` in a destination's file may say: where they lie, and how they are written."""

import codecs
import re
from collections.abc import Mapping
from glob import escape
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StrictInt, model_validator

from roster_pipeline.fields import Part, Text
from roster_pipeline.transport.config import TransportConfig

Grade = Literal["error", "warning", "deleted", "fine"]
"""What a line of a report says of a row: it was refused, it was taken with a remark, it was taken
as a deletion, it was taken."""

FIELDS: Final = ("grade", "file", "line", "sourcedId", "code", "message")
"""What a line of a report may tell, in this order."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    # Every command loads this; only a workspace with such expressions waits for Arrow.
    from roster_pipeline.receivers.processing.expressions import ExpressionError, require

    try:
        require(text)
    except ExpressionError as error:
        raise ValueError(
            "this expression can take for ever: leave out what looks ahead or back, and references "
            f"to groups ({error})"
        ) from None
    return text


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except LookupError:
        raise ValueError(f"no encoding is called {name}; most are utf-8 or cp1252") from None
    try:
        b"x".decode(found.name)
    except LookupError:
        raise ValueError(f"{name} is no encoding of text; most are utf-8 or cp1252") from None
    except UnicodeError:
        pass  # one of more than one byte a letter
    return name


Pattern = Annotated[Text, AfterValidator(_pattern)]


class Fields(Part):
    """Under which name a report has what it tells of a row; what is not named it does not tell."""

    grade: Text | None = None
    file: Text | None = None
    line: Text | None = None
    sourcedId: Text | None = None  # noqa: N815 - the standard's name
    code: Text | None = None
    message: Text | None = None

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError(f"name at least one of {', '.join(FIELDS)}")
        return self


def _one_sign(sign: str) -> str:
    if len(sign) != 1 or sign in '\r\n"':
        raise ValueError('a delimiter is one sign, such as ";" or "\\t"')
    return sign


class CsvReport(Part):
    """A file with a header and one line for each row that something is said of."""

    fields: Fields
    """The names of its columns."""
    delimiter: Annotated[str, AfterValidator(_one_sign)] = ","


class JsonReport(Part):
    """A JSON document with a list of such rows."""

    rows: Text
    """Where the list is: names with dots between them, such as `result.errors`."""
    fields: Fields
    """The names in each object of the list; dots lead into objects within it."""


class TextReport(Part):
    """Lines of text, of which some speak of rows."""

    lines: tuple[Pattern, ...]
    """Regular expressions with groups named as the fields, such as `(?P<sourcedId>\\S+)`. Of each
    line the first that is found in it counts; lines in which none is are passed over."""

    @model_validator(mode="after")
    def _has_known_groups(self) -> Self:
        if not self.lines:
            raise ValueError("give at least one regular expression under `lines`")
        for place, line in enumerate(self.lines, 1):
            groups = re.compile(line).groupindex.keys()
            if not groups:
                raise ValueError(
                    f"number {place} of `lines` has no named group, such as (?P<sourcedId>\\S+)"
                )
            if odd := sorted(groups - set(FIELDS)):
                raise ValueError(f"no field is called {odd[0]}; the fields are {', '.join(FIELDS)}")
        return self


class ReportFormat(Part):
    """`read:`, how a report is written. Exactly one of csv, json and text."""

    csv: CsvReport | None = None
    # A model has a method of that name.
    json_rows: Annotated[JsonReport | None, Field(alias="json")] = None
    text: TextReport | None = None
    encoding: Annotated[Text, AfterValidator(_encoding)] = "utf-8-sig"
    inside: Text | None = None
    """The name, or a pattern of it, of the report in a zip; none if it does not come in one."""
    grades: Mapping[str, Grade] = {}
    """What the report calls the grades, whatever the case of the letters: `ERROR: error`."""
    otherwise: Grade = "error"
    """The grade of lines without one, or with one that is not named."""
    finished: Pattern | None = None
    """What stands somewhere in each report that is whole. One without it is not read: it may still
    be written."""
    rejected: Pattern | None = None
    """What stands somewhere in a report that says that nothing at all was taken."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        said = [self.csv, self.json_rows, self.text]
        if sum(each is not None for each in said) != 1:
            raise ValueError("give exactly one of csv, json and text")
        return self


class Reports(Part):
    """`reports:`, what a receiver answers to a package."""

    read: ReportFormat
    transport: TransportConfig | None = None
    """Where they lie; where the packages go, if it is not said."""
    folder: Text = "."
    """`{source}` stands for the source's id, as in `pattern`."""
    pattern: Text = "*"
    """The names of those of one source, as in a shell; `{source}` stands for its id, `{package}`
    for the name of the package without its `.zip`, where the receiver's answers have it."""

    within_hours: Annotated[StrictInt, Field(ge=1, le=24 * 31)] = 24
    """After so many hours without one somebody is told."""

    def tells_sources_apart(self, path: str) -> bool:
        """Whether the reports on one source's packages, which go to a path, are not another's."""
        by_package = "{package}" in self.pattern and "{source}" in path.rpartition("/")[2]
        return "{source}" in self.pattern + self.folder or by_package

    def folder_for(self, source: str) -> str:
        """Where a source's reports lie."""
        return self.folder.replace("{source}", source)

    def pattern_for(self, source: str, path: str) -> str:
        """The names of the reports on a source's package that lies at a path."""
        name = escape(PurePosixPath(path).stem)
        return self.pattern.replace("{source}", source).replace("{package}", name)
