"""The orgs of two rosters as numbers, and what is counted at each."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roster_pipeline.guards.facts import AT_SCHOOL, Moves
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.shape import stack
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import arrow

Numbers = npt.NDArray[np.int32]
_FIELDS: Final = tuple(field.name for field in fields(Moves))
_MOVING: Final = [place for place, name in enumerate(_FIELDS) if name != "was"]


@dataclass(frozen=True)
class Schools:
    """The orgs of two rosters; a school's number is its place among them."""

    sourced_ids: pa.LargeStringArray
    names: pa.LargeStringArray
    """As the old roster calls those that it has."""

    @classmethod
    def of(cls, delta: Delta) -> "Schools":
        """All orgs of both rosters, each once."""
        columns = ["sourcedId", "name"]
        rosters = (delta.old or Roster.empty(), delta.new)
        both = stack([roster.columns("orgs", columns) for roster in rosters], columns)
        once = both.drop_duplicates("sourcedId")
        return cls(arrow(once["sourcedId"]), arrow(once["name"]))

    def numbers(self, sourced_ids: pa.LargeStringArray) -> Numbers:
        """The number of each school, -1 for what is none."""
        found = pc.index_in(sourced_ids, value_set=self.sourced_ids, skip_nulls=True)
        numbers: Numbers = found.fill_null(-1).to_numpy()
        return numbers

    def sourced(self, numbers: npt.NDArray[Any]) -> list[str]:
        """The sourcedIds of some schools."""
        return cast("list[str]", self.sourced_ids.take(numbers).to_pylist())

    def called(self, sourced_ids: Collection[str]) -> dict[str, str]:
        """The names of some schools; none of one that has none."""
        at = self.numbers(pa.array(sourced_ids, pa.large_string()))
        names = self.names.take(at).to_pylist()
        return {key: name for key, name in zip(sourced_ids, names, strict=True) if name}


class Tally:
    """What moved at each school: how many, by what is counted and by field of `Moves`."""

    def __init__(self, schools: Schools) -> None:
        self._schools = schools
        self._counts = np.zeros(
            (len(schools.sourced_ids), len(AT_SCHOOL), len(_FIELDS)), dtype=np.int64
        )

    def add(self, what: str, field: str, at: Numbers) -> None:
        """One more at each of these schools, which may repeat; -1 counts nowhere."""
        counts = self._counts[:, AT_SCHOOL.index(what), _FIELDS.index(field)]
        counts += np.bincount(at[at >= 0], minlength=len(counts))

    def moves(self) -> dict[str, dict[str, Moves]]:
        """By sourcedId of a school, in order, whatever moved there; and nothing else."""
        moved: npt.NDArray[np.bool_] = np.any(self._counts[:, :, _MOVING], axis=2)
        some = np.flatnonzero(moved.any(axis=1))
        return {
            sourced_id: {
                what: Moves(**dict(zip(_FIELDS, counts[place].tolist(), strict=True)))
                for place, what in enumerate(AT_SCHOOL)
                if moved[number, place]
            }
            for sourced_id, number, counts in sorted(
                zip(self._schools.sourced(some), some, self._counts[some], strict=True),
                key=lambda school: school[0],
            )
        }
