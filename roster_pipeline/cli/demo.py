"""`roster demo`: three days of a make-believe district, told as they happen."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated, Final

import typer

from roster_pipeline.cli.console import Refusal, progress
from roster_pipeline.cli.demo_world import DAYS, DESTINATION, SOURCE, World
from roster_pipeline.cli.rooms import load
from roster_pipeline.cli.syncs import steps
from roster_pipeline.cli.workspaces import Storage
from roster_pipeline.store import Outcome

if TYPE_CHECKING:
    from roster_pipeline.automation.run import SyncResult
    from roster_pipeline.simulator.district import Day
    from roster_pipeline.store import Hold
    from roster_pipeline.store.ledger import Ledger
    from roster_pipeline.workspace import Workspace

_FOLDER: Final = Path("demo-workspace")
_WHO: Final = "demo"
_WHY: Final = "the numbers agree with what the district told us"
# Runs begin when the schedule would start them, 25 minutes after the drop.
_AFTER: Final = timedelta(minutes=25)


def demo(
    folder: Annotated[Path, typer.Argument(help="The workspace to make.")] = _FOLDER,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again where an earlier demo was.")
    ] = False,
    students: Annotated[
        int, typer.Option(min=500, help="How many students the district has.")
    ] = 2000,
    storage: Annotated[
        Storage,
        typer.Option(
            "--storage",
            help="SQLite files, or the (empty) PostgreSQL that ROSTER_POSTGRES_URL names.",
        ),
    ] = Storage.SQLITE,
) -> None:
    """Three days of a make-believe district over real SFTP servers, through the whole graph.

    A first roster, held and approved; a normal next day; a day with half of users.csv missing,
    held. Leaves a workspace for `roster dev`.
    """
    from roster_pipeline.cli.demo_world import build, clear, district, world_of
    from roster_pipeline.cli.loopback import served
    from roster_pipeline.cli.workspaces import make_state
    from roster_pipeline.store.ledger import Ledger

    now = datetime.now(UTC)
    clear(folder, fresh=fresh)
    world = world_of(folder, now)
    build(world, storage)
    workspace = load(world.folder)
    with _working("Creating the ledger and Dagster's storage"):
        make_state(workspace, storage)
    with served(world.folder), Ledger.open(workspace.ledger_url(os.environ)) as ledger:
        if ledger.accepted(SOURCE) or ledger.holds(SOURCE):
            raise Refusal("The database holds another demo's ledger; name an empty one.")
        story = _Story(world, workspace, ledger, now)
        with _working(f"Making up a district of {students:,} students"):
            first = district(students, world.today).on(0)
        story.first_day(first)
        second = first.later(1)
        story.normal_day(second)
        hold = story.broken_day(second.later(2))
    _farewell(folder, hold)


class _Story:
    """The demo as it goes: each day something happens, is told, and is made sure of."""

    def __init__(
        self, world: World, workspace: "Workspace", ledger: "Ledger", now: datetime
    ) -> None:
        self._world = world
        self._workspace = workspace
        self._ledger = ledger
        self._now = now

    def first_day(self, roster: "Day") -> None:
        """A roster that nothing can be compared with waits for a person."""
        self._headline(1, f"{self._workspace.source(SOURCE).name} sends its first roster")
        self._drop(1, roster)
        hold = self._require_held(self._sync(1))
        self._ledger.approve(hold.name, _WHO, _WHY, self._clock(1)())
        _say(f"  Approved by {_WHO}: {_WHY}.")
        self._require_delivered(self._resume(1, self._ledger.hold(hold.name)))

    def normal_day(self, roster: "Day") -> None:
        """A few people come, go and change."""
        self._headline(2, "a normal next day")
        self._drop(2, roster)
        self._require_delivered(self._sync(2))

    def broken_day(self, roster: "Day") -> "Hold":
        """The guards keep half of the people from losing their accounts; the hold stays open."""
        from roster_pipeline.simulator.accidents import apply_accident

        self._headline(3, "the export stopped halfway through users.csv")
        before = self._arrived()
        self._drop(3, roster, spoil=lambda path: apply_accident("half-of-users", path, path))
        hold = self._require_held(self._sync(3))
        if self._arrived() != before:
            raise Refusal("What the receiver has was changed by a roster that is held.")
        _say("  Nobody lost anything: the receiver still has the package of day 2.")
        return hold

    def _headline(self, day: int, what: str) -> None:
        _say(f"\nDay {day} of {DAYS}, {self._world.date_of(day)}: {what}")

    def _drop(
        self, day: int, roster: "Day", *, spoil: Callable[[Path], object] = lambda _: None
    ) -> None:
        """The district puts a file on its own server, early in its morning."""
        name = f"roster-{self._world.date_of(day):%Y%m%d}.zip"
        hidden, path = self._world.outgoing / f".{name}", self._world.outgoing / name
        with _working("The district exports its roster"):
            roster.write_package(hidden)
            spoil(hidden)
        at = self._world.dropped_at(day, self._now).timestamp()
        os.utime(hidden, (at, at))
        hidden.replace(path)
        _say(f"  The district puts {name} on its SFTP server ({path.stat().st_size:,} bytes).")

    def _clock(self, day: int) -> Callable[[], datetime]:
        """The early morning of a day, going on from there; never later than now."""
        began = datetime.now(UTC)
        at = min(self._world.dropped_at(day, self._now).astimezone(UTC) + _AFTER, began)
        return lambda: at + (datetime.now(UTC) - began)

    def _sync(self, day: int) -> "SyncResult":
        from roster_pipeline.automation.run import run_sync
        from roster_pipeline.build import build_defs

        with steps("Syncing") as on_step:
            return run_sync(
                build_defs,
                self._workspace,
                SOURCE,
                self._world.date_of(day),
                overrides={"clock": self._clock(day)},
                on_step=on_step,
            )

    def _resume(self, day: int, hold: "Hold") -> "SyncResult":
        from roster_pipeline.automation.run import resume
        from roster_pipeline.build import build_defs

        with steps("Continuing") as on_step:
            return resume(
                build_defs,
                self._workspace,
                hold,
                overrides={"clock": self._clock(day)},
                on_step=on_step,
            )

    def _require_held(self, result: "SyncResult") -> "Hold":
        if result.outcome is not Outcome.HELD or result.hold is None:
            raise Refusal(_unexpected("held", result))
        hold = self._ledger.hold(result.hold)
        _say(f"  Read and compared: {sum(hold.candidate.counts.values()):,} rows.")
        _say(f"  Held as {hold.name}:")
        for reason in hold.reasons:
            _say(f"    {reason['sentence']}")
        return hold

    def _require_delivered(self, result: "SyncResult") -> None:
        """The run is done, and the receiver's server gives what the ledger says."""
        if result.outcome is not Outcome.DONE:
            raise Refusal(_unexpected("done", result))
        for sentence in result.sentences:
            _say(f"  {sentence}")
        accepted = self._ledger.accepted(SOURCE)
        delivery = self._ledger.delivery(DESTINATION, SOURCE)
        package = self._arrived()
        if accepted is None or delivery is None:
            raise Refusal("The ledger does not know of what was delivered.")
        if hashlib.sha256(package).hexdigest() != delivery.package_hash:
            raise Refusal("The receiver's server gives another file than was delivered.")
        rows = _rows(package)
        if rows != {entity: count for entity, count in accepted.snapshot.counts.items() if count}:
            raise Refusal("The package that arrived has other rows than the accepted roster.")
        _say(
            f"  Fetched from the receiver's SFTP server and counted: {sum(rows.values()):,} rows, "
            f"{rows['users']:,} people, as accepted."
        )

    def _arrived(self) -> bytes:
        """What the receiver has, over SFTP."""
        from roster_pipeline.transport.config import open_channel

        destination = self._workspace.destinations[DESTINATION]
        folder = self._workspace.folder
        assert destination.transport is not None  # noqa: S101  as the demo's file says
        with open_channel(destination.transport, base=folder, environ=os.environ) as channel:
            return b"".join(channel.read(destination.path_for(SOURCE)))


def _rows(package: bytes) -> Mapping[str, int]:
    """Rows by file, counted by nothing of ours."""
    import csv
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {
            name.removesuffix(".csv"): sum(1 for _ in csv.reader(text)) - 1
            for name in archive.namelist()
            if name != "manifest.csv"
            for text in [io.TextIOWrapper(archive.open(name), encoding="utf-8", newline="")]
        }


def _unexpected(wanted: str, result: "SyncResult") -> str:
    said = " ".join(result.sentences)
    return f"The sync should have been {wanted} and is {result.outcome}: {said}"


def _farewell(folder: Path, hold: "Hold") -> None:
    # The user's shell may not know the command by its bare name.
    command = "roster" if which("roster") else sys.argv[0]
    _say("\nTo see more of it:")
    for words in (
        "status",
        f"show {hold.name}",
        f"reject {hold.name} --why 'half of users.csv is missing'",
        "dev",
    ):
        _say(f"  {command} -w {folder} {words}")


@contextmanager
def _working(what: str) -> Iterator[None]:
    with progress() as shown:
        shown.add_task(what, total=None)
        yield


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
