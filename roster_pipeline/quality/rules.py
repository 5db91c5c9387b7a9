"""All rules by code, and those that judge single cells, keys and references as a table."""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.reading_rules import READING
from roster_pipeline.oneroster.rules import Layer, Rule

_HOLD, _DROP, _WARN, _STOP = Severity.HOLD, Severity.DROP, Severity.WARN, Severity.STOP

_PACKAGE: Final = (
    Rule(
        code="package.no_file",
        layer=Layer.PACKAGE,
        severity=_STOP,
        message="the file is required and not in the package",
        why="Without it there is nothing that the other files' rows could refer to.",
        fix="send it; a roster needs it at least once",
        source="5",
        standard=True,
    ),
    Rule(
        code="package.absent_file",
        layer=Layer.PACKAGE,
        severity=_WARN,
        message="the file is not in the package; its accepted rows stay",
        why="A bulk package has to be complete; a file left out hides every change in it.",
        fix="send it in each bulk package",
        source="5",
        standard=True,
        may_be=(_WARN,),
    ),
    Rule(
        code="package.header_only",
        layer=Layer.PACKAGE,
        severity=_WARN,
        message="the file holds no rows; its accepted rows stay",
        why="Taken at its word it would delete every row of the entity.",
        fix="send the rows, or declare the file absent",
        source="2.2",
        standard=True,
        may_be=(_WARN,),
    ),
)

_CELL_WORDS: Final = {
    "required": (
        "the cell is empty and must not be",
        "No receiver takes the row without it.",
        "fill it in",
        "3",
    ),
    "sourcedId": (
        "not a sourcedId: 1 to 255 letters, digits and . - _ / @",
        "Receivers refuse other characters, or change them, and then nothing refers to the row.",
        "use an id without other characters",
        "2.3",
    ),
    "reference": (
        "not a sourcedId, or not a list of them",
        "It cannot be known which row is meant.",
        "separate ids by commas and use only letters, digits and . - _ / @",
        "2.3",
    ),
    "vocabulary": (
        "not a word of the column's vocabulary",
        "A receiver cannot know what it means.",
        "use one of the standard's words",
        "4",
    ),
    "boolean": (
        "neither true nor false",
        "Whether it is so cannot be known.",
        "write true or false",
        "2.3",
    ),
    "date": (
        "not a day of the calendar as YYYY-MM-DD",
        "When it begins or ends cannot be known.",
        "write YYYY-MM-DD",
        "2.3",
    ),
    "dateTime": (
        "not a time in UTC such as 2026-08-22T06:30:00.000Z",
        "When the row changed cannot be known.",
        "write ISO 8601 in UTC",
        "2.3",
    ),
    "year": (
        "not a year of four digits",
        "Which school year is meant cannot be known.",
        "write YYYY",
        "2.3",
    ),
    "userIds": (
        "not a list of {type:identifier}",
        "The identifiers in it cannot be told apart.",
        "write {type:identifier}, several separated by commas",
        "2.3",
    ),
}
_CELL: Final = tuple(
    Rule(
        code=f"cell.{name}",
        layer=Layer.CELL,
        severity=_HOLD,
        message=message,
        why=why,
        fix=fix,
        source=source,
        standard=True,
        may_be=(_HOLD,) if name in ("required", "sourcedId") else (_HOLD, _DROP),
    )
    for name, (message, why, fix, source) in _CELL_WORDS.items()
)

_KEY: Final = (
    Rule(
        code="key.duplicate",
        layer=Layer.KEY,
        severity=_HOLD,
        message="the sourcedId stands on several rows that differ",
        why="Which of them is right cannot be known.",
        fix="give each row its own sourcedId",
        source="2",
        standard=True,
        columns=("sourcedId",),
        may_be=(_HOLD,),
    ),
    Rule(
        code="key.repeated",
        layer=Layer.KEY,
        severity=_WARN,
        message="the same row stands there more than once; it was read once",
        why="Receivers that insist on unique sourcedIds refuse the file.",
        fix="send each row once",
        source="2",
        standard=True,
        columns=("sourcedId",),
        may_be=(_WARN,),
    ),
    Rule(
        code="key.unidentified",
        layer=Layer.KEY,
        severity=_WARN,
        message="rows have no readable sourcedId, so as many rows that seem gone were kept",
        why="A row that cannot be told must not be taken for a deletion.",
        fix="mend the sourcedIds",
        source="practice",
        columns=("sourcedId",),
        may_be=(_WARN,),
    ),
)

_REFERENCE: Final = (
    Rule(
        code="reference.waiting",
        layer=Layer.REFERENCE,
        severity=_HOLD,
        message="refers to a row that is held back and was never accepted",
        why="Without that row this one means nothing; it follows as soon as that one is mended.",
        fix="mend the row that it refers to",
        source="5",
        standard=True,
        may_be=(_HOLD,),
    ),
    Rule(
        code="reference.removed",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="refers to a row that is gone, so it goes too",
        why="Receivers refuse rows that refer to nothing.",
        fix="send both or neither",
        source="5",
        standard=True,
        may_be=(_WARN,),
    ),
    Rule(
        code="reference.unknown",
        layer=Layer.REFERENCE,
        severity=_HOLD,
        message="refers to a row that was never seen",
        why="Receivers refuse rows that refer to nothing.",
        fix="send the row that it refers to, or mend the id",
        source="5",
        standard=True,
        may_be=(_HOLD,),
    ),
    Rule(
        code="reference.kind",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="refers to a row of another type than the standard asks for",
        why="Receivers look for schools, terms and school years by their type.",
        fix="see the type of the row that it refers to",
        source="3",
        standard=True,
        may_be=(_WARN,),
    ),
)

RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule for rule in (*READING, *_PACKAGE, *_CELL, *_KEY, *_REFERENCE)
}
"""Every rule by its code, in the order of their layers."""

_BY_KIND: Final[Mapping[Kind, str]] = {
    Kind.GUID: "cell.sourcedId",
    Kind.REFERENCE: "cell.reference",
    Kind.REFERENCES: "cell.reference",
    Kind.WORD: "cell.vocabulary",
    Kind.BOOLEAN: "cell.boolean",
    Kind.DATE: "cell.date",
    Kind.DATETIME: "cell.dateTime",
    Kind.YEAR: "cell.year",
    Kind.USER_IDS: "cell.userIds",
}


def cell_rule(column: Column) -> Rule:
    """The rule that a filled cell of a column breaks when it is wrong."""
    return RULES[_BY_KIND[column.kind]]


def cell_severity(column: Column) -> Severity:
    """What a wrong cell does to its row.

    A row without a cell that it must have waits. So does one with a wrong status or a wrong date,
    even where they may be empty: without its end date an enrollment would never end. Any other
    optional cell is blanked, and the row goes on.
    """
    if column.required is Required.ALWAYS or column.name == "status" or column.kind is Kind.DATE:
        return Severity.HOLD
    return Severity.DROP


ACCESS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("enabledUser",),
    "roles": ("endDate",),
    "enrollments": ("endDate",),
}
"""Cells that can take access away. What does so is never held back with the rest of its row."""
