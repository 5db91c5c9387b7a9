"""A sensor that looks for what receivers answer, and tells it as the check of each delivery."""

import json
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.schedules import dagster_name
from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.processing.looking import brought
from roster_pipeline.resources.answers import PROCESSED, facts, is_fine, news_of, severity
from roster_pipeline.resources.channels import Channels
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace


def report_sensors(workspace: Workspace, *, seconds: int) -> list[dg.SensorDefinition]:
    """One sensor for each destination that sends reports, so that one receiver's trouble is not
    another's."""
    return [
        _sensor(
            destination,
            [source for source in workspace.sources if destination.takes(source)],
            seconds,
        )
        for destination in workspace.destinations.values()
        if destination.reports is not None
    ]


def _sensor(destination: Destination, sources: Sequence[str], seconds: int) -> dg.SensorDefinition:
    @dg.sensor(
        name=dagster_name("report", destination.id),
        description=f"Reads what {destination.id} says of what it was sent.",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def report(
        context: dg.SensorEvaluationContext,
        channels: dg.ResourceParam[Channels],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        told = _remembered(context.cursor)

        def look() -> Answer:
            made = [*_told(destination, sources, told, channels, ledger, clock)]
            cursor = json.dumps(told, sort_keys=True)
            if not made:
                context.update_cursor(cursor)
                return dg.SkipReason(f"{destination.id} says nothing new.")
            return dg.SensorResult(asset_events=made, cursor=cursor)

        return tick(look)

    return report


def _remembered(cursor: str | None) -> dict[str, Mapping[str, str | None]]:
    """By source; a cursor of an older version says nothing."""
    held = json.loads(cursor or "{}")
    return {source: said for source, said in held.items() if isinstance(said, dict)}


def _told(
    destination: Destination,
    sources: Sequence[str],
    told: dict[str, Mapping[str, str | None]],
    channels: Channels,
    ledger: Ledger,
    clock: Clock,
) -> Iterator[dg.AssetCheckEvaluation]:
    """What is new of each source; `told` is what was said last, by which report, and is brought up
    to date."""
    for source in sources:
        had, accepted = ledger.delivery(destination.id, source), ledger.accepted(source)
        if had is None or accepted is None:
            continue
        before = told.get(source, {})
        news = news_of(destination, had, channels, clock(), before.get("mark"))
        if news is None:
            continue
        answer, there = news
        said = f"{brought(had).isoformat()} {answer.sentence()}"
        told[source] = {"said": said, "mark": there}
        if before.get("said") != said:
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(["deliveries", destination.id]),
                check_name=PROCESSED,
                passed=is_fine(answer),
                severity=severity(answer),
                description=answer.sentence(),
                metadata=facts(answer),
                partition=partition_key(source, accepted.date),
            )
