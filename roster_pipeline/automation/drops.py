"""A sensor for each source with drops that looks for a new one on its server."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.schedules import dagster_name
from roster_pipeline.automation.ticks import Answer, attempt, tick
from roster_pipeline.receivers.timing_lack import failed_at_deliveries
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.drops import find_drop, is_landed
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.drops import Drop
from roster_pipeline.store import Outcome
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger

_PAUSE: Final = timedelta(minutes=15)


def drop_sensors(sources: Iterable[Source], job: str, *, seconds: int) -> list[dg.SensorDefinition]:
    """One sensor for each source with drops, so that one server's trouble is not another's."""
    return [_sensor(source, job, seconds) for source in sources if source.transport is not None]


def _sensor(source: Source, job: str, seconds: int) -> dg.SensorDefinition:
    @dg.sensor(
        name=dagster_name("drop", source.id),
        description=f"{source.name}: starts a sync when a complete new drop lies on the server.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def drop(
        channels: dg.ResourceParam[Channels],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _look(source, channels, ledger, clock()))

    return drop


def _look(source: Source, channels: Channels, ledger: Ledger, now: datetime) -> Answer:
    day = source.date_of(now)
    if not source.runs_on(day):
        return dg.SkipReason(f"{source.id} runs on {source.weekday} only.")
    with channels.source(source) as channel:
        found = find_drop(channel, source, day, now, ledger)
    if found.found is None:
        # A drop that was cleared away is not missing.
        gone = not source.keeps_drops and ledger.landed(source.id, day) is not None
        said = "; what came for it was read" if gone else ""
        return dg.SkipReason(f"{found.sentence()}{said}.")
    if _is_settled(found.found, day, source.id, ledger):
        return dg.SkipReason(f"{found.sentence()}, and it was dealt with already.")
    # A drop is run once; only a run that was lost or failed is followed by another.
    drop = found.found
    tried = attempt(now - drop.modified, _PAUSE)
    request = dg.RunRequest(
        run_key=f"{source.id} {day} {drop.path} {drop.size} {drop.modified.isoformat()} {tried}",
        partition_key=partition_key(source.id, day),
    )
    return dg.SensorResult(run_requests=[request], cursor=request.run_key)


def _is_settled(drop: Drop, day: date, source: str, ledger: Ledger) -> bool:
    """Whether a run after the drop arrived came to an end with it: whatever end but a failure to
    read and to accept it."""
    last = ledger.last_sync(source, day)
    if last is None or last.at < drop.modified:
        return False
    if last.outcome is Outcome.STOPPED:
        return True
    failed = last.outcome is Outcome.FAILED and not failed_at_deliveries(last)
    return not failed and is_landed(drop, ledger.landed(source, day))
