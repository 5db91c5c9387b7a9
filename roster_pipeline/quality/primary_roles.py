"""Of a user's primary roles at one org the first stands, and the others wait."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Hashes, Positions
from roster_pipeline.quality.rules import ACCESS
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import KeySet

_WHERE = ("userSourcedId", "orgSourcedId")
NONE: Hashes = np.empty(0, dtype=np.uint64)


def places(roles: pd.DataFrame) -> Hashes:
    """For each role where its user has it, as a hash; 0 for one that is not primary."""
    primary = roles["roleType"].eq("primary").fillna(False).to_numpy(dtype=bool)
    return np.where(primary, row_hashes(roles, _WHERE), 0).astype(np.uint64)


@dataclass(frozen=True)
class Further:
    """Primary roles beside the first of a user at an org."""

    positions: Positions
    lines: Positions
    rows: pd.DataFrame
    """sourcedId and access columns."""


def find_further(written: Roster, kept: Positions, where: Hashes) -> Further | None:
    """The primary roles (of the rows kept) of users who have one already at that org."""
    primary = kept[where[kept] != 0]
    later = KeySet(where[primary]).duplicated()
    if not len(later):
        return None
    suspects = primary[KeySet(where[primary[later]]).contains(where[primary])]
    wanted = ["sourcedId", *ACCESS["roles"]]
    frame = written.take("roles", suspects, [*wanted, *_WHERE], provenance=True)
    # Two texts may share a hash: what counts is the text.
    further = frame.duplicated(list(_WHERE)).to_numpy(dtype=bool)
    return Further(
        suspects[further],
        frame["_line"].to_numpy(dtype=np.int64)[further],
        frame.loc[further, wanted].reset_index(drop=True),
    )
