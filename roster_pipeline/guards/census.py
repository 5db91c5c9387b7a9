"""Who is what at which school, as numbers.

Somebody is of a kind at a school by any role there that makes them so, ended ones too. A user is
known by the 64-bit hash of the sourcedId.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.guards.facts import PEOPLE, STAFF
from roster_pipeline.guards.kinds import KINDS
from roster_pipeline.guards.moved import Mask, Numbers, Trait, Traits, joined
from roster_pipeline.guards.schools import Schools
from roster_pipeline.oneroster.coded import by_text, hashed
from roster_pipeline.oneroster.endings import days, in_force, past, to_come
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import KeySet
from roster_pipeline.tables.text import arrow

Hashes = npt.NDArray[np.uint64]
Keys = Callable[[Numbers], Hashes]
"""Of some roles one number for all that make the same person the same thing."""
_ROLES: Final = ("userSourcedId", "role", "orgSourcedId", "beginDate", "endDate")
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_KIND_OF_WORD: Final = np.array(
    [*(PEOPLE.index(kind) for kind in KINDS.values()), PEOPLE.index(STAFF)], dtype=np.int8
)

_NOBODY: Final[Numbers] = {
    "user": np.empty(0, dtype=np.uint64),
    "kind": np.empty(0, dtype=np.int8),
    "school": np.empty(0, dtype=np.int32),
    "in_force": np.empty(0, dtype=np.bool_),
}


def kinds(words: pa.LargeStringArray) -> npt.NDArray[np.int8]:
    """The place in `PEOPLE` of the kind that each role belongs to."""
    at = pc.index_in(words, value_set=pa.array(list(KINDS), pa.large_string()))
    found: npt.NDArray[np.int8] = _KIND_OF_WORD[at.fill_null(len(KINDS)).to_numpy()]
    return found


def role_traits(schools: Schools, day: date) -> Traits:
    """What is counted of a role."""
    return {
        "user": Trait(("userSourcedId",), lambda rows: hashed(arrow(rows["userSourcedId"]))),
        "kind": Trait(("role",), lambda rows: kinds(arrow(rows["role"]))),
        "school": Trait(("orgSourcedId",), lambda r: schools.numbers(arrow(r["orgSourcedId"]))),
        **dated_traits(day),
    }


def dated_traits(day: date, begins: str = "beginDate") -> Traits:
    """Whether a row is in force by its own dates, and when it ends."""
    return {
        "in_force": Trait((begins, "endDate"), lambda rows: in_force(rows, day, begins)),
        "ends": Trait(("endDate",), lambda rows: days(arrow(rows["endDate"])), of_changed=True),
    }


def user_traits() -> Traits:
    """What is counted of a user; one who is not disabled is in force."""
    return {
        "user": Trait(("sourcedId",), lambda rows: hashed(arrow(rows["sourcedId"]))),
        "in_force": Trait(
            ("enabledUser",), lambda rows: ~is_true(pc.equal(arrow(rows["enabledUser"]), "false"))
        ),
    }


def all_roles(roster: Roster, schools: Schools, day: date) -> Numbers:
    """The traits of every role of a roster."""
    parts: list[Numbers] = [
        {
            "user": by_text(part["userSourcedId"], hashed),
            "kind": by_text(part["role"], kinds),
            "school": by_text(part["orgSourcedId"], schools.numbers),
            "in_force": ~by_text(part["beginDate"], lambda begin: to_come(begin, day))
            & ~by_text(part["endDate"], lambda end: past(end, day)),
        }
        for part in roster.coded("roles", _ROLES)
    ]
    return joined([_NOBODY, *parts])


def at_school(rows: Numbers) -> Hashes:
    """By person, kind and school."""
    codes = rows["kind"] + len(PEOPLE) * (rows["school"].astype(np.int64) + 2)
    keys: Hashes = rows["user"] + codes.astype(np.uint64) * _ODD
    return keys


def in_district(rows: Numbers) -> Hashes:
    """By person and kind."""
    keys: Hashes = rows["user"] + rows["kind"].astype(np.uint64) * _ODD
    return keys


def first_ones(keys: Hashes) -> Mask:
    """Which are the first with their number."""
    first = np.ones(len(keys), dtype=bool)
    first[KeySet(keys).duplicated()] = False
    return first
