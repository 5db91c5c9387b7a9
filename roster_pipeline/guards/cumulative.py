"""Days added up: nine in a hundred on each of five days is half a district."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice
from typing import Final

from roster_pipeline.guards.amounts import ADDITIONS, DEACTIVATED, REMOVED, Move
from roster_pipeline.guards.at_schools import reasons_by_school
from roster_pipeline.guards.facts import AT_SCHOOL, NO_MOVES, PEOPLE, Facts, Moves, Share, Shift
from roster_pipeline.guards.identity import Mixed, mixed
from roster_pipeline.guards.reasons import Excess, Reason, exceeded
from roster_pipeline.guards.settings import (
    Cumulative,
    GuardSettings,
    Limit,
    MoveLimits,
    SchoolLimits,
)
from roster_pipeline.oneroster.entities import ENTITIES

SPANS: Final = (7, 30)
"""Over how many days, today included."""
_LOST: Final = (REMOVED, DEACTIVATED)


@dataclass(frozen=True)
class Past:
    """One roster that was accepted, and what it shifted."""

    date: date
    shift: Shift
    approved: bool = False
    """A person let it pass: it and all before it were looked at and count no more."""
    rollover: bool = False
    """It fell into a rollover window, where much goes as it should: outside of one it does not
    count."""


def past_shifts(history: Sequence[Past], day: date, *, rollover: bool) -> dict[int, Shift]:
    """What was accepted before today's roster without a person's word, by number of days.

    `history` is in the order of acceptance. A roster accepted earlier on `day` itself counts:
    today's is compared with it, and would else hide what it took. `rollover` says whether today is
    in such a window: there the days in it count too, by the window's own limits.
    """
    decided = [number for number, past in enumerate(history, start=1) if past.approved]
    latest = history[max(decided, default=0) :]
    counted = [past for past in latest if rollover or not past.rollover]
    return {
        span: _sum(past.shift for past in counted if day - timedelta(days=span) < past.date <= day)
        for span in SPANS
    }


def cumulative(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Too much in the last days and today together; said of the shortest time only.

    Only of what happens today, and happened on the days before; and not where today alone is too
    much, which the guard over one day says.
    """
    if facts.base is None:
        return
    spans, today = _spans(facts, settings.cumulative), facts.shift
    for entity in ENTITIES:
        now, of = today.entities.get(entity, NO_MOVES), facts.base.get(entity, 0)
        past = [(span, span.past.entities.get(entity, NO_MOVES)) for span in spans]
        found = _over(entity, now, of, past, settings.of(entity), "rows")
        yield from (excess.reason("cumulative") for excess in found)
    for kind in PEOPLE:
        now = today.people.get(kind, NO_MOVES)
        past = [(span, span.past.people.get(kind, NO_MOVES)) for span in spans]
        found = _over(kind, now, now.was, past, settings.of_people(kind), "people")
        yield from (excess.reason("cumulative") for excess in found)
    for of_those in mixed(facts, settings):
        found = _first(_mixed_up(of_those, span) for span in spans)
        yield from (excess.reason("cumulative", of_those.called) for excess in found)
    schools = {
        school: list(_at_school(school, today, spans, settings.schools))
        for school in today.schools
        if not facts.schools_removed.get(school)
    }
    yield from reasons_by_school("cumulative", {k: of for k, of in schools.items() if of}, facts)


@dataclass(frozen=True)
class _Span:
    days: int
    times: int
    """So many times the limit of one day is too much of what has no limit of its own."""
    past: Shift
    limit: Limit
    at_school: Limit

    @property
    def when(self) -> str:
        return f" within {self.days} days, today included"

    def exceeds(
        self, move: Move, kind: str, before: Moves, now: Moves, of: int, limit: Limit, noun: str
    ) -> Iterator[Excess]:
        """Whether it became of too many of a kind, of `of` that there were."""
        then, today = move.count(before), move.count(now)
        if then and today and of:
            fate, losses = move.fate + self.when, move.losses
            yield from exceeded(
                kind, move.code, then + today, of, limit, fate, noun=noun, losses=losses
            )


def _spans(facts: Facts, limits: Cumulative) -> list[_Span]:
    by_days = {
        7: (2, limits.in_7_days, limits.at_school_in_7_days),
        30: (3, limits.in_30_days, limits.at_school_in_30_days),
    }
    return [
        _Span(days, times, facts.past[days], limit, at_school)
        for days, (times, limit, at_school) in by_days.items()
        if days in facts.past
    ]


def _over(
    kind: str,
    now: Moves,
    of: int,
    past: Sequence[tuple[_Span, Moves]],
    one_day: MoveLimits,
    noun: str,
) -> Iterator[Excess]:
    """What has grown is measured by today where it loses, and by what it was where it grows."""
    for move in _LOST:
        if not move.limit(one_day).passed_by(move.count(now), of):
            yield from _first(
                span.exceeds(move, kind, was, now, max(was.was, now.was), span.limit, noun)
                for span, was in past
            )
    limit = one_day.additions
    if not limit.passed_by(now.added, of):
        yield from _first(
            span.exceeds(
                ADDITIONS, kind, was, now, was.was or now.was, limit.times(span.times), noun
            )
            for span, was in past
        )


def _mixed_up(of: Mixed, span: _Span) -> Iterator[Excess]:
    now, past = of.share, span.past.shares.get(of.key, Share())
    if now.affected and past.affected and not of.limit.passed_by(now.affected, now.of):
        both = Share(past.affected + now.affected, max(past.of, now.of))
        yield from of.exceeds(both, of.limit.times(span.times), span.when)


def _at_school(
    school: str, today: Shift, spans: Sequence[_Span], limits: SchoolLimits
) -> Iterator[Excess]:
    for kind in AT_SCHOOL:
        now = today.schools[school].get(kind, NO_MOVES)
        past = [(span, span.past.schools.get(school, {}).get(kind, NO_MOVES)) for span in spans]
        for move in _LOST:
            if not move.limit(limits).passed_by(move.count(now), now.was):
                yield from _first(
                    span.exceeds(move, kind, was, now, max(was.was, now.was), span.at_school, kind)
                    for span, was in past
                )


def _first(found: Iterable[Iterator[Excess]]) -> Iterator[Excess]:
    return islice(chain.from_iterable(found), 1)


def _sum(shifts: Iterable[Shift]) -> Shift:
    """All together; `was` is that of the first in which something moved."""
    entities: dict[str, Moves] = {}
    people: dict[str, Moves] = {}
    schools: dict[str, dict[str, Moves]] = {}
    shares: dict[str, Share] = {}
    names: dict[str, str] = {}
    for shift in shifts:
        _add(entities, shift.entities)
        _add(people, shift.people)
        for school, moves in shift.schools.items():
            _add(schools.setdefault(school, {}), moves)
        for key, share in shift.shares.items():
            before = shares.get(key, Share())
            shares[key] = Share(before.affected + share.affected, max(before.of, share.of))
        names.update(shift.school_names)
    return Shift(
        entities=entities, people=people, schools=schools, shares=shares, school_names=names
    )


def _add(total: dict[str, Moves], more: Mapping[str, Moves]) -> None:
    for kind, moves in more.items():
        total[kind] = total[kind] + moves if kind in total else moves
