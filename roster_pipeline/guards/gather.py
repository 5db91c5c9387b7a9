"""Everything that the guards want to know of two rosters, counted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from roster_pipeline.guards.facts import Facts, Share
from roster_pipeline.guards.moves import count_moves, emptied_classes, schools_removed
from roster_pipeline.guards.people import MovedRoles, clashes, moved_school, role_flips, sign_in
from roster_pipeline.guards.rekeyed import count_rekeyed
from roster_pipeline.oneroster.delta import Delta

Mask = npt.NDArray[np.bool_]


def gather(
    given: Facts, delta: Delta, day: date, outside: Mapping[str, Mask] | None = None
) -> Facts:
    """The facts given, and with them all that a comparison brings up.

    `day` is the date of the sync; `outside` says which rows of the accepted roster the source's
    scope leaves out now. On a first sync it is what would come, by kind of people and school.
    """
    shift = count_moves(delta, day, outside)
    if delta.old is None:
        return replace(given, shift=shift)
    removed, names = schools_removed(delta, outside)
    names = {**shift.school_names, **names}
    return replace(
        given,
        shift=replace(shift, school_names=names, shares=_shares(delta)),
        schools_removed=removed,
        emptied_classes=emptied_classes(delta, day, outside),
        rekeyed=count_rekeyed(delta),
        clashes=clashes(delta),
    )


def _shares(delta: Delta) -> dict[str, Share]:
    """What happens to those who stay, as in `Shift.shares`."""
    roles = MovedRoles.of(delta)
    return {
        "role_flips": role_flips(delta, roles),
        "moved_school": moved_school(delta, roles),
        **{f"sign_in.{column}": share for column, share in sign_in(delta).items()},
    }
