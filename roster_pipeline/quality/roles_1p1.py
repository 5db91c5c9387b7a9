"""Roles of people whose 1.1 row is held back."""

import re
from typing import Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import GUIDS, USER_ROLES_1P1
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.versions import items, role_words
from roster_pipeline.quality.presence import Positions

SAID: Final = ("role", "orgSourcedIds")
"""The cells of a 1.1 users row that say what the person is, and where."""
_GUIDS: Final = re.compile(GUIDS)


def still_said(base: Roster, positions: Positions, held: pd.DataFrame) -> Positions:
    """Of some accepted roles (positions in `base`) those that no row held back takes away.

    `held` has sourcedId and, where they are known, the cells of `SAID`. A row held for another
    cell, of which these two can be read, says all roles of its person: one that it does not name is
    gone, as access that is taken away is never held back.
    """
    if not len(positions) or not set(SAID) <= set(held.columns):
        return positions
    readable = held["role"].isin(USER_ROLES_1P1) & held["orgSourcedIds"].map(_is_list).astype(bool)
    doubtful = held["sourcedId"][~readable]
    told = held[readable & ~held["sourcedId"].isin(doubtful)].reset_index(drop=True)
    if not len(told):
        return positions
    rows, orgs = items(told["orgSourcedIds"])
    people = told.iloc[rows].reset_index(drop=True)
    said = pd.MultiIndex.from_arrays(
        [people["sourcedId"], orgs.reset_index(drop=True), people["role"]]
    )
    roles = base.take(
        "roles", positions, ["userSourcedId", "orgSourcedId", "role"], provenance=True
    )
    words = role_words(roles)
    named = pd.MultiIndex.from_arrays([roles["userSourcedId"], roles["orgSourcedId"], words])
    stays = ~roles["userSourcedId"].isin(told["sourcedId"]) | words.isna() | named.isin(said)
    kept: Positions = positions[stays.to_numpy(dtype=bool)].astype(np.int64)
    return kept


def _is_list(text: object) -> bool:
    return isinstance(text, str) and _GUIDS.fullmatch(text) is not None
