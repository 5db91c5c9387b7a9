"""`roster deliver` and `roster deliveries`: to one destination, now, and what went before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end, note
from roster_pipeline.cli.rooms import opened
from roster_pipeline.cli.syncs import ENDS, steps, waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from roster_pipeline.automation.run import SyncResult
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.receivers.timing import Wait
    from roster_pipeline.store import Delivery

Name = Annotated[str, typer.Argument(metavar="DEST", help="The id of a destination.")]
OfSource = Annotated[str | None, typer.Option("--source", help="Only this source.")]


def deliver(
    context: typer.Context,
    destination: Name,
    source: OfSource = None,
    resend: Annotated[
        datetime | None,
        typer.Option(
            "--resend",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Send what was sent on that date once more, byte for byte.",
        ),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Send it in the destination's quiet hours, too.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be sent, and how it differs; send nothing."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --dry-run: where to put the package.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Bring what is accepted to a destination that has not got it, without a sync.

    Its schedule does not matter. In its quiet hours nothing is sent without --now.

    Exits 0 if it has it now, or may not get it now, 1 if it has not, 2 if the workspace cannot be
    read.
    """
    if out is not None and not dry_run:
        raise Refusal("--out goes with --dry-run.", Ends.UNREADABLE)
    with opened(context) as rooms:
        from roster_pipeline.automation.delivering import run_delivery
        from roster_pipeline.build import build_defs

        results = []
        for name in _sources(rooms, destination, source):
            with steps(f"Delivering {name}") as on_step:
                result = run_delivery(
                    build_defs,
                    rooms.workspace,
                    destination,
                    name,
                    resend=None if resend is None else resend.date(),
                    in_quiet_hours=now,
                    dry_run=dry_run,
                    out=out,
                    on_step=on_step,
                )
            results.append(result)
        end(_tell(rooms, destination, results, form, out))


def deliveries(
    context: typer.Context,
    destination: Name,
    source: OfSource = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what went when to a destination: of which roster, how large, confirmed how."""
    from rich.console import Group
    from rich.text import Text

    from roster_pipeline.reports.deliveries import deliveries_text, delivery_document
    from roster_pipeline.reports.holds import moment

    with opened(context) as rooms:
        sent: list[Delivery] = []
        attempts: list[Delivery] = []
        waits: dict[str, Wait] = {}
        for name in _sources(rooms, destination, source):
            sent += rooms.ledger.deliveries(name, destination)
            attempts += rooms.ledger.attempts(destination, name)
            found = waiting(rooms, name, rooms.ledger.overview(name), datetime.now(UTC))
            if destination in found:
                waits[name] = found[destination]
    sent.sort(key=lambda one: one.at)
    document = {
        "schema": "roster.deliveries/1",
        "destination": destination,
        "deliveries": [delivery_document(one) for one in sent],
        "open": [{**delivery_document(one), "confirmed": "not yet"} for one in attempts],
        "waiting": [
            {"source": name, "until": moment(wait.until), "why": wait.why}
            for name, wait in waits.items()
        ],
    }
    lines = [Text(f"{name}: {wait.sentence(destination)}") for name, wait in waits.items()]
    answer(Group(deliveries_text(sent, attempts), *lines), document, form)


def _sources(rooms: "Rooms", destination: str, source: str | None) -> list[str]:
    """The sources that a destination takes, or the one that is asked for. Raises Refusal."""
    workspace = rooms.workspace
    there = workspace.destinations.get(destination)
    if there is None:
        known = ", ".join(sorted(workspace.destinations)) or "none yet"
        raise Refusal(
            f"No destination is called {destination}; there are {known}.", Ends.UNREADABLE
        )
    if source is None:
        return [name for name in sorted(workspace.sources) if there.takes(name)]
    rooms.require_source(source)
    if not there.takes(source):
        raise Refusal(
            f"{destination} gets nothing of {source}: see its `sources`.", Ends.UNREADABLE
        )
    return [source]


def _tell(
    rooms: "Rooms",
    destination: str,
    results: "list[SyncResult]",
    form: Format,
    out: Path | None,
) -> Ends:
    from rich.console import Group
    from rich.text import Text

    from roster_pipeline.reports.deliveries import difference_text
    from roster_pipeline.reports.syncs import error_sentence, sync_text

    parts: list[RenderableType] = []
    listed: list[dict[str, Any]] = []
    worst = Ends.DONE
    for result in results:
        ends, sync = ENDS[result.outcome], result.sync
        if ends is Ends.ERROR:
            note(f"roster: {error_sentence(sync)}")
            worst = Ends.ERROR
        else:
            parts.append(sync_text(sync, None, rooms.command, dry_run=result.dry_run))
            if (sent := sync.summary.get("delivery")) is not None and result.dry_run:
                had = rooms.ledger.delivery(destination, sync.source)
                parts.append(difference_text(sent, had))
                if out is not None and sent["news"]:
                    parts.append(Text(f"To look at: {out / destination}"))
        listed.append({
            "source": sync.source,
            "outcome": str(sync.outcome),
            "sentences": list(result.sentences),
            "run_id": sync.run_id,
            "delivery": sync.summary.get("delivery"),
        })  # fmt: skip
    document = {
        "schema": "roster.deliver/1",
        "destination": destination,
        "dry_run": any(result.dry_run for result in results),
        "sources": listed,
    }
    if parts or form is Format.JSON:
        answer(Group(*parts), document, form)
    return worst
