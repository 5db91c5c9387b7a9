"""The classes of mapped courses: what a product opens, for whom, and who teaches it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.courses.matching import CourseMap, Status
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.versions import items
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, arrow

Positions = npt.NDArray[np.int64]
_CLASS: Final = (
    "sourcedId",
    "title",
    "classCode",
    "classType",
    "courseSourcedId",
    "schoolSourcedId",
    "termSourcedIds",
    "periods",
)
_ENROLLMENT: Final = ("classSourcedId", "userSourcedId", "role", "primary", "endDate")
_ORDER: Final = ("schoolSourcedId", "schoolYear", "productCourse", "startDate", "title")
COLUMNS: Final = (
    "classSourcedId",
    "schoolYear",
    "productCourse",
    "title",
    "classCode",
    "classType",
    "courseSourcedId",
    "schoolSourcedId",
    "termSourcedIds",
    "periods",
    "startDate",
    "endDate",
    "teacherSourcedIds",
    "teamTaught",
    "students",
    "section",
    "sections",
)
"""What a section has. It is known by class *and* school year, as districts use ids of classes
again; `startDate` and `endDate` (exclusive) span its terms; `teacherSourcedIds` is a list with the
primary teacher first; `students` counts enrollments; it is number `section` of the `sections` that
its school has of the product's course in that year. The last three are numbers, the rest TEXT."""


@dataclass(frozen=True, eq=False)
class Sections:
    """A product's sections in one district."""

    frame: pd.DataFrame
    """One row for each, with `COLUMNS`, by school, year, course and start."""
    unmapped: int
    """Classes of courses that nobody has said anything about."""
    ignored: int
    """Classes of courses that are none of the product's."""

    @property
    def counts(self) -> dict[str, int]:
        """Sections and what is special about them, and the classes that are none."""
        frame = self.frame
        return {
            "sections": len(frame),
            "one of several": int((frame["sections"] > 1).sum()),
            "team-taught": int((frame["teamTaught"] == "true").sum()),
            "without a teacher": int(frame["teacherSourcedIds"].isna().sum()),
            "classes of unmapped courses": self.unmapped,
            "classes of ignored courses": self.ignored,
        }


def sections(roster: Roster, mapped: CourseMap, day: date) -> Sections:
    """The sections that a product has on a day.

    Every class of a mapped course is one, also where several classes share a course, and a class of
    several teachers is one section of a team. An enrollment that has ended by `day` is nobody's.
    """
    classes = _classes(roster, mapped)
    status = classes["status"]
    chosen = classes[status == Status.MAPPED.value].drop(columns="status").reset_index(drop=True)
    teachers, students = _people(roster, chosen["sourcedId"], day)
    frame = chosen.rename(columns={"sourcedId": "classSourcedId"}).assign(
        **_times(roster, chosen["termSourcedIds"]),
        teacherSourcedIds=_text([",".join(found) or None for found in teachers]),
        teamTaught=_text(["true" if len(found) > 1 else "false" for found in teachers]),
        students=students,
    )
    return Sections(
        _numbered(frame),
        int((status == Status.UNMAPPED.value).sum()),
        int((status == Status.IGNORED.value).sum()),
    )


def _classes(roster: Roster, mapped: CourseMap) -> pd.DataFrame:
    """Every class with what its course is; of a course that is not there, unmapped."""
    classes = roster.columns("classes", _CLASS)
    at = pc.index_in(
        arrow(classes["courseSourcedId"]), value_set=arrow(mapped.courses["sourcedId"])
    )
    known = at.is_valid().to_numpy(zero_copy_only=False)
    place = at.fill_null(0).to_numpy().astype(np.int64)
    nothing = pd.Series([None], dtype=TEXT)
    found = {
        name: (mapped.courses[name] if len(mapped.courses) else nothing)
        .take(place)
        .reset_index(drop=True)
        .where(known, default)
        .astype(TEXT)
        for name, default in (("status", Status.UNMAPPED.value), ("productCourse", None))
    }
    return classes.assign(**found)


