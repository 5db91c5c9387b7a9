"""The rules on references, as a table. Some of the codes are values of `presence.Missing`."""

from typing import Final

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.rules import Layer, Rule, Source

_HOLD, _DROP, _WARN = Severity.HOLD, Severity.DROP, Severity.WARN

REFERENCE: Final = (
    Rule(
        code="reference.waiting",
        layer=Layer.REFERENCE,
        severity=_HOLD,
        message="refers to a row that is held back and was never accepted",
        why="Without that row this one means nothing; it follows as soon as that one is mended.",
        fix="mend the row that it refers to",
        source=Source.DEPENDENCIES,
        may_be=(_HOLD,),
    ),
    Rule(
        code="reference.removed",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="refers to a row that is gone, so it goes too",
        why="Receivers refuse rows that refer to nothing.",
        fix="send both or neither",
        source=Source.DEPENDENCIES,
        may_be=(_WARN,),
    ),
    Rule(
        code="reference.unknown",
        layer=Layer.REFERENCE,
        severity=_HOLD,
        message="refers to a row that was never seen",
        why="Receivers refuse rows that refer to nothing.",
        fix="send the row that it refers to, or mend the id",
        source=Source.DEPENDENCIES,
        may_be=(_HOLD,),
    ),
    Rule(
        code="reference.kind",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="refers to a row of another type than the standard asks for",
        why="Receivers look for schools, terms and school years by their type.",
        fix="see the type of the row that it refers to",
        source=Source.TABLES,
        may_be=(_WARN,),
    ),
    Rule(
        code="excel.leading_zeros",
        layer=Layer.REFERENCE,
        severity=_HOLD,
        message="an id that was never seen; one with the same digits but for leading zeros is "
        "known",
        why="Excel takes ids of digits for numbers and drops their zeros; then nothing fits.",
        fix="export again without opening the file in Excel, or format the column as text before",
        source=Source.DEPENDENCIES,
        may_be=(_HOLD,),
    ),
    Rule(
        code="reference.loop",
        layer=Layer.REFERENCE,
        severity=_DROP,
        message="the row is its own parent, or one of its parents' parents",
        why="Whoever follows the parents upwards never arrives.",
        fix="give the topmost row no parent",
        source=Source.PRACTICE,
        entities=("orgs", "academicSessions"),
        columns=("parentSourcedId",),
        may_be=(_DROP,),
    ),
    Rule(
        code="reference.parent_kind",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="the parent is of a type that stands below, or beside, that of the row",
        why="Receivers that add up schools by district, or terms by year, count wrong.",
        fix="orgs stand in the order national, state, local, district, school; a school year has "
        "no parent, and nothing but a grading period stands below a grading period",
        source=Source.PRACTICE,
        entities=("orgs", "academicSessions"),
        columns=("parentSourcedId",),
        may_be=(_WARN,),
    ),
    Rule(
        code="reference.unjudged",
        layer=Layer.REFERENCE,
        severity=_WARN,
        message="the file refers to rows that are not in this delta, and nothing says whether "
        "they exist",
        why="A delta holds only what changed; the rest stands in the roster accepted before.",
        fix="judge it against the accepted roster: roster check with --against",
        source=Source.PRACTICE,
        may_be=(_WARN,),
    ),
)
