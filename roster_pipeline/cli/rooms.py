"""A workspace with its ledger and snapshots, opened for one command."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import typer

from roster_pipeline.cli.console import Ends, Refusal, note
from roster_pipeline.store import Hold, Snapshot

if TYPE_CHECKING:
    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.store.ledger import Ledger
    from roster_pipeline.store.snapshots import Snapshots
    from roster_pipeline.workspace import Workspace

_SAID: Final = 5
"""How many errors of other files are listed."""


def folder_of(context: typer.Context) -> Path:
    """The workspace's folder: `--workspace`, else ROSTER_WORKSPACE, else the current folder."""
    from roster_pipeline.workspace import locate

    named: Path | None = context.obj
    if named is not None:
        return named.expanduser().absolute()
    return locate(os.environ, Path.cwd())


def command_for(folder: Path) -> str:
    """How to call this command on a workspace (absolute) from where the user is."""
    from roster_pipeline.workspace import locate

    if folder == locate(os.environ, Path.cwd()):
        return "roster"
    return f"roster -w {quote(str(folder))}"


def load(folder: Path) -> "Workspace":
    """The workspace in a folder, without the files that have errors: it tells of these.

    Raises Refusal where nothing can be done without them.
    """
    from roster_pipeline.workspace import Workspace, WorkspaceError

    try:
        workspace = Workspace.load(folder, leave_out=True)
    except WorkspaceError as error:
        raise Refusal(str(error), Ends.UNREADABLE) from error
    if wrong := workspace.left_out:
        listed = "".join(f"\n  {problem}" for problem in wrong[:_SAID])
        rest = f"\n  … and {len(wrong) - _SAID:,} more" if wrong[_SAID:] else ""
        note(f"Files with errors are left out; `roster workspace check` has all:{listed}{rest}")
    return workspace


class Rooms:
    """What a command works with; the ledger is opened when it is first asked for."""

    def __init__(self, workspace: "Workspace", command: str, closing: ExitStack) -> None:
        self.workspace = workspace
        self.command = command
        """How to call this command on the workspace from where the user is."""
        self._closing = closing

    @cached_property
    def ledger(self) -> "Ledger":
        """The workspace's ledger."""
        from roster_pipeline.store.ledger import Ledger

        return self._closing.enter_context(Ledger.open(self.workspace.ledger_url(os.environ)))

    def require_source(self, name: str) -> None:
        """Raise Refusal unless the workspace has the source."""
        from roster_pipeline.workspace import WorkspaceError

        try:
            self.workspace.source(name)
        except WorkspaceError as error:
            raise Refusal(str(error), Ends.UNREADABLE) from error

    @cached_property
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
    """The workspace that the command line names; what was opened of it is closed at the end."""
    with ExitStack() as closing:
        folder = folder_of(context)
        yield Rooms(load(folder), command_for(folder), closing)
