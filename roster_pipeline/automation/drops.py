"""A sensor for each source that looks for a new drop on its server."""

from collections.abc import Iterable

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.schedules import dagster_name
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.drops import find_drop, is_landed
from roster_pipeline.resources.errors import is_transient, sentence
from roster_pipeline.resources.sync_run import Clock
from roster_pipeline.sources.config import Source
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.transport import RemoteFile


class SensorFailedError(Exception):
    """Somebody must change something before this sensor can look again."""


def drop_sensors(sources: Iterable[Source], job: str, *, seconds: int) -> list[dg.SensorDefinition]:
    """One sensor for each source, so that one server's trouble is not another's."""
    return [_sensor(source, job, seconds) for source in sources]


def _sensor(source: Source, job: str, seconds: int) -> dg.SensorDefinition:
    @dg.sensor(
        name=dagster_name("drop", source.id),
        description=f"{source.name}: starts a sync when a complete new drop lies on the server.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def drop(
        context: dg.SensorEvaluationContext,
        channels: dg.ResourceParam[Channels],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            return _look(source, channels, ledger, clock)
        except Exception as error:
            if is_transient(error):
                return dg.SkipReason(sentence(error))
            raise SensorFailedError(sentence(error)) from None

    return drop


def _look(
    source: Source, channels: Channels, ledger: Ledger, clock: Clock
) -> dg.SensorResult | dg.SkipReason:
    now = clock()
    day = source.date_of(now)
    if not source.runs_on(day):
        return dg.SkipReason(f"{source.id} runs on {source.weekday} only.")
    with channels.source(source) as channel:
        found = find_drop(channel, source, day, now, ledger)
    if found.found is None:
        return dg.SkipReason(found.sentence())
    if is_landed(found.found, ledger.landed(source.id, day)):
        return dg.SkipReason(f"{found.sentence()}, and it was landed already.")
    request = dg.RunRequest(
        run_key=_identity(source, found.found), partition_key=partition_key(source.id, day)
    )
    return dg.SensorResult(run_requests=[request], cursor=_identity(source, found.found))


def _identity(source: Source, file: RemoteFile) -> str:
    return f"{source.id} {file.path} {file.size} {file.modified.isoformat()}"
