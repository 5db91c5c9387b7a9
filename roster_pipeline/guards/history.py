"""What the ledger remembers of a source, as the guards want to know it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from roster_pipeline.guards.calendar import Window, of_kind
from roster_pipeline.guards.cumulative import SPANS, Past, past_shifts
from roster_pipeline.guards.facts import Facts, Shift
from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.store import Accepted, Landed, Snapshot
from roster_pipeline.store.ledger import Ledger

_MANY: Final = 10
"""Rows moved from which on a content that was there before is an old roster: a few may well go back
to what they were."""


def with_history(
    given: Facts, ledger: Ledger, source: str, day: date, windows: Sequence[Window]
) -> Facts:
    """The facts given, and with them what the last days took, and which removals wait.

    `windows` are those that hold for the roster of the day.
    """
    since = day - timedelta(days=max(SPANS))
    history = [_past(accepted) for accepted in ledger.accepted_since(source, since)]
    rollover, closed = of_kind(windows, "rollover"), of_kind(windows, "additions_only")
    now = ledger.accepted(source)
    return replace(
        given,
        past=past_shifts(history, day, rollover=rollover is not None),
        closed_until=closed.last if closed else None,
        withheld=dict(now.shift.get("withheld", {})) if now else {},
    )


def came_before(
    delta: Delta, candidate: Snapshot, package: Landed | None, ledger: Ledger
) -> date | None:
    """The date of the old roster that a candidate is, which `package` was read into."""
    if delta.old is None or delta.empty:
        return None
    moved = sum(len(of.added) + len(of.changed) + len(of.removed) for of in delta.entities.values())
    return ledger.came_before(candidate, package, by_content=moved >= _MANY)


def _past(accepted: Accepted) -> Past:
    return Past(
        accepted.date,
        Shift.from_json(accepted.shift),
        approved=accepted.hold_name is not None,
        rollover="rollover" in accepted.windows,
    )
