"""Holds in the ledger: opened by the guards, decided by people, closed by what happens next."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from roster_pipeline.store.errors import NotDecidable
from roster_pipeline.store.records import Hold, HoldStatus, Snapshot
from roster_pipeline.store.schema import holds, snapshots

_HOLDS: Final = sa.select(holds, snapshots.c.counts, snapshots.c.url).join(
    snapshots,
    (snapshots.c.source == holds.c.source) & (snapshots.c.content_hash == holds.c.candidate_hash),
)
OPEN: Final = (HoldStatus.OPEN,)
UNDONE: Final = (HoldStatus.OPEN, HoldStatus.APPROVED)


def listed(connection: sa.Connection, source: str | None, status: HoldStatus | None) -> list[Hold]:
    """Holds in the order in which they were opened."""
    query = _HOLDS.order_by(holds.c.id)
    if source is not None:
        query = query.where(holds.c.source == source)
    if status is not None:
        query = query.where(holds.c.status == status)
    return [_hold(row) for row in connection.execute(query)]


def named(connection: sa.Connection, name: str, *, lock: bool = False) -> Hold:
    """The hold of that name. Raises NotDecidable."""
    query = _HOLDS.where(holds.c.name == name)
    if lock:
        query = query.with_for_update(of=holds)
    row = connection.execute(query).first()
    if row is None:
        waiting = [hold.name for hold in listed(connection, None, HoldStatus.OPEN)]
        known = f"These wait: {', '.join(waiting)}." if waiting else "None waits now."
        raise NotDecidable(f"There is no hold named {name!r}. {known}")
    return _hold(row)


def newest(connection: sa.Connection, candidate: Snapshot, base_hash: str | None) -> Hold | None:
    """The newest hold of exactly this candidate and base."""
    query = _HOLDS.where(*_pair(candidate, base_hash)).order_by(holds.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return _hold(row) if row else None


def opened(
    connection: sa.Connection,
    candidate: Snapshot,
    base_hash: str | None,
    date: dt.date,
    reasons: Sequence[Mapping[str, Any]],
    at: dt.datetime,
) -> Hold:
    """Open a hold."""
    name = _free_name(connection, f"{candidate.source}-{date}-{candidate.content_hash[:6]}")
    connection.execute(
        sa.insert(holds).values(
            name=name,
            source=candidate.source,
            date=date,
            candidate_hash=candidate.content_hash,
            base_hash=base_hash,
            reasons=[dict(reason) for reason in reasons],
            status=HoldStatus.OPEN,
            opened_at=at,
        )
    )
    return named(connection, name)


def decided(
    connection: sa.Connection,
    name: str,
    decision: HoldStatus,
    who: str,
    why: str,
    at: dt.datetime,
) -> Hold:
    """Approve or reject an open hold. Raises NotDecidable."""
    if not who.strip() or not why.strip():
        raise NotDecidable(
            f"A decision on hold {name} needs who made it and why; say it with `--why`."
        )
    hold = named(connection, name, lock=True)
    if hold.status is not HoldStatus.OPEN:
        raise NotDecidable(_too_late(hold))
    connection.execute(
        sa.update(holds)
        .where(holds.c.name == name)
        .values(status=decision, decided_by=who.strip(), why=why.strip(), decided_at=at)
    )
    return named(connection, name)


def close(
    connection: sa.Connection, name: str, status: HoldStatus, because: str, at: dt.datetime
) -> None:
    """Close one hold."""
    _close(connection, [holds.c.name == name], status, because, at)


def supersede_older(
    connection: sa.Connection,
    candidate: Snapshot,
    base_hash: str | None,
    date: dt.date,
    at: dt.datetime,
) -> None:
    """A candidate came: whatever else of its source waits, and is not of a later date, is over."""
    others = [
        holds.c.source == candidate.source,
        holds.c.status.in_(OPEN),
        holds.c.date <= date,
        ~sa.and_(*_pair(candidate, base_hash)),
    ]
    because = f"a newer roster came for {date}"
    _close(connection, others, HoldStatus.SUPERSEDED, because, at)


def supersede_other_bases(
    connection: sa.Connection, accepted: Snapshot, date: dt.date, at: dt.datetime
) -> None:
    """A roster was accepted: what was compared with another one can no longer be."""
    others = [
        holds.c.source == accepted.source,
        holds.c.status.in_(UNDONE),
        holds.c.base_hash.is_distinct_from(accepted.content_hash),
    ]
    because = f"another roster was accepted for {date}"
    _close(connection, others, HoldStatus.SUPERSEDED, because, at)


def _close(
    connection: sa.Connection,
    which: Sequence[sa.ColumnElement[bool]],
    status: HoldStatus,
    because: str,
    at: dt.datetime,
) -> None:
    closed = sa.update(holds).where(*which)
    connection.execute(closed.values(status=status, closed_at=at, closed_because=because))


def _pair(candidate: Snapshot, base_hash: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        holds.c.source == candidate.source,
        holds.c.candidate_hash == candidate.content_hash,
        holds.c.base_hash.is_not_distinct_from(base_hash),
    )


def _free_name(connection: sa.Connection, wanted: str) -> str:
    # The same candidate may be held again for the same date, after it was superseded.
    query = sa.select(holds.c.name).where(holds.c.name.startswith(wanted, autoescape=True))
    taken = set(connection.scalars(query))
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _too_late(hold: Hold) -> str:
    if hold.status is HoldStatus.SUPERSEDED:
        return (
            f"Hold {hold.name} is superseded ({hold.closed_because}), so there is nothing left to"
            " decide. `roster holds` lists what waits."
        )
    decided = f"by {hold.decided_by} on {hold.decided_at:%Y-%m-%d %H:%M} UTC"
    if hold.status is HoldStatus.REJECTED:
        return (
            f"Hold {hold.name} was rejected {decided}. A rejected roster stays rejected; the next"
            " different export of the source is judged afresh."
        )
    return f"Hold {hold.name} was approved {decided} and needs no further decision."


def _hold(row: sa.Row[Any]) -> Hold:
    return Hold(
        name=row.name,
        source=row.source,
        date=row.date,
        candidate=Snapshot(row.source, row.candidate_hash, row.counts, row.url),
        base_hash=row.base_hash,
        reasons=tuple(row.reasons),
        status=HoldStatus(row.status),
        opened_at=row.opened_at,
        decided_by=row.decided_by,
        why=row.why,
        decided_at=row.decided_at,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
    )
