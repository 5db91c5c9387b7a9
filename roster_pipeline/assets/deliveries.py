"""What each destination has of a source: brought to what is accepted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

import dagster as dg

from roster_pipeline.assets.door import Door, NotYetError
from roster_pipeline.assets.steps import step
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.delivery import DeliveryError
from roster_pipeline.receivers.filling import Filler
from roster_pipeline.receivers.sending import Sender
from roster_pipeline.receivers.timing_lack import Turn, turn
from roster_pipeline.reports.deliveries import sent_document, sent_sentence
from roster_pipeline.resources.answers import answer_of
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.store import Accepted, Delivery, Outcome, Snapshot
from roster_pipeline.store.outbox import Outboxes
from roster_pipeline.store.snapshots import Snapshots

FIT: Final = "fit"
"""The check of what a destination of packages has."""

_ROWS_AGAIN: Final = (
    "{name} has tables, which hold what is accepted; there is no package to be sent again."
)
_FORGOTTEN: Final = (
    "{name}: the rows of the past of {of} were removed, as its mask hides by which ids they were "
    "known, or all that they said."
)


class Bringing(dg.Config):
    """What of it, and what is told of it."""

    resend: str | None = None
    """A date: what was sent on it is sent once more, in the place of what is accepted."""
    compare: bool = False
    """Also say what differs from what was delivered last."""
    at_once: bool = False
    """Whether neither its schedule nor its quiet hours matter."""

    @property
    def asks(self) -> bool:
        """Whether somebody wants it now."""
        return self.at_once or self.resend is not None


def delivery_key(destination: str) -> dg.AssetKey:
    """The asset of one destination."""
    return dg.AssetKey(["deliveries", destination])


def delivery(
    destination: Destination, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """The asset of one destination, for all sources."""

    @dg.asset(
        key=delivery_key(destination.id),
        description=(
            f"What {destination.id} was last confirmed to have of the source: {_form(destination)}."
        ),
        partitions_def=partitions,
        group_name="deliveries",
        kinds={_kind(destination)},
        output_required=False,
    )
    def delivery(
        config: Bringing,
        sync_run: dg.ResourceParam[SyncRun],
        snapshots: dg.ResourceParam[Snapshots],
        outboxes: dg.ResourceParam[Outboxes],
        channels: dg.ResourceParam[Channels],
        accepted_roster: Snapshot,
    ) -> Iterator[dg.MaterializeResult[None]]:
        with step(sync_run, f"Delivering to {destination.id}", of=destination.id):
            accepted = sync_run.accepted(accepted_roster)
            if not destination.takes(sync_run.source.id) or accepted is None:
                return
            now = _turn(destination, sync_run, config)
            door = _door(destination, sync_run, channels, now, config)
            try:
                if now.lack is not None:
                    door.check()
                if destination.tables is not None:
                    if config.resend is not None:
                        raise DeliveryError(_ROWS_AGAIN.format(name=destination.id))
                    filler = _filler(destination, sync_run, snapshots, outboxes, door)
                    delivered = _fill(filler, accepted_roster, sync_run, config)
                else:
                    sender = _sender(destination, sync_run, snapshots, outboxes, door)
                    delivered = _send(sender, accepted, sync_run, config, again=now.again)
            except NotYetError as put_off:
                sync_run.waiting[destination.id] = put_off.wait.until.isoformat()
                sync_run.ends(Outcome.NOTHING_NEW, put_off.wait.sentence(destination.id))
                return
            sync_run.delivered.add(destination.id)
            if sync_run.delivers_only and sync_run.outcome is None:
                sync_run.ends(Outcome.NOTHING_NEW, f"{destination.id} has what is accepted.")
            yield _result(delivered)

    return delivery


def fit(
    destination: Destination, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """The check of what a destination of packages has, by its receiver's profile."""

    @dg.asset_check(
        asset=delivery_key(destination.id),
        name=FIT,
        description="What was sent is as the receiver's profile says that it wants it.",
        partitions_def=partitions,
    )
    def fit(sync_run: dg.ResourceParam[SyncRun]) -> dg.AssetCheckResult:
        with step(sync_run, f"Checking what {destination.id} has"):
            had = sync_run.ledger.delivery(destination.id, sync_run.source.id)
            unfit = had.receipt.get("unfit", ()) if had else ()
            return dg.AssetCheckResult(
                passed=not unfit,
                severity=dg.AssetCheckSeverity.WARN,
                description="\n".join(one["message"] for one in unfit) or None,
                metadata={"rows": sum(one["rows"] for one in unfit)},
            )

    return fit


