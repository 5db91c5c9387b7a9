"""Whether a candidate may be accepted by itself: a table of guards over counts.

Guards see numbers only, never rows, so that a verdict can be kept, shown and logged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from roster_pipeline.guards.facts import NO_MOVES, Facts
from roster_pipeline.guards.settings import GuardSettings, Limit
from roster_pipeline.oneroster.entities import ENTITIES, REQUIRED_1P2


@dataclass(frozen=True)
class Reason:
    """Why one guard holds a candidate."""

    guard: str
    entity: str | None
    """None where the reason is about the roster as a whole."""
    sentence: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """This reason as plain values."""
        return {**asdict(self), "numbers": dict(self.numbers)}


@dataclass(frozen=True)
class Verdict:
    """What the guards say of a candidate."""

    reasons: tuple[Reason, ...]

    @property
    def outcome(self) -> Literal["pass", "hold"]:
        """`hold` if any guard has a reason."""
        return "hold" if self.reasons else "pass"

    def to_json(self) -> list[dict[str, Any]]:
        """The reasons as plain values, in the order of the guards."""
        return [reason.to_json() for reason in self.reasons]


def judge(facts: Facts, settings: GuardSettings) -> Verdict:
    """Ask every guard. Same facts and settings, same verdict."""
    return Verdict(tuple(reason for guard in GUARDS.values() for reason in guard(facts, settings)))


def _first_sync(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """Nothing was accepted before, so nothing protects against a wrong file but a person."""
    if facts.base is not None:
        return
    plan = {entity: facts.counts.get(entity, 0) for entity in ENTITIES}
    listed = ", ".join(f"{count:,} {entity}" for entity, count in plan.items() if count)
    yield Reason(
        "first_sync",
        None,
        f"this is the first roster of this source, so there is nothing to compare it with; "
        f"it would bring in {listed or 'nothing'}",
        plan,
    )


def _header_only(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A required file with a header and no rows is a broken export, or summer."""
    for entity in ENTITIES:
        if entity in facts.header_only and entity in REQUIRED_1P2:
            kept = facts.counts.get(entity, 0)
            yield Reason(
                "header_only",
                entity,
                f"{entity}: the file has a header and no rows; "
                f"the {kept:,} rows accepted before stay in place",
                {"kept": kept},
            )


def _vanished(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A whole entity never goes unseen, however few rows it had."""
    for entity, base in _bases(facts):
        if base and not facts.counts.get(entity, 0):
            yield Reason(
                "vanished",
                entity,
                f"{entity}: all {base:,} rows would be removed",
                {"removed": base, "of": base, "percent": 100.0},
            )


def _removed(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """Many rows gone at once are more often half an export than half a school."""
    for entity, base in _bases(facts):
        removed = facts.shift.entities.get(entity, NO_MOVES).removed
        if facts.counts.get(entity, 0):
            yield from _too_many(
                "removed", entity, settings.of(entity).removed, removed, base, "would be removed"
            )


def _held_back(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """An export of which a good part cannot be read is broken, not dirty."""
    for entity, held, read in _of_read(facts, facts.held):
        limit = settings.of(entity).held_back
        yield from _too_many("held_back", entity, limit, held, read, "cannot be used as they are")


def _orphaned(facts: Facts, settings: GuardSettings) -> Iterator[Reason]:
    """What the source still sends it has not deleted: one school missing from orgs.csv would take
    its classes and enrollments along, a few rows in a hundred."""
    fate = "are sent, yet refer to rows that are gone and would go with them"
    for entity, orphaned, read in _of_read(facts, facts.orphaned):
        limit = settings.of(entity).orphaned
        yield from _too_many("orphaned", entity, limit, orphaned, read, fate)


def _expected(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """The source's YAML says how big it is."""
    for entity, (fewest, most) in facts.expect.items():
        count = facts.counts.get(entity, 0)
        if not fewest <= count <= most:
            word = "fewer" if count < fewest else "more"
            yield Reason(
                "expected",
                entity,
                f"{entity}: {count:,} rows are {word} than the {fewest:,} to {most:,} expected",
                {"rows": count, "min": fewest, "max": most},
            )


def _fill(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A column that has run empty is a setting of the export that was lost, and no row shows it."""
    for name, least in facts.expect_fill.items():
        entity = name.partition(".")[0]
        count, filled = facts.counts.get(entity, 0), facts.filled.get(name, 0)
        if filled * 100 < least * count:
            # Cut, not rounded: 94.96 % must not read as the 95 % that it is not.
            percent = int(1000 * filled / count) / 10
            yield Reason(
                "fill",
                entity,
                f"{name}: filled in {filled:,} of {count:,} rows ({percent:g} %); "
                f"at least {least:g} % are expected",
                {"filled": filled, "of": count, "percent": percent, "min_percent": least},
            )


Guard = Callable[[Facts, GuardSettings], Iterator[Reason]]
GUARDS: Final[Mapping[str, Guard]] = {
    "first_sync": _first_sync,
    "header_only": _header_only,
    "vanished": _vanished,
    "removed": _removed,
    "held_back": _held_back,
    "orphaned": _orphaned,
    "expected": _expected,
    "fill": _fill,
}
"""Every guard by the code of its reasons, in the order in which reasons are given."""


def _bases(facts: Facts) -> Iterator[tuple[str, int]]:
    if facts.base is not None:
        yield from ((entity, facts.base.get(entity, 0)) for entity in ENTITIES)


def _of_read(facts: Facts, affected: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Of each entity how many rows of the package are affected, and of how many that it has."""
    for entity in ENTITIES:
        count = affected.get(entity, 0)
        yield entity, count, max(facts.read.get(entity, facts.counts.get(entity, 0)), count)


def _too_many(
    guard: str, entity: str, limit: Limit, affected: int, total: int, fate: str
) -> Iterator[Reason]:
    if not limit.passed_by(affected, total):
        return
    percent = round(100 * affected / total, 1) if total else 100.0
    yield Reason(
        guard,
        entity,
        f"{entity}: {affected:,} of {total:,} rows ({percent:g} %) {fate}; "
        f"the limit is {limit.sentence(total)}",
        {guard: affected, "of": total, "percent": percent, "limit_percent": limit.percent or 0.0},
    )
