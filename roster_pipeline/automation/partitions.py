"""One partition is one source on one date of that source's own calendar."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import dagster as dg

from roster_pipeline.resources.sync_run import DATE, SOURCE

LIMIT: Final = 100_000
"""Partitions per asset that Dagster advises not to exceed."""

# The first place where a date begins (UTC+14): with it, every district's today is a partition.
_FIRST_ZONE: Final = "Pacific/Kiritimati"


class TooManyPartitionsError(ValueError):
    """Sources times dates go beyond what Dagster can show."""


def partitions(sources: Iterable[str], start: date, now: datetime) -> dg.MultiPartitionsDefinition:
    """Dates from `start` until today, wherever today has begun, times the sources.

    Raises `TooManyPartitionsError` where that is more than `LIMIT` of them as of `now`.
    """
    ids = sorted(sources)
    days = (now.astimezone(ZoneInfo(_FIRST_ZONE)).date() - start).days + 1
    if ids and days * len(ids) > LIMIT:
        latest = start + timedelta(days=days - LIMIT // len(ids))
        raise TooManyPartitionsError(
            f"{len(ids):,} sources since {start} make {days * len(ids):,} partitions, and Dagster "
            f"keeps pace with {LIMIT:,}; set partitions.start in roster.yaml to {latest} or later "
            "(what was accepted before stays accepted)."
        )
    return dg.MultiPartitionsDefinition(
        {
            DATE: dg.DailyPartitionsDefinition(
                start_date=start.isoformat(), timezone=_FIRST_ZONE, end_offset=1
            ),
            SOURCE: dg.StaticPartitionsDefinition(ids),
        }
    )


def partition_key(source: str, day: date) -> dg.MultiPartitionKey:
    """The name of a partition, for a run of it."""
    return dg.MultiPartitionKey({DATE: day.isoformat(), SOURCE: source})
