"""When the removals of a roster wait while the rest of it goes on."""

from collections.abc import Iterable

from roster_pipeline.guards.calendar import Window, of_kind
from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.judge import Verdict
from roster_pipeline.guards.policy import judge_without_losses, only_losses
from roster_pipeline.guards.settings import GuardSettings


def removals_wait(
    facts: Facts, verdict: Verdict, settings: GuardSettings, windows: Iterable[Window]
) -> bool:
    """Whether a candidate, on which `verdict` was given, is accepted but for what would go.

    In a window that lets nothing go, and under the policy `additions_only` where the guards hold
    nothing but losses; never where what is left would have an accident in it.
    """
    if facts.base is None or not any(_gone(facts)):
        return False
    held = verdict.outcome == "hold"
    wanted = held and settings.policy == "additions_only"
    if of_kind(windows, "additions_only") is None and not wanted:
        return False
    if held and not only_losses(verdict):
        return False
    return judge_without_losses(facts, settings).outcome == "pass"


def _gone(facts: Facts) -> Iterable[int]:
    moves = facts.shift.entities.values()
    return (of.removed + of.ended + of.descoped for of in moves)
