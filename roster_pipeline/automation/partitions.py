"""One partition is one source on one date of that source's own calendar."""

from collections.abc import Iterable
from datetime import date, datetime

import dagster as dg

from roster_pipeline.resources.sync_run import DATE, SOURCE
from roster_pipeline.workspace.dates import FIRST_ZONE, first_date


def partitions(sources: Iterable[str], start: date, now: datetime) -> dg.MultiPartitionsDefinition:
    """Dates from `start` until today, wherever today has begun, times the sources.

    Where that is more than Dagster keeps pace with as of `now`, the oldest dates are left out: a
    workspace of many sources must not stop one day because it has gone on for long.
    """
    ids = sorted(sources)
    first = first_date(len(ids), start, now)
    return dg.MultiPartitionsDefinition(
        {
            DATE: dg.DailyPartitionsDefinition(
                start_date=first.isoformat(), timezone=FIRST_ZONE, end_offset=1
            ),
            SOURCE: dg.StaticPartitionsDefinition(ids),
        }
    )


def partition_key(source: str, day: date) -> dg.MultiPartitionKey:
    """The name of a partition, for a run of it."""
    return dg.MultiPartitionKey({DATE: day.isoformat(), SOURCE: source})
