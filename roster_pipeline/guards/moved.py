"""The rows of a difference as numbers.

Of a row that moved the guards want little: its school, whether it is in force. Rows are read block
by block and at once made numbers, so that a day on which seven million enrollments go needs some
hundred megabytes and no texts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.guards.facts import SOON
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.endings import Endings, numbered
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.roster import Roster

Mask = npt.NDArray[np.bool_]
Fates = npt.NDArray[np.int8]

ENDED, DESCOPED, REMOVED = range(3)
"""What became of a row that is gone. Of several rows the highest counts."""
FATES: Final[Mapping[str, int]] = {"removed": REMOVED, "ended": ENDED, "descoped": DESCOPED}
"""By the fields of `facts.Moves`."""


class Trait(NamedTuple):
    """Something about a row, as a number."""

    columns: tuple[str, ...]
    """What it is made of."""
    of: Callable[[pd.DataFrame], npt.NDArray[Any]]
    """Makes it of rows that have these columns, as TEXT."""
    of_changed: bool = False
    """Whether only rows that changed are asked about it."""


Traits = Mapping[str, Trait]
Numbers = Mapping[str, npt.NDArray[Any]]
"""Traits of some rows by name, aligned."""


@dataclass(frozen=True)
class Moved:
    """The rows of one entity that differ. Each set of rows is read when it is first needed."""

    delta: Delta
    entity: str
    endings: Endings
    """Of the old roster."""
    traits: Traits
    """`in_force`, `ends` and `subject`, where there are such, say what became of changed rows."""
    left_out: Mask | None = None
    """Of the old roster's rows those that the scope leaves out now."""

    @cached_property
    def gone(self) -> Numbers:
        """Rows that were removed, as they were."""
        return self._read(self.delta.entities[self.entity].removed, was=True)

    @cached_property
    def came(self) -> Numbers:
        """Rows that were added."""
        return self._read(self.delta.entities[self.entity].added)

    @cached_property
    def before(self) -> Numbers:
        """Rows that changed, as they were; aligned with `after`."""
        return self._read(self.delta.entities[self.entity].changed_from, was=True, changed=True)

    @cached_property
    def after(self) -> Numbers:
        """Rows that changed, as they are."""
        return self._read(self.delta.entities[self.entity].changed, changed=True)

    @cached_property
    def fates(self) -> Fates:
        """For each row of `gone` why it is. One both over and left out was left out."""
        removed = self.delta.entities[self.entity].removed
        fates = np.full(len(removed), REMOVED, dtype=np.int8)
        if self.endings.columns(self.entity):
            fates[self.gone["over"]] = ENDED
        if self.left_out is not None:
            fates[self.left_out[removed]] = DESCOPED
        return fates

    @cached_property
    def fates_elsewhere(self) -> Fates:
        """For each row of `before` what became of it where it was, if it is elsewhere now."""
        return np.where(self.before["over"], ENDED, REMOVED).astype(np.int8)

    @cached_property
    def another(self) -> Mask:
        """Which of the changed rows are about somebody or something else than they were."""
        if "subject" not in self.traits:
            return self._none
        others: Mask = self.before["subject"] != self.after["subject"]
        return others

    @cached_property
    def off(self) -> Mask:
        """Which of the changed rows were in force and are not, or are to end soon and before the
        time that was said. What was over by the sessions that it hangs on was not in force."""
        if "in_force" not in self.traits:
            return self._none
        before, after = self.before, self.after
        stops = ~after["in_force"]
        if "ends" in self.traits:
            early = after["ends"] < before["ends"]
            stops |= early & (after["ends"] <= soon(self.endings))
        off: Mask = before["in_force"] & ~before["over"] & ~self.another & stops
        return off

    @cached_property
    def on(self) -> Mask:
        """Which of the changed rows were not in force and are."""
        if "in_force" not in self.traits:
            return self._none
        on: Mask = ~self.before["in_force"] & self.after["in_force"] & ~self.another
        return on

    @property
    def _none(self) -> Mask:
        return np.zeros(len(self.delta.entities[self.entity].changed), dtype=bool)

    def _read(self, positions: Positions, *, was: bool = False, changed: bool = False) -> Numbers:
        change = self.delta.entities[self.entity]
        traits = {name: of for name, of in self.traits.items() if changed or not of.of_changed}
        if was:
            traits["over"] = Trait(
                self.endings.columns(self.entity),
                lambda rows: self.endings.over(self.entity, rows),
            )
        columns = tuple(sorted({name for trait in traits.values() for name in trait.columns}))
        kept = change.old_rows if was else change.new_rows
        if kept is not None:
            return numbers_of(kept.take(positions, columns), traits)
        roster = (self.delta.old or Roster.empty()) if was else self.delta.new
        return _read(roster, self.entity, positions, columns, traits)


def soon(endings: Endings) -> int:
    """The last day, numbered, that is soon on the day of these endings."""
    return numbered(endings.day + timedelta(days=SOON))


def _read(
    roster: Roster, entity: str, positions: Positions, columns: tuple[str, ...], traits: Traits
) -> Numbers:
    order = np.argsort(positions, kind="stable")
    made = [
        numbers_of(block, traits) for block in roster.select(entity, positions[order], columns)
    ] or [numbers_of(roster.take(entity, positions, columns), traits)]
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return {name: column[back] for name, column in joined(made).items()}


def numbers_of(rows: pd.DataFrame, traits: Traits) -> Numbers:
    """The traits of some rows."""
    return {name: trait.of(rows) for name, trait in traits.items()}


def joined(parts: Sequence[Numbers]) -> Numbers:
    """Rows below rows, in the traits of the first ones."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
