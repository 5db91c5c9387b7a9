"""Landed packages in the ledger: the files they were made of, and whether they were accepted."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from roster_pipeline.store.records import Landed
from roster_pipeline.store.schema import landed
from roster_pipeline.transport.channel import RemoteFile


def as_landed(row: sa.Row[Any]) -> Landed:
    """A row of the table."""
    return Landed(
        source=row.source,
        date=row.date,
        original_hash=row.original_hash,
        stored_hash=row.stored_hash,
        remote_path=row.remote_path,
        modified=row.modified,
        size=row.size,
        url=row.url,
        files=tuple(_read(row.files or ())),
    )


def written(files: Iterable[RemoteFile]) -> list[dict[str, Any]]:
    """Files as the ledger keeps them."""
    return [
        {"path": file.path, "size": file.size, "modified": file.modified.isoformat()}
        for file in files
    ]


def accepted(connection: sa.Connection, source: str, since: dt.date) -> list[Landed]:
    """Packages of these dates whose whole roster was accepted, oldest first."""
    query = sa.select(landed).where(
        landed.c.source == source, landed.c.date >= since, landed.c.accepted_at.is_not(None)
    )
    order = (landed.c.date, landed.c.modified, landed.c.id)
    return [as_landed(row) for row in connection.execute(query.order_by(*order))]


def mark_accepted(connection: sa.Connection, package: Landed, at: dt.datetime) -> None:
    """The whole roster of a package was accepted; when that was first stays."""
    connection.execute(
        sa.update(landed)
        .where(
            landed.c.source == package.source,
            landed.c.date == package.date,
            landed.c.original_hash == package.original_hash,
            landed.c.accepted_at.is_(None),
        )
        .values(accepted_at=at)
    )


def _read(files: Sequence[Mapping[str, Any]]) -> Iterable[RemoteFile]:
    for file in files:
        yield RemoteFile(file["path"], file["size"], dt.datetime.fromisoformat(file["modified"]))
