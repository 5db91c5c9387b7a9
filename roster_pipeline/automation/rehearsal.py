"""What a dry run puts in the places of ledger, store and servers: everything is read, nothing kept.

The graph is the same. Its gate is evaluated and not passed, its packages go to a folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import dagster as dg
import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.hiding import NOTHING_HIDDEN, Hidden
from roster_pipeline.receivers.tables import Check, Filled, Kept, Tables, frames, table_columns
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.errors import sentence
from roster_pipeline.resources.handles import Handles
from roster_pipeline.resources.providers import RehearsedProviders
from roster_pipeline.sources.config import Expect, Source
from roster_pipeline.sources.sample import Draw, Sample, draw
from roster_pipeline.store import (
    Accepted,
    Account,
    Delivery,
    Hold,
    HoldStatus,
    Landed,
    LedgerUnavailable,
    NoLedger,
    NotStored,
    Outcome,
    Snapshot,
)
from roster_pipeline.store.database import Database
from roster_pipeline.store.differences import Differences
from roster_pipeline.store.landing import Landing
from roster_pipeline.store.lease import Clock, Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.outbox import Outbox, Outboxes
from roster_pipeline.store.records import Verdict
from roster_pipeline.store.snapshots import Snapshots
from roster_pipeline.tables.csv_write import write_csv
from roster_pipeline.transport import Channel, RemoteFile
from roster_pipeline.transport.folder import Folder
from roster_pipeline.workspace import Workspace, WorkspaceError

_NAMELESS: Final = ""
"""The name of a hold that is not kept: nobody could ask for it by any."""


def rehearsal(
    workspace: Workspace,
    environ: Mapping[str, str],
    scratch: Path,
    out: Path,
    sample: Sample | None = None,
) -> Mapping[str, Any]:
    """The resources of a dry run: `scratch` is thrown away after it, `out` has its packages. Of a
    `sample`, both what came and what is accepted are cut down to it before they are compared."""

    @dg.resource
    def ledger(_: dg.InitResourceContext) -> Iterator[Ledger]:
        try:
            opened = _ledger(workspace, environ, scratch)
        except (LedgerUnavailable, WorkspaceError) as error:
            raise dg.Failure(sentence(error), allow_retries=False) from None
        with opened:
            yield opened

    store = workspace.storage_url
    return {
        "ledger": ledger,
        "landing": RehearsedLanding(scratch / "store", Landing(store)),
        "differences": Differences(scratch / "store"),
        "outboxes": RehearsedOutboxes(scratch / "store", Outboxes(store)),
        "snapshots": RehearsedSnapshots(scratch / "store", Snapshots(store), sample),
        "channels": RehearsedChannels(workspace.folder, environ, out),
        "providers": RehearsedProviders(workspace.folder, environ),
        "io_manager": Handles(scratch / "handles"),
    }


def _ledger(workspace: Workspace, environ: Mapping[str, str], scratch: Path) -> "RehearsedLedger":
    """The workspace's ledger, neither made nor upgraded; where it has none yet, an empty one that
    goes with the dry run."""
    try:
        return RehearsedLedger(Database(workspace.ledger_url(environ), as_it_is=True))
    except NoLedger:
        return RehearsedLedger.open(f"sqlite:///{scratch / 'ledger.sqlite'}")


class RehearsedLedger(Ledger):
    """Reads as the ledger does; what is written is answered as if, and forgotten."""

    _accepted: Accepted | None = None
    _verdict: Verdict | None = None

    @contextmanager
    def lease(
        self,
        name: str,
        clock: Clock,
        *,
        run_id: str | None = None,
        heartbeat_seconds: float = 0.0,
    ) -> Iterator[Lease]:
        yield Lease(name, 0, None)

    def check(self, lease: Lease) -> None:
        """Nobody else is kept out by a dry run, nor it by them."""

    def record_landed(self, package: Landed, at: datetime, lease: Lease) -> None:
        """Forgotten."""

    def record_verdict(
        self,
        source: str,
        candidate: Snapshot,
        base_hash: str | None,
        date: date,
        verdict: Verdict,
        reasons: Sequence[Mapping[str, Any]],
        at: datetime,
        lease: Lease,
    ) -> Hold | None:
        self._verdict = verdict
        refused = self.may_accept(source, candidate, base_hash, date, verdict)
        if refused is None:
            return None
        if refused.hold_name is not None:
            return self.hold(refused.hold_name)
        if verdict == "pass":
            raise refused
        return Hold(
            name=_NAMELESS,
            source=source,
            date=date,
            candidate=candidate,
            base_hash=base_hash,
            reasons=tuple(reasons),
            status=HoldStatus.OPEN,
            opened_at=at,
            decided_by=None,
            why=None,
            decided_at=None,
            closed_at=None,
            closed_because=None,
        )

    def accept(
        self,
        source: str,
        candidate: Snapshot,
        base_hash: str | None,
        date: date,
        at: datetime,
        lease: Lease,
        *,
        shift: Mapping[str, Any] | None = None,
        windows: Sequence[str] = (),
        package: Landed | None = None,
    ) -> Accepted:
        refused = self.may_accept(source, candidate, base_hash, date, self._verdict)
        if refused is not None:
            raise refused
        now = self.accepted(source)
        if now is None or now.snapshot.content_hash != candidate.content_hash:
            sequence = now.sequence + 1 if now else 1
            now = Accepted(source, sequence, candidate, base_hash, date, date, at, None)
        self._accepted = now
        return now

    def accepted(self, source: str) -> Accepted | None:
        return self._accepted or super().accepted(source)

    def record_attempt(self, this: Delivery, lease: Lease) -> None:
        """Forgotten."""

    def record_delivery(self, this: Delivery, lease: Lease) -> Delivery:
        return this

    def record_accounts(
        self, these: Sequence[Account], lease: Lease, *, forget: Sequence[Account] = ()
    ) -> None:
        """Forgotten."""

    def record_sync(
        self,
        source: str,
        date: date,
        outcome: Outcome | str,
        summary: Mapping[str, Any],
        at: datetime,
        run_id: str | None = None,
    ) -> None:
        """Forgotten."""


class RehearsedLanding(Landing):
    """Lands beside the store; opens what lies in either."""

    def __init__(self, url: str | Path, below: Landing) -> None:
        super().__init__(url)
        self._below = below

    def open(self, landed: Landed) -> BinaryIO:
        try:
            return super().open(landed)
        except NotStored:
            return self._below.open(landed)


def without_receivers(workspace: Workspace, source: str) -> Workspace:
    """The workspace as a sample may see it: nobody to provision for or to deliver to, and nothing
    said of how many rows its source should have."""
    district = workspace.sources[source]
    told = {"fill": district.expect.fill, "last_date": district.expect.last_date}
    expect = Expect.model_validate(told)
    sources = {**workspace.sources, source: district.model_copy(update={"expect": expect})}
    return replace(workspace, sources=sources, products={}, destinations={})


class RehearsedSnapshots(Snapshots):
    """Keeps rosters beside the store; opens what lies in either.

    Of a sample, the first roster put is the candidate: it is cut down, and so is every roster of
    the store from there on. What is read before that, for rows held back, is whole.
    """

    def __init__(self, url: str | Path, below: Snapshots, sample: Sample | None = None) -> None:
        super().__init__(url)
        self._below = below
        self._sample = sample
        self._draw: Draw | None = None
        self._cut: dict[str, Roster] = {}
        self.taken: Mapping[str, tuple[int, int]] = {}
        """Entity → how many rows of the candidate are in the sample, and of how many."""

    def put(self, source: str, roster: Roster) -> Snapshot:
        if self._sample is None or self._draw is not None:
            return super().put(source, roster)
        self._draw = draw(roster, self._sample)
        few = self._draw.take(roster, self.stage(source)).roster
        self.taken = {
            entity: (few.counts[entity], count) for entity, count in roster.counts.items()
        }
        return super().put(source, few)

    def open(self, snapshot: Snapshot) -> Roster:
        if self.exists(snapshot):
            return super().open(snapshot)
        if self._draw is None:
            return self._below.open(snapshot)
        if snapshot.content_hash not in self._cut:
            into = self.stage(snapshot.source)
            few = self._draw.take(self._below.open(snapshot), into).roster
            self._cut[snapshot.content_hash] = few
        return self._cut[snapshot.content_hash]

    def held(self, source: str, *, before: date | None = None) -> tuple[date, pd.DataFrame] | None:
        return self._below.held(source, before=before)


class RehearsedOutboxes(Outboxes):
    """Keeps what goes out beside the store; opens what lies in either."""

    def __init__(self, url: str | Path, below: Outboxes) -> None:
        super().__init__(url)
        self._below = below

    def of(self, destination: str) -> Outbox:
        return _RehearsedOutbox(self._url, destination, self._below.of(destination))


class _RehearsedOutbox(Outbox):
    def __init__(self, url: str | Path, destination: str, below: Outbox) -> None:
        super().__init__(url, destination)
        self._below = below

    def has(self, source: str, content_hash: str) -> bool:
        return super().has(source, content_hash) or self._below.has(source, content_hash)

    def open(self, source: str, content_hash: str) -> Roster:
        if super().has(source, content_hash):
            return super().open(source, content_hash)
        return self._below.open(source, content_hash)

    def noted(self, source: str) -> dict[str, Any] | None:
        return self._below.noted(source)

    def package(self, source: str, package_hash: str) -> BinaryIO:
        if self.has_package(source, package_hash):
            return super().package(source, package_hash)
        return self._below.package(source, package_hash)


class RehearsedChannels(Channels):
    """The real ways in, where all stays as it is; every way out ends in a folder of its
    destination's name."""

    def __init__(self, base: Path, environ: Mapping[str, str], out: Path) -> None:
        super().__init__(base, environ)
        self._out = out

    def clearing(self, source: Source) -> Channel | None:
        return None

    def destination(self, destination: Destination) -> Channel:
        return _Inside(self._out / destination.id)

    def tables(self, destination: Destination) -> Tables:
        return _WrittenDown(self._out / destination.id, super().tables(destination).place)


class _Inside(Folder):
    """A folder in which a server's absolute paths stay below it. What an earlier rehearsal left
    there is no package of the receiver's."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._brought: set[str] = set()

    def stat(self, path: str) -> RemoteFile | None:
        return super().stat(path.lstrip("/")) if path in self._brought else None

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        self._brought.add(path)
        super().upload(path.lstrip("/"), content, size)

    def read(self, path: str) -> Iterator[bytes]:
        return super().read(path.lstrip("/"))


@dataclass(frozen=True)
class _WrittenDown:
    """Tables as CSV files: the rows that a database would have been given."""

    folder: Path
    place: str
    """The database that was spared."""

    def replace(
        self,
        source: str,
        roster: Roster,
        *,
        at: datetime,
        check: Check,
        kept: Kept,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Filled:
        folder = self.folder / source
        folder.mkdir(parents=True, exist_ok=True)
        rows, size = {}, 0
        for entity in ENTITIES:
            names = [column.name for column in table_columns(entity)]
            with (folder / f"{entity}.csv").open("wb") as out:
                rows[entity] = write_csv(out, names, frames(roster, entity, source))
                size += out.tell()
        return Filled(rows, size, written=True)
