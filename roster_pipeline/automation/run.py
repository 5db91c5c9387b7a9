"""Executes a job for one source and date in this process, without the daemon.

The command line, the demo and the benchmarks come this way. With the workspace's own Dagster
instance a run shows in the UI like any other; an ephemeral one leaves no trace there.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from uuid import uuid4

import dagster as dg

from roster_pipeline.automation.approvals import blackout_of
from roster_pipeline.automation.home import dagster_home, make_home, open_home
from roster_pipeline.automation.jobs import RESUME, SYNC, delivery_op
from roster_pipeline.automation.lost_runs import end_lost_runs_first
from roster_pipeline.automation.partitions import first_of, partition_key
from roster_pipeline.automation.rehearsal import rehearsal, without_receivers
from roster_pipeline.automation.undelivered import undelivered
from roster_pipeline.reports.holds import blackout_sentence
from roster_pipeline.resources import utc_now
from roster_pipeline.resources.run_process import process_tag
from roster_pipeline.resources.sync_run import Watch
from roster_pipeline.sources.sample import Sample
from roster_pipeline.store import Accepted, Hold, Outcome, Sync
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace

Build = Callable[[Workspace, Mapping[str, Any]], dg.Definitions]
"""`build.build_defs`; given by the caller, as it stands on a higher floor."""
Instance = Literal["persistent", "ephemeral"]


class NoSuchDateError(ValueError):
    """The workspace has no partition of that date."""


@dataclass(frozen=True)
class SyncResult:
    """How a run ended."""

    sync: Sync
    dry_run: bool = False
    taken: Mapping[str, tuple[int, int]] | None = None
    """Of a sample, by entity: how many rows it has, and of how many. None where it was none, or
    where nothing came of it."""

    @property
    def outcome(self) -> Outcome:
        """done, nothing_new, held, stopped or failed."""
        return self.sync.outcome

    @property
    def sentences(self) -> tuple[str, ...]:
        """What happened, for people."""
        return tuple(self.sync.summary.get("sentences", ()))

    @property
    def hold(self) -> str | None:
        """The name of the hold that stands in the way, where the outcome is held."""
        name = self.sync.summary.get("hold")
        return None if name is None else str(name)


def run_sync(
    build: Build,
    workspace: Workspace,
    source: str,
    day: date | None = None,
    *,
    strict: bool = False,
    full: bool = False,
    dry_run: bool = False,
    sample: Sample | None = None,
    out: Path | None = None,
    instance: Instance = "persistent",
    overrides: Mapping[str, Any] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncResult:
    """Sync one source on one date; the source's own today by default.

    Where nothing new came, what was accepted before is brought to those who have not got it yet,
    unless the date is before that of what is accepted: such a run provisions and delivers nothing.
    `full` asks a server for all, even where its source wants changes only.
    A dry run keeps nothing: it leaves ledger, store and servers as they were, and puts the packages
    it would have delivered into `out` (`<out>/<destination>/…`), or nowhere without it.
    A `sample` can only be tried, in a dry run: it is compared with the same sample of what is
    accepted, and there is nobody whom it could reach.

    Raises `WorkspaceError` for an unknown source, `NoSuchDateError` for a date that is no
    partition and `ValueError` for a sample outside of a dry run; all else is an outcome.
    """
    call = Call(build, workspace, {"clock": utc_now, **(overrides or {})}, on_step)
    day = day or workspace.source(source).date_of(call.overrides["clock"]())
    config = {
        "ops": {
            "landed_package": {"config": {"full": full}},
            "candidate_roster": {"config": {"strict": strict}},
        }
    }
    if sample is not None:
        if not dry_run or out is not None:
            raise ValueError("a sample is for a dry run that delivers nothing")
        call = replace(call, workspace=without_receivers(workspace, source))
    if dry_run:
        return _rehearse(call, source, day, config, out, sample)
    with instance_of(workspace, instance) as opened:
        end_lost_runs_first(opened, workspace, call.overrides["clock"]())
        result = call.execute(opened, SYNC, source, day, config)
        if result.outcome is not Outcome.NOTHING_NEW:
            return result
        late = _undelivered(workspace, source, call.overrides["clock"]())
        # A run of an old date looks, and acts on nobody.
        if late is None or day < late.confirmed:
            return result
        return call.execute(opened, RESUME, source, late.date)


def resume(
    build: Build,
    workspace: Workspace,
    hold: Hold,
    *,
    instance: Instance = "persistent",
    overrides: Mapping[str, Any] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncResult:
    """Go on with an approved hold: the guard again, the gate, the deliveries. Not in a blackout:
    the sensor, or the next sync, goes on after it."""
    call = Call(build, workspace, {"clock": utc_now, **(overrides or {})}, on_step)
    now = call.overrides["clock"]()
    if (blackout := blackout_of(workspace, hold, now)) is not None:
        said = (f"{hold.name} is approved, and waits.", blackout_sentence(blackout))
        summary = {"sentences": said, "hold": hold.name}
        return SyncResult(Sync(hold.source, hold.date, Outcome.NOTHING_NEW, summary, None, now))
    with instance_of(workspace, instance) as opened:
        end_lost_runs_first(opened, workspace, now)
        return call.execute(opened, RESUME, hold.source, hold.date)


def _rehearse(
    call: "Call",
    source: str,
    day: date,
    config: Mapping[str, Any],
    out: Path | None,
    sample: Sample | None,
) -> SyncResult:
    at_once = {"config": {"at_once": True}}
    deliveries = {delivery_op(name): at_once for name in call.workspace.destinations}
    config = {"ops": {**config["ops"], **deliveries}}
    with TemporaryDirectory(prefix="roster-dry-run-") as folder:
        scratch = Path(folder)
        parts = rehearsal(call.workspace, os.environ, scratch, out or scratch / "out", sample)
        call = replace(call, overrides={**call.overrides, **parts})
        with dg.DagsterInstance.ephemeral() as instance:
            result = call.execute(instance, SYNC, source, day, config)
        return replace(result, dry_run=True, taken=parts["snapshots"].taken or None)


def _undelivered(workspace: Workspace, source: str, now: datetime) -> Accepted | None:
    with Ledger.open(workspace.ledger_url(os.environ)) as ledger:
        return undelivered(workspace, ledger, source, now)


@contextmanager
def instance_of(workspace: Workspace, kind: Instance) -> Iterator[dg.DagsterInstance]:
    """The workspace's own Dagster instance, made where there is none; or one that leaves no
    trace."""
    if kind == "ephemeral":
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    if not (dagster_home(workspace.folder) / "dagster.yaml").exists():
        make_home(workspace.folder)
    with open_home(workspace.folder) as instance:
        yield instance


@dataclass(frozen=True)
class Call:
    """What is the same for every job that one call executes."""

    build: Build
    workspace: Workspace
    overrides: Mapping[str, Any]
    on_step: Callable[[str], None]

    def execute(
        self,
        instance: dg.DagsterInstance,
        job: str,
        source: str,
        day: date,
        config: Mapping[str, Any] | None = None,
        assets: Sequence[dg.AssetKey] | None = None,
    ) -> SyncResult:
        """Run a job, or these assets of it, over one partition in this process."""
        ended: list[Sync] = []
        watch = Watch(self.on_step, ended.append)
        run_id = str(uuid4())
        with _quiet():
            definitions = self.build(self.workspace, {**self.overrides, "watch": watch})
            found = definitions.resolve_job_def(job)
            self._require_partition(found, source, day)
            result = found.execute_in_process(
                instance=instance,
                partition_key=partition_key(source, day),
                asset_selection=assets,
                raise_on_error=False,
                run_id=run_id,
                # Whoever started this process starts it again; no daemon needs to.
                tags={"dagster/max_retries": "0", **process_tag(run_id)},
                run_config={**(config or {}), **_SILENT},
            )
        said_well = ended and ended[0].outcome in (Outcome.DONE, Outcome.NOTHING_NEW)
        if ended and (result.success or not said_well):
            return SyncResult(ended[0])
        return SyncResult(_from_events(result, source, day, self.overrides["clock"]()))

    def _require_partition(self, job: dg.JobDefinition, source: str, day: date) -> None:
        known = job.partitions_def
        if known is not None and not known.has_partition_key(partition_key(source, day)):
            start = self.workspace.settings.partitions.start
            first = first_of(self.workspace, self.overrides["clock"]())
            why = (
                "partitions.start in roster.yaml"
                if first == start
                else "with so many sources, Dagster keeps pace with no more dates"
            )
            raise NoSuchDateError(
                f"There is no partition of {day}: dates run from {first} ({why}) to today."
            )


def _from_events(result: dg.ExecuteInProcessResult, source: str, day: date, at: datetime) -> Sync:
    """How a run ended that could not say so itself: turned away, or broken outside of its steps.

    Raises `KeyboardInterrupt` where somebody interrupted it.
    """
    failures = [e for e in result.all_events if e.is_step_failure or e.is_run_failure]
    if any(_cause(event).startswith(_INTERRUPTED) for event in failures):
        raise KeyboardInterrupt
    said = [_sentence(event) for event in failures]
    outcome = Outcome.DONE if result.success else Outcome.FAILED
    return Sync(source, day, outcome, {"sentences": said[:1]}, result.run_id, at)


def _sentence(event: dg.DagsterEvent) -> str:
    if event.is_step_failure and (given := event.step_failure_data.user_failure_data) is not None:
        return given.description or event.message or ""
    # As Dagster keeps it: the error's class, a colon, its text.
    kept = _cause(event)
    return kept.partition(": ")[2] or kept


def _cause(event: dg.DagsterEvent) -> str:
    """The innermost of the errors behind a failure."""
    error = getattr(event.event_specific_data, "error", None)
    if error is None:
        return event.message or "The run failed."
    while error.cause is not None:
        error = error.cause
    return str(error.message.strip())


_INTERRUPTED: Final = "dagster._core.errors.DagsterExecutionInterruptedError"
# It warns of every check that had nothing to check because nothing came.
_REMARKS: Final = "dagster._core.execution.plan.active"
_SILENT: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dagster's remarks on its own workings off the terminal; events keep all of them."""
    logger = logging.getLogger(_REMARKS)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.PreviewWarning)
            yield
    finally:
        logger.setLevel(level)
