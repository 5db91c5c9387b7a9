"""What the ledger says of every source now: one query a kind, however many sources there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from roster_pipeline.store import acceptance, holds
from roster_pipeline.store.records import Accepted, Delivery, Hold, HoldStatus, Outcome, Sync
from roster_pipeline.store.schema import attempts, deliveries, syncs


@dataclass(frozen=True)
class Overview:
    """Where sources stand, by their ids; a source without an entry has none."""

    accepted: Mapping[str, Accepted]
    last_syncs: Mapping[str, Sync]
    holds: Mapping[str, Sequence[Hold]]
    """Those that are open, oldest first."""
    deliveries: Mapping[tuple[str, str], Delivery]
    """What a destination was last confirmed to have of a source, by both."""
    unconfirmed: Mapping[tuple[str, str], datetime]
    """When something of a source was about to be sent to a destination last, of which it is not
    known whether it arrived; by both."""


def overview(connection: sa.Connection, source: str | None) -> Overview:
    """Of one source, or of all."""
    waiting: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds.listed(connection, source, HoldStatus.OPEN):
        waiting[hold.source].append(hold)
    return Overview(
        {each.source: each for each in acceptance.current_of_all(connection, source)},
        {row.source: as_sync(row) for row in _newest(connection, syncs, source, "source")},
        dict(waiting),
        {
            (row.destination, row.source): as_delivery(row)
            for row in _newest(connection, deliveries, source, "destination", "source")
        },
        {
            (row.destination, row.source): row.at
            for row in _newest(connection, attempts, source, "destination", "source")
        },
    )


def as_sync(row: sa.Row[Any]) -> Sync:
    """A row of `syncs`."""
    return Sync(row.source, row.date, Outcome(row.outcome), row.summary, row.run_id, row.at)


def as_delivery(row: sa.Row[Any]) -> Delivery:
    """A row of `deliveries`."""
    return Delivery(
        row.destination,
        row.source,
        row.content_hash,
        row.package_hash,
        row.path,
        row.size,
        row.receipt,
        row.at,
    )


def _newest(
    connection: sa.Connection, table: sa.Table, source: str | None, *by: str
) -> Sequence[sa.Row[Any]]:
    """The last row of each group."""
    last = sa.select(sa.func.max(table.c.id)).group_by(*(table.c[name] for name in by))
    if source is not None:
        last = last.where(table.c.source == source)
    return connection.execute(sa.select(table).where(table.c.id.in_(last))).all()
