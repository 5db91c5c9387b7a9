"""A source synced day by day, without Dagster: read, compare, judge, and the gate."""

import datetime as dt
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from roster_pipeline.guards.calendar import Calendar, loosened
from roster_pipeline.guards.facts import Facts
from roster_pipeline.guards.gather import gather
from roster_pipeline.guards.history import came_before, with_history
from roster_pipeline.guards.judge import judge
from roster_pipeline.guards.reasons import Reason
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.entities import REQUIRED_1P2
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from roster_pipeline.store import Accepted, Landed, Snapshot
from roster_pipeline.store.lease import Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.snapshots import Snapshots

SOURCE: Final = "springfield"
CALENDAR: Final = Calendar.model_validate(
    {
        "windows": [
            {"name": "summer", "kind": "rollover", "from": "2026-06-10", "to": "2026-08-31"},
        ]
    }
)
"""What docs/churn.md asks a district to say."""
Ended = Literal["accepted", "held", "stopped"]


@dataclass(frozen=True)
class Synced:
    """How one sync ended."""

    day: dt.date
    ended: Ended
    codes: tuple[str, ...] = ()
    """Of what stops the package, if it is stopped."""
    reasons: tuple[Reason, ...] = ()
    """Those of the guards, if it is held."""
    hold: str = ""
    facts: Facts | None = None
    """None where the package is stopped."""
    _candidate: Snapshot | None = None

    @property
    def guards(self) -> set[str]:
        """The codes of the guards that hold it."""
        return {reason.guard for reason in self.reasons}


@dataclass
class Weeks:
    """A ledger, a store and the syncs of one source."""

    ledger: Ledger
    snapshots: Snapshots
    settings: GuardSettings = field(default_factory=GuardSettings)
    calendar: Calendar = field(default_factory=Calendar)
    today: dt.date = dt.date(2026, 1, 1)

    @classmethod
    @contextmanager
    def at(
        cls,
        folder: Path,
        settings: GuardSettings | None = None,
        calendar: Calendar | None = None,
    ) -> Iterator[Self]:
        """The weeks kept in a folder, which may be a copy of another."""
        with Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
            yield cls(
                ledger,
                Snapshots(folder / "store"),
                settings or GuardSettings(),
                calendar or Calendar(),
            )

    @property
    def accepted(self) -> Accepted | None:
        """What the source's roster is."""
        return self.ledger.accepted(SOURCE)

    @property
    def content(self) -> str | None:
        """The content hash of the source's roster."""
        return self.accepted.snapshot.content_hash if self.accepted else None

    def sync(self, day: dt.date, package: bytes) -> Synced:
        """What the package of a day comes to, short of a person's decision."""
        self.today = day
        with self.ledger.lease(SOURCE, self._now) as lease:
            landed = self._land(package, lease)
            base = self.accepted.snapshot if self.accepted else None
            made, kept = self._read(package, base)
            if kept is None:
                stops = {finding.code for finding in made.findings.of(Severity.STOP)}
                return Synced(day, "stopped", tuple(sorted(stops)))
            facts = self._facts(made, kept, base, landed)
            synced = self._judged(facts, kept, base, lease)
            if synced.ended == "accepted":
                self._accept(synced, lease)
            return synced

    def approve(self, synced: Synced) -> Accepted:
        """A person lets a hold through, and the sync goes on."""
        self.ledger.approve(synced.hold, "a person", "looked at it", self._now())
        with self.ledger.lease(SOURCE, self._now) as lease:
            return self._accept(synced, lease)

    def reject(self, synced: Synced) -> None:
        """A person refuses a hold."""
        self.ledger.reject(synced.hold, "a person", "a broken export", self._now())

    def _land(self, package: bytes, lease: Lease) -> Landed:
        digest = hashlib.sha256(package).hexdigest()
        landed = Landed(
            SOURCE,
            self.today,
            digest,
            digest,
            "roster.zip",
            self._now(),
            len(package),
            "memory:",
        )
        self.ledger.record_landed(landed, self._now(), lease)
        return landed

    def _read(self, package: bytes, base: Snapshot | None) -> tuple[Candidate, Snapshot | None]:
        staged = self.snapshots.stage(SOURCE)
        try:
            with open_package(io.BytesIO(package)) as opened:
                made = build_candidate(
                    opened,
                    self.snapshots.open(base) if base else Roster.empty(),
                    staged,
                    today=self.today,
                    believe_empty=REQUIRED_1P2,
                )
            return made, None if made.roster is None else self.snapshots.put(SOURCE, made.roster)
        finally:
            self.snapshots.discard(staged)

    def _facts(
        self, made: Candidate, kept: Snapshot, base: Snapshot | None, landed: Landed
    ) -> Facts:
        old = self.snapshots.open(base) if base else None
        delta = diff(old, self.snapshots.open(kept))
        given = Facts(
            counts=kept.counts,
            base=base.counts if base else None,
            held=made.held,
            orphaned=made.orphaned,
            read=made.rows,
            header_only=made.emptied,
            again=came_before(delta, kept, landed, self.ledger),
        )
        windows = self.calendar.on(self.today)
        return gather(
            with_history(given, self.ledger, SOURCE, self.today, windows), delta, self.today
        )

    def _judged(self, facts: Facts, kept: Snapshot, base: Snapshot | None, lease: Lease) -> Synced:
        verdict = judge(facts, loosened(self.settings, self.calendar.on(self.today)))
        hold = self.ledger.record_verdict(
            SOURCE,
            kept,
            base.content_hash if base else None,
            self.today,
            verdict.outcome,
            verdict.to_json(),
            self._now(),
            lease,
        )
        if hold is None:
            return Synced(self.today, "accepted", facts=facts, _candidate=kept)
        return Synced(self.today, "held", (), verdict.reasons, hold.name, facts, kept)

    def _accept(self, synced: Synced, lease: Lease) -> Accepted:
        if synced._candidate is None or synced.facts is None:
            raise ValueError(f"there is nothing to accept on {synced.day}")
        base = self.accepted
        return self.ledger.accept(
            SOURCE,
            synced._candidate,
            base.snapshot.content_hash if base else None,
            synced.day,
            self._now(),
            lease,
            shift=synced.facts.shift.to_json(),
            windows=[window.kind for window in self.calendar.on(synced.day)],
        )

    def _now(self) -> dt.datetime:
        return dt.datetime.combine(self.today, dt.time(5), dt.UTC)
