"""Which process works on a run, written down with the run: so others can tell that it was lost."""

import json
from dataclasses import asdict
from typing import Final

import dagster as dg

from roster_pipeline.store.process import Process

PROCESS_TAG: Final = "roster/process"
_RUN: Final = "run"


def process_tag(run_id: str) -> dict[str, str]:
    """The tag of a run that this process works on."""
    return {PROCESS_TAG: json.dumps({_RUN: run_id, **asdict(Process.current())})}


def process_of(run: dg.DagsterRun) -> Process | None:
    """Who works on a run; None where its tag does not say."""
    try:
        said = json.loads(run.tags[PROCESS_TAG])
        # Dagster hands the tags of a run on to the run that tries it again.
        return Process(**said) if said.pop(_RUN) == run.run_id else None
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def report_lost(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark a run as failed whose process is gone: it will not do so itself.

    False for one that has ended, or that nobody knows any more. What a process wrote before it
    died is read here, so whoever asks looks at the process first.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return False
    instance.report_run_failed(
        run,
        "The process of this run was lost. The next run of its source goes on from what was "
        "finished.",
    )
    return True
