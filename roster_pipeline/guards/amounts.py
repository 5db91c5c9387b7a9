"""Guards over how many rows, and how many people, are removed, added or changed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from roster_pipeline.guards.facts import (
    NO_MOVES,
    PEOPLE,
    STAFF,
    STUDENTS,
    TEACHERS,
    Facts,
    Moves,
)
from roster_pipeline.guards.reasons import Excess, Reason, exceeded
from roster_pipeline.guards.settings import GuardSettings, Limit, MoveLimits, SchoolLimits
from roster_pipeline.oneroster.entities import ENTITIES

_Limits = MoveLimits | SchoolLimits
_FROM_NOTHING: Final = 5
"""So many people of a kind that there was none of are no slip of a single row."""


@dataclass(frozen=True)
class Move:
    """What may become of many rows at once."""

    code: str
    count: Callable[[Moves], int]
    limit: Callable[[_Limits], Limit]
    fate: str
    losses: bool = False

    def exceeds(
        self, what: str, moves: Moves, of: int, limits: _Limits, noun: str
    ) -> Iterator[Excess]:
        """Whether it becomes of too many. Where there was nothing, nobody loses by anything."""
        if of:
            yield from exceeded(
                what,
                self.code,
                self.count(moves),
                of,
                self.limit(limits),
                self.fate,
                noun=noun,
                losses=self.losses,
            )


REMOVED: Final = Move(
    "removed", lambda moves: moves.removed, lambda of: of.removed, "would be removed", losses=True
)
DEACTIVATED: Final = Move(
    "deactivated",
    lambda moves: moves.deactivated,
    lambda of: of.deactivated,
    "would be disabled or end early",
)
DESCOPED: Final = Move(
    "descoped",
    lambda moves: moves.descoped,
    lambda of: of.descoped,
    "would be left out by the scope",
    losses=True,
)
ADDITIONS: Final = Move(
    "additions", lambda moves: moves.added, lambda of: of.additions, "would be added"
)
CHANGES: Final = Move("changes", lambda moves: moves.changed, lambda of: of.changes, "would change")
MOVES: Final = (REMOVED, DEACTIVATED, DESCOPED, ADDITIONS, CHANGES)
_OTHERS: Final = "the others have ended, or the scope leaves them out"


def header_only(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A file with a header and no rows is a broken export, or summer."""
    for entity, base in _bases(facts):
        left = base - _over(entity, facts)
        if entity in facts.header_only and left > 0:
            said = f"all {base:,} rows accepted before would go"
            if left < base:
                said = f"the last {left:,} of {base:,} rows accepted before would go; {_OTHERS}"
            yield Reason(
                "header_only",
                entity,
                f"{entity}: the file has a header and no rows; {said}; "
                "approve this if it is really empty, as in summer, else reject it",
                {"removed": left, "of": base},
            )


def vanished(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A whole entity never goes unseen, however few rows it had."""
    for entity, base in _bases(facts):
        if facts.counts.get(entity, 0) or entity in facts.header_only:
            continue
        if left := base - _over(entity, facts):
            said = f"all {base:,} rows would be removed"
            if left < base:
                said = f"the last {left:,} of {base:,} rows would be removed; {_OTHERS}"
            numbers = {"removed": left, "of": base, "percent": round(100 * left / base, 1)}
            yield Reason("vanished", entity, f"{entity}: {said}", numbers, losses=True)


def removed(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Many rows gone at once are more often half an export than half a school."""
    for reason in _moved(REMOVED, facts, settings):
        if reason.entity in PEOPLE or facts.counts.get(reason.entity or "", 0):
            yield reason


def nothing_goes(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """In a window in which nothing goes; what has ended by its own dates may."""
    if facts.base is None or facts.closed_until is None:
        return
    if gone := sum(moves.removed + moves.descoped for moves in facts.shift.entities.values()):
        rows = "1 row" if gone == 1 else f"{gone:,} rows"
        yield Reason(
            "nothing_goes",
            None,
            f"{rows} would be removed, and nothing goes through {facts.closed_until}",
            {"removed": gone},
            losses=True,
        )


def withheld(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """What a person was asked about does not go while nobody answers, however many rows have come
    since."""
    for entity, _base in _bases(facts):
        waiting = facts.withheld.get(entity, 0)
        missing = min(facts.shift.entities.get(entity, NO_MOVES).removed, waiting)
        if missing and missing * 2 >= waiting:
            yield Reason(
                "withheld",
                entity,
                f"{entity}: {missing:,} of the {waiting:,} rows whose removal waits for a person "
                "are still missing",
                {"removed": missing, "of": waiting},
                losses=True,
            )


def deactivated(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Who is disabled loses as much as who is removed."""
    yield from _moved(DEACTIVATED, facts, settings)


def descoped(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """A scope that was narrowed by a slip of the pen takes whole schools along."""
    yield from _moved(DESCOPED, facts, settings)


def additions(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Nobody loses anything, yet another file may be behind it; and people of a kind that there
    was none of may have got a role by mistake."""
    yield from _moved(ADDITIONS, facts, settings)
    for kind in (STUDENTS, TEACHERS, STAFF) if facts.base is not None else ():
        moves = facts.shift.people.get(kind, NO_MOVES)
        if not moves.was and moves.added >= _FROM_NOTHING:
            said = f"{kind}: {moves.added:,} people would be {kind}, and there were none"
            yield Reason("additions", kind, said, {"additions": moves.added, "of": 0})


def changes(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Columns exchanged, or an encoding gone wrong: every row is there, and none is right."""
    yield from _moved(CHANGES, facts, settings)


def orphaned(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """What the source still sends it has not deleted: one school missing from orgs.csv would take
    its classes and enrollments along, a few rows in a hundred."""
    fate = "are sent, yet refer to rows that are gone and would go with them"
    for entity, count, read in _of_read(facts, facts.orphaned):
        limit = settings.of(entity).orphaned
        for excess in exceeded(entity, "orphaned", count, read, limit, fate, losses=True):
            yield excess.reason("orphaned")


def held_back(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """An export of which a good part cannot be read is broken, not dirty."""
    for entity, held, read in _of_read(facts, facts.held):
        limit = settings.of(entity).held_back
        for excess in exceeded(
            entity, "held_back", held, read, limit, "cannot be used as they are"
        ):
            yield excess.reason("held_back")


def _moved(move: Move, facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Entities first, then kinds of people."""
    for entity, base in _bases(facts):
        moves, limits = facts.shift.entities.get(entity, NO_MOVES), settings.of(entity)
        for excess in move.exceeds(entity, moves, base, limits, "rows"):
            yield excess.reason(move.code)
    for kind in PEOPLE if facts.base is not None else ():
        moves, own = facts.shift.people.get(kind, NO_MOVES), settings.of_people(kind)
        for excess in move.exceeds(kind, moves, moves.was, own, "people"):
            yield excess.reason(move.code)


def _over(entity: str, facts: Facts) -> int:
    """How many rows go that have ended or that the scope leaves out."""
    moves = facts.shift.entities.get(entity, NO_MOVES)
    return moves.ended + moves.descoped


def _bases(facts: Facts) -> Iterator[tuple[str, int]]:
    if facts.base is not None:
        yield from ((entity, facts.base.get(entity, 0)) for entity in ENTITIES)


def _of_read(facts: Facts, affected: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Of each entity how many rows of the package are affected, and of how many that it has."""
    for entity in ENTITIES:
        count = affected.get(entity, 0)
        yield entity, count, max(facts.read.get(entity, facts.counts.get(entity, 0)), count)
