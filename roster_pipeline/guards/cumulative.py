"""Days added up: nine in a hundred on each of five days is half a district."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice
from typing import Final

from roster_pipeline.guards.at_schools import reasons_by_school
from roster_pipeline.guards.facts import AT_SCHOOL, NO_MOVES, PEOPLE, Facts, Moves, Shift
from roster_pipeline.guards.reasons import Excess, Reason, exceeded
from roster_pipeline.guards.settings import Cumulative, GuardSettings, Limit
from roster_pipeline.oneroster.entities import ENTITIES

SPANS: Final = (7, 30)
"""Over how many days, today included."""


@dataclass(frozen=True)
class Past:
    """One roster that was accepted, and what it shifted."""

    date: date
    shift: Shift
    approved: bool = False
    """A person let it pass: it and all before it were looked at and count no more."""
    rollover: bool = False
    """It fell into a rollover window, where much goes as it should: it does not count."""


def past_shifts(history: Sequence[Past], day: date) -> dict[int, Shift]:
    """What was accepted before today's roster without a person's word, by number of days.

    `history` is in the order of acceptance. A roster accepted earlier on `day` itself counts:
    today's is compared with it, and would else hide what it took.
    """
    decided = [number for number, past in enumerate(history, start=1) if past.approved]
    counted = [past for past in history[max(decided, default=0) :] if not past.rollover]
    return {
        span: _sum(past.shift for past in counted if day - timedelta(days=span) < past.date <= day)
        for span in SPANS
    }


def cumulative(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Too much removed in the last days and today together; said of the shortest time only.

    Only where today removes something, and the days before did; and not where today alone removes
    too much, which `removed` and `school` say.
    """
    if facts.base is None:
        return
    spans, today = _spans(facts, settings.cumulative), facts.shift
    for entity in ENTITIES:
        gone = today.entities.get(entity, NO_MOVES).removed
        if not settings.of(entity).removed.passed_by(gone, facts.base.get(entity, 0)):
            over = (span.of(entity, span.past.entities, today.entities, "rows") for span in spans)
            yield from (excess.reason("cumulative") for excess in _first(over))
    for kind in PEOPLE:
        if not _too_many(kind, today.people, settings.of_people(kind).removed):
            over = (span.of(kind, span.past.people, today.people, "people") for span in spans)
            yield from (excess.reason("cumulative") for excess in _first(over))
    schools = {
        school: found
        for school in today.schools
        if not facts.schools_removed.get(school)
        if (found := list(_at_school(school, today, spans, settings.schools.removed)))
    }
    yield from reasons_by_school("cumulative", schools, facts)


@dataclass(frozen=True)
class _Span:
    days: int
    past: Shift
    limit: Limit
    at_school: Limit

    def of(
        self,
        kind: str,
        past: Mapping[str, Moves],
        today: Mapping[str, Moves],
        noun: str,
        limit: Limit | None = None,
    ) -> Iterator[Excess]:
        """Whether too many of a kind were removed. What has grown is measured by today."""
        before, now = past.get(kind, NO_MOVES), today.get(kind, NO_MOVES)
        if before.removed and now.removed:
            yield from exceeded(
                kind,
                "removed",
                before.removed + now.removed,
                max(before.was, now.was),
                limit or self.limit,
                f"would be removed within {self.days} days, today included",
                noun=noun,
                losses=True,
            )


def _spans(facts: Facts, limits: Cumulative) -> list[_Span]:
    by_days = {
        7: (limits.in_7_days, limits.at_school_in_7_days),
        30: (limits.in_30_days, limits.at_school_in_30_days),
    }
    return [_Span(days, facts.past[days], *by_days[days]) for days in SPANS if days in facts.past]


def _too_many(kind: str, today: Mapping[str, Moves], limit: Limit) -> bool:
    moves = today.get(kind, NO_MOVES)
    return limit.passed_by(moves.removed, moves.was)


def _at_school(
    school: str, today: Shift, spans: Sequence[_Span], one_day: Limit
) -> Iterator[Excess]:
    now = today.schools[school]
    for kind in (kind for kind in AT_SCHOOL if not _too_many(kind, now, one_day)):
        yield from _first(
            span.of(kind, span.past.schools.get(school, {}), now, kind, span.at_school)
            for span in spans
        )


def _first(found: Iterable[Iterator[Excess]]) -> Iterator[Excess]:
    return islice(chain.from_iterable(found), 1)


def _sum(shifts: Iterable[Shift]) -> Shift:
    """All together; `was` is that of the first in which something moved."""
    entities: dict[str, Moves] = {}
    people: dict[str, Moves] = {}
    schools: dict[str, dict[str, Moves]] = {}
    names: dict[str, str] = {}
    for shift in shifts:
        _add(entities, shift.entities)
        _add(people, shift.people)
        for school, moves in shift.schools.items():
            _add(schools.setdefault(school, {}), moves)
        names.update(shift.school_names)
    return Shift(entities=entities, people=people, schools=schools, school_names=names)


def _add(total: dict[str, Moves], more: Mapping[str, Moves]) -> None:
    for kind, moves in more.items():
        total[kind] = total[kind] + moves if kind in total else moves
