"""What to expect of a source, out of what was accepted of it."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any, Final

from roster_pipeline.oneroster.entities import BULK_BLANK, ENTITIES, Required, columns

FEWER: Final = 0.8
"""Of the fewest there were: with less than this a sync waits."""
MORE: Final = 1.25
"""Of the most there were."""
EMPTIER: Final = 0.9
"""Of how full a column is."""
FULL: Final = 50
"""Columns that fewer percent of the rows have filled are not suggested."""
SUMMER: Final = 90
"""For how many days the last session may be over, as between two school years."""
LAST: Final = "academicSessions.endDate"


def watched_columns() -> tuple[str, ...]:
    """The columns of which it can be said how full they are: those that a row may leave empty."""
    return tuple(
        f"{entity}.{column.name}"
        for entity in ENTITIES
        for column in columns(entity)
        if column.required is not Required.ALWAYS and column.name not in BULK_BLANK
    )


def suggest(
    rows: Sequence[Mapping[str, int]],
    people: Sequence[Mapping[str, int]],
    filled: Mapping[str, int],
    *,
    has_sessions: bool = True,
) -> dict[str, Any]:
    """The `expect` block for a source, as plain values.

    `rows` has the rows by entity of each accepted roster, the last one last, and `people` the
    people by kind; `filled` has of the last one for each `entity.column` how many rows are filled.
    Of what some roster had none nothing is expected.
    """
    last = rows[-1]
    made: dict[str, Any] = {}
    for name, counts in (*_each(ENTITIES, rows), *_each(("students", "teachers"), people)):
        if counts and min(counts) > 0:
            made[name] = [_below(FEWER * min(counts)), _above(MORE * max(counts))]
    fill = {}
    for name, count in filled.items():
        percent = 100 * count / (last.get(name.partition(".")[0]) or 1)
        if percent >= FULL:
            fill[name] = floor(EMPTIER * percent)
    if fill:
        made["fill"] = fill
    if has_sessions:
        made["last_date"] = {LAST: -SUMMER}
    return made


def _each(
    names: Sequence[str], rosters: Sequence[Mapping[str, int]]
) -> list[tuple[str, list[int]]]:
    return [(name, [counts.get(name, 0) for counts in rosters]) for name in names]


def _below(number: float) -> int:
    """A round number that is not more, and at least 1."""
    return max(1, floor(number / _step(number)) * _step(number))


def _above(number: float) -> int:
    return ceil(number / _step(number)) * _step(number)


def _step(number: float) -> int:
    """What leaves two digits of a number."""
    return int(10 ** max(0, floor(log10(max(number, 1))) - 1))
