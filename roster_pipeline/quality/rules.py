"""All rules by code, and those on whole files and on keys as tables."""

from collections.abc import Mapping
from typing import Final

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.reading_rules import READING
from roster_pipeline.oneroster.rules import Layer, Rule, Source
from roster_pipeline.quality.cell_rules import CELL
from roster_pipeline.quality.reference_rules import REFERENCE
from roster_pipeline.quality.row_rules import ROW_RULES
from roster_pipeline.quality.whole import WHOLE

_HOLD, _WARN, _STOP = Severity.HOLD, Severity.WARN, Severity.STOP

_PACKAGE: Final = (
    Rule(
        code="package.no_file",
        layer=Layer.PACKAGE,
        severity=_STOP,
        message="the file is required and not in the package",
        why="Without it there is nothing that the other files' rows could refer to.",
        fix="send it; a roster needs it at least once",
        source=Source.DEPENDENCIES,
    ),
    Rule(
        code="package.absent_file",
        layer=Layer.PACKAGE,
        severity=_WARN,
        message="the file is not in the package; its accepted rows stay",
        why="A bulk package has to be complete; a file left out hides every change in it.",
        fix="send it in each bulk package",
        source=Source.DEPENDENCIES,
        may_be=(_WARN,),
    ),
    Rule(
        code="package.header_only",
        layer=Layer.PACKAGE,
        severity=_WARN,
        message="the file holds no rows; by itself that deletes nothing",
        why="Taken at its word it would delete every row of the entity.",
        fix="send the rows, or declare the file absent",
        source=Source.MODES,
        may_be=(_WARN,),
    ),
)

_KEY: Final = (
    Rule(
        code="key.duplicate",
        layer=Layer.KEY,
        severity=_HOLD,
        message="the sourcedId stands on several rows that differ",
        why="Which of them is right cannot be known.",
        fix="give each row its own sourcedId",
        source=Source.TABLES,
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
        source=Source.TABLES,
        columns=("sourcedId",),
        may_be=(_WARN,),
    ),
    Rule(
        code="key.primary_roles",
        layer=Layer.KEY,
        severity=_HOLD,
        message="another primary role of the same user at the same org stands above it",
        why="A receiver that takes one role for each org cannot know which.",
        fix="leave one of them primary and make the others secondary",
        source=Source.TABLES,
        entities=("roles",),
        columns=("userSourcedId", "orgSourcedId", "roleType"),
        may_be=(_HOLD, _WARN),
    ),
    Rule(
        code="key.unidentified",
        layer=Layer.KEY,
        severity=_WARN,
        message="rows have no readable sourcedId, so as many rows that seem gone were kept",
        why="A row that cannot be told must not be taken for a deletion.",
        fix="mend the sourcedIds",
        source=Source.PRACTICE,
        columns=("sourcedId",),
        may_be=(_WARN,),
    ),
)

RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule for rule in (*READING, *_PACKAGE, *CELL, *ROW_RULES, *_KEY, *REFERENCE, *WHOLE)
}
"""Every rule by its code, in the order of their layers."""

ACCESS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("enabledUser",),
    "roles": ("endDate",),
    "enrollments": ("endDate",),
}
"""Cells that can take access away. What does so is never held back with the rest of its row."""
