"""sourcedIds that are unique over all files, for receivers that want them so."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.entities import ENTITIES, Kind, references
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.ids import Ids
from roster_pipeline.oneroster.versions import items, lists, short_guids
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow, series

PREFIXES: Final = {
    "orgs": "org-",
    "academicSessions": "session-",
    "courses": "course-",
    "classes": "class-",
    "users": "user-",
    "userProfiles": "profile-",
    "roles": "role-",
    "enrollments": "enrollment-",
}
"""By entity; demographics have their users' sourcedIds."""


def prefixed(roster: Roster, entities: Sequence[str], into: Path) -> Roster:
    """The roster with a prefix before each sourcedId that an entity before it has as well, and
    wherever it is referred to. One without such comes back itself.

    Only some entities count. The same roster gives the same ids; an id becomes another when the
    row that it clashes with comes or goes.
    """
    clashing = _clashing(roster, [entity for entity in entities if entity in PREFIXES])
    if not clashing:
        return roster
    with closing(RosterWriter(into)) as writer:
        for entity in ENTITIES:
            changed = _columns(entity, clashing)
            if not changed:
                writer.copy_from(roster, entity)
                continue
            start = 0
            for block in roster.blocks(entity, [*roster.header(entity), *_word(entity)]):
                words = block.pop("_role") if entity == "roles" else None
                cells = {name: _told(block[name], *how, clashing) for name, how in changed.items()}
                lines = np.arange(start, start + len(block), dtype=np.int64)
                said = block.assign(**cells)
                writer.write(entity, said, file=f"{entity}.csv", lines=lines, role_words=words)
                start += len(block)
        return writer.finish()


@dataclass(frozen=True)
class Clash:
    """sourcedIds that an entity before has too."""

    ids: Ids
    told: Ids
    """What each becomes."""


def _clashing(roster: Roster, entities: Sequence[str]) -> dict[str, Clash]:
    """What clashes, by entity."""
    keys = {entity: roster.keys(entity) for entity in entities}
    before = np.zeros(0, dtype=np.uint64)
    found: dict[str, Clash] = {}
    everything = KeySet(np.concatenate([before, *keys.values()]))
    for entity in entities:
        taken = np.flatnonzero(KeySet(before).contains(keys[entity]))
        if len(taken):
            ids = arrow(roster.take(entity, taken, ["sourcedId"])["sourcedId"])
            found[entity] = Clash(ids, _with_prefix(ids, PREFIXES[entity], everything))
        before = np.concatenate([before, keys[entity]])
    return found


def _columns(entity: str, clashing: Mapping[str, Clash]) -> dict[str, tuple[str, bool]]:
    """The columns that may hold a clashing id: whose it is, and whether it stands in a list."""
    found = {
        column.name: (column.target, column.kind is Kind.REFERENCES)
        for column in references(entity)
        if column.target is not None and column.target in clashing
    }
    return found | ({"sourcedId": (entity, False)} if entity in clashing else {})


def _word(entity: str) -> list[str]:
    return ["_role"] if entity == "roles" else []


def _told(
    cells: "pd.Series[Any]", whose: str, of_list: bool, clashing: Mapping[str, Clash]
) -> "pd.Series[Any]":
    clash = clashing[whose]
    if not of_list:
        return series(_instead(arrow(cells), clash), index=cells.index)
    rows, each = items(cells)
    told = series(_instead(arrow(each), clash))
    return lists(rows, told, len(cells)).set_axis(cells.index)


def _instead(cells: Ids, clash: Clash) -> "pa.Array[Any]":
    at = pc.index_in(cells, value_set=clash.ids, skip_nulls=True)
    told: pa.Array[Any] = pc.coalesce(clash.told.take(at), cells)
    return told


def _with_prefix(ids: Ids, prefix: str, taken: KeySet) -> Ids:
    """The prefix before each id, once more where somebody has the result; a digest of what is too
    long."""
    start, nothing = (pa.scalar(text, pa.large_string()) for text in (prefix, ""))
    told = pc.binary_join_element_wise(start, ids, nothing)
    while (again := taken.contains(text_hashes(series(told)))).any():
        told = pc.if_else(pa.array(again), pc.binary_join_element_wise(start, told, nothing), told)
    return arrow(short_guids(series(told)))
