"""One partition is one source on one date of that source's own calendar."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import dagster as dg

from roster_pipeline.automation.ticks import TickFailedError
from roster_pipeline.resources.sync_run import DATE, SOURCE
from roster_pipeline.workspace import Workspace
from roster_pipeline.workspace.dates import FIRST_ZONE, first_date

_SAID: Final = 20


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


def first_of(workspace: Workspace, now: datetime) -> date:
    """The first date that has partitions."""
    return first_date(len(workspace.sources), workspace.settings.partitions.start, now)


def requests(
    wanted: Mapping[str, tuple[str, date]],
    first: date,
    of: Mapping[str, Mapping[str, Any]] | None = None,
) -> dg.SensorResult:
    """The runs that a sensor asks for: source and date by run key; `of` has what else is said of
    one, by run key too.

    Of a tick that asks for a date without a partition Dagster starts nothing at all. So these
    dates stay out, and fail the tick where there is nothing else to start. `first` is the first
    date that has partitions.
    """
    out = sorted(f"{source} {day}" for source, day in wanted.values() if day < first)
    if out and len(out) == len(wanted):
        raise TickFailedError(
            f"What waits is of a date before {first}, the first that can be run: "
            f"{', '.join(out[:_SAID])}{' and others' if out[_SAID:] else ''}. Set "
            "`partitions.start` of roster.yaml to an earlier date and reload the code location, "
            "or sync the source anew."
        )
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=key, partition_key=partition_key(source, day), **(of or {}).get(key, {})
            )
            for key, (source, day) in wanted.items()
            if day >= first
        ]
    )
