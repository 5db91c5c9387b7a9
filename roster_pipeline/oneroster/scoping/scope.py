"""Takes only what a scope says of a roster."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.chosen import Chosen, ScopeError, choose, of_names_known
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.ids import Mask, is_in, values
from roster_pipeline.oneroster.scoping.inside import inside, lasting_longer
from roster_pipeline.oneroster.versions import items
from roster_pipeline.tables.text import TEXT, arrow

__all__ = ["ScopeError", "Scoped", "apply_scope", "outside", "take"]

# References that may point out of what is taken, and are blanked then.
_BLANKED: Final = (
    ("users", "primaryOrgSourcedId", "orgs"),
    ("roles", "userProfileSourcedId", "userProfiles"),
)


@dataclass(frozen=True)
class Scoped:
    """A roster within a scope."""

    roster: Roster
    left_out: Mapping[str, int]
    """Entity → how many rows are outside of the scope; empty where the scope is everything."""
    remark: str | None = None
    """What nobody may have meant to leave out, in a sentence."""


def apply_scope(roster: Roster, scope: Scope, into: Path) -> Scoped:
    """Write to the empty folder `into` what of a roster is inside a scope; all of it is not copied.

    A class is inside that is at a school named or an org below one, has a session named, is of a
    course named, and has a student of a grade named: whatever of this the scope says. Inside are
    its enrollments; people with a role named at these schools, or enrolled in such a class; and
    everybody who is an agent of one of them. Where grades are named, students have to be in one of
    them, teachers come with a class, and relatives with a student. With them go the orgs above,
    what classes refer to (and a course's own org, and the home school that an enrollment names),
    and of the people kept the profiles,
    demographics and roles named at orgs kept. A reference that would dangle nevertheless (a home
    school, an agent left out) is blanked.

    Raises `ScopeError` if what is named is not in the roster, or no class has all of it: rather
    nothing than half a roster.
    """
    if scope.is_everything:
        return Scoped(roster, {})
    chosen = choose(roster, scope)
    keep = inside(roster, chosen)
    _require_classes(scope, keep)
    longer = 0 if scope.terms is None else lasting_longer(roster, chosen)
    return replace(_written(roster, keep, into), remark=_longer(longer) if longer else None)


def _longer(classes: int) -> str:
    one = classes == 1
    what, they, them = (
        ("a class", "it lasts", "it") if one else (f"{classes:,} classes", "they last", "them")
    )
    return (
        f"`scope.terms` leaves out {what}, with all who are in {them}, because {they} longer than"
        " the terms named, such as for the whole year. To take that, name the session above these"
        " terms, too; all below it comes with it."
    )


def outside(roster: Roster, scope: Scope) -> dict[str, Mask]:
    """Entity → which rows of a roster are outside of a scope. A key of the scope that names what is
    not in the roster puts nothing outside: it may have been spelled otherwise then. Entities of
    which nothing is outside are left out."""
    scope = of_names_known(roster, scope)
    if scope.is_everything:
        return {}
    keep = inside(roster, choose(roster, scope, strict=False))
    return {entity: ~mask for entity, mask in keep.items() if not mask.all()}


def take(roster: Roster, chosen: Chosen, into: Path) -> Scoped:
    """Write to the empty folder `into` what of a roster is chosen, and what that needs."""
    return _written(roster, inside(roster, chosen), into)


def _require_classes(scope: Scope, keep: Mapping[str, Mask]) -> None:
    """A school may have no classes yet. What else is named is named for its classes."""
    if (classes := keep.get("classes")) is None or classes.any() or not len(classes):
        return
    said = [key for key in Scope.model_fields if getattr(scope, key) is not None]
    if set(said) - {"schools", "roles"}:
        keys = ", ".join(f"`scope.{key}`" for key in said)
        raise ScopeError(
            f"None of {len(classes):,} classes has all that {keys} names. Correct the scope: "
            "classes may name other terms than you, such as semesters and no quarters."
        )


def _written(roster: Roster, keep: Mapping[str, Mask], into: Path) -> Scoped:
    with closing(RosterWriter(into)) as writer:
        left_out = {}
        for entity in ENTITIES:
            mask = keep.get(entity)
            positions = None if mask is None else np.flatnonzero(mask).astype(np.int64)
            writer.copy_from(roster, entity, positions)
            left_out[entity] = 0 if positions is None else roster.counts[entity] - len(positions)
        for entity, column, target in _BLANKED:
            _blank(roster, keep, entity, column, target, writer)
        if (users := keep.get("users")) is not None:
            _forget_agents(roster, users, writer)
        return Scoped(writer.finish(), left_out)


def _blank(
    roster: Roster,
    keep: Mapping[str, Mask],
    entity: str,
    column: str,
    target: str,
    writer: RosterWriter,
) -> None:
    """Blank the references of rows kept to rows that are not."""
    if (targets := keep.get(target)) is None:
        return
    cells = roster.columns(entity, [column])[column]
    if (kept := keep.get(entity)) is not None:
        cells = cells[kept]
    there = is_in(cells, values(roster, target, targets))
    away = np.flatnonzero(cells.notna().to_numpy() & ~there).astype(np.int64)
    if len(away):
        blank = pd.Series([None] * len(away), dtype=TEXT)
        writer.replace(entity, away, pd.DataFrame({column: blank}))


def _forget_agents(roster: Roster, kept: Mask, writer: RosterWriter) -> None:
    """Take those who are not kept out of the lists of agents of those who are."""
    users = roster.columns("users", ["sourcedId", "agentSourcedIds"])[kept].reset_index(drop=True)
    rows, agents = items(users["agentSourcedIds"])
    there = is_in(agents, arrow(users["sourcedId"]))
    odd = np.isin(rows, rows[~there])
    if not odd.any():
        return
    left = agents[odd & there].groupby(rows[odd & there]).agg(",".join)
    at = np.unique(rows[odd])
    cells = left.reindex(at).astype(TEXT).reset_index(drop=True)
    writer.replace("users", at, pd.DataFrame({"agentSourcedIds": cells}))
