"""How full columns of a roster are, and how far their dates reach: all that the guards need to know
of cells."""

from collections.abc import Iterable
from datetime import date

from roster_pipeline.oneroster.entities import is_date
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import arrow


def filled(roster: Roster, columns: Iterable[str]) -> dict[str, int]:
    """For each `entity.column` how many rows have the cell filled. Reads these columns only."""
    counts = {}
    for name in columns:
        entity, _, column = name.partition(".")
        blocks = roster.blocks(entity, [column])
        counts[name] = sum(int(block[column].notna().sum()) for block in blocks)
    return counts


def latest(roster: Roster, columns: Iterable[str]) -> dict[str, date]:
    """For each `entity.column` its latest date; none where no cell is a date. Reads these columns
    only."""
    found = {}
    for name in columns:
        entity, _, column = name.partition(".")
        texts = {
            text
            for block in roster.blocks(entity, [column])
            for text in pc.unique(arrow(block[column])).drop_null().to_pylist()
        }
        days = [text for text in texts if is_date(text)]
        if days:
            found[name] = date.fromisoformat(max(days))
    return found
