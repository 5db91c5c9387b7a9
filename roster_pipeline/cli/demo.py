"""`roster demo`: three days of two make-believe districts, told as they happen."""

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated, Final

import typer

from roster_pipeline.cli.console import Refusal
from roster_pipeline.cli.rooms import Rooms, command_for, load
from roster_pipeline.cli.workspaces import Storage

if TYPE_CHECKING:
    from roster_pipeline.cli.demo_story import Story
    from roster_pipeline.store import Hold

_FOLDER: Final = Path("demo-workspace")


def demo(
    folder: Annotated[Path, typer.Argument(help="The workspace to make.")] = _FOLDER,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again where an earlier demo was.")
    ] = False,
    students: Annotated[
        int, typer.Option(min=500, help="How many students the districts have together.")
    ] = 2000,
    storage: Annotated[
        Storage,
        typer.Option(
            "--storage",
            help="SQLite files, or the (empty) PostgreSQL that ROSTER_POSTGRES_URL names.",
        ),
    ] = Storage.SQLITE,
) -> None:
    """Three days of two make-believe districts over real servers, through the whole graph.

    One drops OneRoster 1.1 CSV by SFTP, the other answers OneRoster 1.2 REST. A product gets their
    courses and, by SCIM, accounts; a receiver gets packages. First rosters, held and approved; a
    normal next day; a day with half of users.csv missing, held. Leaves a workspace for
    `roster dev`.
    """
    from roster_pipeline.cli.demo_story import Story, working
    from roster_pipeline.cli.demo_world import SENDERS, World, build, clear
    from roster_pipeline.cli.loopback import served
    from roster_pipeline.cli.workspaces import make_state

    if find_spec("scim2_server") is None:
        raise Refusal("The demo needs a SCIM server: pip install 'roster-pipeline[demo]'.")
    clear(folder, fresh=fresh)
    world = World(folder.absolute(), datetime.now(UTC))
    build(world, storage)
    workspace = load(world.folder)
    with working("Creating the ledger and Dagster's storage"):
        make_state(workspace, storage)
    with served(world.folder), ExitStack() as closing:
        rooms = Rooms(workspace, command_for(world.folder), closing)
        if any(rooms.ledger.accepted(s.source) or rooms.ledger.holds(s.source) for s in SENDERS):
            raise Refusal("The database holds another demo's ledger; name an empty one.")
        hold = _three_days(Story(world, rooms), students)
    _farewell(folder, hold)


def _three_days(story: "Story", students: int) -> "Hold":
    from roster_pipeline.cli.demo_story import working
    from roster_pipeline.cli.demo_world import DAYS, SENDERS, SHELBYVILLE, SPRINGFIELD

    with working(f"Making up two districts of {students:,} students"):
        today = {
            sender: sender.district(students, story.world.date_of(sender, DAYS)).on(0)
            for sender in SENDERS
        }
    story.headline(1, "both districts send their first roster")
    for sender in SENDERS:
        story.first_day(sender, today[sender])
    story.decide_a_course(SPRINGFIELD)
    today = {sender: day.later(1) for sender, day in today.items()}
    story.headline(2, "a normal next day")
    for sender in SENDERS:
        story.normal_day(2, sender, today[sender])
    today = {sender: day.later(2) for sender, day in today.items()}
    story.headline(3, "one district's export stopped halfway through users.csv")
    hold = story.broken_day(SPRINGFIELD, today[SPRINGFIELD])
    story.normal_day(3, SHELBYVILLE, today[SHELBYVILLE])
    story.summary()
    return hold


def _farewell(folder: Path, hold: "Hold") -> None:
    from roster_pipeline.cli.demo_story import say
    from roster_pipeline.cli.demo_world import SPRINGFIELD

    # The user's shell may not know the command by its bare name.
    command = "roster" if which("roster") else sys.argv[0]
    say("\nTo see more of it:")
    for words in (
        "status",
        f"show {hold.name}",
        "courses suggest",
        f"accounts plan {SPRINGFIELD.source}",
        f"reject {hold.name} --why 'half of users.csv is missing'",
        "dev",
    ):
        say(f"  {command} -w {folder} {words}")
