"""A product's catalogue: one CSV row for each of its courses."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from roster_pipeline.courses.config import CourseSettings
from roster_pipeline.courses.files import Cells, Layout, read_cells, refuse, unusable
from roster_pipeline.courses.titles import code_key, items
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.store.records import IGNORE, WITHDRAWN
from roster_pipeline.tables.text import TEXT

COLUMNS: Final = ("id", "title", "course_codes", "subject_codes", "grades")
_REQUIRED: Final = ("id", "title")
_RESERVED: Final = (IGNORE, WITHDRAWN)
# Ids stand in decisions, and in CSV files that people fill in.
_ID: Final = r"^[^,;\"\r\n]{1,255}$"

_SCHEMA: Final = pa.DataFrameSchema(
    {
        "id": pa.Column(
            TEXT,
            [pa.Check.str_matches(_ID), pa.Check.notin(_RESERVED)],
            unique=True,
            report_duplicates="exclude_first",
        ),
        "title": pa.Column(TEXT),
        **{name: pa.Column(TEXT, nullable=True) for name in COLUMNS if name not in _REQUIRED},
    }
)
# What each of Pandera's checks means here: code, sentence, what to do.
_FAULTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "not_nullable": (
        "catalogue.empty_cell",
        "the cell is empty.",
        "Every course needs an id and a title.",
    ),
    "field_uniqueness": (
        "catalogue.duplicate_id",
        "a line above has the same id.",
        "Remove one of the lines, or give it an id of its own.",
    ),
    "str_matches": (
        "catalogue.unusable_id",
        "an id has at most 255 characters, and no comma, semicolon or quote.",
        "Give the course another id.",
    ),
    "notin": (
        "catalogue.reserved_id",
        f"the words {' and '.join(_RESERVED)} stand for decisions.",
        "Give the course another id.",
    ),
}


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The courses of a product, in the order of the file."""

    file: str
    courses: pd.DataFrame
    """`id`, `title`, and where the file has them `course_codes`, `subject_codes`, `grades` (lists
    with commas or semicolons); TEXT, a RangeIndex."""
    findings: Findings = field(default_factory=Findings)
    """What is odd and does not matter much."""

    def __contains__(self, course: object) -> bool:
        return course in self.titles

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """The title of each course by its id."""
        return dict(zip(self.courses["id"], self.courses["title"], strict=True))

    @cached_property
    def codes(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The courses that each code means, for `course_codes` and for `subject_codes`."""
        return {kind: self._by_code(kind) for kind in ("course_codes", "subject_codes")}

    def _by_code(self, kind: str) -> Mapping[str, tuple[str, ...]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for course, cell in zip(self.courses["id"], self.courses[kind], strict=True):
            for code in dict.fromkeys(map(code_key, items(cell))):
                found[code].append(course)
        return {code: tuple(courses) for code, courses in found.items()}


def read_catalogue(path: Path, settings: CourseSettings) -> Catalogue:
    """The catalogue in a CSV file, whole or not at all.

    Raises `FileError`, whose findings name the file as the product's settings do.
    """
    shown, said = settings.catalogue, settings.columns.model_fields_set
    layout = Layout(
        "catalogue",
        {name: getattr(settings.columns, name) for name in COLUMNS},
        [name for name in COLUMNS if name in _REQUIRED or name in said],
        "Rename the columns, or say under `courses.columns` how they are called.",
    )
    cells = read_cells(path, shown, layout)
    if not len(cells.frame):
        raise unusable("catalogue.no_courses", "there is a header and no course.", shown)
    findings = Findings(_judged(cells, shown, layout))
    refuse(findings)
    return Catalogue(shown, cells.frame, cells.findings)


def _judged(cells: Cells, shown: str, layout: Layout) -> Iterator[FindingGroup]:
    try:
        _SCHEMA.validate(cells.frame, lazy=True)
    except SchemaErrors as errors:
        # The exception's own text holds cells: it is read here and goes no further.
        cases = errors.failure_cases[["column", "check", "index"]]
    else:
        return
    checks = cases["check"].astype(str).str.partition("(")[0]
    for (name, check), found in cases.groupby([cases["column"], checks], sort=True):
        code, message, fix = _FAULTS[str(check)]
        lines = cells.lines[np.unique(found["index"].to_numpy(dtype=np.int64))]
        yield FindingGroup(
            code, Severity.STOP, message, shown, layout.columns[str(name)], fix, lines
        )
