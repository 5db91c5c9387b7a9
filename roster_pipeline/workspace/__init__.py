"""The user's folder: roster.yaml, sources/*.yaml, destinations/*.yaml, found, read and checked."""

from roster_pipeline.workspace.folder import (
    District,
    Workspace,
    json_schemas,
    locate,
    schema_line,
)
from roster_pipeline.workspace.problems import Problem, WorkspaceError
from roster_pipeline.workspace.settings import Settings

__all__ = [
    "District",
    "Problem",
    "Settings",
    "Workspace",
    "WorkspaceError",
    "json_schemas",
    "locate",
    "schema_line",
]
