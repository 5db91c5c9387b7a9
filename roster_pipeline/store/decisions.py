"""Decisions on courses in the ledger: every one is kept, the newest of a course holds."""

from collections.abc import Iterable
from dataclasses import asdict

import sqlalchemy as sa

from roster_pipeline.store.errors import NotDecidable
from roster_pipeline.store.records import WITHDRAWN, CourseDecision
from roster_pipeline.store.schema import course_decisions


def holding(connection: sa.Connection, product: str, source: str | None) -> list[CourseDecision]:
    """The decisions that hold for a product, or for one source in it, by source and course."""
    newest = _newest(connection, product, source)
    held = [made for made in newest.values() if made.decision != WITHDRAWN]
    # Sorted here: the collations of the two databases differ.
    return sorted(held, key=lambda made: (made.source, made.course))


def remember(connection: sa.Connection, made: Iterable[CourseDecision]) -> list[CourseDecision]:
    """Add decisions; returns those that were new, which is not what holds already."""
    newest: dict[str, dict[tuple[str, str], CourseDecision]] = {}
    added = []
    for decision in made:
        _require_reason(decision)
        if decision.product not in newest:
            newest[decision.product] = _newest(connection, decision.product, None)
        known = newest[decision.product]
        place = decision.source, decision.course
        if _says_the_same(decision, known.get(place)):
            continue
        known[place] = decision
        added.append(decision)
    if added:
        connection.execute(sa.insert(course_decisions), [asdict(decision) for decision in added])
    return added


def _newest(
    connection: sa.Connection, product: str, source: str | None
) -> dict[tuple[str, str], CourseDecision]:
    query = sa.select(course_decisions).where(course_decisions.c.product == product)
    if source is not None:
        query = query.where(course_decisions.c.source == source)
    rows = connection.execute(query.order_by(course_decisions.c.id))
    return {
        (row.source, row.course): CourseDecision(
            row.product, row.source, row.course, row.decision, row.who, row.why, row.at
        )
        for row in rows
    }


def _says_the_same(decision: CourseDecision, known: CourseDecision | None) -> bool:
    if known is None:
        return decision.decision == WITHDRAWN
    return (decision.decision, decision.who, decision.why) == (
        known.decision,
        known.who,
        known.why,
    )


def _require_reason(decision: CourseDecision) -> None:
    if not decision.who.strip() or not decision.why.strip():
        raise NotDecidable(
            f"A decision on course {decision.course} needs who made it and why; say it with"
            " `--why`."
        )
