"""What stands beside the rows of a roster: rows that they refer to, and lists gathered of others.

A column that is asked for is kept, whole, as long as its `Beside`; one that repeats itself as four
bytes for each row. Enrollments are read once in blocks for the teachers of classes, and never kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.columns.cells import Cells, one
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import KeySet, Positions
from roster_pipeline.tables.text import arrow, series

Mask = npt.NDArray[np.bool_]

_TEXT: Final = pa.large_string()
# CSV Binding 1.2, the vocabulary of roles; words of somebody's own (`ext:`) are of neither.
_STAFF: Final = (
    *("aide", "counselor", "districtAdministrator", "principal"),
    *("proctor", "siteAdministrator", "systemAdministrator", "teacher"),
)
_KIN: Final = ("guardian", "parent", "relative")
_WORDS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "role": None,
    "studentRole": ("student",),
    "staffRole": _STAFF,
    "kinRole": _KIN,
}
"""By what a role is called beside a user, the words that count; None where all do."""
_ROLE_OF_LIST: Final = {"orgs": "role", "studentOrgs": "studentRole", "staffOrgs": "staffRole"}


@dataclass(frozen=True)
class Lists:
    """For each row of an entity some texts, in order."""

    offsets: npt.NDArray[np.int64]
    texts: Cells

    def cells(self) -> Cells:
        """Each list with commas; null where it is empty."""
        lists = pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), self.texts)
        joined = pc.binary_join(lists, pa.scalar(",", _TEXT))
        empty = pc.equal(pc.list_value_length(lists), 0)
        return one(pc.if_else(empty, pa.scalar(None, _TEXT), joined))


class Beside:
    """What stands beside the rows of one roster."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._keys: dict[str, KeySet] = {}
        self._columns: dict[tuple[str, str], Any] = {}
        self._chief: dict[str, Positions] = {}
        self.members: dict[str, Mask] = {}
        """By view which rows of its entity it has, as far as that was asked; see `views.py`."""

    def find(self, entity: str, sourced_ids: Cells) -> Positions:
        """The position of each sourcedId among an entity's rows, -1 where there is none."""
        if entity not in self._keys:
            self._keys[entity] = KeySet(self.roster.keys(entity))
        found = self._keys[entity].positions(text_hashes(series(sourced_ids)))
        found[is_true(pc.is_null(sourced_ids))] = -1
        return found

    def cells(self, entity: str, column: str, positions: Positions) -> Cells:
        """The cells of a column, or list, in some rows; null where a position is -1."""
        at = pa.array(positions, pa.int64(), mask=positions < 0)
        return _spelt(self._whole(entity, column).take(at))

    def role(self, name: str, positions: Positions) -> Positions:
        """The position among roles of each user's chief role, by one of `names.ROLES`; -1 where
        there is none."""
        if name not in self._chief:
            rows, users = self._ranked(_WORDS[name])
            chief = np.full(self.roster.counts["users"], -1, dtype=np.int64)
            first = np.flatnonzero(np.diff(users, prepend=-1))
            chief[users[first]] = rows[first]
            self._chief[name] = chief
        if not len(self._chief[name]):
            return np.full(len(positions), -1, dtype=np.int64)
        found: Positions = np.where(positions < 0, -1, self._chief[name][positions])
        return found

    def have_role(self, name: str) -> Mask:
        """For each user whether they are enabled and have a role, by one of `names.ROLES`."""
        everybody = np.arange(self.roster.counts["users"], dtype=np.int64)
        have: Mask = self.role(name, everybody) >= 0
        have &= is_true(pc.equal(_spelt(self._whole("users", "enabledUser")), "true"))
        return have

    def _whole(self, entity: str, column: str) -> Any:
        if (entity, column) not in self._columns:
            if entity == "users" and column in _ROLE_OF_LIST:
                made = self._orgs(_WORDS[_ROLE_OF_LIST[column]]).cells()
            elif entity == "classes" and column == "teachers":
                made = self._teachers().cells()
            elif column in self.roster.header(entity):
                made = arrow(self.roster.columns(entity, [column])[column])
            else:
                made = pa.nulls(self.roster.counts[entity], _TEXT)
            self._columns[entity, column] = _shortened(made)
        return self._columns[entity, column]

    @cached_property
    def _role_users(self) -> Positions:
        found = [
            self.find("users", arrow(block["userSourcedId"]))
            for block in self.roster.blocks("roles", ["userSourcedId"])
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *found])

    @cached_property
    def _rank(self) -> npt.NDArray[np.int8]:
        """For each role how far it is from being the one that counts first."""
        primary = is_true(pc.equal(_spelt(self._whole("roles", "roleType")), "primary"))
        homes = self.cells("users", "primaryOrgSourcedId", self._role_users)
        at_home = is_true(pc.equal(_spelt(self._whole("roles", "orgSourcedId")), homes))
        rank: npt.NDArray[np.int8] = (2 - primary.astype(np.int8) - (primary & at_home)).astype(
            np.int8
        )
        return rank

    def _ranked(self, words: tuple[str, ...] | None) -> tuple[Positions, Positions]:
        """The roles of some words by user, the chief one first; and their users."""
        taken = self._role_users >= 0
        if words is not None:
            cells = _spelt(self._whole("roles", "role"))
            taken &= is_true(pc.is_in(cells, value_set=pa.array(words, _TEXT)))
        rows = np.flatnonzero(taken)
        order = np.lexsort((self._rank[rows], self._role_users[rows]))
        rows = rows[order]
        return rows, self._role_users[rows]

    def _orgs(self, words: tuple[str, ...] | None) -> Lists:
        rows, users = self._ranked(words)
        orgs = _spelt(self._whole("roles", "orgSourcedId").take(pa.array(rows, pa.int64())))
        return _gathered(users, orgs, self.roster.counts["users"])

    def _teachers(self) -> Lists:
        classes, people, ranks = [], [], []
        staff = self.have_role("staffRole")
        wanted = ["classSourcedId", "userSourcedId", "role", "primary"]
        for whole in self.roster.blocks("enrollments", wanted):
            block = whole[is_true(pc.equal(arrow(whole["role"]), "teacher"))]
            users = self.find("users", arrow(block["userSourcedId"]))
            at = self.find("classes", arrow(block["classSourcedId"]))
            taken = (users >= 0) & (at >= 0)
            taken[taken] = staff[users[taken]]
            classes.append(at[taken])
            people.append(users[taken])
            ranks.append(~is_true(pc.equal(arrow(block["primary"]), "true"))[taken])
        if not classes:
            return _gathered(
                np.empty(0, dtype=np.int64), pa.array([], _TEXT), self.roster.counts["classes"]
            )
        of, who = np.concatenate(classes), np.concatenate(people)
        order = np.lexsort((np.concatenate(ranks), of))
        return _gathered(
            of[order], self.cells("users", "sourcedId", who[order]), self.roster.counts["classes"]
        )


def _shortened(cells: Cells) -> Any:
    """Cells as they are kept: with each text once, where texts repeat."""
    coded = cells.dictionary_encode()
    return coded if len(coded.dictionary) < len(cells) // 2 else cells


def _spelt(cells: Any) -> Cells:
    """Cells that were kept, as they were."""
    return one(cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells)


def _gathered(owners: Positions, texts: Any, count: int) -> Lists:
    """The texts of each of `count` owners, who ascend; of equal ones the first counts."""
    coded = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    pairs = owners * (int(coded.max(initial=0)) + 1) + coded
    _, first = np.unique(pairs, return_index=True)
    first.sort()
    counts = np.bincount(owners[first], minlength=count)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Lists(offsets, one(texts.take(pa.array(first))))
