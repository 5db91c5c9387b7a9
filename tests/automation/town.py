"""A workspace with one district on a loopback SFTP server, for tests of whole runs."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from roster_pipeline.automation.run import SyncResult, resume, run_sync
from roster_pipeline.build import build_defs
from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.sftp_server import SftpServer
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.workspace import Workspace

SOURCE = "springfield"
PASSWORD = "correct horse battery"
VARIABLE = "ROSTER_TEST_SFTP_PASSWORD"


@dataclass
class Town:
    """What a test needs to hand."""

    folder: Path
    server: SftpServer
    district: District = field(default_factory=lambda: District(students=60))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """What time it is for the runs."""

    @property
    def drops(self) -> Path:
        """Where the district puts its exports."""
        return self.server.root / "drops"

    @property
    def delivered(self) -> Path:
        """What the destination has."""
        return self.server.root / "in" / f"{SOURCE}.zip"

    @property
    def workspace(self) -> Workspace:
        """The workspace as its files are now."""
        return Workspace.load(self.folder)

    @property
    def today(self) -> date:
        """The district's date."""
        return self.workspace.source(SOURCE).date_of(self.now)

    @property
    def clock(self) -> Mapping[str, Any]:
        """The resource that makes it `now` for a run."""
        return {"clock": lambda: self.now}

    def pass_days(self, days: int) -> None:
        """Let time go by."""
        self.now += timedelta(days=days)

    def drop(self, day: int, name: str = "export.zip", *, keep: float = 1.0) -> Path:
        """Put the export of a day on the server, or the first part of it, arrived just now."""
        path = self.drops / name
        self.district.write_package(path, day=day)
        if keep < 1:
            content = path.read_bytes()
            path.write_bytes(content[: int(len(content) * keep)])
        self.arrived(path)
        return path

    def arrived(self, path: Path) -> None:
        """Let a file have been written a moment ago."""
        stamp = (self.now - timedelta(minutes=2)).timestamp()
        os.utime(path, (stamp, stamp))

    def sync(self, day: date | None = None, **options: Any) -> SyncResult:
        """Run the job."""
        options = {"instance": "ephemeral", **options}
        overrides = {**self.clock, **options.pop("overrides", {})}
        return run_sync(build_defs, self.workspace, SOURCE, day, overrides=overrides, **options)

    def approve(self, hold: str | None, **options: Any) -> SyncResult:
        """Approve a hold and go on."""
        assert hold is not None
        with self.ledger() as ledger:
            approved = ledger.approve(hold, "principal", "as expected", self.now)
        options = {"instance": "ephemeral", **options}
        overrides = {**self.clock, **options.pop("overrides", {})}
        return resume(build_defs, self.workspace, approved, overrides=overrides, **options)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The workspace's ledger."""
        with Ledger.open(self.workspace.ledger_url(os.environ)) as ledger:
            yield ledger

    def write(self, file: str, text: str) -> None:
        """Write one of the workspace's files."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def transport(self, *, port: int | None = None, fingerprint: str | None = None) -> str:
        """The YAML of the way to the server."""
        return (
            "transport:\n"
            f"  sftp: {{host: 127.0.0.1, port: {port or self.server.port}, username: roster,"
            f" password: {{env: {VARIABLE}}}, attempts: 1, timeout: 10,"
            f" fingerprint: '{fingerprint or self.server.fingerprint}'}}\n"
        )

    def write_source(self, *lines: str, **transport: Any) -> None:
        """Write the district's file."""
        text = (
            f"id: {SOURCE}\nname: Springfield\ntimezone: America/Chicago\nfolder: drops\n"
            "complete: {quiet_seconds: 60}\n"
        )
        self.write(f"sources/{SOURCE}.yaml", text + "".join(lines) + self.transport(**transport))

    def write_destination(self, name: str = "lms", *lines: str) -> None:
        """Write a destination's file."""
        path = "/in/{source}.zip" if name == "lms" else f"/{name}/{{source}}.zip"
        text = f"id: {name}\npath: {path}\n"
        self.write(f"destinations/{name}.yaml", text + "".join(lines) + self.transport())


class Lives:
    """What towns have lived through: the first that does, does; the others begin as it was then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now: dict[str, datetime] = {}

    def live(self, town: Town, life: Callable[[Town], object]) -> Town:
        """A new town after a life, which stays within its workspace and its server's folder."""
        name = f"{life.__module__}.{life.__qualname__}"
        places = {town.folder: "workspace", town.server.root: "server"}
        if name not in self._now:
            life(town)
            for place, kept in places.items():
                shutil.copytree(place, self._folder / name / kept)
            self._now[name] = town.now
            return town
        for place, kept in places.items():
            shutil.copytree(self._folder / name / kept, place, dirs_exist_ok=True)
        town.now = self._now[name]
        # Its server listens at another port.
        town.write_source()
        town.write_destination()
        return town
