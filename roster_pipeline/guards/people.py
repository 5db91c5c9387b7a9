"""What would happen to people who stay: other roles, other schools, other names to sign in by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from roster_pipeline.guards.facts import RELATIVES, STUDENTS, Share
from roster_pipeline.guards.filled import filled
from roster_pipeline.guards.kinds import KINDS
from roster_pipeline.oneroster.coded import by_text, hashed
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.layout import Hashes
from roster_pipeline.oneroster.likeness import Mask
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import row_hashes, text_hashes
from roster_pipeline.tables.keys import KeySet, distinct
from roster_pipeline.tables.text import arrow, series

SINGLE: Final = ("username", "email", "userMasterIdentifier")
"""Columns of users that people sign in by, or are known by to what they sign in to."""
SIGN_IN: Final = (*SINGLE, "identifier", "givenName", "familyName")
"""These, and what says who they are."""
_ADMINISTRATORS: Final = pa.array(
    [
        "administrator",
        "districtAdministrator",
        "principal",
        "siteAdministrator",
        "systemAdministrator",
    ],
    pa.large_string(),
)
_ROLE: Final = ("userSourcedId", "orgSourcedId", "role")
_NONE: Final[Hashes] = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Roles:
    """Some rows of roles, by hashes."""

    students: Hashes
    """The user of each row that makes a student."""
    at_school: Hashes
    """The user and the school of each of these."""
    workers: Hashes
    """The user of each row that makes a teacher or staff."""
    admins: Hashes
    """The user of each of these that makes an administrator."""
    all: Hashes
    """The user of each row."""


@dataclass(frozen=True, eq=False)
class MovedRoles:
    """The roles that are gone or changed, as they were, and those that came or changed, as they
    are."""

    before: Roles
    after: Roles

    @classmethod
    def of(cls, delta: Delta) -> "MovedRoles":
        """Those of a difference."""
        return cls(
            _roles(delta.blocks("roles", "gone", columns=_ROLE)),
            _roles(delta.blocks("roles", "alive", columns=_ROLE)),
        )


def role_flips(delta: Delta, moved: MovedRoles) -> Share:
    """People who would be what they should not lightly become, of all people who stay.

    Students who become teachers or staff, whether or not they stay students, unless they were
    before; teachers and staff who become students and are neither any more, unless they were
    students; and people who become administrators, unless they were nobody or one already.
    """
    before, after = moved.before, moved.after
    down = _but(_both(before.workers, after.students), before.students, after.workers)
    up, above = _but(after.workers, before.workers), _but(after.admins, before.admins)
    if len(up) or len(above):
        came = delta.new.keys("users")[delta.entities["users"].added]
        up, above = _but(up, came), _but(above, came)
    some = np.concatenate([down, up, above])
    if not len(some):
        return Share(0, _stay(delta))
    still = _unmoved(delta, KeySet(some))
    flipped = np.concatenate(
        [
            _but(down, still.students, still.workers),
            _but(_both(up, _joined(before.students, still.students)), still.workers),
            _but(_both(above, _joined(before.all, still.all)), still.admins),
        ]
    )
    return Share(len(distinct(flipped)), _stay(delta))


def moved_school(delta: Delta, moved: MovedRoles) -> Share:
    """Students who have left every school where they were students, for another, of all students
    who stay. Where nobody has, of all people who stay: they need not be read to be counted."""
    before, after = moved.before, moved.after
    both = _both(before.students, after.students)
    here = KeySet(after.at_school).contains(before.at_school)
    left = _but(both, before.students[here])
    still = _unmoved(delta).students if len(left) else _NONE
    left = _but(left, still)
    if not len(left):
        return Share(0, _stay(delta))
    return Share(len(left), len(distinct(_joined(still, both))))


def sign_in(delta: Delta) -> dict[str, Share]:
    """By column of `SIGN_IN` the users who stay and lose the value that they had, for another or
    for none, letter case aside; of all who stay and had one. Where nobody does, of all who stay:
    they need not be read to be counted."""
    replaced = dict.fromkeys(SIGN_IN, 0)
    for before, after in delta.pairs("users", SIGN_IN):
        for name in SIGN_IN:
            was, now = _lower(before[name]), _lower(after[name])
            same = is_true(pc.equal(was, now))
            replaced[name] += int((before[name].notna().to_numpy(dtype=bool) & ~same).sum())
    return {
        name: Share(count, _had(delta, name) if count else _stay(delta))
        for name, count in replaced.items()
    }


def clashes(delta: Delta) -> int:
    """Users who go while somebody added or changed takes what they sign in by, letter case aside.
    What a changed user had before is not taken: siblings may share an address."""
    if not len(delta.entities["users"].removed):
        return 0
    taken = _taken(delta)
    count = 0
    for block in delta.blocks("users", "removed", columns=SINGLE):
        clash = np.zeros(len(block), dtype=bool)
        for name, values in taken.items():
            filled_in = block[name].notna().to_numpy(dtype=bool)
            clash |= filled_in & values.contains(text_hashes(series(_lower(block[name]))))
        count += int(np.count_nonzero(clash))
    return count


def _taken(delta: Delta) -> dict[str, KeySet]:
    """By column of `SINGLE` what added users have, and changed ones have and did not have."""
    taken = {name: [_NONE] for name in SINGLE}
    for block in delta.blocks("users", "added", columns=SINGLE):
        for name, hashes in taken.items():
            hashes.append(text_hashes(series(pc.drop_null(_lower(block[name])))))
    for before, after in delta.pairs("users", SINGLE):
        for name, hashes in taken.items():
            was, now = _lower(before[name]), _lower(after[name])
            another = ~is_true(pc.equal(was, now))
            hashes.append(text_hashes(series(pc.drop_null(now.filter(pa.array(another))))))
    return {name: KeySet(np.concatenate(hashes)) for name, hashes in taken.items()}


def _lower(cells: "pd.Series[str]") -> pa.LargeStringArray:
    lower: pa.LargeStringArray = pc.utf8_lower(arrow(cells))
    return lower


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


def _unmoved(delta: Delta, of: KeySet | None = None) -> Roles:
    """The roles that are what they were: all, or those of some users."""
    moved = np.zeros(delta.new.counts["roles"], dtype=bool)
    moved[delta.entities["roles"].alive] = True
    if of is not None:
        users = delta.new.coded("roles", ["userSourcedId"])
        theirs = [of.contains(by_text(part["userSourcedId"], hashed)) for part in users]
        moved |= ~np.concatenate([np.empty(0, dtype=bool), *theirs])
    return _roles(delta.new.select("roles", np.flatnonzero(~moved), _ROLE))


def _roles(blocks: Iterable[pd.DataFrame]) -> Roles:
    students, at_school, workers, admins, everyone = ([_NONE] for _ in range(5))
    for block in blocks:
        users = text_hashes(block["userSourcedId"])
        studies = _is(block, STUDENTS)
        works = ~studies & ~_is(block, RELATIVES) & block["role"].notna().to_numpy(dtype=bool)
        students.append(users[studies])
        at_school.append(row_hashes(block[studies], ["userSourcedId", "orgSourcedId"]))
        workers.append(users[works])
        admins.append(users[is_true(pc.is_in(arrow(block["role"]), value_set=_ADMINISTRATORS))])
        everyone.append(users)
    parts = (students, at_school, workers, admins, everyone)
    return Roles(*(np.concatenate(part) for part in parts))


def _is(roles: pd.DataFrame, kind: str) -> Mask:
    words = pa.array([word for word, of in KINDS.items() if of == kind], pa.large_string())
    return is_true(pc.is_in(arrow(roles["role"]), value_set=words))


def _both(some: Hashes, others: Hashes) -> Hashes:
    """Those that are in both, each once."""
    return distinct(some[KeySet(others).contains(some)])


def _joined(some: Hashes, others: Hashes) -> Hashes:
    return np.concatenate([some, others])


def _but(some: Hashes, *others: Hashes) -> Hashes:
    """Those that are in none of the others."""
    return some[~KeySet(np.concatenate(others)).contains(some)]
