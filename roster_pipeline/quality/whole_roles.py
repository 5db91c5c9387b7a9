"""What people are by their roles, as one number for each user."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.oneroster.entities import columns
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.quality.view import NO_WORD, Hashes, Mask, RosterView

Bits = npt.NDArray[np.uint16]

ROLES: Final[Mapping[str, tuple[str, ...]]] = {"roles": ("userSourcedId", "role")}
"""What a rule reads that asks for roles."""
_WORDS: Final = next(column.words for column in columns("roles") if column.name == "role")


def bits(words: Iterable[str]) -> np.uint16:
    """The bits of some roles of the standard."""
    return np.uint16(sum(1 << _WORDS.index(word) for word in words))


OWN: Final = np.uint16(1 << len(_WORDS))
"""The bit of roles that are a district's own (`ext:…`)."""
STUDENT: Final = bits(["student"])
KIN: Final = bits(["guardian", "parent", "relative"])
_ADMINISTRATORS: Final = bits(
    ["districtAdministrator", "principal", "siteAdministrator", "systemAdministrator"]
)
STAFF: Final = bits(["aide", "counselor", "proctor", "teacher"]) | _ADMINISTRATORS


def user_roles(view: RosterView) -> Bits:
    """For each user the bits of all roles, ended ones too; 0 for whoever has none."""
    users, words = view.links("roles", "userSourcedId"), view.words("roles", "role")
    found = np.zeros(view.rows("users"), dtype=np.uint16)
    for word in np.unique(words[words != NO_WORD]).tolist():
        found[view.marked("users", users[words == word])] |= np.uint16(1 << word)
    return found


def has(roles: Bits, wanted: np.uint16) -> Mask:
    """Who has at least one of some roles."""
    found: Mask = (roles & wanted) != 0
    return found


def signs_on(view: RosterView) -> Mask:
    """Students and staff: people with a role that is not one of kin."""
    return has(view.once(user_roles), ~KIN)


def one_person(view: RosterView, hashes: Hashes) -> Hashes:
    """Hashes under which two rows of one person do not meet.

    In 1.1 whoever has two kinds of role has a row for each, with the same username.
    """
    if view.version is not Version.V1P1:
        return hashes
    roles = view.once(user_roles)
    kind = np.where(has(roles, _ADMINISTRATORS), roles | _ADMINISTRATORS, roles)
    return paired(hashes, kind.astype(np.uint64))


def paired(first: Hashes, second: Hashes) -> Hashes:
    """One hash for each pair."""
    return first * np.uint64(0x9E3779B97F4A7C15) + second * np.uint64(0xD6E8FEB86659FD93)
