"""The ledger: what was landed, judged, held, accepted, delivered, and who is at work.

Every write under a lease checks, in its own transaction, that the lease still stands. Times are
given by the caller. A method that is called twice with the same arguments leaves the ledger as
after the first call.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import sqlalchemy as sa

from roster_pipeline.crashpoints import reached
from roster_pipeline.store import acceptance, accounts, decisions, gate, holds, packages, sent
from roster_pipeline.store import lease as leasing
from roster_pipeline.store import overview as overviews
from roster_pipeline.store.database import Database
from roster_pipeline.store.errors import Refused
from roster_pipeline.store.gate import Candidacy, Standing
from roster_pipeline.store.lease import Clock, Holder, Lease
from roster_pipeline.store.overview import Overview
from roster_pipeline.store.records import (
    Accepted,
    Account,
    CourseDecision,
    Delivery,
    Hold,
    HoldStatus,
    Landed,
    Outcome,
    Snapshot,
    Sync,
    Verdict,
)
from roster_pipeline.store.schema import landed, snapshots, syncs


class Ledger:
    """One ledger, shared by every process of a workspace. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the ledger at a database URL, creating or upgrading it as needed.

        `sqlite:////path/ledger.db` or `postgresql+psycopg2://user:password@host/database`. Many
        processes may open a new ledger at once. Raises LedgerUnavailable.
        """
        return cls(Database(url))

    def __repr__(self) -> str:
        return f"Ledger({self._database!r})"

    def close(self) -> None:
        """Give back the connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- leases ----

    def lease(
        self,
        name: str,
        clock: Clock,
        *,
        run_id: str | None = None,
        heartbeat_seconds: float = leasing.HEARTBEAT_SECONDS,
    ) -> AbstractContextManager[Lease]:
        """Take the lease of a source (its id) or of a destination (`destination/<id>`).

        `run_id` is shown to whoever finds the lease held, and to whoever takes it over. Entering
        raises LeaseHeld with a sentence that says who holds it since when.
        """
        return leasing.holding(self._database, name, clock, run_id, heartbeat_seconds)

    def check(self, lease: Lease) -> None:
        """Raise LeaseLost unless the lease still stands; ask before an effect outside."""
        with self._database.reading() as connection:
            leasing.verify(connection, lease)

    def holder(self, name: str) -> Holder | None:
        """Who has the lease of that name now, or had it and did not give it back."""
        with self._database.reading() as connection:
            return leasing.standing(connection, name)

    # ---- landed packages ----

    def record_landed(self, package: Landed, at: dt.datetime, lease: Lease) -> None:
        """Remember a package. The same original for the same date is one entry, kept current."""
        _owns(lease, package.source)
        entry = {
            "source": package.source,
            "date": package.date,
            "original_hash": package.original_hash,
        }
        newest = {
            "stored_hash": package.stored_hash,
            "remote_path": package.remote_path,
            "modified": package.modified,
            "size": package.size,
            "url": package.url,
            "files": packages.written(package.files),
            # What came again is accepted again, or not.
            "accepted_at": None,
        }
        insert = self._database.insert(landed).values(at=at, **entry, **newest)
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            connection.execute(insert.on_conflict_do_update(index_elements=[*entry], set_=newest))

    def landed(self, source: str, date: dt.date) -> Landed | None:
        """The package for that date which is newest by the server's time."""
        return self._landed(landed.c.source == source, landed.c.date == date)

    def last_landed(self, source: str, since: dt.date, until: dt.date) -> Landed | None:
        """The package of the newest date from `since` to `until`, both included."""
        return self._landed(landed.c.source == source, landed.c.date.between(since, until))

    def last_accepted_package(self, source: str, since: dt.date, until: dt.date) -> Landed | None:
        """The package of the newest of these dates whose roster was accepted, by itself or as a
        person approved of it. Its sync has to have said so, under `package` and `accepted`."""
        with self._database.reading() as connection:
            hashes = list(acceptance.packages(connection, source, since, until))
        for stored_hash in hashes:
            found = self._landed(landed.c.source == source, landed.c.stored_hash == stored_hash)
            if found is not None:
                return found
        return None

    def _landed(self, *which: sa.ColumnElement[bool]) -> Landed | None:
        order = (landed.c.date.desc(), landed.c.modified.desc(), landed.c.id.desc())
        with self._database.reading() as connection:
            query = sa.select(landed).where(*which).order_by(*order).limit(1)
            row = connection.execute(query).first()
        return None if row is None else packages.as_landed(row)

    def accepted_packages(self, source: str, since: dt.date) -> list[Landed]:
        """The packages of a date and those after it whose whole roster was accepted, oldest
        first."""
        with self._database.reading() as connection:
            return packages.accepted(connection, source, since)

    # ---- verdicts and the gate ----

    def record_verdict(
        self,
        source: str,
        candidate: Snapshot,
        base_hash: str | None,
        date: dt.date,
        verdict: Verdict,
        reasons: Sequence[Mapping[str, Any]],
        at: dt.datetime,
        lease: Lease,
    ) -> Hold | None:
        """Remember what the guards made of a candidate compared with the accepted roster.

        Returns the hold to tell people of: for "hold", the open one (opened now, or before for
        exactly this candidate and base), or the approved one, which lets the candidate through;
        and for any verdict the rejected one, if a person has refused exactly this. None means that
        the candidate passes. Other holds of the source that wait, and are not of a later date,
        become superseded. Raises Refused if the candidate is old or its base no longer accepted.
        """
        this = _candidacy(source, candidate, base_hash, date)
        _owns(lease, source)
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            current = acceptance.current(connection, source)
            if refusal := gate.stale(this, current):
                raise refusal
            self._remember(connection, candidate)
            acceptance.remember_verdict(connection, this, verdict, reasons, at)
            holds.supersede_older(connection, this, at)
            if gate.is_accepted(this, current):
                return None
            return holds.after_verdict(connection, this, verdict, reasons, at)

    def accept(
        self,
        source: str,
        candidate: Snapshot,
        base_hash: str | None,
        date: dt.date,
        at: dt.datetime,
        lease: Lease,
        *,
        shift: Mapping[str, Any] | None = None,
        windows: Sequence[str] = (),
        package: Landed | None = None,
    ) -> Accepted:
        """THE GATE: make the candidate the source's accepted roster, in one transaction.

        Succeeds only if what is accepted is still `base_hash` (None: nothing), the date is not
        older, and the ledger holds a passing verdict or an approval of exactly this candidate and
        base. Raises Refused with the reason, and the hold's name if one stands in the way. What is
        accepted already, of the same or a later date, is returned again.

        `shift` (what it changes, as the guards counted it) and `windows` (the kinds of calendar
        windows that the date falls into) are kept with it, for `accepted_since`. `package` is what
        the whole of the candidate was read from, for `accepted_packages`.
        """
        this = _candidacy(source, candidate, base_hash, date)
        _owns(lease, source)
        reached("accept.before")
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            standing = acceptance.standing(connection, this)
            if refusal := gate.objection(this, standing):
                raise refusal
            if standing.accepted and gate.is_accepted(this, standing.accepted):
                result = acceptance.confirm(connection, this, standing.accepted)
            else:
                self._remember(connection, candidate)
                result = acceptance.replace(connection, this, standing, at, shift or {}, windows)
            if package is not None:
                packages.mark_accepted(connection, package, at)
        reached("accept.after")
        return result

    def may_accept(
        self,
        source: str,
        candidate: Snapshot,
        base_hash: str | None,
        date: dt.date,
        verdict: Verdict | None = None,
    ) -> Refused | None:
        """What `accept` would refuse, or None; writes nothing.

        With `verdict`, as if the guards had just given it.
        """
        this = _candidacy(source, candidate, base_hash, date)
        with self._database.reading() as connection:
            standing = acceptance.standing(connection, this)
        if verdict is not None:
            hold = standing.hold
            if hold is not None and holds.is_spent(hold, verdict):
                hold = None
            standing = Standing(standing.accepted, verdict, hold)
        return gate.objection(this, standing)

    def accepted(self, source: str) -> Accepted | None:
        """The source's accepted roster; None before its first sync is accepted."""
        with self._database.reading() as connection:
            return acceptance.current(connection, source)

    def accepted_since(self, source: str, day: dt.date) -> list[Accepted]:
        """What was accepted for a date and those after it, oldest first."""
        with self._database.reading() as connection:
            return acceptance.since(connection, source, day)

    def came_before(
        self, candidate: Snapshot, package: Landed | None, *, by_content: bool = True
    ) -> dt.date | None:
        """The date for which a roster came that has been replaced since: one of the very same
        bytes, or, `by_content`, one with this content that was accepted."""
        source, found = candidate.source, None
        with self._database.reading() as connection:
            if by_content:
                found = acceptance.replaced(connection, source, candidate.content_hash)
            if found is None and package is not None:
                found = _landed_before(connection, package)
        return found

    def _remember(self, connection: sa.Connection, snapshot: Snapshot) -> None:
        insert = self._database.insert(snapshots).values(
            source=snapshot.source,
            content_hash=snapshot.content_hash,
            counts=snapshot.counts,
            url=snapshot.url,
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["source", "content_hash"], set_={"url": snapshot.url}
            )
        )

    # ---- holds ----

    def holds(
        self, source: str | None = None, status: HoldStatus | str | None = None
    ) -> list[Hold]:
        """Holds, oldest first; of one source, of one status, or all."""
        wanted = None if status is None else HoldStatus(status)
        with self._database.reading() as connection:
            return holds.listed(connection, source, wanted)

    def hold(self, name: str) -> Hold:
        """The hold of that name. Raises NotDecidable if there is none."""
        with self._database.reading() as connection:
            return holds.named(connection, name)

    def hold_of(self, candidate: Snapshot, base_hash: str | None, date: dt.date) -> Hold | None:
        """The newest hold of exactly this candidate and base."""
        with self._database.reading() as connection:
            return holds.newest(connection, Candidacy(candidate, base_hash, date))

    def approve(self, name: str, who: str, why: str, at: dt.datetime) -> Hold:
        """Let an open hold through. Raises NotDecidable for any other, or without who and why."""
        with self._database.writing() as connection:
            return holds.decided(connection, name, HoldStatus.APPROVED, who, why, at)

    def reject(self, name: str, who: str, why: str, at: dt.datetime) -> Hold:
        """Refuse an open hold for good. Raises NotDecidable as `approve` does."""
        with self._database.writing() as connection:
            return holds.decided(connection, name, HoldStatus.REJECTED, who, why, at)

    # ---- deliveries ----

    def record_delivery(self, this: Delivery, lease: Lease) -> Delivery:
        """Remember that a destination has this package, confirmed; gives what is remembered.

        What is recorded last already, of the same roster at the same path, is not recorded again:
        the first receipt stays. A receipt may say of which `day` the delivery is, by which `recipe`
        it was made, and that it was sent `again` at a moment; where one of these is another, so is
        the delivery. Attempts of the same destination and source are settled by it, and forgotten.
        """
        reached("delivery.before-receipt")
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            return sent.confirm(connection, this)

    def record_attempt(self, this: Delivery, lease: Lease) -> None:
        """Remember what is about to be sent, before it is: until a delivery is recorded nobody
        knows whether it arrived. Its `at` is when it was tried first."""
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            sent.begin(connection, this)

    def attempts(self, destination: str, source: str) -> list[Delivery]:
        """What was about to be sent since the last recorded delivery, oldest first."""
        with self._database.reading() as connection:
            return sent.begun(connection, destination, source)

    def unconfirmed(self, source: str) -> set[str]:
        """The destinations that have such attempts of a source."""
        with self._database.reading() as connection:
            return sent.unconfirmed(connection, source)

    def delivery(self, destination: str, source: str) -> Delivery | None:
        """What the destination was last confirmed to have of the source."""
        with self._database.reading() as connection:
            return sent.last(connection, destination, source)

    def deliveries(
        self, source: str, destination: str | None = None, since: dt.datetime | None = None
    ) -> list[Delivery]:
        """Every delivery of the source, oldest first; to one destination, or since a moment."""
        with self._database.reading() as connection:
            return sent.listed(connection, source, destination, since)

    # ---- accounts ----

    def accounts(self, product: str, source: str | None = None) -> list[Account]:
        """The accounts of a product that are ours, by source and sourcedId."""
        with self._database.reading() as connection:
            return accounts.listed(connection, product, source)

    def record_accounts(
        self, these: Sequence[Account], lease: Lease, *, forget: Sequence[Account] = ()
    ) -> None:
        """Remember what is known of accounts now, in the place of what was known, and forget
        others: all of it or nothing. The lease is that of their source."""
        for source in {account.source for account in (*these, *forget)}:
            _owns(lease, source)
        with self._database.writing() as connection:
            leasing.verify(connection, lease)
            accounts.remember(connection, self._database.insert(accounts.TABLE), these)
            accounts.forget(connection, forget)

    # ---- decisions on courses ----

    def course_decisions(self, product: str, source: str | None = None) -> list[CourseDecision]:
        """What holds of the decisions on courses of a product, by source and course."""
        with self._database.reading() as connection:
            return decisions.holding(connection, product, source)

    def record_course_decisions(self, made: Sequence[CourseDecision]) -> list[CourseDecision]:
        """Remember people's decisions, all of them or none; an earlier one on a course is over.

        Returns those that say something new. Raises NotDecidable without who and why.
        """
        with self._database.writing() as connection:
            return decisions.remember(connection, made)

    # ---- syncs ----

    def record_sync(
        self,
        source: str,
        date: dt.date,
        outcome: Outcome | str,
        summary: Mapping[str, Any],
        at: dt.datetime,
        run_id: str | None = None,
    ) -> None:
        """Remember how a run ended. Needs no lease: a run that found it held ends too."""
        row = {
            "source": source,
            "date": date,
            "outcome": Outcome(outcome),
            "summary": dict(summary),
            "run_id": run_id,
            "at": at,
        }
        with self._database.writing() as connection:
            connection.execute(sa.insert(syncs).values(row))

    def last_sync(self, source: str, day: dt.date | None = None) -> Sync | None:
        """How the source's latest run ended: of that date, or of any."""
        query = sa.select(syncs).where(syncs.c.source == source).order_by(syncs.c.id.desc())
        if day is not None:
            query = query.where(syncs.c.date == day)
        with self._database.reading() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else overviews.as_sync(row)

    # ---- everything at once ----

    def overview(self, source: str | None = None) -> Overview:
        """What is accepted, waits, ran last and was delivered, as of one moment: of one source,
        or of all."""
        with self._database.reading() as connection:
            return overviews.overview(connection, source)


def _owns(lease: Lease, source: str) -> None:
    if lease.name != source:
        raise ValueError(f"the lease of {lease.name} does not cover {source}")


def _candidacy(source: str, candidate: Snapshot, base_hash: str | None, date: dt.date) -> Candidacy:
    if candidate.source != source:
        raise ValueError(f"a snapshot of {candidate.source} is no roster of {source}")
    return Candidacy(candidate, base_hash, date)


def _landed_before(connection: sa.Connection, package: Landed) -> dt.date | None:
    """The latest earlier date for which the bytes of a package came, if a roster of a later one
    was accepted before the package's own date."""
    came = sa.select(sa.func.max(landed.c.date)).where(
        landed.c.source == package.source,
        landed.c.original_hash == package.original_hash,
        landed.c.date < package.date,
    )
    found: dt.date | None = connection.execute(came).scalar()
    if found is None:
        return None
    now = acceptance.current(connection, package.source)
    return found if now is not None and found < now.date < package.date else None
