"""Guards that look at one school at a time: half a school is lost in the sum of a district."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roster_pipeline.guards.amounts import MOVES, REMOVED
from roster_pipeline.guards.facts import (
    AT_SCHOOL,
    NO_MOVES,
    PEOPLE,
    STUDENTS,
    TEACHERS,
    Facts,
    Moves,
)
from roster_pipeline.guards.reasons import Excess, Reason, exceeded
from roster_pipeline.guards.settings import GuardSettings, SchoolLimits

_REMOVED_APART: Final = 5
_APART: Final = 20
"""So many schools get a sentence of their own, the rest of them one together."""
_ALL: Final = 5
"""So many students or teachers never go as the last of a school, however small it is."""


@dataclass(frozen=True)
class _AllOfThem(Excess):
    """The last of a school, fewer than its limits look at."""

    def __str__(self) -> str:
        if self.affected < self.of:
            return f"the last {self.affected:,} of {self.of:,} {self.noun} {self.fate}"
        return f"all {self.affected:,} {self.noun} {self.fate}"


def school_removed(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A school with people in it is hardly ever closed, and never on a whim."""
    if facts.base is None:
        return
    going = {school: people for school, people in facts.schools_removed.items() if people}
    worst = sorted(going, key=lambda school: (-going[school], school))
    for school in worst[:_REMOVED_APART]:
        yield Reason(
            "school_removed",
            "orgs",
            f"{_named(school, facts)} would be removed, "
            f"and it has {going[school]:,} students and teachers",
            {"people": going[school]},
            school,
            losses=True,
        )
    if rest := worst[_REMOVED_APART:]:
        people = sum(going[school] for school in rest)
        yield Reason(
            "school_removed",
            "orgs",
            f"{len(rest):,} more {_schools(rest)} with {people:,} students and teachers "
            "would be removed",
            {"schools": len(rest), "people": people},
            losses=True,
        )


def each_school(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """What is too much for one school, all in one sentence. Of a school that goes as a whole,
    `school_removed` has said so."""
    excesses = {
        school: found
        for school, moves in facts.shift.schools.items()
        if not facts.schools_removed.get(school)
        if (found := [*_too_much(moves, settings.schools)])
    }
    if facts.base is not None:
        yield from reasons_by_school("school", excesses, facts)


def _too_much(moves: Mapping[str, Moves], limits: SchoolLimits) -> Iterator[Excess]:
    for kind in AT_SCHOOL:
        of = moves.get(kind, NO_MOVES)
        if kind in (STUDENTS, TEACHERS):
            yield from _all_of_them(kind, of, limits)
        for move in MOVES:
            yield from move.exceeds(kind, of, of.was, limits, kind)


def _all_of_them(kind: str, moves: Moves, limits: SchoolLimits) -> Iterator[Excess]:
    """Whether nobody would be left, where the limit for removals lets it pass for its floor."""
    gone, limit = moves.removed, limits.removed
    left = moves.was + moves.added - gone - moves.ended - moves.descoped
    lowered = limit.model_copy(update={"floor": _ALL})
    if left > 0 or limit.passed_by(gone, moves.was) or not lowered.passed_by(gone, moves.was):
        return
    yield _AllOfThem(kind, REMOVED.code, gone, moves.was, kind, REMOVED.fate, limit, losses=True)


def emptied_classes(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """A class that loses most of its students at once, far below the limits of its school."""
    share = facts.emptied_classes
    for excess in exceeded(
        "classes",
        "emptied_classes",
        share.affected,
        share.of,
        settings.emptied_classes,
        "with at least five students would lose more than half of these at once",
        noun="classes",
        losses=True,
    ):
        yield excess.reason("emptied_classes")


def reasons_by_school(
    guard: str, excesses: Mapping[str, Sequence[Excess]], facts: Facts
) -> Iterator[Reason]:
    """A reason for each school, the worst first, and one for those beyond the twentieth."""
    worst = sorted(excesses, key=lambda school: (*_weight(excesses[school]), school))
    for school in worst[:_APART]:
        found = excesses[school]
        yield Reason(
            guard,
            None,
            f"{_named(school, facts)}: {'. '.join(map(str, found))}",
            {name: number for excess in found for name, number in _numbers(excess)},
            school,
            losses=all(excess.losses for excess in found),
        )
    if rest := worst[_APART:]:
        yield Reason(
            guard,
            None,
            f"{len(rest):,} more {_schools(rest)}: more than the limits for a school allow; "
            "the difference lists every school",
            {"schools": len(rest)},
            losses=all(excess.losses for school in rest for excess in excesses[school]),
        )


def _weight(excesses: Sequence[Excess]) -> tuple[int, int]:
    """Most people first, then most rows."""
    people = sum(excess.affected for excess in excesses if excess.what in PEOPLE)
    return -people, people - sum(excess.affected for excess in excesses)


def _numbers(excess: Excess) -> Iterator[tuple[str, int]]:
    yield f"{excess.what}_{excess.code}", excess.affected
    yield f"{excess.what}_of", excess.of


def _named(school: str, facts: Facts) -> str:
    name = facts.shift.school_names.get(school)
    return f"{name} (sourcedId {school})" if name else f"the school with the sourcedId {school}"


def _schools(schools: Sequence[str]) -> str:
    return "school" if len(schools) == 1 else "schools"
