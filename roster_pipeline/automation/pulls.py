"""A sensor for each source with a server that has a pull that failed tried again.

The schedule pulls, for a server does not say when it has news; a server that was down at that hour
must not cost the district a day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.schedules import dagster_name
from roster_pipeline.automation.ticks import Answer, attempt, tick
from roster_pipeline.receivers.timing_lack import failed_at_deliveries
from roster_pipeline.sources.config import Source
from roster_pipeline.store import Outcome
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger

_PAUSE: Final = timedelta(minutes=15)


def pull_sensors(sources: Iterable[Source], job: str, *, seconds: int) -> list[dg.SensorDefinition]:
    """One sensor for each source that is pulled."""
    return [_sensor(source, job, seconds) for source in sources if source.rest is not None]


def _sensor(source: Source, job: str, seconds: int) -> dg.SensorDefinition:
    @dg.sensor(
        name=dagster_name("pull", source.id),
        description=f"{source.name}: tries again, with growing pauses, when today's pull failed.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def pull(ledger: dg.ResourceParam[Ledger], clock: dg.ResourceParam[Clock]) -> Answer:
        return tick(lambda: _look(source, ledger, clock()))

    return pull


def _look(source: Source, ledger: Ledger, now: datetime) -> Answer:
    day = source.date_of(now)
    last = ledger.last_sync(source.id, day)
    if last is None or last.outcome is not Outcome.FAILED or failed_at_deliveries(last):
        return dg.SkipReason(f"No pull of {source.id} has failed today.")
    due = datetime.combine(day, source.time, source.zone)
    tried = attempt(now - due, _PAUSE)
    request = dg.RunRequest(
        run_key=f"{source.id} {day} {tried}", partition_key=partition_key(source.id, day)
    )
    return dg.SensorResult(run_requests=[request], cursor=request.run_key)