def _form(destination: Destination) -> str:
    if destination.tables is not None:
        return "tables in PostgreSQL"
    only = ", only what changed" if destination.mode == "delta" else ""
    return f"{destination.format.title}{only}"


def _kind(destination: Destination) -> str:
    if (to := destination.transport) is None:
        return "postgresql"
    ways = {"sftp": to.sftp, "s3": to.s3, "https": to.https}
    return next((way for way, said in ways.items() if said is not None), "file")


def _sender(
    destination: Destination,
    run: SyncRun,
    snapshots: Snapshots,
    outboxes: Outboxes,
    channels: Door,
) -> Sender:
    return Sender(
        destination,
        destination.format,
        run.source.id,
        run.ledger,
        run.lease,
        snapshots,
        outboxes.of(destination.id),
        lambda: channels.destination(destination),
        run.now,
        run.source.date_of,
        channels.mask_key(destination),
        None
        if destination.reports is None
        else lambda had: answer_of(destination, had, channels.channels, run.now()),
    )


def _turn(destination: Destination, run: SyncRun, config: Bringing) -> Turn:
    """What it may be sent now. Of what it got last once more a run that delivers alone takes
    care: a sync that is held ends before this."""
    if config.asks:
        return Turn(None, None, again=False)
    source, ledger = run.source, run.ledger
    known = ledger.overview(source.id)
    found = turn(known, destination, source.id, source.zone, run.now(), since=ledger.accepted_since)
    return replace(found, again=found.again and run.delivers_only)


def _door(
    destination: Destination, run: SyncRun, channels: Channels, now: Turn, config: Bringing
) -> Door:
    """The ways out. Quiet hours may have begun while something was made ready."""
    times = destination.times(run.source.zone)
    return Door(channels, lambda: None if config.asks else now.wait or times.quiet(run.now()))


def _send(
    sender: Sender, accepted: Accepted, run: SyncRun, config: Bringing, *, again: bool
) -> Delivery:
    """Bring a package, and say so if there was any to bring."""
    if again:
        sent = sender.once_more(accepted)
    elif config.resend is not None:
        sent = sender.resend(date.fromisoformat(config.resend))
    else:
        sent = sender.bring(accepted, compare=config.compare)
    if sent.news:
        run.ends(Outcome.DONE, sent_sentence(sent))
        run.remark(*(one["message"] for one in sent.delivery.receipt.get("unfit", ())))
    run.remark(*(f"{sent.delivery.destination}: {remark}" for remark in sent.remarks))
    if config.compare or config.resend:
        run.note(delivery=sent_document(sent))
    return sent.delivery


def _filler(
    destination: Destination,
    run: SyncRun,
    snapshots: Snapshots,
    outboxes: Outboxes,
    channels: Door,
) -> Filler:
    return Filler(
        destination,
        run.source.id,
        run.ledger,
        run.lease,
        snapshots,
        outboxes.of(destination.id),
        channels.tables(destination),
        run.now,
        channels.mask_key(destination),
    )


def _fill(filler: Filler, accepted: Snapshot, run: SyncRun, config: Bringing) -> Delivery:
    """Put the rows into the tables, and say so if these had to be asked."""
    name, brought = filler.destination.id, filler.bring(accepted, compare=config.compare)
    this = brought.sent.delivery
    if brought.sent.news:
        rows = sum(this.receipt["rows"].values())
        run.ends(Outcome.DONE, f"Delivered to {name}: {rows:,} rows in {this.path}.")
    run.remark(*(f"{name}: {remark}" for remark in brought.sent.remarks))
    if brought.forgotten:
        run.remark(_FORGOTTEN.format(name=name, of=", ".join(brought.forgotten)))
    if config.compare:
        run.note(delivery=sent_document(brought.sent))
    return this


def _result(delivered: Delivery) -> dg.MaterializeResult[None]:
    left_out = sum(delivered.receipt.get("left_out", {}).values())
    return dg.MaterializeResult(
        metadata={
            "mode": delivered.receipt.get("mode", "bulk"),
            "rows left out": left_out,
            "path": delivered.path,
            "size": delivered.size,
            "SHA-256": delivered.package_hash,
            "roster": delivered.content_hash,
            "confirmed": dg.MetadataValue.timestamp(delivered.at),
        }
    )
