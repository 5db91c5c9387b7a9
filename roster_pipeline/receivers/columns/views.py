"""The rows of a view, block by block, and what a name stands for in them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.versions import items
from roster_pipeline.receivers.columns.beside import Beside, Mask
from roster_pipeline.receivers.columns.cells import Cells
from roster_pipeline.receivers.columns.names import LISTS, VIEWS, resolved
from roster_pipeline.tables.arrow import is_true, pc
from roster_pipeline.tables.keys import Positions
from roster_pipeline.tables.text import TEXT, arrow

_AT_ORGS: Final = {
    "roles": "orgSourcedId",
    "courses": "orgSourcedId",
    "classes": "schoolSourcedId",
}
"""By entity where its rows are."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a view."""

    view: str
    at: Positions
    """Which rows of the entity they are; of relationships, which students they are of."""
    frame: pd.DataFrame
    """The columns that are named of these rows, or that refer to rows which are."""
    beside: Beside

    def __len__(self) -> int:
        return len(self.at)

    def cells_of(self, name: str) -> Cells:
        """The cells of what a name stands for."""
        path, entity = resolved(self.view, name), VIEWS[self.view]
        if not path.hops:
            if path.column in LISTS.get(entity, ()):
                return self.beside.cells(entity, path.column, self.at)
            return self._own(path.column)
        positions = self.at
        for place, hop in enumerate(path.hops):
            if hop.by is None:
                positions = self.beside.role(hop.name, positions)
            elif place == 0:
                positions = self.beside.find(hop.target, self._own(hop.by))
            else:
                referring = self.beside.cells(entity, hop.by, positions)
                positions = self.beside.find(hop.target, referring)
            entity = hop.target
        return self.beside.cells(entity, path.column, positions)

    def some(self, mask: Mask) -> "Rows":
        """The rows that a mask takes."""
        if mask.all():
            return self
        return Rows(self.view, self.at[mask], self.frame[mask], self.beside)

    def _own(self, column: str) -> Cells:
        if column in self.frame:
            return arrow(self.frame[column])
        nothing: Cells = pa.nulls(len(self), pa.large_string())
        return nothing


def rows_of(view: str, names: Collection[str], beside: Beside) -> Iterator[Rows]:
    """The rows of a view in the roster's order, with what `names` need of them."""
    if view == "relationships":
        yield from _relationships(beside)
        return
    entity, needed = VIEWS[view], _own_columns(view, names)
    header = beside.roster.header(entity)
    columns = [name for name in header if name in {*needed, "sourcedId"}]
    start = 0
    taken = _members(view, beside)
    for frame in beside.roster.blocks(entity, columns):
        at = np.arange(start, start + len(frame), dtype=np.int64)
        start += len(frame)
        rows = Rows(view, at, frame, beside)
        yield rows if taken is None else rows.some(taken[at])


def hashes_of(view: str, beside: Beside) -> npt.NDArray[np.uint64]:
    """The hash of the sourcedId of each row of a view."""
    keys, taken = beside.roster.keys(VIEWS[view]), _members(view, beside)
    return keys if taken is None else keys[taken]


def members_of(view: str, beside: Beside) -> Mask:
    """For each row of a view's entity whether the view has it."""
    taken = _members(view, beside)
    return np.ones(beside.roster.counts[VIEWS[view]], dtype=np.bool_) if taken is None else taken


def seats(beside: Beside, role: str, word: str) -> Mask:
    """For each enrollment whether it is one of such a word, of somebody who has such a role."""
    people, masks = beside.have_role(role), [np.empty(0, dtype=np.bool_)]
    for block in beside.roster.blocks("enrollments", ["userSourcedId", "role"]):
        mask = is_true(pc.equal(arrow(block["role"]), word))
        users = beside.find("users", arrow(block["userSourcedId"]))
        mask &= users >= 0
        mask[mask] = people[users[mask]]
        masks.append(mask)
    return np.concatenate(masks)


def _own_columns(view: str, names: Collection[str]) -> set[str]:
    paths = [resolved(view, name) for name in names]
    return {path.hops[0].by or "sourcedId" if path.hops else path.column for path in paths}


def _members(view: str, beside: Beside) -> Mask | None:
    """For each row of the entity whether the view has it; None where it has them all."""
    if view == VIEWS[view]:
        return None
    if view not in beside.members:
        beside.members[view] = _found_members(view, beside)
    return beside.members[view]


def _found_members(view: str, beside: Beside) -> Mask:
    if view in ("students", "staff"):
        return beside.have_role("studentRole" if view == "students" else "staffRole")
    if view == "studentEnrollments":
        return seats(beside, "studentRole", "student")
    roster = beside.roster
    taken = is_true(pc.equal(arrow(roster.columns("orgs", ["type"])["type"]), "school"))
    if view == "locations":
        for entity, column in _AT_ORGS.items():
            for block in roster.blocks(entity, [column]):
                found = beside.find("orgs", pc.unique(arrow(block[column])))
                taken[found[found >= 0]] = True
    return taken


def _relationships(beside: Beside) -> Iterator[Rows]:
    for students in rows_of("students", ["agentSourcedIds"], beside):
        if "agentSourcedIds" not in students.frame or not len(students):
            continue
        of, agents = items(students.frame["agentSourcedIds"])
        frame = pd.DataFrame(
            {
                "userSourcedId": students.frame["sourcedId"].iloc[of].reset_index(drop=True),
                "agentSourcedId": agents.reset_index(drop=True),
            },
            dtype=TEXT,
        )
        yield Rows("relationships", students.at[of], frame, beside)
