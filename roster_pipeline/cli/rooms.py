"""A workspace with its ledger and snapshots, opened for one command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from roster_pipeline.cli.console import Ends, Refusal
from roster_pipeline.store import Hold, Snapshot

if TYPE_CHECKING:
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.store.ledger import Ledger
    from roster_pipeline.store.snapshots import Snapshots
    from roster_pipeline.workspace import Workspace


def folder_of(context: typer.Context) -> Path:
    """The workspace's folder: `--workspace`, else ROSTER_WORKSPACE, else the current folder."""
    from roster_pipeline.workspace import locate

    named: Path | None = context.obj
    if named is not None:
        return named.expanduser().absolute()
    return locate(os.environ, Path.cwd())


def load(folder: Path) -> "Workspace":
    """The workspace in a folder. Raises Refusal with everything that is wrong in its files."""
    from roster_pipeline.workspace import Workspace, WorkspaceError

    try:
        return Workspace.load(folder)
    except WorkspaceError as error:
        raise Refusal(str(error), Ends.UNREADABLE) from error


@dataclass(frozen=True)
class Rooms:
    """What a command works with."""

    workspace: "Workspace"
    ledger: "Ledger"

    def require_source(self, name: str) -> None:
        """Raise Refusal unless the workspace has the source."""
        from roster_pipeline.workspace import WorkspaceError

        try:
            self.workspace.source(name)
        except WorkspaceError as error:
            raise Refusal(str(error), Ends.UNREADABLE) from error

    @property
    def snapshots(self) -> "Snapshots":
        """The stored rosters."""
        from roster_pipeline.store.snapshots import Snapshots

        return Snapshots(self.workspace.storage_url)

    def base_of(self, hold: Hold) -> "Roster | None":
        """The accepted roster that a hold was compared with; None for a first sync."""
        if hold.base_hash is None:
            return None
        return self.snapshots.open(Snapshot(hold.source, hold.base_hash, {}, ""))


@contextmanager
def opened(context: typer.Context) -> Iterator[Rooms]:
    """The workspace that the command line names, with its ledger, closed at the end."""
    from roster_pipeline.store.ledger import Ledger

    workspace = load(folder_of(context))
    with Ledger.open(workspace.ledger_url(os.environ)) as ledger:
        yield Rooms(workspace, ledger)
