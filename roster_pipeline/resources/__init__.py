"""What the graph works with, built from a workspace: plain objects, opened when a run begins.

`resources` names them all; a test or a dry run puts others in their places. Nothing is opened and
no file is made before a run or a sensor asks.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.errors import sentence
from roster_pipeline.resources.handles import Handles
from roster_pipeline.resources.providers import Providers
from roster_pipeline.resources.sync_run import Watch, sync_run
from roster_pipeline.store import LedgerUnavailable
from roster_pipeline.store.differences import Differences
from roster_pipeline.store.landing import Landing
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.outbox import Outboxes
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.workspace import Workspace, WorkspaceError


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def resources(workspace: Workspace) -> Mapping[str, Any]:
    """Every resource of the graph by its key.

    `workspace`, `clock`, `watch`, `ledger`, `landing`, `snapshots`, `differences`, `outboxes`,
    `channels`, `providers`, `sync_run`, and `io_manager` for the handles between assets.
    """
    return {
        "workspace": workspace,
        "clock": utc_now,
        "watch": Watch(),
        "ledger": ledger,
        "landing": Landing(workspace.storage_url),
        "snapshots": Snapshots(workspace.storage_url),
        "differences": Differences(workspace.storage_url),
        "outboxes": Outboxes(workspace.storage_url),
        "channels": Channels(workspace.folder, os.environ),
        "providers": Providers(workspace.folder, os.environ),
        "sync_run": sync_run,
        "io_manager": Handles(workspace.folder / ".dagster" / "handles"),
    }


@dg.resource(required_resource_keys={"workspace"})
def ledger(context: dg.InitResourceContext) -> Iterator[Ledger]:
    """The workspace's ledger."""
    workspace: Workspace = context.resources.workspace
    try:
        opened = Ledger.open(workspace.ledger_url(os.environ))
    except (LedgerUnavailable, WorkspaceError) as error:
        raise dg.Failure(sentence(error), allow_retries=False) from None
    with opened:
        yield opened
