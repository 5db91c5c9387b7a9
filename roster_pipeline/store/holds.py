"""Holds in the ledger: opened by the guards, decided by people, closed by what happens next."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from roster_pipeline.store.errors import NotDecidable
from roster_pipeline.store.gate import Candidacy
from roster_pipeline.store.records import Hold, HoldStatus, Snapshot, Verdict
from roster_pipeline.store.schema import holds, snapshots

_HOLDS: Final = sa.select(holds, snapshots.c.counts, snapshots.c.url).join(
    snapshots,
    (snapshots.c.source == holds.c.source) & (snapshots.c.content_hash == holds.c.candidate_hash),
)


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


def newest(connection: sa.Connection, this: Candidacy) -> Hold | None:
    """The newest hold of exactly this candidate and base."""
    query = _HOLDS.where(*_pair(this)).order_by(holds.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return _hold(row) if row else None


def _opened(
    connection: sa.Connection,
    this: Candidacy,
    reasons: Sequence[Mapping[str, Any]],
    at: dt.datetime,
) -> Hold:
    name = _free_name(connection, f"{this.source}-{this.date}-{this.candidate.content_hash[:6]}")
    connection.execute(
        sa.insert(holds).values(
            name=name,
            source=this.source,
            date=this.date,
            candidate_hash=this.candidate.content_hash,
            base_hash=this.base_hash,
            reasons=[dict(reason) for reason in reasons],
            status=HoldStatus.OPEN,
            opened_at=at,
        )
    )
    return named(connection, name)


def after_verdict(
    connection: sa.Connection,
    this: Candidacy,
    verdict: Verdict,
    reasons: Sequence[Mapping[str, Any]],
    at: dt.datetime,
) -> Hold | None:
    """The hold that a verdict leads to; see `Ledger.record_verdict`."""
    hold = newest(connection, this)
    if hold is not None and hold.status is HoldStatus.REJECTED:
        return hold
    if verdict == "pass":
        if hold is not None and hold.status is HoldStatus.OPEN:
            because = "the guards, asked again, let it pass"
            close(connection, hold.name, HoldStatus.SUPERSEDED, because, at)
        return None
    if hold is not None and not is_spent(hold, verdict):
        return hold
    return _opened(connection, this, reasons, at)


def is_spent(hold: Hold, verdict: Verdict) -> bool:
    """Whether a hold is history to a new verdict on its candidate and base."""
    if hold.status is HoldStatus.OPEN:
        return verdict == "pass"
    return hold.status in (HoldStatus.SUPERSEDED, HoldStatus.ACCEPTED)


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


def supersede_older(connection: sa.Connection, this: Candidacy, at: dt.datetime) -> None:
    """A candidate came: whatever else of its source waits, and is not of a later date, is over."""
    others = [
        holds.c.source == this.source,
        holds.c.status == HoldStatus.OPEN,
        holds.c.date <= this.date,
        ~sa.and_(*_pair(this)),
    ]
    because = f"a newer roster came for {this.date}"
    _close(connection, others, HoldStatus.SUPERSEDED, because, at)


def supersede_other_bases(connection: sa.Connection, this: Candidacy, at: dt.datetime) -> None:
    """It was accepted: what was compared with another roster can no longer be, approved or not."""
    others = [
        holds.c.source == this.source,
        holds.c.status.in_((HoldStatus.OPEN, HoldStatus.APPROVED)),
        holds.c.base_hash.is_distinct_from(this.candidate.content_hash),
    ]
    because = f"another roster was accepted for {this.date}"
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


def _pair(this: Candidacy) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        holds.c.source == this.source,
        holds.c.candidate_hash == this.candidate.content_hash,
        holds.c.base_hash.is_not_distinct_from(this.base_hash),
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
