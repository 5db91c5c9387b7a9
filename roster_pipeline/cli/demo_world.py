"""The demo's workspace and the make-believe world around it: a district, a receiver, servers."""

import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from roster_pipeline.cli.console import Refusal
from roster_pipeline.cli.loopback import WORLD, Server, remember, remembered
from roster_pipeline.cli.workspaces import (
    Storage,
    filled,
    roster_yaml,
    schema_line,
    schemas,
    write_missing,
)

if TYPE_CHECKING:
    from roster_pipeline.simulator.district import District

SOURCE: Final = "springfield"
NAME: Final = "Springfield Unified School District"
DESTINATION: Final = "learning-app"
TIMEZONE: Final = "America/Chicago"
DAYS: Final = 3
# The district's own early morning, before the schedule's 02:30.
_DROPPED_AT: Final = time(2, 5)
_PORTS: Final = {"district": 2222, "receiver": 2223}
# Early in a school year, when most of the moving is done. The district is the same whenever the
# demo runs within one: only the dates of the drops follow the calendar.
_SCHOOL_DAY: Final = (9, 14)


@dataclass(frozen=True)
class World:
    """A demo's workspace with its three days, the last of which is today."""

    folder: Path
    today: date
    """In the district."""

    def date_of(self, day: int) -> date:
        """The date of day 1, 2 or 3."""
        return self.today - timedelta(days=DAYS - day)

    def dropped_at(self, day: int, now: datetime) -> datetime:
        """When the district put its file on the server; never later than now."""
        at = datetime.combine(self.date_of(day), _DROPPED_AT, ZoneInfo(TIMEZONE))
        return min(at, now)

    @property
    def outgoing(self) -> Path:
        """Where the district puts its exports, on its own server."""
        return self.folder / WORLD / "district" / "outgoing"

    @property
    def delivered(self) -> Path:
        """Where the package for the receiver arrives, on the receiver's server."""
        return self.folder / WORLD / "receiver" / "rosters" / f"{SOURCE}.zip"


def world_of(folder: Path, now: datetime) -> World:
    """The demo in a folder, its last day being today in the district."""
    return World(folder.absolute(), now.astimezone(ZoneInfo(TIMEZONE)).date())


def district(students: int, today: date) -> "District":
    """The make-believe district; the same for every day of one school year."""
    from roster_pipeline.simulator.district import District

    start = date(today.year, *_SCHOOL_DAY)
    if today < start:
        start = start.replace(year=today.year - 1)
    return District(students=students, name=NAME, today=start)


def clear(folder: Path, *, fresh: bool) -> None:
    """Make room for a demo. Removes what an earlier one made, and never anything else."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / WORLD).is_dir():
        raise Refusal(f"{folder} is there and no demo made it; name another folder.")
    if not fresh:
        raise Refusal(
            f"{folder} holds a demo already: `roster demo {folder} --fresh` starts it again, "
            f"`roster -w {folder} dev` opens it."
        )
    if any(_is_taken(server.port) for server in remembered(folder)):
        raise Refusal(
            f"A demo or `roster dev` is at work on {folder}, or its ports are taken; "
            "end that first, or name another folder."
        )
    shutil.rmtree(folder)


def build(world: World, storage: Storage = Storage.SQLITE) -> None:
    """Make the workspace's files and the folders, passwords and keys of the two servers."""
    world.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    servers = [
        Server(name, _free_port(port), name, f"secrets/{name}-password")
        for name, port in _PORTS.items()
    ]
    world.outgoing.mkdir(parents=True)
    world.delivered.parent.mkdir(parents=True)
    remember(world.folder, servers)
    for server in servers:
        _write_secret(world.folder / server.secret)
    incoming, outgoing = (_login(world.folder, server) for server in servers)
    files = {
        "roster.yaml": roster_yaml(world.date_of(1), storage),
        f"sources/{SOURCE}.yaml": filled(
            "demo_source.yaml",
            schema_line=schema_line("source", "../"),
            source=SOURCE,
            name=NAME,
            timezone=TIMEZONE,
            **incoming,
        ),
        f"destinations/{DESTINATION}.yaml": filled(
            "demo_destination.yaml",
            schema_line=schema_line("destination", "../"),
            destination=DESTINATION,
            **outgoing,
        ),
        ".gitignore": filled("gitignore"),
        **schemas(),
    }
    write_missing(world.folder, files)


def _login(folder: Path, server: Server) -> dict[str, str]:
    """What the YAML says of a server."""
    from roster_pipeline.simulator.sftp_server import SftpServer

    key = SftpServer(server.root(folder), host_key_folder=server.keys(folder)).fingerprint
    return {
        "port": str(server.port),
        "user": server.user,
        "secret": server.secret,
        "fingerprint": key,
    }


def _write_secret(file: Path) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(secrets.token_urlsafe(18) + "\n")


def _free_port(wanted: int) -> int:
    """The port wanted, or another one where that is taken."""
    if not _is_taken(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection that was just closed keeps nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
