"""How syncs ended and where each source stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from roster_pipeline.receivers.timing import Wait
from roster_pipeline.reports.changes import changes_text, moved
from roster_pipeline.reports.holds import (
    held_document,
    held_sentence,
    hold_document,
    moment,
    settle,
    shown,
)
from roster_pipeline.reports.repairs import repaired_sentence
from roster_pipeline.reports.tables import printable, text_table
from roster_pipeline.store import Accepted, Delivery, Hold, HoldStatus, Outcome, Sync
from roster_pipeline.store.held import HeldRows
from roster_pipeline.transport.http_expiry import Expiry
from roster_pipeline.workspace import Problem

WORDS: Final = {
    Outcome.DONE: "done",
    Outcome.NOTHING_NEW: "nothing new",
    Outcome.HELD: "held",
    Outcome.STOPPED: "stopped",
    Outcome.FAILED: "failed",
}
_STYLES: Final = {
    Outcome.DONE: "bold green",
    Outcome.NOTHING_NEW: "green",
    Outcome.HELD: "bold yellow",
    Outcome.STOPPED: "bold red",
    Outcome.FAILED: "bold red",
}
_KEPT: Final = "Their last good versions stay; `{check}` says why."
_NOTHING_KEPT: Final = "A dry run: nothing of this was kept or delivered."
_NO_HOLD: Final = (
    "A dry run: no hold was opened, and there is nothing to deliver before one is settled. A sync "
    "without --dry-run opens it."
)


Taken = Mapping[str, tuple[int, int]]
"""By entity how many rows of a roster were tried, and of how many."""


def sync_document(
    sync: Sync, hold: Hold | None, *, dry_run: bool = False, taken: Taken | None = None
) -> dict[str, Any]:
    """How one sync ended, as JSON; `hold` is the open hold of the source, or null. A sample says
    what was `taken` of the roster."""
    sample = {entity: {"rows": rows, "of": of} for entity, (rows, of) in (taken or {}).items()}
    return {
        "schema": "roster.sync/1",
        "source": sync.source,
        "date": str(sync.date),
        "dry_run": dry_run,
        **({} if taken is None else {"sample": sample}),
        "outcome": str(sync.outcome),
        "at": moment(sync.at),
        "run_id": sync.run_id,
        "summary": dict(sync.summary),
        "hold": None if hold is None else hold_document(hold),
    }


def sync_text(
    sync: Sync,
    hold: Hold | None,
    command: str,
    *,
    dry_run: bool = False,
    taken: Taken | None = None,
) -> RenderableType:
    """How one sync ended, for a terminal; where it is held, what to tell `command` next."""
    head = Text()
    head.append(WORDS[sync.outcome], style=_STYLES[sync.outcome])
    head.append(f"  {sync.source}, {sync.date}{' (dry run)' if dry_run else ''}")
    parts: list[RenderableType] = [head]
    if taken is not None:
        parts.append(Text(_sample_sentence(taken)))
    said = sync.summary.get("sentences", ())
    if not said and sync.outcome is Outcome.NOTHING_NEW:
        said = ["The same roster is accepted, and every destination has it."]
    parts += [Text(sentence) for sentence in said]
    parts += [Text(notice, style="yellow") for notice in sync.summary.get("notices", ())]
    if held := {e: n for e, n in sync.summary.get("held", {}).items() if n}:
        listed = ", ".join(f"{number:,} of {entity}" for entity, number in held.items())
        # What a dry run has read is not kept.
        check = "roster check PACKAGE" if dry_run else f"{command} check {sync.source}"
        kept = _KEPT.format(check=check)
        parts.append(Text(f"Rows that could not be used as they are: {listed}. {kept}"))
    if out := {e: n for e, n in sync.summary.get("left_out", {}).items() if n}:
        listed = ", ".join(f"{number:,} {entity}" for entity, number in out.items())
        parts.append(Text(f"Left out by `scope`: {listed}."))
    if cells := sync.summary.get("repaired"):
        parts.append(Text(repaired_sentence(cells)))
    ages = sync.summary.get("held_rows")
    if ages and ages["since"] is not None:
        parts.append(Text(held_sentence(_held_rows(ages))))
    if hold is not None and sync.outcome is Outcome.HELD and not dry_run:
        parts.append(Text(f"What would change: {command} show {hold.name}", style="dim"))
        if hold.status is HoldStatus.OPEN:
            parts.append(Text(f"To settle it: {settle(hold.name, command)}", style="dim"))
    if dry_run:
        parts += _dry(sync)
    return Group(*parts)


def _dry(sync: Sync) -> Iterator[RenderableType]:
    """What a sync would change, and that it changed nothing."""
    if some := moved(sync.summary.get("changes", {})):
        yield changes_text(some)
    opens = sync.outcome is Outcome.HELD and sync.summary.get("hold") is None
    if opens or sync.outcome in (Outcome.DONE, Outcome.HELD):
        yield Text(_NO_HOLD if opens else _NOTHING_KEPT, style="dim")


def _sample_sentence(taken: Taken) -> str:
    listed = ", ".join(f"{rows:,} of {of:,} {entity}" for entity, (rows, of) in taken.items() if of)
    return f"A sample: {listed}; compared with the same part of what is accepted, if anything is."


def header_only_sentence(entity: str) -> str:
    """What came of a file that has a header and no rows: it is no deletion, and no news either."""
    return (
        f"{entity}.csv has a header and no rows: nothing of it was taken, and what was accepted "
        "before stays. Have the export checked."
    )


def _held_rows(document: Mapping[str, Any]) -> HeldRows:
    since = date.fromisoformat(document["since"]) if document["since"] else None
    return HeldRows(date.fromisoformat(document["date"]), document["rows"], since)


def error_sentence(sync: Sync) -> str:
    """Why a sync stopped or failed, with its source and date; a line for each thing wrong."""
    said = list(sync.summary.get("sentences", ())) or ["nothing more is known"]
    return f"{sync.source}, {sync.date}, {WORDS[sync.outcome]}: " + "\n  ".join(said)


@dataclass(frozen=True)
class Standing:
    """Where one source stands."""

    source: str
    name: str
    accepted: Accepted | None
    last: Sync | None
    holds: Sequence[Hold]
    """Those that are open."""
    deliveries: Sequence[tuple[str, Delivery | None]]
    """Each destination that takes the source, with what it has; None before the first delivery."""
    held: HeldRows | None = None
    """The rows held back when a package was judged last; None before that."""
    escalate_after: int = 0
    """For how many days a row may be held before it needs a person."""
    credentials: Expiry | None = None
    """The ends of what its server is asked with; None where there is none, or no date is noted."""

    placeholders: Sequence[str] = ()
    """The keys of its file that nobody has filled in yet."""
    waiting: Mapping[str, Wait] = field(default_factory=dict)
    """Until when destinations wait for what they lack, and why."""

    @property
    def has_old_rows(self) -> bool:
        """Whether a row has been held for too long."""
        return self.held is not None and self.held.days > self.escalate_after

    def is_behind(self, delivery: Delivery | None) -> bool:
        """Whether a destination has not got what is accepted."""
        return self.accepted is not None and not self.accepted.snapshot.is_with(delivery)


def status_document(
    standings: Sequence[Standing], left_out: Sequence[Problem] = ()
) -> dict[str, Any]:
    """Where every source stands, as JSON, and what is wrong with the files that were left out."""
    return {
        "schema": "roster.status/1",
        "sources": [_standing_document(s) for s in standings],
        "left_out": [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
            for p in left_out
        ],
    }


def _standing_document(standing: Standing) -> dict[str, Any]:
    accepted, last = standing.accepted, standing.last
    return {
        "source": standing.source,
        "name": standing.name,
        "accepted": None
        if accepted is None
        else {
            "date": str(accepted.date),
            "confirmed": str(accepted.confirmed),
            "at": moment(accepted.at),
            "sequence": accepted.sequence,
            "content_hash": accepted.snapshot.content_hash,
            "rows": dict(accepted.snapshot.counts),
            "hold": accepted.hold_name,
        },
        "last_sync": None
        if last is None
        else {
            "date": str(last.date),
            "outcome": str(last.outcome),
            "at": moment(last.at),
            "run_id": last.run_id,
            "sentences": list(last.summary.get("sentences", ())),
            "notices": list(last.summary.get("notices", ())),
        },
        "holds": [hold.name for hold in standing.holds],
        "held_rows": None
        if standing.held is None
        else {**held_document(standing.held), "escalated": standing.has_old_rows},
        "credentials": None
        if (ends := standing.credentials) is None
        else {
            "expires": str(ends.on),
            "days": ends.days,
            "state": ends.state,
            "each": [None if end is None else str(end) for end in ends.ends],
        },
        "placeholders": list(standing.placeholders),
        "destinations": [
            {
                "destination": destination,
                "delivered": None
                if delivery is None
                else {
                    "at": moment(delivery.at),
                    "path": delivery.path,
                    "size": delivery.size,
                    "rows": delivery.receipt.get("rows"),
                    "content_hash": delivery.content_hash,
                    "package_hash": delivery.package_hash,
                },
                "behind": standing.is_behind(delivery),
                "waits_until": None
                if (wait := standing.waiting.get(destination)) is None
                else moment(wait.until),
            }
            for destination, delivery in standing.deliveries
        ],
    }


def status_text(standings: Sequence[Standing]) -> RenderableType:
    """Where every source stands, for a terminal."""
    if not standings:
        return Text("There are no sources yet: put a district's YAML file into sources/.")
    header = ("source", "accepted", "rows", "last sync", "ended", "open hold", "delivered to")
    table = text_table(header, [_standing_row(standing) for standing in standings])
    return Group(table, *(line for standing in standings for line in _to_see_to(standing)))


def _to_see_to(standing: Standing) -> Iterator[Text]:
    """What somebody should see to, a line each."""
    source, last, ends = standing.source, standing.last, standing.credentials
    if standing.placeholders:
        keys = ", ".join(f"`{key}`" for key in standing.placeholders)
        yield Text(f"{source}: has placeholders: fill in {keys}.", style="yellow")
    if last is not None:
        if last.outcome in (Outcome.STOPPED, Outcome.FAILED):
            why = next(iter(last.summary.get("sentences", ())), "nothing more is known")
            said = f"{WORDS[last.outcome]}: {why.removeprefix(f'{source}: ')}"
            yield Text(printable(f"{source}: {said}"), style=_STYLES[last.outcome])
        for notice in last.summary.get("notices", ()):
            said = notice.removeprefix(f"{source}: ")
            yield Text(printable(f"{source}: {said}"), style="yellow")
    for destination, wait in standing.waiting.items():
        yield Text(f"{source}: {wait.sentence(destination)}")
    if (held := standing.held) is not None and held.rows:
        style = "bold red" if standing.has_old_rows else ""
        yield Text(f"{source}: {held_sentence(held)}", style=style)
    if ends is not None and ends.state != "fine":
        style = "bold red" if ends.state == "over" else ""
        yield Text(f"{source}: {ends.sentence()}", style=style)


def _standing_row(standing: Standing) -> list[str | int | Text]:
    accepted, last = standing.accepted, standing.last
    delivered = [
        f"{destination}{_how_far(standing, destination, delivery)}"
        for destination, delivery in standing.deliveries
        if delivery is not None or accepted is not None
    ]
    return [
        standing.source,
        "–" if accepted is None else str(accepted.confirmed),
        "–" if accepted is None else sum(accepted.snapshot.counts.values()),
        "–" if last is None else shown(last.at),
        Text("–") if last is None else Text(WORDS[last.outcome], style=_STYLES[last.outcome]),
        ", ".join(hold.name for hold in standing.holds) or "–",
        ", ".join(delivered) or "–",
    ]


def _how_far(standing: Standing, destination: str, delivery: Delivery | None) -> str:
    if destination in standing.waiting:
        return " (waits)"
    return " (behind)" if standing.is_behind(delivery) else ""
