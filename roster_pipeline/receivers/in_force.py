"""Roles and enrollments by the day, for receivers to which their dates are not told.

OneRoster 1.1 has no dates of roles, and many files have none of enrollments: what is over, or still
to come, would look there as if it were so today.
"""

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.endings import past, to_come
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.scoping.ids import Mask
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.columns.dated import Dated, dated
from roster_pipeline.receivers.in_force_config import Time, Without
from roster_pipeline.receivers.mask_config import Mask as MaskedColumns
from roster_pipeline.receivers.profiles import Profile
from roster_pipeline.receivers.staying import sent
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.hashes import text_hashes
from roster_pipeline.tables.keys import Hashes
from roster_pipeline.tables.text import arrow

Leaving = Mapping[str, Collection[Time]]
"""By entity what of it stays at home."""

_DATES: Final[Mapping[Time, str]] = {"to_come": "beginDate", "over": "endDate"}
# How far a role is from being in force.
_FAR: Final[Mapping[Time, int]] = {"to_come": 1, "over": 2}


@dataclass(frozen=True)
class InForce:
    """A roster of one day."""

    roster: Roster
    left_out: Mapping[str, int] = field(default_factory=dict)
    until: date | None = None
    """The last day on which it is this; None if it stays this for good."""


def leaving(profile: Profile, mask: MaskedColumns | None = None) -> Leaving:
    """What a receiver does not get of roles and enrollments by their dates: what its format says,
    else what no date tells it of, be it for the format or for a mask."""
    if isinstance(profile.columns, ColumnsFormat):
        told, said = dated(profile.columns), profile.columns.without
    elif profile.oneroster is not None:
        blank = {f"{e}.{name}" for e, names in profile.oneroster.blank.items() for name in names}
        dates = () if profile.oneroster.version == "1.1" else ("roles",)
        entities = set(sent(profile.oneroster)) & {"roles", "enrollments"}
        named = {f"{e}.{name}" for e in (*dates, "enrollments") for name in _DATES.values()}
        told, said = Dated(frozenset(entities), frozenset(named - blank)), profile.oneroster.without
    else:
        return {}
    masked = set() if mask is None else {*mask.drop, *mask.blank}
    return {
        entity: times
        for entity in sorted(told.entities)
        if (times := _times(entity, said, told.dates - masked))
    }


def _times(entity: str, said: Without, dates: Collection[str]) -> Collection[Time]:
    own: tuple[Time, ...] | None = getattr(said, entity)
    if own is not None:
        return own
    return tuple(time for time, name in _DATES.items() if f"{entity}.{name}" not in dates)


def in_force(roster: Roster, leaves: Leaving, day: date, into: Path) -> InForce:
    """Write into a new folder a roster without what stays at home on a day.

    Of a person all of whose roles would stay, those to come go, else those that are over: nobody
    leaves for the dates of their roles. A roster of which nothing stays comes back itself.
    """
    looks = {entity: _look(roster, entity, times, day) for entity, times in leaves.items()}
    changes = {text for look in looks.values() for text in look.changes}
    until = _before_the_first(changes)
    stay = {entity: look.stay for entity, look in looks.items() if not look.stay.all()}
    if not stay:
        return InForce(roster, until=until)
    with closing(RosterWriter(into)) as writer:
        for entity in ENTITIES:
            rows = None if entity not in stay else np.flatnonzero(stay[entity]).astype(np.int64)
            writer.copy_from(roster, entity, rows)
        made = writer.finish()
    left = {entity: int(len(mask) - mask.sum()) for entity, mask in stay.items()}
    return InForce(made, left, until)


@dataclass(frozen=True)
class _Look:
    stay: Mask
    changes: set[str]
    """Dates after the day, on each of which some row begins or is over."""


def _look(roster: Roster, entity: str, times: Collection[Time], day: date) -> _Look:
    of_people = entity == "roles"
    names = [_DATES[time] for time in times] + (["userSourcedId"] if of_people else [])
    far: list[np.ndarray] = [np.empty(0, dtype=np.int8)]
    people: list[Hashes] = [np.empty(0, dtype=np.uint64)]
    changes: set[str] = set()
    for block in roster.blocks(entity, names):
        far.append(_how_far(block, times, day))
        if of_people:
            people.append(text_hashes(block["userSourcedId"]))
        for time in times:
            dates = arrow(block[_DATES[time]])
            changes.update(pc.unique(dates.filter(to_come(dates, day))).to_pylist())
    rows = np.concatenate(far)
    nearest = _nearest(rows, np.concatenate(people)) if of_people and rows.any() else 0
    return _Look(rows == nearest, changes)


def _how_far(rows: pd.DataFrame, times: Collection[Time], day: date) -> np.ndarray:
    far = np.zeros(len(rows), dtype=np.int8)
    for time in (time for time in _FAR if time in times):
        is_so = past if time == "over" else to_come
        far[is_so(arrow(rows[_DATES[time]]), day)] = _FAR[time]
    return far


def _nearest(far: np.ndarray, people: Hashes) -> np.ndarray:
    """For each role how far the nearest one of the same person is."""
    nearest: np.ndarray = pd.Series(far).groupby(people, sort=False).transform("min").to_numpy()
    return nearest


def _before_the_first(dates: set[str]) -> date | None:
    """The day before the first of some dates; what only looks like a date is none."""
    for text in sorted(dates):
        try:
            return date.fromisoformat(text) - timedelta(days=1)
        except ValueError:
            continue
    return None
