"""The rules on single cells, as a table, and what a wrong cell does to its row."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from roster_pipeline.oneroster.entities import BOOLEANS, Column, Kind, Required
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Policy, Rule, Source
from roster_pipeline.quality.effects import effect

_HOLD, _DROP, _WARN = Severity.HOLD, Severity.DROP, Severity.WARN
_ROW: Final = (_HOLD,)
_CELL: Final = (_HOLD, _DROP)
_ANY: Final = (_HOLD, _DROP, _WARN)
"""Where rows can be compared and joined though the cell is passed on as it is."""

_WORDS: Final = {
    "required": (
        "the cell is empty and must not be",
        "No receiver takes the row without it.",
        "fill it in",
        Source.TABLES,
        _ROW,
    ),
    "sourcedId": (
        "not a sourcedId: 1 to 255 letters, digits and . - _ / @",
        "Receivers refuse other characters, or change them, and then nothing refers to the row.",
        "use an id without other characters",
        Source.TYPES,
        _ROW,
    ),
    "reference": (
        "not a sourcedId, or not a list of them",
        "It cannot be known which row is meant.",
        "separate ids by commas and use only letters, digits and . - _ / @",
        Source.TYPES,
        _CELL,
    ),
    "vocabulary": (
        "not a word of the column's vocabulary",
        "A receiver cannot know what it means.",
        "use one of the standard's words",
        Source.VOCABULARIES,
        _ANY,
    ),
    "boolean": (
        "neither true nor false",
        "Whether it is so cannot be known.",
        "write true or false",
        Source.TYPES,
        _CELL,
    ),
    "date": (
        "not a day of the calendar as YYYY-MM-DD",
        "When it begins or ends cannot be known.",
        "write YYYY-MM-DD",
        Source.TYPES,
        _CELL,
    ),
    "dateTime": (
        "not a time in UTC such as 2026-08-22T06:30:00.000Z",
        "When the row changed cannot be known.",
        "write ISO 8601 in UTC",
        Source.TYPES,
        _ANY,
    ),
    "year": (
        "not a year of four digits",
        "Which school year is meant cannot be known.",
        "write YYYY",
        Source.TYPES,
        _ANY,
    ),
    "userIds": (
        "not a list of {type:identifier}",
        "The identifiers in it cannot be told apart.",
        "write {type:identifier}, several separated by commas",
        Source.TYPES,
        _ANY,
    ),
}
_GENERAL: Final = tuple(
    Rule(
        code=f"cell.{name}",
        layer=Layer.CELL,
        severity=_HOLD,
        message=message,
        why=why,
        fix=fix,
        source=source,
        may_be=may_be,
    )
    for name, (message, why, fix, source, may_be) in _WORDS.items()
)

LIST: Final = Rule(
    code="cell.list",
    layer=Layer.CELL,
    severity=_WARN,
    message="a list with an empty item; it was read without it",
    why="Receivers take the gap for an item, or refuse the row.",
    fix="write one comma between two items, and none at the ends",
    source=Source.TYPES,
    may_be=(_WARN,),
)
COMMA: Final = Rule(
    code="cell.comma",
    layer=Layer.CELL,
    severity=_WARN,
    message="an identifier in userIds holds a comma, which parts the items of a list",
    why="A receiver that parts the list at its commas reads two broken items.",
    fix="leave the comma out of the identifier",
    source=Source.TYPES,
    entities=("users",),
    columns=("userIds",),
    may_be=(_WARN,),
)
_GRADES: Final = "IT, PR, PK, TK, KG, 01 to 13, PS, UG or Other"
GRADE: Final = Rule(
    code="cell.grade",
    layer=Layer.CELL,
    severity=_WARN,
    message=f"not a grade as CEDS spells it, which 1.1 asks for: {_GRADES}",
    why="Receivers that look for these words put nobody, or the wrong people, into the grade.",
    fix="write KG for K, PK for Pre-K, 01 for 1 and 09 for 9th",
    source=Source.VOCABULARIES,
    entities=("courses", "classes", "users"),
    columns=("grades",),
    may_be=(_WARN,),
)
GRADE_SPELLING: Final = replace(
    GRADE,
    code="cell.grade_spelling",
    message=f"a grade that CEDS spells otherwise: {_GRADES}",
    why="1.2 leaves grades to agreement, and most receivers agree on the words of CEDS.",
    source=Source.PRACTICE,
)
RESIDENCE: Final = Rule(
    code="cell.residence",
    layer=Layer.CELL,
    severity=_WARN,
    message="not a CEDS code of public school residence, 01652 to 01656, which 1.1 asks for",
    why="A receiver cannot know what it means.",
    fix="write one of the five codes, or leave the cell empty",
    source=Source.VOCABULARIES,
    entities=("demographics",),
    columns=("publicSchoolResidenceStatus",),
    may_be=(_WARN,),
)
BULK_STATUS: Final = Rule(
    code="cell.bulk_status",
    layer=Layer.CELL,
    severity=_WARN,
    message="a row of a bulk file has a status or a dateLastModified; both stay blank there",
    why="Some receivers take the file for a delta, and then nothing that is left out is removed.",
    fix="leave status and dateLastModified blank, or declare the file delta",
    source=Source.MODES,
    columns=("status", "dateLastModified"),
    may_be=(_WARN,),
)
DELTA_STATUS: Final = Rule(
    code="cell.delta_status",
    layer=Layer.CELL,
    severity=_WARN,
    message="a row of a delta file lacks its status or its dateLastModified; it was taken as "
    "active",
    why="Whether the row is new, changed or to be deleted has to be guessed.",
    fix="fill both in every row of a delta file",
    source=Source.MODES,
    columns=("status", "dateLastModified"),
    may_be=(_WARN,),
)
SCIENTIFIC: Final = Rule(
    code="excel.scientific",
    layer=Layer.CELL,
    severity=_HOLD,
    message="a number in the form that Excel gives to long ones, such as 1.23E+11; its digits are "
    "lost",
    why="Many ids become one, and none of them is right any more.",
    fix="export again without opening the file in Excel, or format the column as text before",
    source=Source.PRACTICE,
    columns=(
        "sourcedId",
        "identifier",
        "userMasterIdentifier",
        "username",
        "phone",
        "sms",
        "courseCode",
        "classCode",
    ),
    may_be=(_HOLD,),
)
"""In these columns and in references. A text that is no id is only warned of."""
EXCEL_DATE: Final = Rule(
    code="excel.date",
    layer=Layer.CELL,
    severity=_HOLD,
    message="a date in the form that Excel gives it on somebody's computer, not YYYY-MM-DD",
    why="Which number is the day and which the month cannot be known.",
    fix="write YYYY-MM-DD; if the export does, do not open and save the file in Excel",
    source=Source.TYPES,
    may_be=_CELL,
)

CELL: Final = (
    *_GENERAL,
    LIST,
    COMMA,
    GRADE,
    GRADE_SPELLING,
    RESIDENCE,
    BULK_STATUS,
    DELTA_STATUS,
    SCIENTIFIC,
    EXCEL_DATE,
)

_BY_CODE: Final = {rule.code: rule for rule in _GENERAL}
REQUIRED: Final = _BY_CODE["cell.required"]
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
    kind = Kind.BOOLEAN if column.words == BOOLEANS else column.kind
    return _BY_CODE[_BY_KIND[kind]]


def cell_severity(column: Column, rule: Rule) -> Severity:
    """What a cell that breaks a rule does to its row.

    A row without a cell that it must have waits. So does one with a wrong status or a wrong date,
    even where they may be empty: without its end date an enrollment would never end. Any other
    optional cell is blanked, and the row goes on.
    """
    if rule.severity is Severity.WARN:
        return Severity.WARN
    if column.kind is Kind.STRING and rule is SCIENTIFIC:
        return Severity.WARN
    if column.required is Required.ALWAYS or column.name == "status" or column.kind is Kind.DATE:
        return Severity.HOLD
    return Severity.DROP


def weigh_cell(column: Column, rule: Rule, policy: Policy) -> tuple[Severity, Severity]:
    """How grave a wrong cell is for a source, and what is done about it. A cell that a row must
    have is never blanked."""
    default = cell_severity(column, rule)
    done = effect(rule, policy, default)
    if done is Severity.DROP and column.required is Required.ALWAYS:
        done = Severity.HOLD
    # A status that nobody understands may be a deletion.
    if done is Severity.WARN and column.name == "status":
        done = default
    stops = policy.severity(rule, default) is Severity.STOP
    return (Severity.STOP if stops else done), done
