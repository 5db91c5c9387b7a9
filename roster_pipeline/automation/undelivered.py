"""What is accepted and has not reached everybody: the next day sees to it, new drop or not."""

from datetime import date, datetime

import dagster as dg

from roster_pipeline.automation.partitions import first_of, requests
from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.guards.calendar import of_kind
from roster_pipeline.store import Accepted, Delivery
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace


def undelivered(workspace: Workspace, ledger: Ledger, source: str, today: date) -> Accepted | None:
    """The accepted roster of a source if any of its receivers has not got it, may have got
    something else since, or has the accounts of an earlier day: roles begin and end by the clock.
    None in a blackout."""
    accepted = ledger.accepted(source)
    if accepted is None or of_kind(workspace.windows_of(source, today), "blackout") is not None:
        return None
    receivers = {name: ledger.delivery(name, source) for name in workspace.receivers_of(source)}
    in_doubt = ledger.unconfirmed(source)
    if all(
        accepted.snapshot.is_with(had)
        and not _is_of_the_past(had, today)
        and not (name in in_doubt or (had and had.receipt.get("doubt")))
        for name, had in receivers.items()
    ):
        return None
    return accepted


def _is_of_the_past(had: Delivery | None, today: date) -> bool:
    day = had.receipt.get("day") if had else None
    return day is not None and date.fromisoformat(day) < today


def undelivered_sensor(job: str, *, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources: tries each delivery that failed once more a day."""

    @dg.sensor(
        name="undelivered",
        description="Tries again, once a day, to deliver what was accepted on an earlier day.",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def undelivered_rosters(
        workspace: dg.ResourceParam[Workspace],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _look(workspace, ledger, clock()))

    return undelivered_rosters


def _look(workspace: Workspace, ledger: Ledger, now: datetime) -> Answer:
    wanted = {}
    for source in workspace.sources.values():
        today = source.date_of(now)
        late = undelivered(workspace, ledger, source.id, today)
        if late is not None and source.date_of(late.at) < today:
            key = f"{source.id} {late.snapshot.content_hash} {today}"
            wanted[key] = (source.id, late.date)
    if not wanted:
        return dg.SkipReason("Nothing of an earlier day waits to be delivered.")
    return requests(wanted, first_of(workspace, now))
