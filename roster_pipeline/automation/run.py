"""Executes a job for one source and date in this process, without the daemon.

The command line, the demo and the benchmarks come this way. With the workspace's own Dagster
instance a run shows in the UI like any other; an ephemeral one leaves no trace there.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import dagster as dg

from roster_pipeline.automation.home import make_home, open_home
from roster_pipeline.automation.jobs import RESUME, SYNC
from roster_pipeline.automation.partitions import partition_key
from roster_pipeline.automation.rehearsal import rehearsal
from roster_pipeline.resources import utc_now
from roster_pipeline.resources.sync_run import DATE, Watch
from roster_pipeline.store import Hold, Outcome, Sync
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
    dry_run: bool = False,
    out: Path | None = None,
    instance: Instance = "persistent",
    overrides: Mapping[str, Any] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncResult:
    """Sync one source on one date; the source's own today by default.

    A dry run keeps nothing: it leaves ledger, store and servers as they were, and puts the packages
    it would have delivered into `out` (`<out>/<destination>/…`), or nowhere without it. Raises
    `WorkspaceError` for an unknown source and `NoSuchDateError` for a date that is no partition; all
    else is an outcome.
    """
    clock = (overrides or {}).get("clock", utc_now)
    day = day or workspace.source(source).date_of(clock())
    config = {"ops": {"candidate_roster": {"config": {"strict": strict}}}}
    replaced = {**(overrides or {}), "clock": clock}
    if not dry_run:
        with _instance(workspace, instance) as opened:
            return _execute(
                build, workspace, SYNC, source, day, opened, replaced, on_step, config=config
            )
    with (
        TemporaryDirectory(prefix="roster-dry-run-") as folder,
        dg.DagsterInstance.ephemeral() as i,
    ):
        scratch = Path(folder)
        replaced |= rehearsal(workspace, os.environ, scratch, out or scratch / "out")
        result = _execute(build, workspace, SYNC, source, day, i, replaced, on_step, config=config)
    return SyncResult(result.sync, dry_run=True)


def resume(
    build: Build,
    workspace: Workspace,
    hold: Hold,
    *,
    instance: Instance = "persistent",
    overrides: Mapping[str, Any] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> SyncResult:
    """Go on with an approved hold: the guard again, the gate, the deliveries."""
    replaced = {"clock": utc_now, **(overrides or {})}
    with _instance(workspace, instance) as opened:
        return _execute(build, workspace, RESUME, hold.source, hold.date, opened, replaced, on_step)


@contextmanager
def _instance(workspace: Workspace, kind: Instance) -> Iterator[dg.DagsterInstance]:
    if kind == "ephemeral":
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    make_home(workspace.folder)
    with open_home(workspace.folder) as instance:
        yield instance


def _execute(
    build: Build,
    workspace: Workspace,
    job: str,
    source: str,
    day: date,
    instance: dg.DagsterInstance,
    overrides: Mapping[str, Any],
    on_step: Callable[[str], None],
    *,
    config: Mapping[str, Any] | None = None,
) -> SyncResult:
    ended: list[Sync] = []
    watch = Watch(on_step, ended.append)
    with _quiet():
        definitions = build(workspace, {**overrides, "watch": watch})
        found = definitions.resolve_job_def(job)
        _require_partition(found, source, day, workspace)
        result = found.execute_in_process(
            instance=instance,
            partition_key=partition_key(source, day),
            raise_on_error=False,
            # Whoever started this process starts it again; no daemon needs to.
            tags={"dagster/max_retries": "0"},
            run_config={**(config or {}), **_SILENT},
        )
    if ended and (result.success or ended[0].outcome not in (Outcome.DONE, Outcome.NOTHING_NEW)):
        return SyncResult(ended[0])
    return SyncResult(_from_events(result, source, day, overrides["clock"]))


def _require_partition(job: dg.JobDefinition, source: str, day: date, workspace: Workspace) -> None:
    known = job.partitions_def
    if known is not None and not known.has_partition_key(partition_key(source, day)):
        raise NoSuchDateError(
            f"There is no {DATE} {day}: dates run from {workspace.settings.partitions.start} "
            "(partitions.start in roster.yaml) to today."
        )


def _from_events(
    result: dg.ExecuteInProcessResult, source: str, day: date, clock: Callable[[], Any]
) -> Sync:
    """How a run ended that could not say so itself: turned away, or broken outside of its steps."""
    said = [
        _sentence(event)
        for event in result.all_events
        if event.is_step_failure or event.is_run_failure
    ]
    outcome = Outcome.DONE if result.success else Outcome.FAILED
    return Sync(source, day, outcome, {"sentences": said[:1]}, result.run_id, clock())


def _sentence(event: dg.DagsterEvent) -> str:
    if event.is_step_failure:
        failed = event.step_failure_data
        if failed.user_failure_data is not None and failed.user_failure_data.description:
            return failed.user_failure_data.description
        if failed.error is not None:
            return f"{event.step_key}: {failed.error.message.strip()}"
    return event.message or "The run failed."


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
