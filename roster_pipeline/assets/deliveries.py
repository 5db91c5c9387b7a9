"""What each destination has of a source: brought to what is accepted."""

from collections.abc import Iterator

import dagster as dg

from roster_pipeline.assets.steps import step
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.delivery import deliver
from roster_pipeline.receivers.rendering import recipe, render
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Delivery, Outcome, Snapshot
from roster_pipeline.store.snapshots import Snapshots


def delivery_key(destination: str) -> dg.AssetKey:
    """The asset of one destination."""
    return dg.AssetKey(["deliveries", destination])


def delivery(
    destination: Destination, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """The asset of one destination, for all sources."""

    @dg.asset(
        key=delivery_key(destination.id),
        description=f"What {destination.id} was last confirmed to have of the source.",
        partitions_def=partitions,
        group_name="deliveries",
        kinds={_kind(destination)},
        output_required=False,
    )
    def delivery(
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        channels: dg.ResourceParam[Channels],
        accepted_roster: Snapshot,
    ) -> Iterator[dg.MaterializeResult[None]]:
        with step(sync_run, f"Delivering to {destination.id}"):
            if not destination.takes(sync_run.source.id) or not sync_run.accepted(accepted_roster):
                return
            bring = _send if destination.tables is None else _fill
            delivered = bring(destination, accepted_roster, sync_run, snapshots, channels)
            sync_run.delivered.add(destination.id)
            yield _result(delivered)

    return delivery


def _kind(destination: Destination) -> str:
    if destination.transport is None:
        return "postgresql"
    return "sftp" if destination.transport.sftp else "file"


def _send(
    destination: Destination,
    roster: Snapshot,
    run: SyncRun,
    snapshots: Snapshots,
    channels: Channels,
) -> Delivery:
    """Send the package unless the destination is known to have had it.

    What was made of this roster by this recipe need not be made again. Rosters that differ only in
    what packages leave blank make the same one: that is not sent again and counts for the new
    roster too.
    """
    source, path = run.source.id, destination.path_for(run.source.id)
    profile = profiles.load(destination.profile)
    names = {"system_name": destination.system_name, "system_code": destination.system_code}
    made = recipe(profile, **names)
    last = run.ledger.delivery(destination.id, source)
    same = last is not None and (last.path, last.receipt.get("recipe")) == (path, made)
    if last is not None and same and roster.is_with(last):
        return last
    staged = snapshots.stage(source)
    try:
        package = render(snapshots.open(roster), profile, staged / "package.zip", **names)
        if last is not None and (last.package_hash, last.path) == (package.sha256, path):
            sent = False
        else:
            run.ledger.check(run.lease)
            with channels.destination(destination) as channel:
                sent = deliver(channel, path, package).sent
            said = f"Delivered to {destination.id}: {path}, {package.size:,} bytes."
            run.ends(Outcome.DONE, said)
        return run.ledger.record_delivery(
            destination.id,
            source,
            roster.content_hash,
            package.sha256,
            path,
            package.size,
            {"sent": sent, "rows": dict(package.rows), "recipe": made},
            run.now(),
            run.lease,
        )
    finally:
        snapshots.discard(staged)


def _fill(
    destination: Destination,
    roster: Snapshot,
    run: SyncRun,
    snapshots: Snapshots,
    channels: Channels,
) -> Delivery:
    """Put the rows into the tables unless these are known to have them; then that is known."""
    source, tables = run.source.id, channels.tables(destination)
    last = run.ledger.delivery(destination.id, source)
    if last is not None and (last.package_hash, last.path) == (roster.content_hash, tables.place):
        return last
    filled = tables.replace(
        source,
        snapshots.open(roster),
        at=run.now(),
        check=lambda: run.ledger.check(run.lease),
        kept=lambda content_hash: snapshots.find(source, content_hash),
    )
    rows = sum(filled.rows.values())
    run.ends(Outcome.DONE, f"Delivered to {destination.id}: {rows:,} rows in {tables.place}.")
    return run.ledger.record_delivery(
        destination.id,
        source,
        roster.content_hash,
        roster.content_hash,
        tables.place,
        filled.size,
        {"sent": filled.written, "rows": dict(filled.rows)},
        run.now(),
        run.lease,
    )


def _result(delivered: Delivery) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        metadata={
            "path": delivered.path,
            "size": delivered.size,
            "SHA-256": delivered.package_hash,
            "roster": delivered.content_hash,
            "confirmed": dg.MetadataValue.timestamp(delivered.at),
        }
    )
