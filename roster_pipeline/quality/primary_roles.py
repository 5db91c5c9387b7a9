"""Of a user's primary roles at one org the first stands, and the others wait: unless each ends
before the next begins, as last year's does and this year's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Hashes, Positions
from roster_pipeline.quality.rows import Mask
from roster_pipeline.quality.rules import ACCESS
from roster_pipeline.tables.hashes import row_hashes
from roster_pipeline.tables.keys import KeySet

_WHERE = ("userSourcedId", "orgSourcedId")
_BEGIN, _END = "beginDate", "endDate"
_EVER, _NEVER = 0, 99999999
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
    """The primary roles (of the rows kept) of users who have one already at that org, where any two
    of theirs hold on the same day."""
    primary = kept[where[kept] != 0]
    later = KeySet(where[primary]).duplicated()
    if not len(later):
        return None
    suspects = primary[KeySet(where[primary[later]]).contains(where[primary])]
    wanted = ["sourcedId", *ACCESS["roles"]]
    frame = written.take("roles", suspects, [*wanted, _BEGIN, *_WHERE], provenance=True)
    # Two texts may share a hash: what counts is the text.
    further = frame.duplicated(list(_WHERE)).to_numpy(dtype=bool) & _at_once(frame)
    if not further.any():
        return None
    return Further(
        suspects[further],
        frame["_line"].to_numpy(dtype=np.int64)[further],
        frame.loc[further, wanted].reset_index(drop=True),
    )


def _at_once(roles: pd.DataFrame) -> Mask:
    """For each role whether, of all that its user has at its org, any two hold on the same day."""
    of = roles.groupby(list(_WHERE), sort=False).ngroup().to_numpy()
    begin, end = _day(roles[_BEGIN], _EVER), _day(roles[_END], _NEVER)
    order = np.lexsort((begin, of))
    ended = pd.Series(end[order]).groupby(of[order]).cummax()
    before = ended.groupby(of[order]).shift(fill_value=_EVER).to_numpy()
    both = of[order][begin[order] < before]
    return np.isin(of, both)


def _day(texts: pd.Series, otherwise: int) -> npt.NDArray[np.int64]:
    """Dates as numbers in their order; what is empty or no date is as far away as can be."""
    digits = texts.astype(object).str.replace("-", "")
    days = pd.to_numeric(digits, errors="coerce").fillna(otherwise)
    return days.to_numpy(dtype=np.int64)
