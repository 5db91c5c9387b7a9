"""Whether what is new may flow while what would go waits, and what the guards say of that."""

from collections.abc import Callable
from dataclasses import replace

from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import ACCIDENTS, GUARDS, Verdict
from roster_pipeline.guards.settings import GuardSettings


def only_losses(verdict: Verdict) -> bool:
    """Whether a candidate is held for nothing but what would go, so that the policy
    `additions_only` may let the rest flow. Never for an accident: keeping the rows of a roster
    that comes again under other ids would have the whole district twice."""
    return bool(verdict.reasons) and all(reason.losses for reason in verdict.reasons)


def without_losses(facts: Facts) -> Facts:
    """The facts of the same candidate with every row kept that would go, for whatever reason.

    How full columns are was judged of the rows that were sent; kept rows count as filled.
    """
    kept = {
        entity: moves.removed + moves.ended + moves.descoped
        for entity, moves in facts.shift.entities.items()
    }
    return replace(
        facts,
        counts={
            entity: facts.counts.get(entity, 0) + kept.get(entity, 0)
            for entity in {**facts.counts, **kept}
        },
        shift=_each(facts.shift, _kept),
        filled={
            name: facts.filled.get(name, 0) + kept.get(name.partition(".")[0], 0)
            for name in {**facts.filled, **facts.expect_fill}
        },
        orphaned={},
        header_only=(),
        schools_removed={},
        emptied_classes=Share(0, facts.emptied_classes.of),
        clashes=0,
        closed_until=None,
        withheld={},
    )


def losses_alone(facts: Facts) -> Facts:
    """The facts of a candidate of which all but what goes is accepted already."""
    return replace(facts, shift=replace(_each(facts.shift, _lost), shares={}))


def judge_without_losses(facts: Facts, settings: GuardSettings) -> Verdict:
    """What the guards say where only what is new or changed flows.

    Accidents are looked for in all that was sent: another district's file has hardly a known row,
    however many are kept beside it.
    """
    kept = without_losses(facts)
    return Verdict(
        tuple(
            reason
            for code, guard in GUARDS.items()
            for reason in guard(facts if code in ACCIDENTS else kept, settings)
        )
    )


def _each(shift: Shift, change: Callable[[Moves], Moves]) -> Shift:
    return replace(
        shift,
        entities={entity: change(moves) for entity, moves in shift.entities.items()},
        people={kind: change(moves) for kind, moves in shift.people.items()},
        schools={
            school: {kind: change(moves) for kind, moves in of.items()}
            for school, of in shift.schools.items()
        },
    )


def _lost(moves: Moves) -> Moves:
    """What was added is there by now."""
    there = moves.was + moves.added
    return replace(moves, was=there, added=0, changed=0, deactivated=0, reactivated=0)


def _kept(moves: Moves) -> Moves:
    return replace(moves, removed=0, ended=0, descoped=0)
