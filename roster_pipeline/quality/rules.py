"""The rules as a table: what each is called, what it does to the data, how to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.findings import FindingGroup, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `source` is the section of the OneRoster CSV Binding 1.2 unless it says else."""

    code: str
    severity: Severity
    message: str
    fix: str
    source: str

    def at(
        self,
        file: str,
        column: str | None = None,
        lines: npt.NDArray[np.int64] | None = None,
        *,
        severity: Severity | None = None,
    ) -> FindingGroup:
        """This rule broken on these lines of a file."""
        where = np.empty(0, dtype=np.int64) if lines is None else lines
        return FindingGroup(
            self.code, severity or self.severity, self.message, file, column, self.fix, where
        )


_HOLD, _DROP, _WARN, _STOP = Severity.HOLD, Severity.DROP, Severity.WARN, Severity.STOP

_TABLE: Final = (
    # ---- package ----
    Rule("package.no_file", _STOP, "the file is required and not in the package",
         "send it; a roster needs it at least once", "5"),
    Rule("package.absent_file", _WARN, "the file is not in the package; its accepted rows stay",
         "send it in each bulk package", "5"),
    Rule("package.header_only", _WARN, "the file holds no rows; its accepted rows stay",
         "send the rows, or declare the file absent", "2.2"),
    # ---- cell ----
    Rule("cell.required", _HOLD, "the cell is empty and must not be", "fill it in", "3"),
    Rule("cell.sourcedId", _HOLD, "not a sourcedId: 1 to 255 letters, digits and . - _ / @",
         "use an id without other characters", "2.3"),
    Rule("cell.reference", _HOLD, "not a sourcedId, or not a list of them",
         "separate ids by commas and use only letters, digits and . - _ / @", "2.3"),
    Rule("cell.vocabulary", _HOLD, "not a word of the column's vocabulary",
         "use one of the standard's words", "4"),
    Rule("cell.boolean", _HOLD, "neither true nor false", "write true or false", "2.3"),
    Rule("cell.date", _HOLD, "not a day of the calendar as YYYY-MM-DD", "write YYYY-MM-DD", "2.3"),
    Rule("cell.dateTime", _HOLD, "not a time in UTC such as 2026-08-22T06:30:00.000Z",
         "write ISO 8601 in UTC", "2.3"),
    Rule("cell.year", _HOLD, "not a year of four digits", "write YYYY", "2.3"),
    Rule("cell.userIds", _HOLD, "not a list of {type:identifier}",
         "write {type:identifier}, several separated by commas", "2.3"),
    # ---- key ----
    Rule("key.duplicate", _HOLD, "the sourcedId stands on several rows that differ",
         "give each row its own sourcedId", "2"),
    Rule("key.repeated", _WARN, "the same row stands there more than once; it was read once",
         "send each row once", "2"),
    Rule("key.unidentified", _WARN,
         "rows have no readable sourcedId, so as many rows that seem gone were kept",
         "mend the sourcedIds", "our own"),
    # ---- reference ----
    Rule("reference.waiting", _HOLD, "refers to a row that is held back and was never accepted",
         "mend the row that it refers to", "5"),
    Rule("reference.removed", _WARN, "refers to a row that is gone, so it goes too",
         "send both or neither", "5"),
    Rule("reference.unknown", _HOLD, "refers to a row that was never seen",
         "send the row that it refers to, or mend the id", "5"),
    Rule("reference.kind", _WARN, "refers to a row of another type than the standard asks for",
         "see the type of the row that it refers to", "3"),
)  # fmt: skip

RULES: Final[Mapping[str, Rule]] = {rule.code: rule for rule in _TABLE}

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
