"""Accepted rosters in the ledger, and what bears on accepting another."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from roster_pipeline.store import holds
from roster_pipeline.store.gate import Candidacy, Standing
from roster_pipeline.store.records import Accepted, HoldStatus, Snapshot, Verdict
from roster_pipeline.store.schema import accepted, snapshots, syncs, verdicts

_WHOLE: Final = sa.select(accepted, snapshots.c.counts, snapshots.c.url).join(
    snapshots,
    (snapshots.c.source == accepted.c.source)
    & (snapshots.c.content_hash == accepted.c.content_hash),
)


def standing(connection: sa.Connection, this: Candidacy) -> Standing:
    """What the ledger knows that bears on a candidacy."""
    newest = _newest_verdict(connection, this)
    return Standing(
        accepted=current(connection, this.source),
        verdict=newest.verdict if newest else None,
        hold=holds.newest(connection, this),
    )


def current(connection: sa.Connection, source: str) -> Accepted | None:
    """The source's accepted roster."""
    query = _WHOLE.where(accepted.c.source == source).order_by(accepted.c.sequence.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _accepted(row)


def current_of_all(connection: sa.Connection, source: str | None = None) -> list[Accepted]:
    """Each source's accepted roster; of one source, where that is named."""
    last = sa.select(accepted.c.source, sa.func.max(accepted.c.sequence).label("sequence"))
    if source is not None:
        last = last.where(accepted.c.source == source)
    newest = last.group_by(accepted.c.source).subquery()
    query = _WHOLE.join(
        newest,
        (newest.c.source == accepted.c.source) & (newest.c.sequence == accepted.c.sequence),
    )
    return [_accepted(row) for row in connection.execute(query)]


def since(connection: sa.Connection, source: str, day: dt.date) -> list[Accepted]:
    """What was accepted for a date and those after it, oldest first."""
    query = _WHOLE.where(accepted.c.source == source, accepted.c.date >= day)
    rows = connection.execute(query.order_by(accepted.c.sequence)).all()
    return [_accepted(row) for row in rows]


def replaced(connection: sa.Connection, source: str, content_hash: str) -> dt.date | None:
    """The latest date on which a content was accepted, or came again, that another has replaced
    since."""
    query = sa.select(sa.func.max(accepted.c.confirmed)).where(
        accepted.c.source == source, accepted.c.content_hash == content_hash
    )
    now = current(connection, source)
    if now is None or now.snapshot.content_hash == content_hash:
        return None
    found: dt.date | None = connection.execute(query).scalar()
    return found


def packages(
    connection: sa.Connection, source: str, since: dt.date, until: dt.date
) -> Iterator[str]:
    """The stored hashes of packages of these dates that brought what was accepted, the newest
    first, as their syncs say it."""
    approved = {
        hold.name
        for status in (HoldStatus.APPROVED, HoldStatus.ACCEPTED)
        for hold in holds.listed(connection, source, status)
    }
    query = sa.select(syncs.c.summary).where(
        syncs.c.source == source, syncs.c.date.between(since, until)
    )
    for said in connection.scalars(query.order_by(syncs.c.date.desc(), syncs.c.id.desc())):
        if "package" in said and ("accepted" in said or said.get("hold") in approved):
            yield said["package"]


def _accepted(row: sa.Row[Any]) -> Accepted:
    return Accepted(
        source=row.source,
        sequence=row.sequence,
        snapshot=Snapshot(row.source, row.content_hash, row.counts, row.url),
        base_hash=row.base_hash,
        date=row.date,
        confirmed=row.confirmed,
        at=row.at,
        hold_name=row.hold_name,
        shift=row.shift or {},
        windows=tuple(row.windows or ()),
    )


def confirm(connection: sa.Connection, this: Candidacy, known: Accepted) -> Accepted:
    """The accepted roster came again."""
    if this.date <= known.confirmed:
        return known
    connection.execute(
        sa.update(accepted)
        .where(accepted.c.source == known.source, accepted.c.sequence == known.sequence)
        .values(confirmed=this.date)
    )
    return dataclasses.replace(known, confirmed=this.date)


def replace(
    connection: sa.Connection,
    this: Candidacy,
    before: Standing,
    at: dt.datetime,
    shift: Mapping[str, Any],
    windows: Sequence[str],
) -> Accepted:
    """Accept a candidate that the gate lets through, and close what that settles."""
    hold = before.hold if before.hold and before.hold.status is HoldStatus.APPROVED else None
    made = Accepted(
        source=this.source,
        sequence=before.accepted.sequence + 1 if before.accepted else 1,
        snapshot=this.candidate,
        base_hash=this.base_hash,
        date=this.date,
        confirmed=this.date,
        at=at,
        hold_name=hold.name if hold else None,
        shift=shift,
        windows=tuple(windows),
    )
    connection.execute(
        sa.insert(accepted).values(
            source=made.source,
            sequence=made.sequence,
            content_hash=this.candidate.content_hash,
            base_hash=made.base_hash,
            date=made.date,
            confirmed=made.confirmed,
            at=made.at,
            hold_name=made.hold_name,
            shift=dict(shift),
            windows=list(windows),
        )
    )
    if hold:
        holds.close(connection, hold.name, HoldStatus.ACCEPTED, "accepted", at)
    holds.supersede_other_bases(connection, this, at)
    return made


def _newest_verdict(connection: sa.Connection, this: Candidacy) -> sa.Row[Any] | None:
    query = (
        sa.select(verdicts)
        .where(
            verdicts.c.source == this.source,
            verdicts.c.candidate_hash == this.candidate.content_hash,
            verdicts.c.base_hash.is_not_distinct_from(this.base_hash),
        )
        .order_by(verdicts.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).first()


def remember_verdict(
    connection: sa.Connection,
    this: Candidacy,
    verdict: Verdict,
    reasons: Sequence[Mapping[str, Any]],
    at: dt.datetime,
) -> None:
    """Remember a verdict, unless it is the newest on this candidate and base already."""
    given = [dict(reason) for reason in reasons]
    newest = _newest_verdict(connection, this)
    if newest and (newest.date, newest.verdict, newest.reasons) == (this.date, verdict, given):
        return
    connection.execute(
        sa.insert(verdicts).values(
            source=this.source,
            candidate_hash=this.candidate.content_hash,
            base_hash=this.base_hash,
            date=this.date,
            verdict=verdict,
            reasons=given,
            at=at,
        )
    )
