"""How a district's system writes its rows: ids, dates, and what belongs to the whole district."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline.oneroster.entities import columns_1p1, names
from roster_pipeline.simulator.cells import Cells, IdStyle, empty, identifiers, words
from roster_pipeline.simulator.curriculum import COURSES, GRADES
from roster_pipeline.simulator.school_year import SchoolYear
from roster_pipeline.tables.arrow import to_frame

_DAY_ONE: Final = date(1970, 1, 1).toordinal()
POSITION: Final = "metadata.positionTitle"
"""The extension column that some systems send with staff."""


@dataclass(frozen=True)
class Style:
    """How a district's system writes its data down."""

    seed: int
    name: str
    domain: str
    today: date
    """Day 0."""
    year: SchoolYear
    terms: frozenset[int]
    """The sessions of the year whose classes are sent."""
    ids: IdStyle
    passwords: bool
    metadata: bool

    def identify(self, keys: npt.NDArray[Any], kind: str) -> Cells:
        """The sourcedIds of things of one kind."""
        return identifiers(keys.astype(np.uint64), self.ids, self.seed, kind)

    @property
    def district_id(self) -> Cells:
        """The one district's sourcedId, as a column of one cell."""
        return self.identify(np.zeros(1, dtype=np.int64), "dst")

    @property
    def session_ids(self) -> Cells:
        """The sourcedIds of the year's sessions."""
        return self.identify(np.arange(len(self.year.sessions)) + self.year.ends * 10, "trm")

    @property
    def course_ids(self) -> Cells:
        """The sourcedIds of the catalogue's courses."""
        return self.identify(np.arange(len(COURSES)) + 1, "crs")


def header(entity: str, style: Style) -> tuple[str, ...]:
    """The 1.2 columns that a district sends of an entity."""
    return names(entity) + _extensions(entity, style)


def header_1p1(entity: str, style: Style) -> tuple[str, ...]:
    """The 1.1 columns that a district sends of an entity."""
    return tuple(column.name for column in columns_1p1(entity)) + _extensions(entity, style)


def _extensions(entity: str, style: Style) -> tuple[str, ...]:
    return (POSITION,) if style.metadata and entity == "users" else ()


def frame_of(columns: Sequence[str], values: Mapping[str, Cells]) -> pd.DataFrame:
    """A frame of cells with the given columns; those without values are empty.

    Raises KeyError for values of a column that is not among them.
    """
    if stray := values.keys() - set(columns):
        raise KeyError(f"no such column: {', '.join(sorted(stray))}")
    rows = len(next(iter(values.values())))
    arrays = [values[name] if name in values else empty(rows) for name in columns]
    return to_frame(pa.table(arrays, names=list(columns)))


def dates(days: npt.NDArray[Any]) -> Cells:
    """Days, counted from 1 January of the year 1 as `date.toordinal` does, as ISO 8601 dates."""
    since_1970 = pa.array((days - _DAY_ONE).astype(np.int32)).cast(pa.date32())
    return cast("Cells", pc.cast(since_1970, pa.large_string()))


def sessions(style: Style) -> pd.DataFrame:
    """The academic sessions of the year."""
    all_sessions = style.year.sessions
    ids = style.session_ids
    parents = np.array([-1 if s.parent is None else s.parent for s in all_sessions])
    return frame_of(
        header("academicSessions", style),
        {
            "sourcedId": ids,
            "title": texts(s.title for s in all_sessions),
            "type": texts(s.type for s in all_sessions),
            "startDate": texts(s.start.isoformat() for s in all_sessions),
            "endDate": texts(s.end.isoformat() for s in all_sessions),
            "parentSourcedId": words(ids, parents),
            "schoolYear": texts([str(style.year.ends)] * len(all_sessions)),
        },
    )


def courses(style: Style) -> pd.DataFrame:
    """The catalogue, which belongs to the district."""
    return frame_of(
        header("courses", style),
        {
            "sourcedId": style.course_ids,
            "schoolYearSourcedId": words(style.session_ids, np.zeros(len(COURSES), np.int64)),
            "title": texts(course.title for course in COURSES),
            "courseCode": texts(course.code for course in COURSES),
            "grades": texts(",".join(GRADES[g] for g in course.grades) for course in COURSES),
            "orgSourcedId": words(style.district_id, np.zeros(len(COURSES), np.int64)),
            "subjects": texts(course.subject for course in COURSES),
            "subjectCodes": texts(course.sced for course in COURSES),
        },
    )


def district_org(style: Style) -> pd.DataFrame:
    """The district itself."""
    return frame_of(
        header("orgs", style),
        {
            "sourcedId": style.district_id,
            "name": texts([style.name]),
            "type": texts(["district"]),
            "identifier": texts([nces(style)]),
        },
    )


def nces(style: Style) -> str:
    """A district number of the US kind: seven digits, the first often a zero."""
    return f"06{style.seed % 100_000:05d}"


def texts(values: Iterable[str | None]) -> Cells:
    """A column of the given cells."""
    return pa.array(list(values), pa.large_string())
