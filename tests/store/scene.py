"""Short words for what happens to a ledger in the tests."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from roster_pipeline.store import Accepted, Hold, Snapshot
from roster_pipeline.store.lease import Lease
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.records import Verdict

START = dt.datetime(2026, 8, 26, 9, 30, tzinfo=dt.UTC)
DAY1, DAY2, DAY3, DAY4 = (dt.date(2026, 8, day) for day in (24, 25, 26, 27))
REASON = {"guard": "removals", "entity": "users", "sentence": "50 % of users would go"}


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now: dt.datetime = START) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds)


def snapshot(content: str, source: str = "springfield") -> Snapshot:
    """A handle on a roster that is told apart by its content."""
    content_hash = hashlib.sha256(content.encode()).hexdigest()
    return Snapshot(source, content_hash, {"users": 7}, f"/store/{source}/{content_hash}")


@dataclass
class Scene:
    """Springfield's syncs."""

    ledger: Ledger
    clock: Clock
    lease: Lease

    def judge(
        self,
        content: str,
        base: str | None,
        date: dt.date,
        verdict: Verdict,
        reasons: tuple[dict[str, Any], ...] = (REASON,),
    ) -> Hold | None:
        """The guards compared a candidate with a base."""
        return self.ledger.record_verdict(
            "springfield",
            snapshot(content),
            _hash(base),
            date,
            verdict,
            reasons if verdict == "hold" else (),
            self.clock(),
            self.lease,
        )

    def hold(self, content: str, base: str | None, date: dt.date) -> Hold:
        """The guards held a candidate."""
        held = self.judge(content, base, date, "hold")
        assert held is not None
        return held

    def accept(self, content: str, base: str | None, date: dt.date) -> Accepted:
        """A candidate stands before the gate."""
        return self.ledger.accept(
            "springfield", snapshot(content), _hash(base), date, self.clock(), self.lease
        )

    def sync(self, content: str, base: str | None, date: dt.date) -> Accepted:
        """A candidate passes the guards and the gate."""
        assert self.judge(content, base, date, "pass") is None
        return self.accept(content, base, date)

    def approve(self, hold: Hold) -> Hold:
        """A person lets a held roster through."""
        return self.ledger.approve(hold.name, "ada", "the school closed", self.clock())

    def reject(self, hold: Hold) -> Hold:
        """A person refuses a held roster."""
        return self.ledger.reject(hold.name, "ada", "half of the file is missing", self.clock())


def _hash(content: str | None) -> str | None:
    return None if content is None else snapshot(content).content_hash
