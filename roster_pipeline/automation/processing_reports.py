"""A sensor that looks for what receivers answer, and tells it as the check of each delivery."""

import json
from collections.abc import Iterator, Sequence

import dagster as dg

from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.schedules import dagster_name
from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.receivers.config import Destination
from roster_pipeline.resources.answers import PROCESSED, answer_of, facts, is_fine, severity
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
        told = dict(json.loads(context.cursor or "{}"))

        def look() -> Answer:
            made = [*_told(destination, sources, told, channels, ledger, clock)]
            if not made:
                return dg.SkipReason(f"{destination.id} says nothing new.")
            return dg.SensorResult(asset_events=made, cursor=json.dumps(told, sort_keys=True))

        return tick(look)

    return report


def _told(
    destination: Destination,
    sources: Sequence[str],
    told: dict[str, str],
    channels: Channels,
    ledger: Ledger,
    clock: Clock,
) -> Iterator[dg.AssetCheckEvaluation]:
    """What is new of each source; `told` is what was said last, and is brought up to date."""
    for source in sources:
        had, accepted = ledger.delivery(destination.id, source), ledger.accepted(source)
        if had is None or accepted is None:
            continue
        answer = answer_of(destination, had, channels, clock())
        said = f"{had.at.isoformat()} {answer.sentence()}"
        if told.get(source) != said:
            told[source] = said
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(["deliveries", destination.id]),
                check_name=PROCESSED,
                passed=is_fine(answer),
                severity=severity(answer),
                description=answer.sentence(),
                metadata=facts(answer),
                partition=partition_key(source, accepted.date),
            )
