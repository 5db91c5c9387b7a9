"""Decisions on courses as CSV files: written for a spreadsheet, and taken back whole or not at all.

    product,source,course,title,course_code,decision,why,who,at,suggested,score

`decision` is the id of a course in the product's catalogue, `ignore` or `withdrawn`; a row without
one waits still. Title, code, time and suggestion are for the reader alone.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pandas as pd

from roster_pipeline.courses.catalogue import Catalogue
from roster_pipeline.courses.files import Layout, read_cells, refuse
from roster_pipeline.courses.suggestions import Suggestion
from roster_pipeline.courses.titles import text_of
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.store.records import IGNORE, WITHDRAWN, CourseDecision
from roster_pipeline.tables.csv_write import write_csv
from roster_pipeline.tables.text import TEXT

HEADER: Final = (
    "product",
    "source",
    "course",
    "title",
    "course_code",
    "decision",
    "why",
    "who",
    "at",
    "suggested",
    "score",
)
# What a spreadsheet begins to calculate at.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_READ: Final = ("product", "source", "course", "decision", "why", "who")
_LAYOUT: Final = Layout(
    "decisions",
    {name: name for name in _READ},
    ("source", "course", "decision"),
    "`roster courses export` writes a file with these columns.",
)


@dataclass(frozen=True)
class Scope:
    """What decisions may speak of."""

    catalogues: Mapping[str, Catalogue]
    """By product; of the products that map courses."""
    courses: Mapping[str, Mapping[str, Collection[str] | None]]
    """For each of these products the districts it takes, and the sourcedIds of the courses that
    each has; None where any will do."""


@dataclass(frozen=True)
class Assumed:
    """What holds for rows that do not say it."""

    product: str | None
    who: str
    why: str | None
    at: dt.datetime


def read_decisions(path: Path, scope: Scope, assumed: Assumed) -> list[CourseDecision]:
    """The decisions in a file; rows without one are passed over.

    Raises `FileError` with every row that names what is not there, that decides what another row
    decides, or that gives no reason.
    """
    cells = read_cells(path, path.name, _LAYOUT)
    rows = cells.frame.assign(line=cells.lines)
    rows = rows[rows["decision"].notna()]
    faults = Findings()
    made: dict[tuple[str, str, str], CourseDecision] = {}
    for row in rows.to_dict("records"):
        line = int(row["line"])
        decision = CourseDecision(
            product=text_of(row["product"]) or assumed.product or "",
            source=text_of(row["source"]),
            course=text_of(row["course"]),
            decision=text_of(row["decision"]),
            who=text_of(row["who"]) or assumed.who,
            why=text_of(row["why"]) or assumed.why or "",
            at=assumed.at,
        )
        place = decision.product, decision.source, decision.course
        wrong = list(objections(decision, scope))
        if place in made:
            wrong.append(("repeated", "course", "a line above decides this course already."))
        faults.extend(_fault(path.name, line, *said) for said in wrong)
        made[place] = decision
    refuse(faults)
    return list(made.values())


def objections(decision: CourseDecision, scope: Scope) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a decision: a code, the column it stands in, and a sentence."""
    if not decision.why:
        yield "no_reason", "why", "no reason is given; fill in `why`, or say `--why`."
    catalogue = scope.catalogues.get(decision.product)
    if catalogue is None:
        known = _listed(scope.catalogues)
        yield "unknown_product", "product", f"no such product maps courses; there are: {known}."
        return
    if decision.decision not in (*(IGNORE, WITHDRAWN), *catalogue.titles):
        yield (
            "unknown_product_course",
            "decision",
            f"{catalogue.file} has no course of this id, and it is neither {IGNORE} nor "
            f"{WITHDRAWN}.",
        )
    sources = scope.courses[decision.product]
    if decision.source not in sources:
        known = _listed(sources)
        yield (
            "unknown_source",
            "source",
            f"no such source goes to {decision.product}; there are: {known}.",
        )
        return
    courses = sources[decision.source]
    if courses is not None and decision.course not in courses:
        yield (
            "unknown_course",
            "course",
            f"{decision.source} has no course of this sourcedId in its accepted roster.",
        )


def write_decisions(
    out: BinaryIO,
    decisions: Iterable[CourseDecision],
    courses: Mapping[str, pd.DataFrame],
    waiting: Sequence[tuple[str, str, pd.DataFrame, Mapping[str, Sequence[Suggestion]]]] = (),
) -> int:
    """Write decisions, then what waits for one, as a file that `read_decisions` takes.

    `courses` has for each source a frame with `sourcedId`, `title`, `courseCode`; `waiting` for
    product and source the unmapped courses, likewise, with suggestions. Returns the rows.
    """
    rows = [*_decided(decisions, courses), *_waiting(waiting)]
    frame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=TEXT) for name in HEADER}
    )
    return write_csv(out, HEADER, [frame])


def _decided(
    decisions: Iterable[CourseDecision], courses: Mapping[str, pd.DataFrame]
) -> Iterator[dict[str, str | None]]:
    known = {
        (source, row.sourcedId): row
        for source, frame in courses.items()
        for row in frame[["sourcedId", "title", "courseCode"]].itertuples(index=False)
    }
    for made in decisions:
        row = known.get((made.source, made.course))
        yield {
            "product": made.product,
            "source": made.source,
            "course": made.course,
            "title": _harmless(row.title) if row else None,
            "course_code": _harmless(row.courseCode) if row else None,
            "decision": made.decision,
            "why": made.why,
            "who": made.who,
            "at": made.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _waiting(
    waiting: Sequence[tuple[str, str, pd.DataFrame, Mapping[str, Sequence[Suggestion]]]],
) -> Iterator[dict[str, str | None]]:
    for product, source, unmapped, suggestions in waiting:
        for row in unmapped.itertuples(index=False):
            best = next(iter(suggestions.get(str(row.sourcedId), ())), None)
            yield {
                "product": product,
                "source": source,
                "course": str(row.sourcedId),
                "title": _harmless(row.title),
                "course_code": _harmless(row.courseCode),
                "suggested": best.product_course if best else None,
                "score": str(best.score) if best else None,
            }


def _harmless(cell: Any) -> str:
    """A cell for the reader alone, which no spreadsheet takes for a formula."""
    text = text_of(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none yet"


def _fault(file: str, line: int, code: str, column: str, message: str) -> FindingGroup:
    return FindingGroup(
        f"decisions.{code}",
        Severity.STOP,
        message,
        file,
        column,
        lines=np.array([line], dtype=np.int64),
    )
