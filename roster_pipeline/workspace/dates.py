"""How many dates a workspace can have: Dagster shows each of them once for every source."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LIMIT: Final = 100_000
"""Partitions per asset that Dagster advises not to exceed."""

FIRST_ZONE: Final = "Pacific/Kiritimati"
"""The first place where a date begins (UTC+14): with it, every district's today is a partition."""


def first_date(sources: int, start: date, now: datetime) -> date:
    """The first date that can be synced: `start`, or a later one where so many sources would go
    beyond the limit until today, wherever today has begun by the aware moment `now`."""
    today = now.astimezone(ZoneInfo(FIRST_ZONE)).date()
    return max(start, today - timedelta(days=max(LIMIT // max(sources, 1), 1) - 1))
