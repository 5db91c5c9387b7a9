"""Facts of made-up days, for tests of the guards."""

from typing import Any

from roster_pipeline.guards.facts import Facts, Moves, Share, Shift
from roster_pipeline.guards.judge import Verdict
from roster_pipeline.guards.settings import GuardSettings

BASE = {"orgs": 3, "users": 1000, "roles": 1000, "enrollments": 7000}


def facts(**changed: Any) -> Facts:
    """A day on which nothing happened, with something changed."""
    return Facts(**{"counts": BASE, "base": BASE, **changed})


def moving(entity: str, **moves: int) -> Facts:
    """A day on which something becomes of some rows of one entity."""
    gone = sum(moves.get(fate, 0) for fate in ("removed", "ended", "descoped"))
    counts = {**BASE, entity: BASE[entity] + moves.get("added", 0) - gone}
    return facts(counts=counts, shift=Shift(entities={entity: Moves(was=BASE[entity], **moves)}))


def of_people(kind: str, **moves: int) -> Facts:
    """A day on which something becomes of some of 1,000 people of one kind."""
    return facts(shift=Shift(people={kind: Moves(was=1000, **moves)}))


def at_school(school: str, *, name: str | None = None, **kinds: Moves) -> Facts:
    """A day on which something moves at one school."""
    names = {school: name} if name else {}
    return facts(shift=Shift(schools={school: kinds}, school_names=names))


def sharing(*affected: tuple[str, int, int]) -> Facts:
    """A day on which, by key of `Shift.shares`, something happens to so many of so many."""
    return facts(shift=Shift(shares={key: Share(some, of) for key, some, of in affected}))


def settings(**keys: Any) -> GuardSettings:
    """Settings as YAML has them."""
    return GuardSettings.model_validate(keys)


def guards(verdict: Verdict) -> list[tuple[str, str | None]]:
    """Which guards have a reason, and about what."""
    return [(reason.guard, reason.entity) for reason in verdict.reasons]
