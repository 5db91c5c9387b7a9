"""`roster source test`: whether the way to a district works, and what comes on it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from roster_pipeline.cli.console import Ends, Format, FormatOption, answer, end, progress
from roster_pipeline.cli.rooms import opened

if TYPE_CHECKING:
    from roster_pipeline.cli.rooms import Rooms
    from roster_pipeline.sources.drops import Drop
    from roster_pipeline.sources.landing import Keys
    from roster_pipeline.sources.trial import Seen, Step
    from roster_pipeline.transport import Channel
    from roster_pipeline.transport.config import TransportConfig
    from roster_pipeline.workspace import District


def try_(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    form: FormatOption = Format.TEXT,
) -> None:
    """Try a source step by step: name, encryption, login, each collection or folder, a package.

    Says which step failed and what to switch on. Of files the newest drop is downloaded and
    checked. Changes nothing, keeps nothing. Exits 0 if it works, 1 if not, 2 if the workspace
    cannot be read.
    """
    from roster_pipeline.reports.trials import trial_document, trial_text
    from roster_pipeline.sources.trial import Went

    with opened(context) as rooms:
        rooms.require_source(source)
        district = rooms.workspace.sources[source]
        with progress() as shown:
            task = shown.add_task(f"Trying {source}", total=None)
            steps = _tried(
                rooms,
                district,
                lambda what: shown.update(task, description=f"Trying {source}: {what}"),
            )
        command = rooms.command
    answer(trial_text(district, steps, command), trial_document(district, steps), form)
    failed = any(step.went is Went.FAILED for step in steps)
    end(Ends.ERROR if failed else Ends.DONE)


def _tried(
    rooms: "Rooms", district: "District", on_step: Callable[[str], None]
) -> "tuple[Step, ...]":
    from roster_pipeline.resources.channels import Channels
    from roster_pipeline.sources.trial import try_drops, try_server

    folder = rooms.workspace.folder
    channels, now = Channels(folder, os.environ), datetime.now(UTC)
    if district.rest is not None:
        return try_server(
            district,
            district.rest,
            channels.server,
            base=folder,
            today=district.date_of(now),
            on_step=on_step,
        )

    def check(channel: "Channel", drop: "Drop", tell: Callable[[str], None]) -> "Seen":
        return _check(rooms, district, channel, drop, channels.keys(district), tell)

    transport = cast("TransportConfig", district.transport)  # it has this or rest
    return try_drops(
        district, transport, lambda: channels.source(district), now, check, on_step=on_step
    )


def _check(
    rooms: "Rooms",
    district: "District",
    channel: "Channel",
    drop: "Drop",
    keys: "Keys",
    tell: Callable[[str], None],
) -> "Seen":
    """Land a drop in a file without a name, judge it as a sync would, and forget it."""
    from roster_pipeline.sources.landing import land

    arrived = 0

    def more(count: int) -> None:
        nonlocal arrived
        arrived += count
        tell(f"downloading {drop.path}, {arrived * 100 // max(drop.size, 1)} %")

    secrets = district.profile.secrets
    with land(
        channel, drop, source=district.id, secrets=secrets, keys=keys, progress=more
    ) as landed:
        tell(f"checking {drop.path}")
        return _judged(rooms, district, landed.file)


def _judged(rooms: "Rooms", district: "District", file: BinaryIO) -> "Seen":
    from tempfile import TemporaryDirectory

    from roster_pipeline.quality.candidate import build_candidate
    from roster_pipeline.reports.trials import seen, unreadable
    from roster_pipeline.sources.opening import open_source
    from roster_pipeline.tables.archive import ArchiveError

    with TemporaryDirectory(prefix="roster-test-") as scratch:
        try:
            with open_source(file, district) as package:
                made = build_candidate(
                    package,
                    None,
                    Path(scratch),
                    policy=rooms.workspace.policy_for(district.id),
                    role_map=district.role_map,
                    today=district.date_of(datetime.now(UTC)),
                )
                return seen(package.version, made)
        except ArchiveError as error:
            return unreadable(str(error))
