"""What destinations are confirmed to have, and what was about to be sent to them since."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from roster_pipeline.store.overview import as_delivery
from roster_pipeline.store.records import Delivery
from roster_pipeline.store.schema import attempts, deliveries


def last(connection: sa.Connection, destination: str, source: str) -> Delivery | None:
    """The newest confirmed delivery of a source to a destination."""
    query = _of(deliveries, destination, source).order_by(deliveries.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return as_delivery(row) if row else None


def listed(
    connection: sa.Connection,
    source: str,
    destination: str | None = None,
    since: dt.datetime | None = None,
) -> list[Delivery]:
    """The deliveries of a source, oldest first."""
    query = sa.select(deliveries).where(deliveries.c.source == source)
    if destination is not None:
        query = query.where(deliveries.c.destination == destination)
    if since is not None:
        query = query.where(deliveries.c.at >= since)
    return [as_delivery(row) for row in connection.execute(query.order_by(deliveries.c.id))]


def confirm(connection: sa.Connection, this: Delivery) -> Delivery:
    """Remember a delivery, unless it is what was recorded last already; no attempt is open then."""
    forgotten = sa.delete(attempts).where(
        attempts.c.destination == this.destination, attempts.c.source == this.source
    )
    connection.execute(forgotten)
    before = last(connection, this.destination, this.source)
    if before is not None and _same(before) == _same(this):
        return before
    connection.execute(sa.insert(deliveries).values(_row(this)))
    return this


def begin(connection: sa.Connection, this: Delivery) -> None:
    """Remember what is about to be sent, unless exactly this was about to be sent last."""
    before = begun(connection, this.destination, this.source)
    if not before or _same(before[-1]) != _same(this):
        connection.execute(sa.insert(attempts).values(_row(this)))


def begun(connection: sa.Connection, destination: str, source: str) -> list[Delivery]:
    """What was about to be sent since the last confirmed delivery, oldest first."""
    query = _of(attempts, destination, source).order_by(attempts.c.id)
    return [as_delivery(row) for row in connection.execute(query)]


def unconfirmed(connection: sa.Connection, source: str) -> set[str]:
    """The destinations to which something of a source was about to be sent since their last
    confirmed delivery."""
    query = sa.select(attempts.c.destination).where(attempts.c.source == source).distinct()
    return set(connection.execute(query).scalars())


def _of(table: sa.Table, destination: str, source: str) -> sa.Select[Any]:
    return sa.select(table).where(table.c.destination == destination, table.c.source == source)


def _same(this: Delivery) -> tuple[Any, ...]:
    told = tuple(this.receipt.get(key) for key in ("day", "again", "recipe"))
    return this.content_hash, this.package_hash, this.path, *told


def _row(this: Delivery) -> Mapping[str, Any]:
    return {**asdict(this), "receipt": dict(this.receipt)}
