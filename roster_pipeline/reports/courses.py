"""Courses that wait for a decision, and decisions, for people and programs.

Titles and codes of courses are shown: they are what a person decides on, and nobody's own data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.courses.suggestions import Suggestion
from roster_pipeline.reports.holds import moment
from roster_pipeline.reports.tables import text_table
from roster_pipeline.store import CourseDecision


@dataclass(frozen=True)
class Waiting:
    """A course of a district that is none of a product's yet."""

    product: str
    source: str
    course: str
    """Its sourcedId."""
    code: str
    title: str
    classes: int
    """How many classes it has."""
    reason: str
    """Why nothing has mapped it."""
    suggestions: Sequence[Suggestion]


def unmapped_document(waiting: Sequence[Waiting]) -> dict[str, Any]:
    """The courses that wait, as JSON."""
    return {
        "schema": "roster.courses.unmapped/1",
        "courses": [
            {**_place(one), "classes": one.classes, "reason": one.reason} for one in waiting
        ],
    }


def unmapped_text(waiting: Sequence[Waiting], command: str) -> RenderableType:
    """A table of the courses that wait, with what each most likely is.

    `command` is `roster` with its options, to say how to go on.
    """
    if not waiting:
        return Text("No course waits for a decision.", style="green")
    rows = [(*_head(one), one.classes, one.title, _likeliest(one.suggestions)) for one in waiting]
    header = ("product", "source", "course", "code", "classes", "title", "likely")
    return Group(text_table(header, rows), Text(), _next(waiting[0], command))


def suggestions_document(waiting: Sequence[Waiting]) -> dict[str, Any]:
    """What is suggested for each course that waits, as JSON."""
    return {
        "schema": "roster.courses.suggestions/1",
        "courses": [
            {
                **_place(one),
                "suggestions": [
                    {
                        "course": found.product_course,
                        "title": found.title,
                        "score": found.score,
                        "reason": found.reason,
                    }
                    for found in one.suggestions
                ],
            }
            for one in waiting
        ],
    }


def suggestions_text(waiting: Sequence[Waiting], command: str) -> RenderableType:
    """A table of suggestions, the best of each course first; `command` as in `unmapped_text`."""
    rows = [
        (*_head(one), one.title, found.product_course, found.title, found.score, found.reason)
        for one in waiting
        for found in one.suggestions
    ]
    without = sum(not one.suggestions for one in waiting)
    parts: list[RenderableType] = []
    if rows:
        header = ("product", "source", "course", "code", "title")
        parts += [text_table((*header, "suggested", "its title", "score", "because"), rows), Text()]
    if without:
        parts.append(
            Text(f"Nothing in the catalogue is like {without:,} of the {len(waiting):,} that wait.")
        )
    if rows:
        parts.append(_next(next(one for one in waiting if one.suggestions), command))
    return Group(*parts) if parts else Text("No course waits for a decision.", style="green")


def decision_document(made: CourseDecision) -> dict[str, Any]:
    """A decision as JSON."""
    return {
        "schema": "roster.course_decision/1",
        "product": made.product,
        "source": made.source,
        "course": made.course,
        "decision": made.decision,
        "who": made.who,
        "why": made.why,
        "at": moment(made.at),
    }


def _place(one: Waiting) -> dict[str, Any]:
    return {
        "product": one.product,
        "source": one.source,
        "course": one.course,
        "course_code": one.code,
        "title": one.title,
    }


def _head(one: Waiting) -> tuple[str, str, str, str]:
    return one.product, one.source, one.course, one.code


def _likeliest(suggestions: Sequence[Suggestion]) -> str:
    return f"{suggestions[0].product_course} ({suggestions[0].score})" if suggestions else "–"


def _next(one: Waiting, command: str) -> Text:
    best = quote(one.suggestions[0].product_course) if one.suggestions else "ID"
    return Text(
        f"{command} courses decide {one.source} {quote(one.course)} --product {one.product}"
        f' --as {best} --why "…"   or   --ignore instead of --as',
        style="dim",
    )
