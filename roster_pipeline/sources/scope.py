"""Takes only some schools of a roster."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.versions import items
from roster_pipeline.sources.config import Scope
from roster_pipeline.tables.text import TEXT, arrow

Mask: TypeAlias = npt.NDArray[np.bool_]
Values: TypeAlias = pa.LargeStringArray | pd.Series
_USER: Final = "userSourcedId"


class ScopeError(Exception):
    """The scope names schools that the roster does not have."""


@dataclass(frozen=True)
class Scoped:
    """A roster within a scope."""

    roster: Roster
    left_out: Mapping[str, int]
    """Entity → how many rows are outside of the scope; empty where the scope is everything."""


def apply_scope(roster: Roster, scope: Scope, into: Path) -> Scoped:
    """Write to the empty folder `into` what of a roster is inside a scope; all of it is not copied.

    Inside are the schools named and the orgs below them; their classes, the enrollments in these,
    the people with a role there or enrolled there, and everybody who is an agent of one of them.
    With them go the orgs above, the courses that these orgs own or these classes use (and a
    course's own org), and of the people kept the profiles, demographics and roles at orgs kept. A
    `primaryOrgSourcedId` outside is blanked, so that nothing dangles. Sessions stay.

    Raises `ScopeError` if a school named is not in the roster: rather nothing than half a roster.
    """
    if scope.schools is None:
        return Scoped(roster, {})
    lines = _lines(roster)
    if unknown := sorted(set(scope.schools) - lines.keys()):
        raise ScopeError(
            f"`scope.schools` names {', '.join(unknown)}, and the orgs have no such sourcedId; "
            "correct the scope, or have the school sent again"
        )
    keep, orgs = _inside(roster, scope.schools, lines)
    return _written(roster, keep, orgs, into)


def outside(roster: Roster, scope: Scope) -> dict[str, Mask]:
    """Entity → which rows of a roster are outside of a scope; schools that it does not have are
    passed over. Entities of which nothing is outside are left out."""
    if scope.schools is None:
        return {}
    keep, _ = _inside(roster, scope.schools, _lines(roster))
    return {entity: ~mask for entity, mask in keep.items() if not mask.all()}


def _inside(
    roster: Roster, schools: Collection[str], lines: Mapping[str, set[str]]
) -> tuple[dict[str, Mask], set[str]]:
    """Which rows of each entity are inside, where that is not all, and the orgs that are."""
    inside = {org for org, line in lines.items() if not line.isdisjoint(schools)}
    orgs = inside.union(*(lines[org] for org in inside))
    keep: dict[str, Mask] = {}
    keep["classes"] = _mask(roster, "classes", {"schoolSourcedId": _array(inside)})
    classes = _ids(roster, "classes", keep["classes"])
    used = _ids(roster, "classes", keep["classes"], "courseSourcedId")
    courses = roster.columns("courses", ["sourcedId", "orgSourcedId"])
    owned = _is_in(courses["orgSourcedId"], _array(orgs))
    keep["courses"] = owned | _is_in(courses["sourcedId"], used)
    owners = courses["orgSourcedId"][keep["courses"]].dropna().unique()
    orgs = orgs.union(*(lines.get(org, ()) for org in owners))
    keep["orgs"] = _mask(roster, "orgs", {"sourcedId": _array(orgs)})
    keep["enrollments"] = _mask(
        roster, "enrollments", {"classSourcedId": classes, "schoolSourcedId": _array(orgs)}
    )
    keep["users"] = _people(roster, inside, keep["enrollments"])
    people = _ids(roster, "users", keep["users"])
    keep["roles"] = _mask(roster, "roles", {"userSourcedId": people, "orgSourcedId": _array(orgs)})
    keep["userProfiles"] = _mask(roster, "userProfiles", {"userSourcedId": people})
    keep["demographics"] = _mask(roster, "demographics", {"sourcedId": people})
    return keep, orgs


def _written(roster: Roster, keep: Mapping[str, Mask], orgs: set[str], into: Path) -> Scoped:
    with closing(RosterWriter(into)) as writer:
        left_out = _copied(roster, keep, orgs, writer)
        return Scoped(writer.finish(), left_out)


def _copied(
    roster: Roster, keep: Mapping[str, Mask], orgs: set[str], writer: RosterWriter
) -> dict[str, int]:
    left_out = {}
    for entity in ENTITIES:
        positions = np.flatnonzero(keep[entity]).astype(np.int64) if entity in keep else None
        writer.copy_from(roster, entity, positions)
        left_out[entity] = 0 if positions is None else roster.counts[entity] - len(positions)
    homes = roster.columns("users", ["primaryOrgSourcedId"])["primaryOrgSourcedId"][keep["users"]]
    away = np.flatnonzero(homes.notna().to_numpy() & ~_is_in(homes, _array(orgs))).astype(np.int64)
    if len(away):
        blank = pd.Series([None] * len(away), dtype=TEXT)
        writer.replace("users", away, pd.DataFrame({"primaryOrgSourcedId": blank}))
    _forget_agents(roster, keep["users"], writer)
    return left_out


def _forget_agents(roster: Roster, kept: Mask, writer: RosterWriter) -> None:
    """Take those who are not kept out of the lists of agents of those who are."""
    users = roster.columns("users", ["sourcedId", "agentSourcedIds"])[kept].reset_index(drop=True)
    rows, agents = items(users["agentSourcedIds"])
    there = _is_in(agents, users["sourcedId"])
    odd = np.isin(rows, rows[~there])
    if not odd.any():
        return
    left = agents[odd & there].groupby(rows[odd & there]).agg(",".join)
    at = np.array(sorted(set(rows[odd].tolist())), dtype=np.int64)
    cells = pd.Series([left.get(row) for row in at.tolist()], dtype=TEXT)
    writer.replace("users", at, pd.DataFrame({"agentSourcedIds": cells}))


def _lines(roster: Roster) -> dict[str, set[str]]:
    """Of every org the org itself and all above it."""
    frame = roster.columns("orgs", ["sourcedId", "parentSourcedId"])
    parents = dict(zip(frame["sourcedId"], frame["parentSourcedId"], strict=True))
    return {org: set(_line(org, parents)) for org in parents}


def _line(org: str, parents: Mapping[str, object]) -> Iterator[str]:
    """An org, its parent, its parent's parent …, also where somebody made that a circle."""
    seen: set[str] = set()
    step: object = org
    while isinstance(step, str) and step not in seen:
        seen.add(step)
        yield step
        step = parents.get(step)


def _people(roster: Roster, inside: set[str], enrolled: Mask) -> Mask:
    """Who has a role inside or is enrolled there, their agents, and the agents of these; but no
    student of elsewhere, whom a brother's or sister's guardian names as well."""
    users = roster.columns("users", ["sourcedId", "agentSourcedIds"])
    with_role = _ids(
        roster, "roles", _mask(roster, "roles", {"orgSourcedId": _array(inside)}), _USER
    )
    reached = pd.concat([with_role, _ids(roster, "enrollments", enrolled, _USER)])
    kept = np.zeros(len(users), dtype=bool)
    student = pa.array(["student"], pa.large_string())
    students = _ids(roster, "roles", _mask(roster, "roles", {"role": student}), _USER)
    elsewhere = _is_in(users["sourcedId"], students) & ~_is_in(users["sourcedId"], reached)
    while True:
        new = _is_in(users["sourcedId"], reached) & ~kept & ~elsewhere
        if not new.any():
            return kept
        kept |= new
        _, reached = items(users["agentSourcedIds"][new].reset_index(drop=True))


def _mask(roster: Roster, entity: str, within: Mapping[str, Values]) -> Mask:
    """For each row of an entity whether all of some columns have one of the values given."""
    masks = [
        np.logical_and.reduce([_is_in(block[name], within[name]) for name in within])
        for block in roster.blocks(entity, list(within))
    ]
    return np.concatenate([np.zeros(0, dtype=bool), *masks])


def _ids(roster: Roster, entity: str, mask: Mask, column: str = "sourcedId") -> pd.Series:
    """The distinct values of a column in the rows chosen."""
    chosen = roster.select(entity, np.flatnonzero(mask).astype(np.int64), [column])
    distinct = [block[column].drop_duplicates() for block in chosen]
    values: pd.Series = pd.concat([pd.Series([], dtype=TEXT), *distinct])
    return values.drop_duplicates().dropna()


def _array(values: set[str]) -> pa.LargeStringArray:
    return pa.array(sorted(values), pa.large_string())


def _is_in(cells: pd.Series, values: Values) -> Mask:
    """For each cell whether it is one of some values, of which null is none."""
    wanted = arrow(values) if isinstance(values, pd.Series) else values
    found = pc.is_in(arrow(cells), value_set=wanted, skip_nulls=True)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
