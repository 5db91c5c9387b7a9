"""A small part of a roster, to try a source on: a few students, some schools, or both."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.scoping.chosen import Chosen, choose, require_schools
from roster_pipeline.oneroster.scoping.config import Scope
from roster_pipeline.oneroster.scoping.ids import Mask, ids_of, is_in, rows_where, values
from roster_pipeline.oneroster.scoping.scope import Scoped, take


@dataclass(frozen=True)
class Sample:
    """What to try: of some schools, or of all, so many students, or all."""

    students: int | None = None
    """How many; with them comes what hangs on them, and nothing else. They are those whose
    sourcedIds have the smallest hashes, so that it is mostly the same ones every day."""
    schools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draw:
    """A sample as it came out for one roster. Of another roster it takes the same students."""

    sample: Sample
    last: int | None = None
    """The greatest hash of a student's sourcedId that is in it; None where all are."""

    def take(self, roster: Roster, into: Path) -> Scoped:
        """Write to the empty folder `into` what is in the sample."""
        return take(roster, _chosen(roster, self), into)


def draw(roster: Roster, sample: Sample) -> Draw:
    """The sample of a roster. `ScopeError` names schools that the roster does not have."""
    require_schools(roster, sample.schools, "`--school`")
    if sample.students is None:
        return Draw(sample)
    hashes = np.sort(roster.keys("users")[_students(roster, sample)])
    few = hashes[: sample.students]
    return Draw(sample, last=int(few[-1]) if len(few) else 0)


def _chosen(roster: Roster, drawn: Draw) -> Chosen:
    at_schools = choose(roster, Scope(schools=drawn.sample.schools or None), strict=False)
    if drawn.last is None:
        return at_schools
    few = _students(roster, drawn.sample) & (roster.keys("users") <= np.uint64(drawn.last))
    return replace(at_schools, students=values(roster, "users", few), alone=True)


def _students(roster: Roster, sample: Sample) -> Mask:
    """The users with the role of a student, at the schools of the sample if it has some."""
    schools = choose(roster, Scope(schools=sample.schools or None), strict=False).schools

    def fits(roles: pd.DataFrame) -> Mask:
        taken = is_in(roles["role"], ids_of(["student"]))
        return taken if schools is None else taken & is_in(roles["orgSourcedId"], ids_of(schools))

    mask = rows_where(roster, "roles", ["role", "orgSourcedId"], fits)
    theirs = values(roster, "roles", mask, "userSourcedId")
    return rows_where(
        roster, "users", ["sourcedId"], lambda users: is_in(users["sourcedId"], theirs)
    )
