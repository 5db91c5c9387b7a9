"""Rows of a roster by position, cheap wherever they lie.

A page is a few rows of a part, or in a sorted view of every part: to decode parts for each would
read the whole roster again and again, and to keep them decoded would take all memory. So each
part is decoded once into a file that is mapped: the kernel keeps of it what is used.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cached_property
from tempfile import NamedTemporaryFile
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.layout import ROLE, Positions
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.unchanged import positions_among
from roster_pipeline.tables.arrow import to_frame, to_table
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.text import TEXT

Item = TypeVar("Item")


class Recent(Generic[Item]):
    """What was made last, by key, up to a total size; the oldest used goes first."""

    def __init__(self, most: int, size: Callable[[Item], int] = lambda _: 1) -> None:
        self._most = most
        self._size = size
        self._items: OrderedDict[Hashable, Item] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Item]) -> Item:
        """The item under a key, made if it is not there."""
        if key in self._items:
            self._items.move_to_end(key)
            return self._items[key]
        item = self._items[key] = make()
        while len(self._items) > 1 and sum(map(self._size, self._items.values())) > self._most:
            self._items.popitem(last=False)
        return item


class Owned:
    """Which rows of an entity belong to which users."""

    def __init__(self, owners: Positions, users: int) -> None:
        self.owners = owners
        """For each row the position of its user, -1 where there is none."""
        self._order = np.argsort(owners, kind="stable")
        self._starts = np.searchsorted(owners[self._order], np.arange(users + 1))

    def of(self, users: Positions) -> tuple[Positions, Positions]:
        """The rows of some users, in their order; for each where among them its user stands."""
        starts, ends = self._starts[users], self._starts[users + 1]
        counts = ends - starts
        owner = np.repeat(np.arange(len(users)), counts)
        before = np.cumsum(counts) - counts
        rows = self._order[np.arange(len(owner)) + np.repeat(starts - before, counts)]
        return rows, owner


class Reading:
    """A roster read again and again in small pieces. Not safe for several threads at once."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._parts: dict[tuple[str, int], pd.DataFrame] = {}
        self._keys: Recent[npt.NDArray[np.uint64]] = Recent(2)

    def rows(self, entity: str, positions: Positions) -> pd.DataFrame:
        """All cells of some rows, in the order given; of roles also the word of 1.1."""
        if not len(positions):
            return self.roster.take(entity, positions, self._columns(entity))
        bounds = self.roster.tables[entity].bounds
        part = np.searchsorted(bounds, positions, side="right") - 1
        inside = [
            _at(self._part(entity, int(number)), positions[part == number] - bounds[number])
            for number in np.unique(part)
        ]
        if len(inside) == 1:
            return inside[0]
        back = np.argsort(np.argsort(part, kind="stable"))
        return _at(pd.concat(inside, ignore_index=True), back)

    def position(self, entity: str, sourced_id: str) -> int:
        """The position of the first row with a sourcedId, -1 where there is none."""
        wanted = pd.Series([sourced_id], dtype=TEXT)
        keys = self._keys.get(entity, lambda: self.roster.keys(entity))
        for position in positions_among(keys, text_hashes(wanted)):
            if self.rows(entity, np.array([position]))["sourcedId"].iloc[0] == sourced_id:
                return int(position)
        return -1

    @cached_property
    def roles(self) -> Owned:
        """The roles of each user."""
        return self._owned("roles")

    @cached_property
    def profiles(self) -> Owned:
        """The profiles of each user."""
        return self._owned("userProfiles")

    def _owned(self, entity: str) -> Owned:
        people = self.roster.columns(entity, ["userSourcedId"])["userSourcedId"]
        return Owned(self.roster.find("users", people), self.roster.counts["users"])

    def _part(self, entity: str, number: int) -> pd.DataFrame:
        if (entity, number) not in self._parts:
            bounds = self.roster.tables[entity].bounds
            whole = np.arange(bounds[number], bounds[number + 1])
            part = next(self.roster.select(entity, whole, self._columns(entity)))
            self._parts[entity, number] = _mapped(part)
        return self._parts[entity, number]

    def _columns(self, entity: str) -> tuple[str, ...]:
        return (*self.roster.header(entity), *((ROLE,) if entity == "roles" else ()))


def _mapped(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame with its cells in a file that has no name any more: none is left behind."""
    table = to_table(frame, list(frame.columns))
    with NamedTemporaryFile(prefix="roster-part-", suffix=".arrow") as file:
        with pa.ipc.new_file(file.name, table.schema) as writer:
            writer.write_table(table)
        return to_frame(pa.ipc.open_file(pa.memory_map(file.name)).read_all())


def _at(frame: pd.DataFrame, positions: Positions) -> pd.DataFrame:
    """Rows by position; neighbours without a copy."""
    if len(positions) and np.array_equal(positions, np.arange(len(positions)) + positions[0]):
        found = frame.iloc[int(positions[0]) : int(positions[0]) + len(positions)]
    else:
        found = frame.take(positions)
    return found.reset_index(drop=True)
