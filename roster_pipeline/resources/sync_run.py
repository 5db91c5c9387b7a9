"""One run is one source on one date, under that source's lease from its first write to its end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import dagster as dg

from roster_pipeline.resources.run_process import process_of, process_tag, report_lost
from roster_pipeline.store import Accepted, Outcome, Snapshot, Sync
from roster_pipeline.store.lease import Clock, Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.process import Process
from roster_pipeline.workspace import District

DATE: Final = "date"
SOURCE: Final = "source"
"""The two dimensions of a partition."""

# Dagster tags the run of a partition with `dagster/partition/<dimension>`.
DATE_TAG: Final = f"dagster/partition/{DATE}"
SOURCE_TAG: Final = f"dagster/partition/{SOURCE}"

DELIVER: Final = "deliver"
"""The job that only delivers what is accepted."""

OUTCOME_TAG: Final = "roster/outcome"
HOLD_TAG: Final = "roster/hold"

# From the mildest to the gravest: the gravest of a run is how it ended.
_GRAVITY: Final = (
    Outcome.NOTHING_NEW,
    Outcome.DONE,
    Outcome.HELD,
    Outcome.STOPPED,
    Outcome.FAILED,
)


@dataclass(frozen=True)
class Watch:
    """Whoever wants to hear, while a run goes on, what it does and how it ended."""

    on_step: Callable[[str], None] = lambda _: None
    on_end: Callable[[Sync], None] = lambda _: None


class SyncRun:
    """What a run is about, when it is now, its lease, and how it ends."""

    def __init__(
        self,
        source: District,
        day: date,
        *,
        ledger: Ledger,
        clock: Clock,
        run_id: str,
        watch: Watch | None = None,
        on_lease: Callable[[Lease], None] = lambda _: None,
        delivers_only: bool = False,
    ) -> None:
        self.source = source
        self.date = day
        self.ledger = ledger
        self.now = clock
        self.watch = watch or Watch()
        self.delivers_only = delivers_only
        """Whether it is no sync: it brings what is accepted to destinations, and how it ends is not
        written down as how a sync did."""
        self._run_id = run_id
        self._on_lease = on_lease
        self._held = ExitStack()
        self._lease: Lease | None = None
        self.outcome: Outcome | None = None
        """How it ends as far as is known; None before anybody said."""
        self.complete = False
        """Whether its last step was reached; what was done before is no success by itself."""
        self.delivered: set[str] = set()
        """Destinations known, in this run, to have what is accepted."""
        self.waiting: dict[str, str] = {}
        """Destinations that get it later, and the moment from which on they may."""
        self._sentences: list[str] = []
        self._remarks: list[str] = []
        self._summary: dict[str, Any] = {}

    def take_lease(self) -> Lease:
        """Take the source's lease, unless the run has it; it is given back when the run ends.

        Raises `LeaseHeld`, with who has it and since when, while another run is at work.
        """
        if self._lease is None:
            taking = self.ledger.lease(self.source.id, self.now, run_id=self._run_id)
            self._lease = self._held.enter_context(taking)
            self._on_lease(self._lease)
        return self._lease

    @property
    def lease(self) -> Lease:
        """The source's lease, for a write to the ledger."""
        return self.take_lease()

    @property
    def days(self) -> tuple[date, date]:
        """The date that the run is of, and today in the district."""
        return self.date, self.source.date_of(self.now())

    @property
    def id(self) -> str:
        """Dagster's name for the run."""
        return self._run_id

    def accepted(self, roster: Snapshot) -> Accepted | None:
        """What is accepted of the source, if it is still this roster; else another run sees to
        whatever hangs on it."""
        now = self.ledger.accepted(self.source.id)
        return now if now and now.snapshot.content_hash == roster.content_hash else None

    def ends(self, outcome: Outcome, *sentences: str, **summary: Any) -> None:
        """Say how the run ends as far as one step can tell; the gravest word counts."""
        graver = self.outcome is None or _GRAVITY.index(outcome) > _GRAVITY.index(self.outcome)
        if graver:
            self.outcome = outcome
        # What went wrong is said before what had gone well by then.
        first = graver and outcome not in (Outcome.NOTHING_NEW, Outcome.DONE)
        said = self._sentences
        self._sentences = [*sentences, *said] if first else [*said, *sentences]
        self._summary |= summary

    def note(self, **summary: Any) -> None:
        """Add to what is written down of the run, however it ends."""
        self._summary |= summary

    def remark(self, *sentences: str) -> None:
        """Add what somebody should see to, however the run ends, to its notices."""
        self._remarks += sentences

    @property
    def tags(self) -> dict[str, str]:
        """How it ends, for Dagster's list of runs, where a run that is held looks like one that
        is broken."""
        said = {OUTCOME_TAG: self.outcome, HOLD_TAG: self._summary.get("hold")}
        return {tag: str(word) for tag, word in said.items() if word is not None}

    def close(self) -> None:
        """Write down how the run ended, if it came to an end, and give the lease back."""
        with self._held:
            whole = self.complete or self.delivers_only
            broken_off = self.outcome is Outcome.DONE and not whole
            if self.outcome is not None and not broken_off:
                summary = {"sentences": self._sentences, **self._summary}
                if self._remarks:
                    summary["notices"] = [*self._remarks, *summary.get("notices", ())]
                at, source = self.now(), self.source.id
                if not self.delivers_only:
                    self.ledger.record_sync(
                        source, self.date, self.outcome, summary, at, run_id=self._run_id
                    )
                self.watch.on_end(Sync(source, self.date, self.outcome, summary, self._run_id, at))


def _partition(tags: Mapping[str, str], sources: Mapping[str, District]) -> tuple[District, date]:
    if SOURCE_TAG not in tags or DATE_TAG not in tags:
        raise dg.Failure(
            "A run is one source on one date: launch it for a single partition.",
            allow_retries=False,
        )
    if (source := sources.get(tags[SOURCE_TAG])) is None:
        raise dg.Failure(
            f"No file in sources/ has the id {tags[SOURCE_TAG]} any more.", allow_retries=False
        )
    return source, date.fromisoformat(tags[DATE_TAG])


@dg.resource(required_resource_keys={"workspace", "ledger", "clock", "watch"})
def sync_run(context: dg.InitResourceContext) -> Iterator[SyncRun]:
    """The run that is going on."""
    run, instance = context.run, context.instance
    if run is None or instance is None:
        raise dg.Failure("There is no run to speak of outside of one.", allow_retries=False)
    # The command tags its runs at their creation; those that the daemon launched know only now.
    if process_of(run) != Process.current():
        instance.add_run_tags(run.run_id, process_tag(run.run_id))
    source, day = _partition(run.tags, context.resources.workspace.sources)

    scope = SyncRun(
        source,
        day,
        ledger=context.resources.ledger,
        clock=context.resources.clock,
        run_id=run.run_id,
        watch=context.resources.watch,
        on_lease=partial(_end_lost_run, instance),
        delivers_only=run.job_name == DELIVER,
    )
    try:
        yield scope
    finally:
        scope.close()
        if tags := scope.tags:
            instance.add_run_tags(run.run_id, tags)


def _end_lost_run(instance: dg.DagsterInstance, lease: Lease) -> None:
    """Mark the run as failed whose process died, or fell silent, under the lease."""
    if lease.taken_from is not None and lease.taken_from.run_id is not None:
        report_lost(instance, lease.taken_from.run_id)
