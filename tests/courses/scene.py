"""Short words for catalogues, districts' courses and rosters in the tests."""

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from roster_pipeline.courses.catalogue import COLUMNS, Catalogue
from roster_pipeline.courses.config import CourseSettings
from roster_pipeline.courses.matching import READ, CourseMap, map_courses
from roster_pipeline.courses.titles import text_of
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.store import CourseDecision
from roster_pipeline.tables.text import TEXT
from tests.small import Row, packed

NOON = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)


def frame(columns: Sequence[str], rows: Sequence[Row]) -> pd.DataFrame:
    """Rows as a frame of TEXT; what a row lacks is null."""
    return pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=TEXT) for name in columns}
    )


def catalogue(*rows: Row) -> Catalogue:
    """A product's courses."""
    return Catalogue("maths.csv", frame(COLUMNS, rows))


def courses(*rows: Row) -> pd.DataFrame:
    """A district's courses."""
    return frame(READ, rows)


def settings(**said: Any) -> CourseSettings:
    """Settings of a product."""
    return CourseSettings.model_validate({"catalogue": "maths.csv", **said})


def decision(course: str, what: str) -> CourseDecision:
    """Ada's word on a course."""
    return CourseDecision("maths", "springfield", course, what, "ada", "same book", NOON)


def mapped(
    rows: Sequence[Row],
    known: Catalogue,
    *decisions: CourseDecision,
    source: str = "springfield",
    **said: Any,
) -> CourseMap:
    """The course map of some rows."""
    return map_courses(courses(*rows), known, decisions, settings(**said), source)


def said(found: CourseMap) -> dict[str, tuple[str, str | None]]:
    """Status and product course by sourcedId."""
    rows = found.courses[["sourcedId", "status", "productCourse"]].to_dict("records")
    return {
        str(row["sourcedId"]): (str(row["status"]), text_of(row["productCourse"]) or None)
        for row in rows
    }


def roster(files: dict[str, list[Row]], into: Path) -> Roster:
    """The roster of a package, of which every row is taken as it is sent."""
    with open_package(io.BytesIO(packed(files))) as package:
        candidate = build_candidate(package, None, into)
    assert {group.severity for group in candidate.findings} <= {Severity.WARN}
    assert candidate.roster is not None
    return candidate.roster
