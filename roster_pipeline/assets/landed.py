"""What arrived, kept before anybody parses it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from typing import BinaryIO

import dagster as dg

from roster_pipeline.assets.steps import step
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.drops import find_drop, is_landed
from roster_pipeline.resources.sync_run import SyncRun
from roster_pipeline.sources.advice import advised
from roster_pipeline.sources.drops import Drop
from roster_pipeline.sources.landing import Keys, land
from roster_pipeline.sources.pull import pull
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.store import Landed, NotStored, Outcome
from roster_pipeline.store.landing import Landing
from roster_pipeline.transport import Channel


class Asking(dg.Config):
    """How a server is asked."""

    full: bool = False
    """For all, even where the source wants changes only."""


def landed_package(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The first asset of the graph."""

    @dg.asset(
        partitions_def=partitions,
        group_name="source",
        kinds={"sftp", "rest"},
        output_required=False,
    )
    def landed_package(
        config: Asking,
        sync_run: dg.ResourceParam[SyncRun],
        channels: dg.ResourceParam[Channels],
        landing: dg.ResourceParam[Landing],
    ) -> Iterator[dg.MaterializeResult[Landed]]:
        """The package that a source sent for a date, passwords blanked, by the hash of its bytes.

        A date that is over is replayed from what was landed then; a server is asked for today
        only. Nothing where nothing came.
        """
        with step(sync_run, "Landing what came"):
            landed = _came(sync_run, channels, landing, full=config.full)
            if landed is not None:
                sync_run.note(package=landed.stored_hash)
                yield _result(landed)

    return landed_package


def _came(run: SyncRun, channels: Channels, landing: Landing, *, full: bool) -> Landed | None:
    """What there is of the source for the date: landed before, or now."""
    rest, today = run.source.rest, run.source.date_of(run.now())
    # Nobody is asked again for a date that is over, if anything was landed for it.
    before = run.ledger.landed(run.source.id, run.date) if run.date < today else None
    if before is not None:
        return before
    if rest is None:
        return _fetched(run, channels, landing)
    if run.date == today:
        return _pulled(run, rest, channels, landing, full=full)
    run.ends(
        Outcome.NOTHING_NEW,
        f"{run.source.id}: nothing was landed for {run.date}, and a server tells its roster of "
        f"today ({today}) only.",
    )
    return None


def _pulled(
    run: SyncRun, rest: Rest, channels: Channels, landing: Landing, *, full: bool
) -> Landed:
    """The roster as the server has it now."""
    source, lease, asked = run.source, run.lease, run.now()
    with (
        landing.scratch(source.id) as scratch,
        _last_pull(run, rest, landing, full=full) as last,
        advised(source.profile),
        channels.server(rest) as server,
        pull(
            server,
            rest,
            source=source.id,
            secrets=source.profile.secrets,
            scratch=scratch,
            timezone=source.timezone,
            expect=source.expect.rows,
            last=last,
            now=asked,
        ) as package,
    ):
        landed = landing.put(
            source.id,
            package.file,
            date=run.date,
            original_hash=package.original_hash,
            remote_path=rest.base_url,
            modified=asked,
        )
        run.remark(*server.remarks, *package.remarks)
        if package.notice is not None and not full:
            run.remark(f"{source.id}: {package.notice}")
    run.ledger.record_landed(landed, run.now(), lease)
    return landed


@contextmanager
def _last_pull(
    run: SyncRun, rest: Rest, landing: Landing, *, full: bool
) -> Iterator[BinaryIO | None]:
    """What was last pulled from this server and accepted, where changes are to be laid over it.

    What was held, refused or stopped may be an accident of the server's. Laid over it, what the
    server takes back without a new dateLastModified would stay.
    """
    known = None
    if rest.delta is not None and not full:
        known = run.ledger.last_accepted_package(run.source.id, date.min, run.date)
    try:
        opened = landing.open(known) if known and known.remote_path == rest.base_url else None
    except NotStored:
        opened = None
    with nullcontext() if opened is None else opened as file:
        yield file


def _fetched(run: SyncRun, channels: Channels, landing: Landing) -> Landed | None:
    """The newest drop for the date, landed now unless it was before."""
    known = run.ledger.landed(run.source.id, run.date)
    lease = run.lease
    with channels.source(run.source) as channel:
        found = find_drop(channel, run.source, run.date, run.now(), run.ledger)
        if found.found is None or is_landed(found.found, known):
            if known is None:
                run.ends(Outcome.NOTHING_NEW, f"{found.sentence()}.")
            elif found.found is None and found.waiting:
                run.remark(f"{found.sentence()}.")
            return known
        landed = _land(run, channel, found.found, channels.keys(run.source), landing)
    run.remark(*channel.remarks, *found.remarks())
    run.ledger.record_landed(landed, run.now(), lease)
    return landed


def _land(run: SyncRun, channel: Channel, drop: Drop, keys: Keys, landing: Landing) -> Landed:
    source = run.source
    with (
        landing.scratch(source.id) as scratch,
        land(
            channel,
            drop,
            source=source.id,
            secrets=source.profile.secrets,
            tables=source.csv_mapping.names if source.csv_mapping is not None else (),
            keys=keys,
            scratch=scratch,
        ) as package,
    ):
        return landing.put(
            source.id,
            package.file,
            date=run.date,
            original_hash=package.original_hash,
            remote_path=drop.path,
            modified=drop.modified,
            files=drop.files,
        )


def _result(landed: Landed) -> dg.MaterializeResult[Landed]:
    return dg.MaterializeResult(
        value=landed,
        metadata={
            "remote path": landed.remote_path,
            "modified": dg.MetadataValue.timestamp(landed.modified),
            "size": landed.size,
            "original SHA-256": landed.original_hash,
            "stored SHA-256": landed.stored_hash,
        },
    )
