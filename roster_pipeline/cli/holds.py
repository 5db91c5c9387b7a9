"""`roster holds`, `show`, `approve`, `reject`: what waits for a person, and the person's word."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roster_pipeline.cli.console import Format, FormatOption, answer, end, note, progress
from roster_pipeline.cli.rooms import opened
from roster_pipeline.store import Hold, HoldStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

    from roster_pipeline.cli.rooms import Rooms

Name = Annotated[str, typer.Argument(metavar="HOLD", help="A name from `roster holds`.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the ledger for good.")]
Who = Annotated[
    str | None, typer.Option("--who", help="Who decides; the user of this machine by default.")
]


def holds(
    context: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Only this source.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """List the holds that wait for a decision."""
    from roster_pipeline.reports.holds import hold_document, holds_text

    with opened(context) as rooms:
        if source is not None:
            rooms.require_source(source)
        listed = rooms.ledger.holds(source, None if every else HoldStatus.OPEN)
    document = {"schema": "roster.holds/1", "holds": [hold_document(hold) for hold in listed]}
    answer(holds_text(listed), document, form)


def show(context: typer.Context, name: Name, form: FormatOption = Format.TEXT) -> None:
    """Show one hold in full: why, what would change, what was found."""
    from rich.console import Group
    from rich.text import Text

    from roster_pipeline.reports.holds import hold_document, hold_text

    with opened(context) as rooms:
        hold = rooms.ledger.hold(name)
        texts, facts = _evidence(rooms, hold)
    parts: list[RenderableType] = [hold_text(hold, rooms.command)]
    for text in texts:
        parts += [Text(), text]
    answer(Group(*parts), {"schema": "roster.hold/1", **hold_document(hold), **facts}, form)


def _evidence(rooms: "Rooms", hold: Hold) -> "tuple[list[RenderableType], dict[str, Any]]":
    """What would change and what was found, from the store; null where it has lost that."""
    from roster_pipeline.reports.causes_text import findings_text
    from roster_pipeline.reports.findings import findings_document, findings_of
    from roster_pipeline.store import NotStored

    texts: list[RenderableType] = []
    facts: dict[str, Any] = {"difference": None, "changes": None, "findings": None}
    try:
        text, changes = _difference(rooms, hold)
        texts.append(text)
        facts.update(changes)
    except NotStored as error:
        note(f"roster: {error}")
    try:
        found = findings_of(rooms.snapshots.findings(hold.source, hold.candidate.content_hash))
        texts.append(findings_text(found))
        facts["findings"] = findings_document(found)
    except NotStored as error:
        note(f"roster: {error}")
    return texts, facts


def _difference(rooms: "Rooms", hold: Hold) -> "tuple[RenderableType, dict[str, Any]]":
    """What accepting the candidate would do, as it was saved when it was held. Where nothing was
    saved, both rosters are compared again. Raises NotStored if one of them is lost, too."""
    from roster_pipeline.reports.changes import changes_document, changes_text
    from roster_pipeline.reports.difference import counts_of
    from roster_pipeline.reports.difference_text import difference_text
    from roster_pipeline.store import NotStored
    from roster_pipeline.store.differences import Differences

    kept = Differences(rooms.workspace.storage_url)
    try:
        saved = kept.difference(hold.source, hold.candidate.content_hash, hold.base_hash)
    except NotStored as error:
        note(f"roster: {error} Both rosters are compared again.")
        changes = _compared(rooms, hold)
        return changes_text(*changes), {"changes": changes_document(*changes)}
    document = json.loads(saved)
    changes = counts_of(document)
    return difference_text(document), {
        "difference": document,
        "changes": changes_document(*changes),
    }


def _compared(
    rooms: "Rooms", hold: Hold
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """What accepting the candidate would change: counts, and changed columns, by entity."""
    from roster_pipeline.oneroster.delta import changed_columns, diff

    with progress() as shown:
        shown.add_task("Comparing", total=None)
        delta = diff(rooms.base_of(hold), rooms.snapshots.open(hold.candidate))
        counts = delta.counts()
        return counts, {entity: changed_columns(delta, entity) for entity in counts}


def approve(
    context: typer.Context,
    name: Name,
    why: Why,
    who: Who = None,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Continue the sync at once, in this process.")
    ] = True,
    form: FormatOption = Format.TEXT,
) -> None:
    """Let a held roster through, and continue its sync.

    With --no-run the sensor of a running Dagster, or the next sync, continues it. Exits as `sync`.
    """
    from roster_pipeline.cli.syncs import resume_and_tell

    with opened(context) as rooms:
        hold = rooms.ledger.approve(name, who or user(), why, datetime.now(UTC))
        note(f"{name} is approved by {hold.decided_by}.")
        if run:
            end(resume_and_tell(rooms, hold, form))
    _settled(rooms, hold, form)


def reject(
    context: typer.Context, name: Name, why: Why, who: Who = None, form: FormatOption = Format.TEXT
) -> None:
    """Refuse a held roster for good. The accepted one stays; the same file is not held again."""
    with opened(context) as rooms:
        hold = rooms.ledger.reject(name, who or user(), why, datetime.now(UTC))
    _settled(rooms, hold, form)


def _settled(rooms: "Rooms", hold: Hold, form: Format) -> None:
    from roster_pipeline.reports.holds import hold_document, hold_text

    answer(hold_text(hold, rooms.command), {"schema": "roster.hold/1", **hold_document(hold)}, form)


def user() -> str:
    """Who decides, unless somebody is named."""
    from getpass import getuser

    return getuser()
