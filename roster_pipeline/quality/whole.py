"""Rules over many rows of a finished roster: keys that collide, and what rows mean together.

Such a rule names what it looks at; it is given whole columns as arrays, and only those.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.entities import references
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import Policy
from roster_pipeline.quality.collisions import COLLISIONS
from roster_pipeline.quality.meaning_classes import CLASSES
from roster_pipeline.quality.meaning_people import PEOPLE
from roster_pipeline.quality.meaning_sessions import SESSIONS
from roster_pipeline.quality.view import Positions, RosterView
from roster_pipeline.quality.whole_rules import Broken, WholeRule
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import arrow

WHOLE: Final[tuple[WholeRule, ...]] = (*COLLISIONS, *SESSIONS, *CLASSES, *PEOPLE)
"""Every rule over many rows, in the order in which people mend what they find."""


def judge_whole(
    roster: Roster,
    own: Mapping[str, int],
    file: Callable[[str], str],
    *,
    version: Version,
    policy: Policy,
    today: date | None,
    unread: Collection[str] = (),
    lost: Mapping[str, int] | None = None,
) -> Findings:
    """What is wrong with the rows of a roster taken together.

    Only the first `own` rows of each entity came with the package; the rest stand in from the
    last accepted roster, and are looked at, and not judged. `file` names the member that holds an
    entity. `unread` are entities of which rows are missing that nobody counted: rules that look at
    them are left out. `lost` says how many rows of an entity were held back, or went with others.
    """
    view = RosterView(roster, own, wanted(WHOLE), version=version, today=today)
    found = []
    for rule in WHOLE:
        if _judgeable(rule, view, unread):
            broken = [_own(some, view) for some in rule.breaks(view)]
            if not _explained(rule, broken, lost or {}):
                found += [(rule, some) for some in broken if some.rows is None or len(some.rows)]
    places = _Places(roster, [some for _, some in found])
    return Findings(_finding(rule, some, places, file, policy) for rule, some in found)


def wanted(rules: Iterable[WholeRule]) -> dict[str, set[str]]:
    """The columns that some rules read, by entity."""
    columns: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        for entity, names in rule.reads.items():
            columns[entity].update(names)
    return columns


def _judgeable(rule: WholeRule, view: RosterView, unread: Collection[str]) -> bool:
    if rule.absent_from is not None and not view.rows(rule.absent_from):
        return False
    return not (rule.clock and view.today is None) and not _looked_at(rule) & set(unread)


def _looked_at(rule: WholeRule) -> set[str]:
    """The entities that a rule reads, and those that it only follows references to."""
    targets = {
        column.target
        for entity, names in rule.reads.items()
        for column in references(entity)
        if column.name in names
    }
    return {*rule.reads, *filter(None, targets)}


def _own(broken: Broken, view: RosterView) -> Broken:
    own = view.own(broken.entity)
    if broken.rows is None:
        return broken if own else broken._replace(rows=np.empty(0, dtype=np.int64))
    return broken._replace(rows=broken.rows[: np.searchsorted(broken.rows, own)])


def _explained(rule: WholeRule, broken: Iterable[Broken], lost: Mapping[str, int]) -> bool:
    """Whether rows that were held back may be all that is missed."""
    if rule.absent_from is None:
        return False
    count = sum(0 if some.rows is None else len(some.rows) for some in broken)
    return count <= lost.get(rule.absent_from, 0)


class _Places:
    """Where broken rows stand and what they are called, each part of the roster read once."""

    def __init__(self, roster: Roster, broken: Iterable[Broken]) -> None:
        rows: dict[str, list[Positions]] = defaultdict(list)
        for some in broken:
            if some.rows is not None:
                rows[some.entity].append(some.rows)
        self._rows = {entity: distinct(np.concatenate(parts)) for entity, parts in rows.items()}
        self._frames = {
            entity: roster.take(entity, positions, ["sourcedId"], provenance=True)
            for entity, positions in self._rows.items()
        }

    def of(self, entity: str, rows: Positions) -> tuple[npt.NDArray[np.int64], pd.Series]:
        """The lines and the sourcedIds of some rows."""
        at = np.searchsorted(self._rows[entity], rows)
        frame = self._frames[entity]
        return frame["_line"].to_numpy(dtype=np.int64)[at], frame["sourcedId"].take(at)


def _finding(
    rule: WholeRule, broken: Broken, places: _Places, file: Callable[[str], str], policy: Policy
) -> FindingGroup:
    severity = policy.severity(rule)
    entity, column, rows = broken
    if rows is None:
        return rule.at(file(entity), column, severity=severity, entity=entity)
    lines, ids = places.of(entity, rows)
    return rule.at(
        file(entity), column, lines, severity=severity, entity=entity, sourced_ids=arrow(ids)
    )
