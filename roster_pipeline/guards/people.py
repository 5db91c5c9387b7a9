"""What would happen to people who stay: other roles, other schools, other names to sign in by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.guards.census import first_ones
from roster_pipeline.guards.facts import RELATIVES, STUDENTS, Share
from roster_pipeline.guards.filled import filled
from roster_pipeline.guards.kinds import KINDS
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.layout import Hashes
from roster_pipeline.oneroster.likeness import Mask
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import row_hashes, text_hashes
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow

SIGN_IN: Final = ("username", "email", "userMasterIdentifier")
"""Columns of users that people sign in by, or are known by to what they sign in to."""
_ROLE: Final = ("userSourcedId", "orgSourcedId", "role")
_NONE: Final[Hashes] = np.empty(0, dtype=np.uint64)


def role_flips(delta: Delta) -> Share:
    """Students who are teachers or staff now and not students any more, or the other way round, of
    all people who stay. Who was both before, or is both now, has not flipped."""
    before, after = _roles(delta.blocks("roles", "gone", columns=_ROLE)), _come(delta)
    up = _but(_both(before.students, after.workers), before.workers, after.students)
    down = _but(_both(before.workers, after.students), before.students, after.workers)
    flipped = np.concatenate([up, down])
    if len(flipped):
        still = _unmoved(delta)
        flipped = _but(flipped, still.students, still.workers)
    return Share(len(flipped), _stay(delta))


def moved_school(delta: Delta) -> Share:
    """Students who have left every school where they were students, for another, of all students
    who stay. Where nobody has, of all people who stay: they need not be read to be counted."""
    before, after = _roles(delta.blocks("roles", "gone", columns=_ROLE)), _come(delta)
    both = _both(before.students, after.students)
    here = KeySet(after.at_school).contains(before.at_school)
    moved = _but(both, before.students[here])
    still = _unmoved(delta).students if len(moved) else _NONE
    moved = _but(moved, still)
    if not len(moved):
        return Share(0, _stay(delta))
    return Share(len(moved), int(first_ones(np.concatenate([still, both])).sum()))


def sign_in(delta: Delta) -> dict[str, Share]:
    """By column of `SIGN_IN` the users who stay and lose the value that they had, for another or
    for none, letter case aside; of all who stay and had one. Where nobody does, of all who stay:
    they need not be read to be counted."""
    replaced = dict.fromkeys(SIGN_IN, 0)
    for before, after in delta.pairs("users", SIGN_IN):
        for name in SIGN_IN:
            was, now = (pc.utf8_lower(arrow(side[name])) for side in (before, after))
            same = is_true(pc.equal(was, now))
            replaced[name] += int((before[name].notna().to_numpy(dtype=bool) & ~same).sum())
    return {
        name: Share(count, _had(delta, name) if count else _stay(delta))
        for name, count in replaced.items()
    }


def _stay(delta: Delta) -> int:
    """How many people are in both rosters."""
    old = delta.old or Roster.empty()
    return old.counts["users"] - len(delta.entities["users"].removed)


def _had(delta: Delta, column: str) -> int:
    """How many people who stay had the cell filled."""
    had = filled(delta.old or Roster.empty(), [f"users.{column}"])[f"users.{column}"]
    for block in delta.blocks("users", "removed", columns=[column]):
        had -= int(block[column].notna().sum())
    return had


# ---- who is what where ----


@dataclass(frozen=True)
class _Roles:
    """Some rows of roles, by hashes."""

    students: Hashes
    """The user of each row that makes a student."""
    at_school: Hashes
    """The user and the school of each of these."""
    workers: Hashes
    """The user of each row that makes a teacher or staff."""


def _come(delta: Delta) -> _Roles:
    return _roles(delta.blocks("roles", "alive", columns=_ROLE))


def _unmoved(delta: Delta) -> _Roles:
    """The roles that are what they were."""
    moved = np.zeros(delta.new.counts["roles"], dtype=bool)
    moved[delta.entities["roles"].alive] = True
    return _roles(delta.new.select("roles", np.flatnonzero(~moved), _ROLE))


def _roles(blocks: Iterable[pd.DataFrame]) -> _Roles:
    students, at_school, workers = [_NONE], [_NONE], [_NONE]
    for block in blocks:
        users = text_hashes(block["userSourcedId"])
        studies = _is(block, STUDENTS)
        works = ~studies & ~_is(block, RELATIVES) & block["role"].notna().to_numpy(dtype=bool)
        students.append(users[studies])
        at_school.append(row_hashes(block[studies], ["userSourcedId", "orgSourcedId"]))
        workers.append(users[works])
    return _Roles(*(np.concatenate(parts) for parts in (students, at_school, workers)))


def _is(roles: pd.DataFrame, kind: str) -> Mask:
    words = pa.array([word for word, of in KINDS.items() if of == kind], pa.large_string())
    return is_true(pc.is_in(arrow(roles["role"]), value_set=words))


def _both(some: Hashes, others: Hashes) -> Hashes:
    """Those that are in both, each once."""
    found = some[KeySet(others).contains(some)]
    return found[first_ones(found)]


def _but(some: Hashes, *others: Hashes) -> Hashes:
    """Those that are in none of the others."""
    return some[~KeySet(np.concatenate(others)).contains(some)]
