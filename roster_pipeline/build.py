"""All Dagster objects of a workspace, any part of which a test or a dry run may replace."""

import os
import warnings
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from roster_pipeline.assets import spine
from roster_pipeline.automation.approvals import approvals_sensor
from roster_pipeline.automation.drops import drop_sensors
from roster_pipeline.automation.jobs import RESUME, SYNC, deliver, resume, sync
from roster_pipeline.automation.lost_runs import lost_runs_sensor
from roster_pipeline.automation.partitions import partitions
from roster_pipeline.automation.processing_reports import report_sensors
from roster_pipeline.automation.pulls import pull_sensors
from roster_pipeline.automation.schedules import schedules
from roster_pipeline.automation.undelivered import undelivered_sensor
from roster_pipeline.automation.workspace_files import workspace_files_sensor
from roster_pipeline.resources import resources
from roster_pipeline.workspace import Workspace

SENSOR_SECONDS: Final = "ROSTER_SENSOR_SECONDS"
"""The variable that says how often the sensors look, in seconds; 30 by default."""


def build_defs(workspace: Workspace, overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions of a workspace; `overrides` take the places of resources by their keys.

    Opens nothing, writes nothing.
    """
    parts = {**resources(workspace), **(overrides or {})}
    sources = workspace.sources.values()
    all_partitions = partitions(
        workspace.sources, workspace.settings.partitions.start, parts["clock"]()
    )
    seconds = int(os.environ.get(SENSOR_SECONDS, "30"))
    with warnings.catch_warnings():
        # Checks by partition are a preview in the Dagster that we pin; our tests stand in for it.
        warnings.filterwarnings("ignore", "Specifying a partitions_def", dg.PreviewWarning)
        assets, checks = spine(
            all_partitions, sources, workspace.destinations.values(), workspace.products.values()
        )
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[sync, resume, *([deliver] if workspace.destinations else [])],
        schedules=schedules(sources, SYNC),
        sensors=[
            *drop_sensors(sources, SYNC, seconds=seconds),
            *pull_sensors(sources, SYNC, seconds=seconds),
            approvals_sensor(RESUME, seconds=seconds),
            undelivered_sensor(delivers=bool(workspace.destinations), seconds=seconds),
            *report_sensors(workspace, seconds=seconds),
            lost_runs_sensor(seconds=seconds),
            workspace_files_sensor(workspace, seconds=seconds),
        ],
        resources=parts,
        executor=dg.in_process_executor,
    )
