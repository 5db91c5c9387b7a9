"""What a receiver has to be told, that has one of several rosters and ought to have another.

A delivery that is not confirmed may have arrived. Of each row a receiver has then what it was last
confirmed to have, or what one of the attempts since brought; so it is told the present state of
every row that is not the same in all of them.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.delta import Delta, EntityDelta, Kind, diff
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import arrow

_NONE: Final[Positions] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Outstanding:
    """What has to be told."""

    delta: Delta
    """Its alive rows are those to be told as they are now, its removed ones those to be told as
    deleted, with their last content."""
    gone: Roster
    """Of the removed rows those that the receiver may still have, and in 1.1 their roles."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing new to tell."""
        return not any(len(entity.alive) for entity in self.delta.entities.values()) and not any(
            self.gone.counts.values()
        )


def outstanding(
    now: Roster,
    may_have: Sequence[Roster],
    repeated: Sequence[Roster],
    into: Path,
    *,
    roles_in_users: bool,
    refused: Mapping[str, pd.Series] | None = None,
) -> Outstanding:
    """What a receiver has to be told that ought to have `now` and may have, of each row, what any
    of `may_have` says, oldest first. Writes below `into`.

    Rows of `repeated` (the newest last) that are not in `now` are told as deleted once more. With
    `roles_in_users`, as in OneRoster 1.1, a user is told again where a role of theirs is. Rows of
    the sourcedIds in `refused`, by entity, are told again as they are now.
    """
    deltas = [diff(had, now) for had in may_have]
    layers = [
        (delta.old or Roster.empty(), {e: delta.entities[e].removed for e in ENTITIES})
        for delta in reversed(deltas)
    ]
    gone = _buried(layers, into / "gone", roles_in_users=roles_in_users)
    buried = gone
    if repeated:
        layers = [(grave, _missing(grave, now)) for grave in (gone, *reversed(repeated))]
        buried = _buried(layers, into / "buried", roles_in_users=roles_in_users)
    removed = _missing(buried, now)
    entities = {
        entity: _told(
            entity,
            now,
            deltas,
            removed[entity],
            _there(now, entity, refused),
            roles_in_users=roles_in_users,
        )
        for entity in ENTITIES
    }
    return Outstanding(Delta(buried, now, entities), gone)


def _missing(grave: Roster, now: Roster) -> dict[str, Positions]:
    """By entity the rows of a small roster of which the sourcedId is not in another."""
    ids = {entity: grave.columns(entity, ["sourcedId"])["sourcedId"] for entity in ENTITIES}
    return {e: np.flatnonzero(now.find(e, ids[e]) < 0) for e in ENTITIES}


def _there(now: Roster, entity: str, ids: Mapping[str, pd.Series] | None) -> Positions:
    if ids is None or entity not in ids:
        return _NONE
    found = now.find(entity, ids[entity])
    return found[found >= 0]


def _told(
    entity: str,
    now: Roster,
    deltas: Sequence[Delta],
    removed: Positions,
    again: Positions,
    *,
    roles_in_users: bool,
) -> EntityDelta:
    alive = [again, *(delta.entities[entity].alive for delta in deltas)]
    if entity == "users" and roles_in_users:
        alive += [_with_roles(delta, now) for delta in deltas]
    told = distinct(np.concatenate([_NONE, *alive]))
    return EntityDelta(told, _NONE, _NONE, removed, now.counts[entity] - len(told))


def _with_roles(delta: Delta, now: Roster) -> Positions:
    """The users of now of whom a role was added, changed or removed."""
    kinds: tuple[Kind, ...] = ("alive", "gone")
    users = [
        block["userSourcedId"]
        for kind in kinds
        for block in delta.blocks("roles", kind, columns=["userSourcedId"])
    ]
    if not users:
        return _NONE
    found = now.find("users", pd.concat(users, ignore_index=True).drop_duplicates())
    return distinct(found[found >= 0])


def _buried(
    layers: Sequence[tuple[Roster, Mapping[str, Positions]]], into: Path, *, roles_in_users: bool
) -> Roster:
    """These rows of these rosters, each as the first that has it says; with `roles_in_users` also
    all roles that their users have there."""
    with closing(RosterWriter(into)) as writer:
        for entity in ENTITIES:
            seen: list[pa.LargeStringArray] = []
            for roster, rows in layers:
                positions = rows[entity]
                if entity == "roles" and roles_in_users:
                    roles = _roles_of(roster, rows["users"])
                    positions = distinct(np.concatenate([positions, roles]))
                blocks = roster.select(entity, positions, ["sourcedId"])
                ids = [arrow(block["sourcedId"]) for block in blocks]
                here = pa.chunked_array(ids, pa.large_string())
                known = pa.chunked_array(seen, pa.large_string()).combine_chunks()
                new = ~np.asarray(pc.is_in(here, value_set=known), dtype=bool)
                writer.copy_from(roster, entity, positions[new])
                seen += ids
        return writer.finish()


def _roles_of(roster: Roster, users: Positions) -> Positions:
    """The roles of these users."""
    if not len(users):
        return _NONE
    ids = arrow(roster.take("users", users, ["sourcedId"])["sourcedId"])
    owners = arrow(roster.columns("roles", ["userSourcedId"])["userSourcedId"])
    return np.flatnonzero(np.asarray(pc.is_in(owners, value_set=ids), dtype=bool))