def _people(
    roster: Roster, classes: "pd.Series[str]", day: date
) -> tuple[list[list[str]], Positions]:
    """For each class its teachers, primary ones first, and how many students it has."""
    students = np.zeros(len(classes), dtype=np.int64)
    frames = []
    for block in roster.blocks("enrollments", _ENROLLMENT):
        at, rows = _within(block, classes)
        going = _is_going_on(rows, day)
        learns = (rows["role"] == "student").to_numpy(dtype=bool, na_value=False) & going
        students += np.bincount(at[learns], minlength=len(classes))
        teaches = (rows["role"] == "teacher").to_numpy(dtype=bool, na_value=False) & going
        frames.append(rows[teaches].assign(place=at[teaches]))
    teachers: list[list[str]] = [[] for _ in range(len(classes))]
    for place, user in _in_order(frames):
        if user not in teachers[place]:
            teachers[place].append(user)
    return teachers, students


def _within(block: pd.DataFrame, classes: "pd.Series[str]") -> tuple[Positions, pd.DataFrame]:
    """The rows of a block that are about these classes, and which class each is about."""
    at = pc.index_in(arrow(block["classSourcedId"]), value_set=arrow(classes))
    inside = at.is_valid().to_numpy(zero_copy_only=False)
    place = at.fill_null(0).to_numpy().astype(np.int64)
    return place[inside], block[inside].reset_index(drop=True)


def _is_going_on(rows: pd.DataFrame, day: date) -> npt.NDArray[np.bool_]:
    # The end is exclusive (OneRoster 1.2, enrollment.endDate), and dates compare as text.
    over = (rows["endDate"] <= day.isoformat()).to_numpy(dtype=bool, na_value=False)
    going: npt.NDArray[np.bool_] = ~over
    return going


def _in_order(frames: list[pd.DataFrame]) -> Iterator[tuple[int, str]]:
    if not frames:
        return
    rows = pd.concat(frames, ignore_index=True)
    rows = rows.assign(second=(rows["primary"] != "true").to_numpy(dtype=bool, na_value=True))
    rows = rows.sort_values(["place", "second", "userSourcedId"], kind="stable")
    yield from zip(rows["place"].tolist(), rows["userSourcedId"].tolist(), strict=True)


def _times(roster: Roster, terms: "pd.Series[str]") -> "dict[str, pd.Series[str]]":
    """The school year of each class's first term, and from when to when its terms go."""
    sessions = roster.frame("academicSessions").set_index("sourcedId")
    rows, ids = items(terms)
    links = pd.DataFrame({"row": rows, "term": ids.array})
    links = links.join(sessions[["schoolYear", "startDate", "endDate"]], on="term")
    links = links.dropna(subset=["startDate"]).sort_values(["row", "startDate"], kind="stable")
    by_class = links.groupby("row")
    whole = pd.RangeIndex(len(terms))
    return {
        "schoolYear": by_class["schoolYear"].first().reindex(whole).astype(TEXT),
        "startDate": by_class["startDate"].min().reindex(whole).astype(TEXT),
        "endDate": by_class["endDate"].max().reindex(whole).astype(TEXT),
    }


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """The sections in order, each with its number among those of its course, school and year."""
    frame = frame.sort_values([*_ORDER, "classSourcedId"], kind="stable", ignore_index=True)
    alike = frame.groupby(["schoolSourcedId", "schoolYear", "productCourse"], dropna=False)
    frame = frame.assign(
        section=alike.cumcount().to_numpy(dtype=np.int64) + 1,
        sections=alike["classSourcedId"].transform("size").to_numpy(dtype=np.int64),
    )
    return frame[list(COLUMNS)]


def _text(cells: list[str | None]) -> "pd.Series[str]":
    return pd.Series(cells, dtype=TEXT)
