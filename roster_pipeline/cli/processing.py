"""`roster report`: what a receiver says became of the last package."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, Refusal, answer, end, note
from roster_pipeline.cli.rooms import opened

if TYPE_CHECKING:
    import pandas as pd

    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.receivers.config import Destination
    from roster_pipeline.receivers.processing.config import Reports
    from roster_pipeline.store import Delivery


def report(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(metavar="DEST", help="The id of a destination.")],
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The district whose rows it speaks of.")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A report; the newest at the receiver by default."),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show what a receiver says of the last package, and which of our rows it speaks of.

    Ends with 1 if it refused rows, or all of it.
    """
    from roster_pipeline.receivers.processing.matching import Outcome, matched, outcome
    from roster_pipeline.receivers.processing.reading import ReportUnreadable, read_report
    from roster_pipeline.reports.processing import report_document, report_text
    from roster_pipeline.store import Snapshot

    with opened(context) as rooms:
        rooms.require_source(source)
        to, delivery = _delivered(rooms, destination, source)
        assert to.reports is not None  # noqa: S101 - `_delivered` refuses others
        with _report(rooms, to, delivery, file) as (name, content):
            try:
                read = read_report(content, to.reports.read)
            except ReportUnreadable as error:
                raise Refusal(f"{name}: {error}", Ends.UNREADABLE) from error
        roster = rooms.snapshots.open(Snapshot(source, delivery.content_hash, {}, ""))
        rows = matched(read, roster, _findings(rooms, delivery))
    result = outcome(read)
    document = report_document(delivery, name, result, rows)
    answer(report_text(delivery, name, result, rows), document, form)
    if result is not Outcome.ACCEPTED:
        end(Ends.ERROR)


def _delivered(rooms: "Rooms", name: str, source: str) -> "tuple[Destination, Delivery]":
    to = rooms.workspace.destinations.get(name)
    if to is None:
        known = ", ".join(rooms.workspace.destinations) or "none"
        raise Refusal(f"No destination is called {name}. There are: {known}.", Ends.UNREADABLE)
    if to.reports is None:
        raise Refusal(
            f"{name} does not say how its reports are written; add `reports` to its file "
            "(see docs/read-reports.md).",
            Ends.UNREADABLE,
        )
    delivery = rooms.ledger.delivery(name, source)
    if delivery is None:
        raise Refusal(f"Nothing of {source} has been delivered to {name} yet.", Ends.UNREADABLE)
    return to, delivery


def _pattern(reports: "Reports", delivery: "Delivery") -> str:
    return reports.pattern_for(delivery.source, delivery.path)


@contextmanager
def _report(
    rooms: "Rooms", to: "Destination", delivery: "Delivery", file: Path | None
) -> "Iterator[tuple[str, BinaryIO]]":
    """The report's name and its content."""
    if file is not None:
        try:
            content = file.expanduser().open("rb")
        except OSError as error:
            raise Refusal(f"{file} cannot be read: {error.strerror}.", Ends.UNREADABLE) from error
        with content:
            yield file.name, content
        return
    with tempfile.TemporaryFile() as scratch:
        yield _fetched(rooms, to, delivery, scratch), scratch


def _fetched(rooms: "Rooms", to: "Destination", delivery: "Delivery", into: BinaryIO) -> str:
    import os

    from roster_pipeline.receivers.processing.looking import fetch, newest, speaks_of
    from roster_pipeline.receivers.processing.reading import ReportUnreadable
    from roster_pipeline.resources.channels import Channels
    from roster_pipeline.transport.errors import TransportError

    assert to.reports is not None  # noqa: S101 - as above
    try:
        with Channels(rooms.workspace.folder, os.environ).reports(to) as channel:
            found = newest(channel, to.reports, delivery)
            if found is None:
                where = to.reports.folder_for(delivery.source)
                raise Refusal(
                    f"{to.id} has no report called {_pattern(to.reports, delivery)} in {where} yet."
                    " Try again later, or ask the receiver whether it took the package."
                )
            fetch(channel, found, into)
    except ReportUnreadable as error:
        raise Refusal(f"{to.id}: {error}", Ends.UNREADABLE) from error
    except TransportError as error:
        raise Refusal(f"{to.id}: {error}") from error
    if not speaks_of(found, delivery):
        note(f"{found.name} is older than the last delivery: it speaks of an earlier one.")
    return found.name


def _findings(rooms: "Rooms", delivery: "Delivery") -> "pd.DataFrame | None":
    from roster_pipeline.store import NotStored

    try:
        return rooms.snapshots.findings(delivery.source, delivery.content_hash)
    except NotStored:
        return None
