"""The user's folder: roster.yaml, sources/*.yaml, products/*.yaml, destinations/*.yaml, found, read
and checked."""

from roster_pipeline.workspace.district import District
from roster_pipeline.workspace.folder import (
    Workspace,
    json_schemas,
    locate,
    schema_line,
)
from roster_pipeline.workspace.problems import Problem, WorkspaceError
from roster_pipeline.workspace.products import Product, open_catalogue
from roster_pipeline.workspace.settings import Settings

__all__ = [
    "District",
    "Problem",
    "Product",
    "Settings",
    "Workspace",
    "WorkspaceError",
    "json_schemas",
    "locate",
    "open_catalogue",
    "schema_line",
]
