"""Holds for people and programs: what waits, why, and what to do about it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.guards.calendar import Window
from roster_pipeline.guards.facts import Shift
from roster_pipeline.reports.tables import printable, text_table
from roster_pipeline.store import Hold, HoldStatus
from roster_pipeline.store.held import HeldRows

_STYLES: Final = {
    HoldStatus.OPEN: "bold yellow",
    HoldStatus.APPROVED: "green",
    HoldStatus.ACCEPTED: "green",
    HoldStatus.REJECTED: "red",
    HoldStatus.SUPERSEDED: "dim",
}


def moment(at: datetime | None) -> str | None:
    """A moment for a document: UTC to the second with `Z`, or None."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(at: datetime | None) -> str:
    """A moment for a person: UTC to the minute."""
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def hold_document(hold: Hold) -> dict[str, Any]:
    """One hold as JSON; moments in UTC, `base` null for a first sync."""
    return {
        "name": hold.name,
        "source": hold.source,
        "date": str(hold.date),
        "status": str(hold.status),
        "candidate": hold.candidate.content_hash,
        "base": hold.base_hash,
        "rows": dict(hold.candidate.counts),
        "reasons": [dict(reason) for reason in hold.reasons],
        "opened_at": moment(hold.opened_at),
        "decided_at": moment(hold.decided_at),
        "decided_by": hold.decided_by,
        "why": hold.why,
        "closed_at": moment(hold.closed_at),
        "closed_because": hold.closed_because,
    }


def sentences(hold: Hold) -> list[str]:
    """Why the guards held the candidate, one sentence each; schools are called by their names."""
    return [printable(str(reason["sentence"])) for reason in hold.reasons]


def holds_text(holds: Sequence[Hold]) -> RenderableType:
    """A table of holds with the first reason of each."""
    if not holds:
        return Text("Nothing is held.", style="green")
    rows = [
        (
            hold.name,
            str(hold.date),
            Text(str(hold.status), style=_STYLES[hold.status]),
            shown(hold.opened_at),
            _first(sentences(hold)),
        )
        for hold in holds
    ]
    return text_table(("hold", "date", "status", "since", "why"), rows)


def _first(reasons: list[str]) -> str:
    if len(reasons) < 2:
        return "".join(reasons)
    return f"{reasons[0]} (and {len(reasons) - 1} more)"


def hold_text(hold: Hold, command: str) -> RenderableType:
    """One hold in full, and how `command` (`roster`, with its options) settles it while open."""
    head = Text()
    head.append(hold.name, style="bold")
    head.append("  ")
    head.append(str(hold.status), style=_STYLES[hold.status])
    facts = [f"{hold.source}, {hold.date}, since {shown(hold.opened_at)}"]
    if hold.base_hash is None:
        facts.append("There is no accepted roster yet: this is the first sync.")
    if hold.decided_by is not None:
        verb = "Rejected" if hold.status is HoldStatus.REJECTED else "Approved"
        facts.append(f"{verb} by {hold.decided_by} at {shown(hold.decided_at)}: {hold.why}")
    if hold.closed_because:
        facts.append(f"Closed at {shown(hold.closed_at)}: {hold.closed_because}")
    reasons = [Text(f"• {sentence}") for sentence in sentences(hold)]
    parts: list[RenderableType] = [head, *(Text(fact) for fact in facts), *reasons]
    if hold.status is HoldStatus.OPEN:
        parts.append(Text(settle(hold.name, command), style="dim"))
    return Group(*parts)


def held_sentence(held: HeldRows) -> str:
    """How many rows are held back, and for how long the oldest of them has been."""
    if held.since is None:
        return "No row is held."
    days = f"{held.days} {'day' if held.days == 1 else 'days'}"
    if held.rows == 1:
        return f"1 row is held, since {held.since} ({days})."
    return f"{held.rows:,} rows are held, the oldest since {held.since} ({days})."


def held_document(held: HeldRows) -> dict[str, Any]:
    """The rows held back on a date, as JSON; `since` is null where there are none."""
    return {
        "date": str(held.date),
        "rows": held.rows,
        "since": None if held.since is None else str(held.since),
        "days": held.days,
    }


def blackout_sentence(window: Window) -> str:
    """Why nothing flows on a day."""
    return (
        f"{window.name}: nothing flows through {window.last}, and the roster accepted last stands."
    )


def removals_wait_sentence(shift: Shift, until: date) -> str:
    """What a window keeps from going."""
    moves = shift.entities.values()
    rows = sum(of.removed + of.ended + of.descoped for of in moves)
    return f"{rows:,} rows are no longer sent; nothing is removed through {until}."


def settle(name: str, command: str) -> str:
    """The two commands that settle an open hold, as arguments of `command`."""
    return f'{command} approve {name} --why "…"   or   {command} reject {name} --why "…"'
