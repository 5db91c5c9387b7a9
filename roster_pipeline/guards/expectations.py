"""Guards that need no roster before this one: what a person, or the source's YAML, expects."""

from collections.abc import Iterator

from roster_pipeline.guards.facts import NO_MOVES, PEOPLE, Facts
from roster_pipeline.guards.reasons import Reason
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.entities import ENTITIES


def first_sync(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
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


def expected(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """The source's YAML says how big it is."""
    for entity in (entity for entity in ENTITIES if entity in facts.expect):
        yield from _within(entity, facts.counts.get(entity, 0), "rows", facts.expect[entity])
    for kind in (kind for kind in PEOPLE if kind in facts.expect_people):
        count = facts.shift.people.get(kind, NO_MOVES).now
        yield from _within(kind, count, "people", facts.expect_people[kind])


def _within(what: str, count: int, noun: str, span: tuple[int, int]) -> Iterator[Reason]:
    fewest, most = span
    if not fewest <= count <= most:
        word = "fewer" if count < fewest else "more"
        yield Reason(
            "expected",
            what,
            f"{what}: {count:,} {noun} are {word} than the {fewest:,} to {most:,} expected",
            {noun: count, "min": fewest, "max": most},
        )


def fill(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """A column that has run empty is a setting of the export that was lost, and no row shows it."""
    for name in sorted(facts.expect_fill):
        least, entity = facts.expect_fill[name], name.partition(".")[0]
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


def last_date(facts: Facts, _: GuardSettings) -> Iterator[Reason]:
    """An export that nobody set to the new school year looks sound, and ends with the old one."""
    for name in sorted(facts.expect_last):
        least, last = facts.expect_last[name], facts.last.get(name)
        if last is not None and last >= least:
            continue
        entity = name.partition(".")[0]
        if last is None:
            sentence = f"{name}: no row has a date; the latest is expected {_on(least)} or later"
            yield Reason("last_date", entity, sentence, {"min_days": least})
        else:
            yield Reason(
                "last_date",
                entity,
                f"{name}: the latest date lies {_on(last)}; it is expected {_on(least)} or later. "
                "The export may be of an earlier year",
                {"days": last, "min_days": least},
            )


def _on(days: int) -> str:
    """A day by its distance from the date of the sync."""
    if not days:
        return "on the date of the sync"
    number = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"{number} {'before' if days < 0 else 'after'} the date of the sync"
