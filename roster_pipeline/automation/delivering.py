"""Brings what is accepted of one source to one destination, in this process, and nothing else."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from roster_pipeline.automation.jobs import delivery_key, delivery_op
from roster_pipeline.automation.lost_runs import end_lost_runs_first
from roster_pipeline.automation.rehearsal import rehearsal
from roster_pipeline.automation.run import Build, Call, Instance, SyncResult, instance_of
from roster_pipeline.guards.calendar import of_kind
from roster_pipeline.reports.holds import blackout_sentence
from roster_pipeline.resources import utc_now
from roster_pipeline.resources.sync_run import DELIVER
from roster_pipeline.store import Accepted, Outcome, Snapshot, Sync
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace


def run_delivery(
    build: Build,
    workspace: Workspace,
    destination: str,
    source: str,
    *,
    resend: date | None = None,
    in_quiet_hours: bool = False,
    dry_run: bool = False,
    out: Path | None = None,
    instance: Instance = "persistent",
    overrides: Mapping[str, Any] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncResult:
    """Bring what is accepted of a source to a destination that has not got it; or, with `resend`,
    what was sent on that date once more. Its schedule does not matter, and its quiet hours do
    unless something may be sent `in_quiet_hours`, too.

    A dry run leaves everything as it was, puts the package into `out` (`<out>/<destination>/…`) and
    says, under `delivery` of the summary, what differs from what was delivered last. In a blackout
    nothing is sent.
    """
    call = Call(build, workspace, {"clock": utc_now, **(overrides or {})}, on_step)
    now = call.overrides["clock"]()
    today = workspace.source(source).date_of(now)
    with Ledger.open(workspace.ledger_url(os.environ)) as ledger:
        accepted = ledger.accepted(source)
    said = None
    if accepted is None:
        said = f"Nothing of {source} is accepted yet, so there is nothing to deliver."
    elif not dry_run:
        said = _closed(workspace, destination, source, now, in_quiet_hours=in_quiet_hours)
    if accepted is None or said is not None:
        summary = {"sentences": [said]}
        return SyncResult(Sync(source, today, Outcome.NOTHING_NEW, summary, None, now))
    brings = _Brings(destination, accepted, resend)
    if dry_run:
        return _rehearse(call, brings, out)
    call = replace(call, overrides={**call.overrides, "io_manager": _Knows(accepted.snapshot)})
    with instance_of(workspace, instance) as opened:
        end_lost_runs_first(opened, workspace, now)
        return brings.execute(call, opened, compare=False)


def _closed(
    workspace: Workspace, destination: str, source: str, now: datetime, *, in_quiet_hours: bool
) -> str | None:
    """Why nothing may be sent now."""
    district = workspace.source(source)
    blackout = of_kind(workspace.windows_of(source, district.date_of(now)), "blackout")
    if blackout is not None:
        return blackout_sentence(blackout)
    quiet = workspace.destinations[destination].times(district.zone).quiet(now)
    if quiet is None or in_quiet_hours:
        return None
    return f"{quiet.sentence(destination)} With --now it is sent all the same."


class _Knows(dg.IOManager):
    """Knows what is accepted, whichever run accepted it."""

    def __init__(self, accepted: Snapshot) -> None:
        self._accepted = accepted

    def load_input(self, context: dg.InputContext) -> Snapshot:
        return self._accepted

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Deliveries hand nothing on."""


class _Brings:
    def __init__(self, destination: str, accepted: Accepted, resend: date | None) -> None:
        self.destination = destination
        self.accepted = accepted
        self.resend = resend

    def execute(self, call: Call, instance: dg.DagsterInstance, *, compare: bool) -> SyncResult:
        """Run the one asset."""
        config: dict[str, Any] = {"compare": compare, "at_once": True}
        if self.resend is not None:
            config["resend"] = str(self.resend)
        ops = {"ops": {delivery_op(self.destination): {"config": config}}}
        source, day, assets = (
            self.accepted.source,
            self.accepted.date,
            [delivery_key(self.destination)],
        )
        return call.execute(instance, DELIVER, source, day, ops, assets)


def _rehearse(call: Call, brings: _Brings, out: Path | None) -> SyncResult:
    with TemporaryDirectory(prefix="roster-dry-run-") as folder:
        scratch = Path(folder)
        parts = dict(rehearsal(call.workspace, os.environ, scratch, out or scratch / "out"))
        parts["io_manager"] = _Knows(brings.accepted.snapshot)
        call = replace(call, overrides={**call.overrides, **parts})
        with dg.DagsterInstance.ephemeral() as instance:
            result = brings.execute(call, instance, compare=True)
        return replace(result, dry_run=True)
