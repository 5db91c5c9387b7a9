"""Guards that need no roster before this one: what a person, or the source's YAML, expects."""

from collections.abc import Iterator

from roster_pipeline.guards.facts import Facts
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
        fewest, most = facts.expect[entity]
        count = facts.counts.get(entity, 0)
        if not fewest <= count <= most:
            word = "fewer" if count < fewest else "more"
            yield Reason(
                "expected",
                entity,
                f"{entity}: {count:,} rows are {word} than the {fewest:,} to {most:,} expected",
                {"rows": count, "min": fewest, "max": most},
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
