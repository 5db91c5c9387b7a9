"""What became of people, by kind, at each school and in the district.

It takes the last role that makes somebody of a kind to be lost, so the roles of all whom anything
moved are counted, before and now.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.guards.census import Hashes, Keys, at_school, first_ones, in_district
from roster_pipeline.guards.facts import PEOPLE, Moves
from roster_pipeline.guards.moved import FATES, Mask, Moved, Numbers, joined
from roster_pipeline.guards.schools import Tally
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.tables.keys import KeySet, distinct

_ALL: Final = slice(None)


def count_people(roles: Moved, users: Moved, everyone: Numbers, tally: Tally) -> dict[str, Moves]:
    """The people of each kind that there is, in the district; those of each school go into the
    tally. `everyone` is all roles of the old roster."""
    for place, field, schools in _heads(at_school, roles, users, everyone):
        tally.add(PEOPLE[place], field, schools)
    counts: dict[str, dict[str, int]] = {kind: {} for kind in PEOPLE}
    for place, field, schools in _heads(in_district, roles, users, everyone):
        counts[PEOPLE[place]][field] = len(schools)
    return {kind: Moves(**of) for kind, of in counts.items() if any(of.values())}


def _heads(
    keys: Keys, roles: Moved, users: Moved, everyone: Numbers
) -> Iterator[tuple[int, str, npt.NDArray[np.int32]]]:
    """Each kind, what became of people, and of whom it did: the school of each."""
    theirs = keys(everyone)
    first = first_ones(theirs)
    touched, became = _became(keys, theirs, roles, users, everyone)
    for kind in range(len(PEOPLE)):
        yield kind, "was", everyone["school"][first & (everyone["kind"] == kind)]
        for field, which in became.items():
            yield kind, field, touched["school"][which & (touched["kind"] == kind)]


def _became(
    keys: Keys, theirs: Hashes, roles: Moved, users: Moved, everyone: Numbers
) -> tuple[Numbers, dict[str, Mask]]:
    """The people of whom anything moved, and for each field of `Moves` which it is true of."""
    after = {**roles.after, "in_force": roles.after["in_force"] & ~roles.off}
    lost, won = joined([roles.gone, roles.before]), joined([roles.came, after])
    lost_keys, won_keys = keys(lost), keys(won)
    of_changed = theirs[KeySet(users.before["user"]).contains(everyone["user"])]
    touched = distinct(np.concatenate([lost_keys, won_keys, of_changed]))
    stood = np.flatnonzero(KeySet(touched).contains(theirs))
    old, gone, come = (np.searchsorted(touched, at) for at in (theirs[stood], lost_keys, won_keys))

    def count(places: Positions, which: Mask | slice = _ALL) -> Positions:
        return np.bincount(places[which], minlength=len(touched))

    was, had_force = count(old), count(old, everyone["in_force"][stood])
    now = was - count(gone) + count(come)
    has_force = had_force - count(gone, lost["in_force"]) + count(come, won["in_force"])
    fates = np.full(len(touched), min(FATES.values()), dtype=np.int8)
    np.maximum.at(fates, gone, np.concatenate([roles.fates, roles.fates_elsewhere]))
    who = _of_each(touched, [(old, _taken(everyone, stood)), (come, won)])
    stays = (was > 0) & (now > 0)
    switched = (users.before["user"][which] for which in (users.off, users.on))
    disabled, enabled = (KeySet(some).contains(who["user"]) for some in switched)
    off = stays & (disabled | ((had_force > 0) & (has_force == 0)))
    return who, {
        "added": (was == 0) & (now > 0),
        "changed": stays,
        **{field: (was > 0) & (now == 0) & (fates == fate) for field, fate in FATES.items()},
        "deactivated": off,
        "reactivated": stays & ~off & (enabled | ((had_force == 0) & (has_force > 0))),
    }


def _of_each(touched: Hashes, rows: Sequence[tuple[Positions, Numbers]]) -> Numbers:
    """The traits of the people at some places, of any of their rows."""
    found = {
        name: np.zeros(len(touched), dtype=rows[0][1][name].dtype)
        for name in ("user", "kind", "school")
    }
    for places, numbers in rows:
        for name, column in found.items():
            column[places] = numbers[name]
    return found


def _taken(rows: Numbers, at: Positions) -> Numbers:
    return {name: column[at] for name, column in rows.items()}
