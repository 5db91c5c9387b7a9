"""The demo's workspace and the make-believe world around it: districts, a receiver, a product."""

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
from roster_pipeline.cli.loopback import EXPORT, PAGE, WORLD, Kind, Server, remember, remembered
from roster_pipeline.cli.workspaces import (
    Storage,
    filled,
    roster_yaml,
    schema_line,
    schemas,
    write_missing,
)
from roster_pipeline.oneroster.manifest import Version

if TYPE_CHECKING:
    from roster_pipeline.simulator.district import District

DAYS: Final = 3
# The districts' own early morning, before the schedule's 02:30.
_EXPORTED_AT: Final = time(2, 5)
# Early in a school year, when most of the moving is done. A district is the same whenever the
# demo runs within one: only the dates of the drops follow the calendar.
_SCHOOL_DAY: Final = (9, 14)


@dataclass(frozen=True)
class Sender:
    """One make-believe district and how its system hands out the roster."""

    source: str
    name: str
    timezone: str
    kind: Kind
    version: Version
    seed: int
    share: float
    """Of the demo's students."""
    port: int

    def district(self, students: int, today: date) -> "District":
        """The district; the same for every day of one school year."""
        from roster_pipeline.simulator.district import District

        start = date(today.year, *_SCHOOL_DAY)
        if today < start:
            start = start.replace(year=today.year - 1)
        size = max(1, round(students * self.share))
        return District(students=size, seed=self.seed, name=self.name, today=start)


SPRINGFIELD: Final = Sender(
    "springfield",
    "Springfield Unified School District",
    "America/Chicago",
    "sftp",
    Version.V1P1,
    seed=7,
    share=0.75,
    port=2222,
)
SHELBYVILLE: Final = Sender(
    "shelbyville",
    "Shelbyville Community Schools",
    "America/New_York",
    "rest",
    Version.V1P2,
    seed=8,
    share=0.25,
    port=2224,
)
SENDERS: Final = (SPRINGFIELD, SHELBYVILLE)
DESTINATION: Final = "learning-app"
PRODUCT: Final = "maths-path"
_RECEIVER_PORT: Final = 2223
_PRODUCT_PORT: Final = 2225


@dataclass(frozen=True)
class World:
    """A demo's workspace with its three days, the last of which is today."""

    folder: Path
    now: datetime
    """When the demo began."""

    def date_of(self, sender: Sender, day: int) -> date:
        """The date of day 1, 2 or 3 in a district."""
        today = self.now.astimezone(ZoneInfo(sender.timezone)).date()
        return today - timedelta(days=DAYS - day)

    @property
    def first_date(self) -> date:
        """The first date in any district."""
        return min(self.date_of(sender, 1) for sender in SENDERS)

    def exported_at(self, sender: Sender, day: int) -> datetime:
        """When a district's system wrote its roster; never later than now."""
        at = datetime.combine(self.date_of(sender, day), _EXPORTED_AT, ZoneInfo(sender.timezone))
        return min(at, self.now)

    def export(self, sender: Sender, day: int) -> Path:
        """Where a district's system puts its roster: a new drop each day, or what it answers
        requests from."""
        home = self.folder / WORLD / sender.source
        if sender.kind == "rest":
            return home / EXPORT
        return home / "outgoing" / f"roster-{self.date_of(sender, day):%Y%m%d}.zip"

    def delivered(self, sender: Sender) -> Path:
        """Where the package for the receiver arrives, on the receiver's server."""
        return self.folder / WORLD / "receiver" / "rosters" / f"{sender.source}.zip"


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
    """Make the workspace's files and the folders, secrets and keys of the servers."""
    world.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    senders = {
        sender.source: _server(sender.source, sender.kind, sender.port) for sender in SENDERS
    }
    receiver = _server("receiver", "sftp", _RECEIVER_PORT)
    product = _server("product", "scim", _PRODUCT_PORT)
    for sender in SENDERS:
        world.export(sender, 1).parent.mkdir(parents=True)
        world.delivered(sender).parent.mkdir(parents=True, exist_ok=True)
    product.root(world.folder).mkdir(parents=True)
    servers = [*senders.values(), receiver, product]
    remember(world.folder, servers)
    for server in servers:
        _write_secret(world.folder / server.secret)
    files = {
        "roster.yaml": roster_yaml(world.first_date, storage),
        **{
            f"sources/{sender.source}.yaml": _source_yaml(world, sender, senders[sender.source])
            for sender in SENDERS
        },
        f"destinations/{DESTINATION}.yaml": filled(
            "demo_destination.yaml",
            schema_line=schema_line("destination", "../"),
            destination=DESTINATION,
            **_login(world.folder, receiver),
        ),
        f"products/{PRODUCT}.yaml": filled(
            "demo_product.yaml",
            schema_line=schema_line("product", "../"),
            product=PRODUCT,
            port=str(product.port),
            secret=product.secret,
        ),
        f"catalogues/{PRODUCT}.csv": filled("demo_catalogue.csv"),
        ".gitignore": filled("gitignore"),
        **schemas(),
    }
    write_missing(world.folder, files)


def _source_yaml(world: World, sender: Sender, server: Server) -> str:
    said = {
        "schema_line": schema_line("source", "../"),
        "source": sender.source,
        "name": sender.name,
        "timezone": sender.timezone,
    }
    if server.kind == "rest":
        from roster_pipeline.provider.app import BASES, TOKEN_PATH

        return filled(
            "demo_rest_source.yaml",
            port=str(server.port),
            path=BASES[sender.version],
            token_path=TOKEN_PATH,
            user=server.user,
            secret=server.secret,
            page=str(PAGE),
            **said,
        )
    return filled("demo_source.yaml", **_login(world.folder, server), **said)


def _server(name: str, kind: Kind, port: int) -> Server:
    return Server(name, kind, _free_port(port), name, f"secrets/{name}")


def _login(folder: Path, server: Server) -> dict[str, str]:
    """What the YAML says of an SFTP server."""
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
