"""When the removals of a roster wait while the rest of it goes on."""

from collections.abc import Iterable

from roster_pipeline.guards.calendar import Window, of_kind
from roster_pipeline.guards.facts import NO_MOVES, Facts
from roster_pipeline.guards.judge import Verdict
from roster_pipeline.guards.policy import judge_without_losses, only_losses
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.delta import Delta, diff
from roster_pipeline.oneroster.keeping import keep_removed
from roster_pipeline.store import Snapshot
from roster_pipeline.store.snapshots import Snapshots


def removals_may_wait(settings: GuardSettings, windows: Iterable[Window]) -> bool:
    """Whether `removals_wait` can be true at all: it need not be asked on most days."""
    return settings.policy == "additions_only" or of_kind(windows, "additions_only") is not None


def removals_wait(
    facts: Facts,
    verdict: Verdict,
    settings: GuardSettings,
    windows: Iterable[Window],
    rewritten: int = 0,
) -> bool:
    """Whether a candidate, on which `verdict` was given, is accepted but for what would go.

    In a window that lets nothing go, and under the policy `additions_only` where the guards hold
    nothing but losses; never where what is left would be held itself, or would have two people
    sign in by one name, or where too many enrollments are `rewritten`: they cannot be kept beside
    what they say now.
    """
    if facts.base is None or not any(_gone(facts)) or facts.clashes:
        return False
    was = facts.shift.entities.get("enrollments", NO_MOVES).was
    if settings.of("enrollments").removed.passed_by(rewritten, was):
        return False
    if of_kind(windows, "additions_only") is None:
        wanted = settings.policy == "additions_only" and only_losses(verdict)
        if not wanted or _twice(facts, settings):
            return False
    return judge_without_losses(facts, settings).outcome == "pass"


def put_rest(
    delta: Delta, base: Snapshot, snapshots: Snapshots
) -> tuple[Snapshot, dict[str, dict[str, int]]]:
    """Keep what is accepted (`base`, the delta's old roster) with all that a candidate adds and
    changes and nothing removed; returns it, and what differs by entity."""
    if not any(len(of.alive) for of in delta.entities.values()):
        return base, {
            entity: {**of.counts(), "removed": 0, "unchanged": of.unchanged + len(of.removed)}
            for entity, of in delta.entities.items()
        }
    staged = snapshots.stage(base.source)
    try:
        made = keep_removed(delta, staged)
        rest = diff(delta.old, made)
        # Rows may have changed in nothing but references to rows that stay.
        return (base if rest.empty else snapshots.put(base.source, made)), rest.counts()
    finally:
        snapshots.discard(staged)


def rewritten(facts: Facts, delta: Delta) -> int:
    """How many enrollments are of another class, person or role under their old sourcedIds: gone,
    and yet no removed rows."""
    moves = facts.shift.entities.get("enrollments", NO_MOVES)
    gone = moves.removed + moves.ended + moves.descoped
    return gone - len(delta.entities["enrollments"].removed)


def _gone(facts: Facts) -> Iterable[int]:
    moves = facts.shift.entities.values()
    return (of.removed + of.ended + of.descoped for of in moves)


def _twice(facts: Facts, settings: GuardSettings) -> bool:
    """Whether those who come may be those who go under other ids, nothing alike about them: too
    many users go, and at least half as many come."""
    moves, limit = facts.shift.entities.get("users", NO_MOVES), settings.of("users").removed
    return limit.passed_by(moves.removed, moves.was) and moves.added * 2 >= moves.removed
