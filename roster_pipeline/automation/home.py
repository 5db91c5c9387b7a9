"""A workspace's DAGSTER_HOME: its dagster.yaml, made once and opened by every run."""

import os
from pathlib import Path
from typing import Any, Final, Literal

import dagster as dg
import yaml

from roster_pipeline.resources.sync_run import SOURCE_TAG

Storage = Literal["sqlite", "postgres"]

POSTGRES_URL: Final = "ROSTER_POSTGRES_URL"
"""The variable that holds a `postgresql+psycopg2://` address, for Dagster and the ledger alike."""

_HEAD: Final = """\
# Dagster's own settings for this workspace. Dagster reads it from $DAGSTER_HOME.
# Its storage lies beside this file unless `storage` says otherwise.
"""


def dagster_yaml(storage: Storage = "sqlite") -> str:
    """The text of a dagster.yaml, with Dagster's storage beside it or on PostgreSQL."""
    settings: dict[str, Any] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        # A run whose process was lost is tried once more. What failed for a reason is not: the
        # next drop, approval or schedule comes anyway.
        "run_retries": {
            "enabled": True,
            "max_retries": 1,
            "retry_on_asset_or_op_failure": False,
        },
        "concurrency": {
            "runs": {
                "max_concurrent_runs": 4,
                # One run of a source at a time; the lease in the ledger is what enforces it.
                "tag_concurrency_limits": [
                    {
                        "key": SOURCE_TAG,
                        "value": {"applyLimitPerUniqueValue": True},
                        "limit": 1,
                    }
                ],
            }
        },
        "sensors": {"use_threads": True, "num_workers": 4},
        "schedules": {"use_threads": True, "num_workers": 4},
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "success": 30, "failure": 30}},
            "schedule": {"purge_after_days": {"skipped": 7, "success": 90, "failure": 90}},
        },
    }
    if storage == "postgres":
        settings["storage"] = {"postgres": {"postgres_url": {"env": POSTGRES_URL}}}
    return _HEAD + yaml.safe_dump(settings, sort_keys=False)


def dagster_home(workspace: Path) -> Path:
    """Where a workspace keeps what Dagster writes."""
    return workspace.resolve() / ".dagster"


def make_home(workspace: Path, storage: Storage = "sqlite") -> Path:
    """Give a workspace its DAGSTER_HOME, and create Dagster's tables in it once, in one process.

    Two processes that create them at the same moment can both fail, so this comes before anything
    that runs in parallel. A dagster.yaml that is there already is left as it is.
    """
    home = dagster_home(workspace)
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        draft = home / f".dagster.yaml-{os.getpid()}"
        draft.write_text(dagster_yaml(storage), encoding="utf-8")
        draft.replace(settings)
    with open_home(workspace) as instance:
        instance.get_runs_count()
        instance.all_instigator_state()
    return home


def open_home(workspace: Path) -> dg.DagsterInstance:
    """The workspace's Dagster instance for a run in this process: a context manager.

    Its runs, events and lineage are what `dagster dev` shows on the same folder. What the process
    prints stays on its terminal: Dagster would otherwise divert it into files.
    """
    return dg.DagsterInstance.local_temp(
        str(dagster_home(workspace)),
        overrides={
            "compute_logs": {
                "module": "dagster._core.storage.noop_compute_log_manager",
                "class": "NoOpComputeLogManager",
            }
        },
    )
