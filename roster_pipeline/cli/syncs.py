"""`roster sync` and `roster status`."""

from typing import TYPE_CHECKING, Final

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, answer
from roster_pipeline.cli.rooms import opened
from roster_pipeline.store import HoldStatus, Outcome

if TYPE_CHECKING:
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.reports.syncs import Standing

ENDS: Final = {
    Outcome.DONE: Ends.DONE,
    Outcome.NOTHING_NEW: Ends.DONE,
    Outcome.HELD: Ends.HELD,
    Outcome.STOPPED: Ends.ERROR,
    Outcome.FAILED: Ends.ERROR,
}
"""How a sync's outcome becomes the command's exit code."""


def status(context: typer.Context, form: FormatOption = Format.TEXT) -> None:
    """Say where every source stands: accepted, last sync, holds, deliveries."""
    from roster_pipeline.reports.syncs import status_document, status_text

    with opened(context) as rooms:
        standings = [_standing(rooms, source) for source in rooms.workspace.sources]
    answer(status_text(standings), status_document(standings), form)


def _standing(rooms: "Rooms", source: str) -> "Standing":
    from roster_pipeline.reports.syncs import Standing

    ledger = rooms.ledger
    return Standing(
        source,
        rooms.workspace.sources[source].name,
        ledger.accepted(source),
        ledger.last_sync(source),
        ledger.holds(source, HoldStatus.OPEN),
        [
            (name, ledger.delivery(name, source))
            for name, destination in rooms.workspace.destinations.items()
            if destination.takes(source)
        ],
    )


def sync() -> None:
    """Soon."""
