"""What takes access away is never held back with the rest of its row."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import is_date
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.presence import Positions
from roster_pipeline.quality.rules import ACCESS


def less_access(
    base: Roster, entity: str, held: pd.DataFrame
) -> Iterator[tuple[Positions, pd.DataFrame]]:
    """For each access column the accepted rows whose held successors leave less of it.

    `held` has sourcedId and access columns. Yields ascending positions in `base` and, row by row, a
    frame of the one column with its new cells. Where rows share a sourcedId all must leave less,
    and the one that leaves most counts: a pupil's row at the school left says nothing against the
    one at the new school.
    """
    found = base.find(entity, held["sourcedId"])
    held, found = held[found >= 0].reset_index(drop=True), found[found >= 0]
    for name in ACCESS.get(entity, ()):
        if name not in held.columns:
            continue
        said, stands = held[name], base.take(entity, found, [name])[name]
        less = _disables(said, stands) if name == "enabledUser" else _ends_earlier(said, stands)
        rows = pd.DataFrame({"at": found, name: said, "less": less.fillna(False).astype(bool)})
        agreed = rows[rows.groupby("at")["less"].transform("all")]
        taken = agreed.sort_values(["at", name]).drop_duplicates("at", keep="last")
        if len(taken):
            yield taken["at"].to_numpy(dtype=np.int64), taken[[name]].reset_index(drop=True)


def _disables(said: pd.Series, stands: pd.Series) -> pd.Series:
    return said.eq("false") & stands.ne("false")


def _ends_earlier(said: pd.Series, stands: pd.Series) -> pd.Series:
    dates = said.map(lambda text: isinstance(text, str) and is_date(text)).astype(bool)
    return dates & (stands.isna() | said.lt(stands).fillna(False))
