"""What becomes of a drop on the server once its roster is accepted."""

from collections.abc import Iterator

import dagster as dg

from roster_pipeline.assets.steps import step
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.drops import accepted_drops
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.sources.clearing import Cleared, Waits, clear, share_a_folder
from roster_pipeline.store import Snapshot
from roster_pipeline.transport import CredentialsUnusable
from roster_pipeline.workspace import Workspace


def cleared_drop(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset of all sources that say `archive` or `delete`."""

    @dg.asset(
        key="cleared_drop",
        partitions_def=partitions,
        group_name="source",
        kinds={"sftp"},
        output_required=False,
    )
    def cleared_drop(
        sync_run: dg.ResourceParam[SyncRun],
        channels: dg.ResourceParam[Channels],
        workspace: dg.ResourceParam[Workspace],
        accepted_roster: Snapshot,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Drops whose roster is accepted, moved away or removed where the source says so.

        All of the last month: what a run left undone the next one does. What was held, rejected or
        passed over stays.
        """
        with step(sync_run, "Clearing away what was read"):
            done = _clear(sync_run, channels, workspace)
            if done.trouble is not None:
                sync_run.remark(done.trouble)
            if done.files:
                yield dg.MaterializeResult(metadata={"files": done.files})

    return cleared_drop


def _clear(run: SyncRun, channels: Channels, workspace: Workspace) -> Cleared:
    drops = accepted_drops(run.source.id, run.source.date_of(run.now()), run.ledger)
    if not drops:
        return Cleared()
    try:
        channel = channels.clearing(run.source)
    except CredentialsUnusable as error:
        return Cleared(trouble=f"{run.source.id}: its drop stays where it is: {error}")
    if channel is None:
        return Cleared()
    with channel:
        return clear(
            channel,
            run.source,
            drops,
            others=_others(run, workspace),
            check=lambda: run.ledger.check(run.lease),
        )


def _others(run: SyncRun, workspace: Workspace) -> dict[str, Waits]:
    """The other sources that find their drops in the same folder."""
    found = {}
    for other in workspace.sources.values():
        if other.id != run.source.id and share_a_folder(run.source, other):
            theirs = accepted_drops(other.id, other.date_of(run.now()), run.ledger)
            files = {(f.path, f.size, f.modified) for drop in theirs for f in drop.files}
            found[other.id] = Waits(other, files)
    return found
