"""`roster sync` and `roster status`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from roster_pipeline.cli.console import (
    Ends,
    Format,
    FormatOption,
    Refusal,
    answer,
    end,
    note,
    progress,
)
from roster_pipeline.cli.rooms import opened
from roster_pipeline.store import Hold, Outcome

if TYPE_CHECKING:
    from roster_pipeline.automation.run import SyncResult
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.receivers.timing import Wait
    from roster_pipeline.reports.syncs import Standing
    from roster_pipeline.store.overview import Overview

ENDS: Final = {
    Outcome.DONE: Ends.DONE,
    Outcome.NOTHING_NEW: Ends.DONE,
    Outcome.HELD: Ends.HELD,
    Outcome.STOPPED: Ends.ERROR,
    Outcome.FAILED: Ends.ERROR,
}
"""How a sync's outcome becomes the command's exit code."""


def sync(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date", formats=["%Y-%m-%d"], help="The source's own today, unless said otherwise."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing anywhere.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="With --dry-run: where to put what would be delivered."),
    ] = None,
    students: Annotated[
        int | None,
        typer.Option(
            "--sample",
            min=1,
            metavar="N",
            help="With --dry-run: try it on so many students, and on what hangs on them.",
        ),
    ] = None,
    schools: Annotated[
        list[str] | None,
        typer.Option(
            "--school",
            metavar="ID",
            help="With --dry-run: try it on a school alone, by its sourcedId. May be repeated.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Ask for everything, where `delta` asks for changes only."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let every finding stop the sync.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Bring one source through the whole graph: land, check, compare, guard, accept, deliver.

    Exits 0 if it is done or there is nothing new, 1 if it stopped or failed, 2 if the workspace
    cannot be read, 3 if it is held.
    """
    if out is not None and not dry_run:
        raise Refusal("--out goes with --dry-run.", Ends.UNREADABLE)
    sampled = students is not None or bool(schools)
    if sampled and not dry_run:
        raise Refusal(
            "--sample and --school go with --dry-run: a part of a roster is never accepted, "
            "provisioned or delivered. To take some schools only, see `scope` of the source.",
            Ends.UNREADABLE,
        )
    if sampled and out is not None:
        raise Refusal("Of a sample nothing is delivered: leave --out out.", Ends.UNREADABLE)
    with opened(context) as rooms:
        rooms.require_source(source)
        from roster_pipeline.automation.run import run_sync
        from roster_pipeline.build import build_defs
        from roster_pipeline.sources.sample import Sample

        with steps(f"Syncing {source}") as on_step:
            result = run_sync(
                build_defs,
                rooms.workspace,
                source,
                None if day is None else day.date(),
                strict=strict,
                full=full,
                dry_run=dry_run,
                sample=Sample(students, tuple(schools or ())) if sampled else None,
                out=out,
                on_step=on_step,
            )
        end(tell(rooms, result, form))


def resume_and_tell(rooms: "Rooms", hold: Hold, form: Format) -> Ends:
    """Continue with an approved hold, and answer as `sync` does."""
    from roster_pipeline.automation.run import resume
    from roster_pipeline.build import build_defs

    with steps(f"Continuing {hold.source}") as on_step:
        result = resume(build_defs, rooms.workspace, hold, on_step=on_step)
    return tell(rooms, result, form)


@contextmanager
def steps(what: str) -> Iterator[Callable[[str], None]]:
    """Progress that names the step of the graph that a run is at."""
    with progress() as shown:
        task = shown.add_task(what, total=None)
        yield lambda step: shown.update(task, description=f"{what}: {step}")


def tell(rooms: "Rooms", result: "SyncResult", form: Format) -> Ends:
    """Say how a run ended, errors on stderr; returns how the command ends."""
    from roster_pipeline.reports.syncs import error_sentence, sync_document, sync_text

    ends = ENDS[result.outcome]
    hold = None
    if result.hold is not None and not result.dry_run:
        hold = rooms.ledger.hold(result.hold)
    if ends is Ends.ERROR:
        note(f"roster: {error_sentence(result.sync)}")
    if ends is not Ends.ERROR or form is Format.JSON:
        text = sync_text(
            result.sync, hold, rooms.command, dry_run=result.dry_run, taken=result.taken
        )
        document = sync_document(result.sync, hold, dry_run=result.dry_run, taken=result.taken)
        answer(text, document, form)
    return ends


def status(context: typer.Context, form: FormatOption = Format.TEXT) -> None:
    """Say where every source stands: accepted, last sync, holds, deliveries.

    Exits 0, or 2 if a file of the workspace has an error: the other sources are told.
    """
    from roster_pipeline.reports.syncs import status_document, status_text

    with opened(context) as rooms:
        left_out = rooms.workspace.left_out
        known = rooms.ledger.overview()
        standings = [standing(rooms, source, known) for source in rooms.workspace.sources]
    answer(status_text(standings), status_document(standings, left_out), form)
    end(Ends.UNREADABLE if left_out else Ends.DONE)


def standing(rooms: "Rooms", source: str, known: "Overview | None" = None) -> "Standing":
    """Where one source stands; `known` is what the ledger says of all, where that is asked for."""
    from roster_pipeline.reports.syncs import Standing
    from roster_pipeline.sources.placeholders import placeholders
    from roster_pipeline.store.held import HeldRows
    from roster_pipeline.transport.http_expiry import expiry

    known = known or rooms.ledger.overview(source)
    held = rooms.snapshots.held(source)
    district = rooms.workspace.sources[source]
    now = datetime.now(UTC)
    return Standing(
        source,
        district.name,
        known.accepted.get(source),
        known.last_syncs.get(source),
        known.holds.get(source, ()),
        [
            (name, known.deliveries.get((name, source)))
            for name in rooms.workspace.receivers_of(source)
        ],
        None if held is None else HeldRows.of(*held),
        rooms.workspace.escalate_after(source),
        None if district.rest is None else expiry(district.rest.auth, district.date_of(now)),
        placeholders(district),
        waiting(rooms, source, known, now),
    )


def waiting(rooms: "Rooms", source: str, known: "Overview", now: datetime) -> "dict[str, Wait]":
    """The destinations that have to wait for what they lack of a source; `known` is what the ledger
    says of it."""
    from roster_pipeline.receivers.timing_lack import turn

    zone, since = rooms.workspace.sources[source].zone, rooms.ledger.accepted_since
    turns = {
        one.id: turn(known, one, source, zone, now, since)
        for one in rooms.workspace.destinations_of(source)
    }
    return {name: each.wait for name, each in turns.items() if each.lack is not None and each.wait}
