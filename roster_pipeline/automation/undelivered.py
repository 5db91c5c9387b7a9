"""What is accepted and has not reached everybody: brought when it is due, new drop or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg

from roster_pipeline.automation.jobs import RESUME, deliver, delivery_key, resume
from roster_pipeline.automation.partitions import first_of, requests
from roster_pipeline.automation.ticks import Answer, tick
from roster_pipeline.guards.calendar import of_kind
from roster_pipeline.receivers.timing import Times
from roster_pipeline.receivers.timing_lack import (
    Lack,
    due_while_held,
    failed_at_deliveries,
    lack,
)
from roster_pipeline.resources.sync_run import DELIVER
from roster_pipeline.store import Accepted
from roster_pipeline.store.lease import Clock
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.overview import Overview
from roster_pipeline.workspace import Workspace


def undelivered(
    workspace: Workspace, ledger: Ledger, source: str, now: datetime
) -> Accepted | None:
    """The accepted roster of a source if any of its receivers has not got it, may have got
    something else since, or has the accounts of an earlier day: roles begin and end by the clock.
    None in a blackout, and where all of these have to wait."""
    if _in_blackout(workspace, source, now):
        return None
    look = _Look(workspace, ledger, ledger.overview(source), now)
    if all(missing.wait(times, now) for _, times, missing in look.lacks(source)):
        return None
    return look.known.accepted.get(source)


def undelivered_sensor(*, delivers: bool, seconds: int) -> dg.SensorDefinition:
    """One sensor for all sources and whatever gets their rosters; `delivers` says whether there
    are destinations, and so a job that delivers."""

    @dg.sensor(
        name="undelivered",
        description=(
            "Brings what is accepted to destinations at the times of their schedules and after "
            "their quiet hours, and tries again what failed: after 15 minutes, an hour and four, "
            "then day by day."
        ),
        jobs=[resume, *([deliver] if delivers else [])],
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def undelivered_rosters(
        workspace: dg.ResourceParam[Workspace],
        ledger: dg.ResourceParam[Ledger],
        clock: dg.ResourceParam[Clock],
    ) -> Answer:
        return tick(lambda: _Look(workspace, ledger, ledger.overview(), clock()).answer())

    return undelivered_rosters


def _in_blackout(workspace: Workspace, source: str, now: datetime) -> bool:
    today = workspace.source(source).date_of(now)
    return of_kind(workspace.windows_of(source, today), "blackout") is not None


@dataclass(frozen=True)
class _Look:
    """One look at all sources."""

    workspace: Workspace
    ledger: Ledger
    known: Overview
    now: datetime

    def answer(self) -> Answer:
        """The runs of what is due, one for each source."""
        wanted: dict[str, tuple[str, date]] = {}
        more: dict[str, dict[str, Any]] = {}
        for source, accepted in self.known.accepted.items():
            if source not in self.workspace.sources or not (due := self.due(source)):
                continue
            if _in_blackout(self.workspace, source, self.now) or self._is_at_work(source):
                continue
            # The newest of these moments: when one receiver has got its own, what is left has been
            # asked for already.
            key = f"{source} {accepted.snapshot.content_hash} {max(due.values()).isoformat()}"
            wanted[key] = (source, accepted.date)
            more[key] = self._run(source, [*due])
        if not wanted:
            return dg.SkipReason("Nothing that is accepted is due to be delivered.")
        return requests(wanted, first_of(self.workspace, self.now), more)

    def lacks(self, source: str) -> Iterator[tuple[str, Times, Lack]]:
        """What each receiver of a source lacks, if it lacks anything."""
        zone, destinations = self.workspace.source(source).zone, self.workspace.destinations
        for name in self.workspace.receivers_of(source):
            times = destinations[name].times(zone) if name in destinations else Times(zone)
            missing = lack(self.known, name, source, times, self.now, self.ledger.accepted_since)
            if missing is not None:
                yield name, times, missing

    def due(self, source: str) -> dict[str, datetime]:
        """The receivers of a source to which something is due, and since when."""
        lacking = {
            name: missing.due(times, self.now) for name, times, missing in self.lacks(source)
        }
        zone = self.workspace.source(source).zone
        for one in self.workspace.destinations_of(source):
            if one.id not in lacking:
                times = one.times(zone)
                lacking[one.id] = due_while_held(self.known, one, source, times, self.now)
        return {name: moment for name, moment in lacking.items() if moment is not None}

    def _is_at_work(self, source: str) -> bool:
        """Whether a run is, which may be about to bring what is due."""
        holder = self.ledger.holder(source)
        return holder is not None and not holder.gone(self.now)

    def _run(self, source: str, receivers: Sequence[str]) -> dict[str, Any]:
        """What is run: a sync that failed at its deliveries goes on, and accounts need all that
        follows the gate; else the deliveries alone, which are no news of how the source's sync
        went."""
        last, accepted = self.known.last_syncs.get(source), self.known.accepted[source]
        if last is not None and last.date == accepted.date and failed_at_deliveries(last):
            return {"job_name": RESUME}
        if any(name not in self.workspace.destinations for name in receivers):
            return {"job_name": RESUME}
        return {"job_name": DELIVER, "asset_selection": [*map(delivery_key, receivers)]}
