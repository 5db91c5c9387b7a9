"""One schedule for each source, by that source's own clock."""

from collections.abc import Iterable

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.sources.config import Source


def schedules(sources: Iterable[Source], job: str) -> list[dg.ScheduleDefinition]:
    """The schedule of each source, running unless somebody turns it off."""
    return [_schedule(source, job) for source in sources]


def dagster_name(prefix: str, source: str) -> str:
    """A name for something of a source. Ids have single hyphens only, so no two names meet."""
    return f"{prefix}_{source.replace('-', '_')}"


def _schedule(source: Source, job: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=dagster_name("schedule", source.id),
        description=f"{source.name}: {source.cadence} at {source.at}, {source.timezone} time.",
        job_name=job,
        cron_schedule=source.cron,
        execution_timezone=source.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = source.date_of(context.scheduled_execution_time)
        return dg.RunRequest(
            run_key=f"{source.id} {day}", partition_key=partition_key(source.id, day)
        )

    return schedule
