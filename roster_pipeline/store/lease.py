"""One worker at a time under a name, and no write by one that was taken over.

A lease is a row with a fencing number that grows each time it changes hands. The holder renews it
from a thread; a newcomer takes it over at once if the holder's process is provably dead, or after
a silence if that cannot be told (another machine). A holder that only seemed dead does no harm:
every ledger write checks its fencing number in the same transaction.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from roster_pipeline.crashpoints import reached
from roster_pipeline.store.database import Database
from roster_pipeline.store.errors import LeaseHeld, LeaseLost, StoreError
from roster_pipeline.store.process import Process
from roster_pipeline.store.schema import leases

Clock = Callable[[], dt.datetime]

SILENCE: Final = dt.timedelta(seconds=60)
"""Without a heartbeat for this long, a holder that cannot be looked at counts as gone."""
HEARTBEAT_SECONDS: Final = 15.0
"""Four chances within SILENCE."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has, or had, a lease."""

    process: Process
    run_id: str | None
    taken_at: dt.datetime
    heartbeat_at: dt.datetime

    def gone(self, now: dt.datetime) -> bool:
        """Whether the lease may be taken from them."""
        alive = self.process.alive()
        return now - self.heartbeat_at > SILENCE if alive is None else not alive


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof, while its fencing number stands in the ledger, that its holder may write."""

    name: str
    fencing: int
    taken_from: Holder | None
    """Who died or fell silent under this lease, if anybody: their run will never end by itself."""


@contextmanager
def holding(
    database: Database,
    name: str,
    clock: Clock,
    run_id: str | None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> Iterator[Lease]:
    """Take the lease, renew it from a thread while the body runs, and give it back.

    Raises LeaseHeld if another has it.
    """
    reached("lease.before")
    lease = _take(database, name, clock(), run_id)
    ended = threading.Event()
    heart = threading.Thread(
        target=_beat,
        args=(database, lease, clock, heartbeat_seconds, ended),
        name=f"lease-{name}",
        daemon=True,
    )
    heart.start()
    try:
        yield lease
    finally:
        ended.set()
        heart.join()
        _release(database, lease, clock())
        reached("lease.after")


def verify(connection: sa.Connection, lease: Lease) -> None:
    """Raise LeaseLost unless the lease still stands; lock it until this transaction ends."""
    standing = sa.select(leases.c.fencing).where(*_held(lease)).with_for_update()
    if connection.execute(standing).first() is None:
        raise LeaseLost(
            f"{lease.name}: another process took this work over, so this one stops; nothing of"
            " this step was written. `roster status` shows where the other one stands."
        )


def standing(connection: sa.Connection, name: str) -> Holder | None:
    """Who has a lease; None when it is free."""
    this = sa.select(leases).where(leases.c.name == name, leases.c.released_at.is_(None))
    row = connection.execute(this).one_or_none()
    return None if row is None else _holder(row)


def _take(database: Database, name: str, now: dt.datetime, run_id: str | None) -> Lease:
    me = _columns(Process.current(), run_id, now)
    free = database.insert(leases).values(name=name, fencing=0, released_at=now, **me)
    with database.writing() as connection:
        connection.execute(free.on_conflict_do_nothing())
        this = leases.c.name == name
        row = connection.execute(sa.select(leases).where(this).with_for_update()).one()
        holder = _holder(row) if row.released_at is None else None
        if holder is not None and not holder.gone(now):
            raise LeaseHeld(_who_holds(name, holder))
        fencing = row.fencing + 1
        taken = sa.update(leases).where(this).values(fencing=fencing, released_at=None, **me)
        connection.execute(taken)
    return Lease(name, fencing, holder)


def _beat(
    database: Database, lease: Lease, clock: Clock, seconds: float, ended: threading.Event
) -> None:
    renewal = sa.update(leases).where(*_held(lease))
    while not ended.wait(seconds):
        try:
            with database.writing() as connection:
                held = connection.execute(renewal.values(heartbeat_at=clock())).rowcount
        except StoreError as error:
            _log.warning("%s: the lease could not be renewed, trying again. %s", lease.name, error)
        else:
            if not held:
                return


def _release(database: Database, lease: Lease, now: dt.datetime) -> None:
    try:
        with database.writing() as connection:
            connection.execute(sa.update(leases).where(*_held(lease)).values(released_at=now))
    except StoreError as error:
        # Whatever ended the body matters more; the next one takes the lease from a dead process.
        _log.warning("%s: the lease could not be given back. %s", lease.name, error)


def _held(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        leases.c.name == lease.name,
        leases.c.fencing == lease.fencing,
        leases.c.released_at.is_(None),
    )


def _columns(process: Process, run_id: str | None, now: dt.datetime) -> dict[str, Any]:
    return {
        "host": process.host,
        "boot": process.boot,
        "pid": process.pid,
        "started": process.started,
        "run_id": run_id,
        "taken_at": now,
        "heartbeat_at": now,
    }


def _holder(row: sa.Row[Any]) -> Holder:
    process = Process(row.host, row.boot, row.pid, row.started)
    return Holder(process, row.run_id, row.taken_at, row.heartbeat_at)


def _who_holds(name: str, holder: Holder) -> str:
    run = f", run {holder.run_id}" if holder.run_id else ""
    return (
        f"{name}: process {holder.process.pid} on {holder.process.host}{run} has been at work since"
        f" {holder.taken_at:%Y-%m-%d %H:%M:%S} UTC (last heard of"
        f" {holder.heartbeat_at:%H:%M:%S}). Wait for it to end, then try again."
    )
