"""`roster source suggest-expectations`: how big a source may be expected to be."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, note, progress
from roster_pipeline.cli.rooms import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roster_pipeline.oneroster.roster import Roster
    from roster_pipeline.reports.expectations import Suggested
    from roster_pipeline.store import Accepted

_HISTORY: Final = timedelta(days=365)


def suggest_expectations(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Suggest an `expect` block for a source, from what was accepted of it in a year.

    Changes nothing: put the block into the source's file. A roster that is not so then waits for a
    person.
    """
    from roster_pipeline.reports.expectations import expectations_document, expectations_text

    with opened(context) as rooms:
        rooms.require_source(source)
        last = rooms.ledger.accepted(source)
        if last is None:
            raise Refusal(
                f"Nothing was accepted of {source} yet, so nothing is known of it. Run "
                f"`{rooms.command} sync {source}` first, and approve what it holds.",
                Ends.UNREADABLE,
            )
        history = rooms.ledger.accepted_since(source, last.date - _HISTORY)
        with progress() as shown:
            shown.add_task(f"Reading what was accepted of {source}", total=None)
            suggested = _suggested(history, rooms.snapshots.open(last.snapshot))
        expects = bool(rooms.workspace.sources[source].expect.model_fields_set)
    answer(expectations_text(suggested), expectations_document(suggested), form)
    if expects:
        note(f"The file of {source} has an `expect` block already: put this in its place.")


def _suggested(history: "Sequence[Accepted]", roster: "Roster") -> "Suggested":
    """What the rosters accepted, oldest first, and the last of them let expect."""
    from roster_pipeline.guards.facts import Shift
    from roster_pipeline.guards.filled import filled, latest
    from roster_pipeline.reports.expectations import Suggested
    from roster_pipeline.sources.suggesting import LAST, suggest, watched_columns

    shifts = [Shift.from_json(accepted.shift).people for accepted in history if accepted.shift]
    expect = suggest(
        [accepted.snapshot.counts for accepted in history],
        [{kind: moves.now for kind, moves in people.items()} for people in shifts],
        filled(roster, watched_columns()),
        has_sessions=LAST in latest(roster, [LAST]),
    )
    first, last = history[0], history[-1]
    return Suggested(last.source, expect, len(history), first.date, last.date)
