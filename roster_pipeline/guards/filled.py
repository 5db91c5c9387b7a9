"""How full columns of a roster are: all that the guards need to know of cells."""

from collections.abc import Iterable

from roster_pipeline.oneroster.roster import Roster


def filled(roster: Roster, columns: Iterable[str]) -> dict[str, int]:
    """For each `entity.column` how many rows have the cell filled. Reads these columns only."""
    counts = {}
    for name in columns:
        entity, _, column = name.partition(".")
        blocks = roster.blocks(entity, [column])
        counts[name] = sum(int(block[column].notna().sum()) for block in blocks)
    return counts
