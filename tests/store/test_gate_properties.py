"""Whatever happens in whatever order, the gate keeps its promises."""

import datetime as dt
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from roster_pipeline.store import Accepted, Hold, HoldStatus, NotDecidable, Refused
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.records import Verdict
from tests.examples import examples
from tests.store.scene import DAY1, START, Clock, snapshot

CONTENTS = st.sampled_from(["a", "b", "c"])
BASES = st.none() | CONTENTS
DATES = st.sampled_from([DAY1 + dt.timedelta(days=days) for days in range(3)])
VERDICTS: st.SearchStrategy[Verdict] = st.sampled_from(["pass", "hold"])


class Gate(RuleBasedStateMachine):
    """Springfield's candidates, verdicts, decisions and acceptances in any order."""

    @initialize()
    def open_ledger(self) -> None:
        """Start with an empty ledger."""
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger.open(f"sqlite:///{Path(self.folder.name)}/ledger.db")
        self.lease = self.ledger.lease("springfield", Clock())
        self.held = self.lease.__enter__()
        self.passed: set[tuple[str, str | None]] = set()
        self.approved: set[tuple[str, str | None]] = set()
        self.rejected: set[tuple[str, str | None]] = set()

    def teardown(self) -> None:
        """Close the ledger."""
        if hasattr(self, "ledger"):
            self.lease.__exit__(None, None, None)
            self.ledger.close()
            self.folder.cleanup()

    def _now(self) -> Accepted | None:
        return self.ledger.accepted("springfield")

    @rule(content=CONTENTS, base=BASES, date=DATES, verdict=VERDICTS)
    def judge(self, content: str, base: str | None, date: dt.date, verdict: Verdict) -> None:
        """The guards judge a candidate."""
        candidate, base_hash = snapshot(content), base and snapshot(base).content_hash
        pair = (candidate.content_hash, base_hash)
        try:
            self.ledger.record_verdict(
                "springfield", candidate, base_hash, date, verdict, [], START, self.held
            )
        except Refused:
            return
        (self.passed.add if verdict == "pass" else self.passed.discard)(pair)

    @rule(number=st.integers(0, 9), approve=st.booleans())
    def decide(self, number: int, approve: bool) -> None:
        """A person decides on some hold, open or not."""
        holds = self.ledger.holds()
        if not holds:
            return
        hold = holds[number % len(holds)]
        decide = self.ledger.approve if approve else self.ledger.reject
        try:
            decide(hold.name, "ada", "a reason", START)
        except NotDecidable:
            assert hold.status is not HoldStatus.OPEN
        else:
            assert hold.status is HoldStatus.OPEN
            (self.approved if approve else self.rejected).add(_pair(hold))

    @rule(content=CONTENTS, base=BASES, date=DATES)
    def accept(self, content: str, base: str | None, date: dt.date) -> None:
        """A candidate stands before the gate."""
        candidate, base_hash = snapshot(content), base and snapshot(base).content_hash
        pair = (candidate.content_hash, base_hash)
        before, holds = self._now(), self.ledger.holds()
        foretold = self.ledger.may_accept("springfield", candidate, base_hash, date)
        try:
            after = self.ledger.accept("springfield", candidate, base_hash, date, START, self.held)
        except Refused as refused:
            told = refused.reason
            assert foretold is not None
            assert foretold.reason == told
            assert self._now() == before
            assert self.ledger.holds() == holds
            return
        assert foretold is None
        assert self._now() == after
        assert after.snapshot == candidate
        if before is None or after.sequence != before.sequence:
            assert base_hash == (before and before.snapshot.content_hash)
            assert before is None or date >= before.confirmed
            assert pair in self.passed | self.approved
            assert pair not in self.rejected
            self.approved.discard(pair)

    @invariant()
    def holds_that_wait_could_still_be_accepted(self) -> None:
        """At most one hold of a pair lives, and it is on the accepted base."""
        if not hasattr(self, "ledger"):
            return
        now = self._now()
        base = now and now.snapshot.content_hash
        living = [hold for hold in self.ledger.holds() if hold.status in ("open", "approved")]
        assert all(hold.base_hash == base for hold in living)
        assert len({_pair(hold) for hold in living}) == len(living)


def _pair(hold: Hold) -> tuple[str, str | None]:
    return (hold.candidate.content_hash, hold.base_hash)


TestTheGate = Gate.TestCase
TestTheGate.settings = settings(
    max_examples=examples(8),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
