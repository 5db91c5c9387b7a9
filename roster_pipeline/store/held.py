"""Since when rows have been held back: what tells a typo of today from one that nobody mends."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pandas as pd

from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.tables.text import TEXT

COLUMNS: Final = ("entity", "sourcedId", "code", "since")
_ROW: Final = ["entity", "sourcedId"]
"""What names a row. Whatever is wrong with it, it waits once."""


@dataclass(frozen=True)
class HeldRows:
    """The rows of a source that were held back on a date, in numbers."""

    date: dt.date
    rows: int
    since: dt.date | None
    """Since when the oldest has been held without a break; None where none is held."""

    @property
    def days(self) -> int:
        """How many days before the date the oldest was held first."""
        return 0 if self.since is None else (self.date - self.since).days

    @classmethod
    def of(cls, day: dt.date, aged: pd.DataFrame) -> "HeldRows":
        """The numbers of a frame that `aged` made for a date."""
        since = None if aged.empty else dt.date.fromisoformat(str(aged["since"].min()))
        return cls(day, len(aged), since)


def aged(
    findings: pd.DataFrame,
    before: pd.DataFrame | None,
    day: dt.date,
    *,
    not_sent: Collection[str] = (),
) -> pd.DataFrame:
    """The rows that findings (as `Findings.frame` has them) hold back, with their age.

    One line a row, sorted: entity, sourcedId, the first code that holds it, and the date since
    when it has been held without a break. `before` is what this made of the last date before
    `day` on which a package was judged. Of an entity that was not sent the rows held before wait
    on. Rows whose sourcedId cannot be read have no age.
    """
    held = findings[findings["severity"].eq(str(Severity.HOLD)) & findings["sourcedId"].notna()]
    now = held.drop_duplicates(_ROW)[[*_ROW, "code"]].assign(since=str(day))
    if before is not None and len(before):
        waiting = before[before["entity"].isin(list(not_sent))]
        now = pd.concat([now, waiting[[*_ROW, "code", "since"]]]).drop_duplicates(_ROW)
        known = now[_ROW].merge(before[[*_ROW, "since"]], on=_ROW, how="left")["since"]
        now = now.assign(since=known.fillna(str(day)).to_numpy())
    return now[list(COLUMNS)].astype(TEXT).sort_values(_ROW, ignore_index=True)
