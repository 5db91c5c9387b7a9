"""Says which course of a product each course of a district is, as far as that is certain."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandas as pd

from roster_pipeline.courses.catalogue import Catalogue
from roster_pipeline.courses.config import CourseRule, CourseSettings
from roster_pipeline.courses.titles import code_key, folded, grade_key, items, text_of
from roster_pipeline.store.records import IGNORE, CourseDecision
from roster_pipeline.tables.text import TEXT

READ: Final = (
    "sourcedId",
    "title",
    "courseCode",
    "grades",
    "orgSourcedId",
    "subjects",
    "subjectCodes",
)
"""The columns of a roster's courses that are looked at."""


class Status(StrEnum):
    """What is known of a district's course."""

    MAPPED = "mapped"
    IGNORED = "ignored"
    """None of the product's courses."""
    UNMAPPED = "unmapped"
    """Waits for a person."""


class How(StrEnum):
    """What a course's status rests on, the strongest first."""

    DECISION = "decision"
    CODE = "code"
    RULE = "rule"


@dataclass(frozen=True)
class Match:
    """What one course of a district is."""

    status: Status
    product_course: str | None
    how: How | None
    reason: str


@dataclass(frozen=True, eq=False)
class CourseMap:
    """Every course of a district and what it is for one product."""

    courses: pd.DataFrame
    """The columns of `READ`, then `status`, `productCourse`, `how`, `reason`; TEXT, in the order of
    the roster."""

    @property
    def counts(self) -> dict[str, int]:
        """How many courses have each status."""
        found = self.courses["status"].value_counts()
        return {status.value: int(found.get(status.value, 0)) for status in Status}

    def of(self, status: Status) -> pd.DataFrame:
        """The courses of one status."""
        return self.courses[self.courses["status"] == status.value].reset_index(drop=True)


Step = Callable[["Course"], Match | None]


@dataclass(frozen=True)
class Course:
    """A course of a district as matching sees it."""

    sourced_id: str
    title: str
    course_codes: tuple[str, ...]
    subject_codes: tuple[str, ...]
    subjects: tuple[str, ...]
    grades: frozenset[str]


def map_courses(
    courses: pd.DataFrame,
    catalogue: Catalogue,
    decisions: Iterable[CourseDecision],
    settings: CourseSettings,
    source: str,
) -> CourseMap:
    """Map the courses of one district (a frame with the columns of `READ`).

    A decision goes before a code and a code before a rule. A code decides only where it means one
    course of the catalogue, and likeness of titles never does. What names a course that the
    catalogue does not have maps nothing.
    """
    steps = (
        _decided({made.course: made for made in decisions}, catalogue),
        *(_coded(kind, catalogue) for kind in settings.exact),
        _ruled(settings.rules, catalogue, source),
    )
    matches = [_match(course, steps) for course in courses_of(courses)]
    return CourseMap(
        courses.loc[:, list(READ)]
        .reset_index(drop=True)
        .assign(
            status=_column(match.status.value for match in matches),
            productCourse=_column(match.product_course for match in matches),
            how=_column(match.how and match.how.value for match in matches),
            reason=_column(match.reason for match in matches),
        )
    )


def courses_of(courses: pd.DataFrame) -> Iterator[Course]:
    """Each row of a frame with the columns of `READ`."""
    for row in courses[list(READ)].itertuples(index=False):
        yield Course(
            sourced_id=str(row.sourcedId),
            title=text_of(row.title),
            course_codes=tuple(filter(None, [code_key(text_of(row.courseCode))])),
            subject_codes=tuple(map(code_key, items(row.subjectCodes))),
            subjects=items(row.subjects),
            grades=frozenset(map(grade_key, items(row.grades))),
        )


_UNKNOWN: Final = Match(Status.UNMAPPED, None, None, "no decision, code or rule says what it is")


def _match(course: Course, steps: Sequence[Step]) -> Match:
    unclear = _UNKNOWN
    for step in steps:
        match = step(course)
        if match is not None and match.status is not Status.UNMAPPED:
            return match
        if match is not None and unclear is _UNKNOWN:
            unclear = match
            # A decision that cannot be followed is not for a code or a rule to overrule.
            if match.how is How.DECISION:
                break
    return unclear


def _decided(decisions: Mapping[str, CourseDecision], catalogue: Catalogue) -> Step:
    def step(course: Course) -> Match | None:
        made = decisions.get(course.sourced_id)
        if made is None:
            return None
        reason = f"decided by {made.who}: {made.why}"
        if made.decision == IGNORE:
            return Match(Status.IGNORED, None, How.DECISION, reason)
        if made.decision in catalogue:
            return Match(Status.MAPPED, made.decision, How.DECISION, reason)
        lost = f"decided for {made.decision}, which the catalogue no longer has"
        return Match(Status.UNMAPPED, None, How.DECISION, lost)

    return step


def _coded(kind: str, catalogue: Catalogue) -> Step:
    meant, name = catalogue.codes[kind], kind.removesuffix("s").replace("_", " ")

    def step(course: Course) -> Match | None:
        found = dict.fromkeys(c for code in getattr(course, kind) for c in meant.get(code, ()))
        if len(found) == 1:
            return Match(Status.MAPPED, next(iter(found)), How.CODE, f"its {name} says so")
        if found:
            unclear = f"its {name} means {len(found)} courses of the catalogue"
            return Match(Status.UNMAPPED, None, How.CODE, unclear)
        return None

    return step


def _ruled(rules: Sequence[CourseRule], catalogue: Catalogue, source: str) -> Step:
    compiled = [
        (number, rule, _conditions(rule))
        for number, rule in enumerate(rules, 1)
        if (not rule.sources or source in rule.sources)
        and (rule.course is None or rule.course in catalogue)
    ]

    def step(course: Course) -> Match | None:
        for number, rule, conditions in compiled:
            if all(condition(course) for condition in conditions):
                status = Status.IGNORED if rule.ignore else Status.MAPPED
                return Match(status, rule.course, How.RULE, f"rule {number} of the product")
        return None

    return step


def _conditions(rule: CourseRule) -> list[Callable[[Course], bool]]:
    conditions: list[Callable[[Course], bool]] = []
    if rule.title is not None:
        title = re.compile(rule.title, re.IGNORECASE)
        conditions.append(lambda c: bool(title.search(c.title) or title.search(folded(c.title))))
    if rule.code is not None:
        code = re.compile(rule.code, re.IGNORECASE)
        conditions.append(lambda c: any(map(code.fullmatch, c.course_codes)))
    if rule.subject is not None:
        subject = re.compile(rule.subject, re.IGNORECASE)
        conditions.append(lambda c: any(map(subject.search, c.subjects)))
    if rule.subject_code is not None:
        subject_code = re.compile(rule.subject_code, re.IGNORECASE)
        conditions.append(lambda c: any(map(subject_code.fullmatch, c.subject_codes)))
    if rule.grades:
        grades = frozenset(map(grade_key, rule.grades))
        conditions.append(lambda c: not grades.isdisjoint(c.grades))
    return conditions


def _column(cells: Iterable[str | None]) -> "pd.Series[str]":
    return pd.Series(list(cells), dtype=TEXT)
