"""A process that pushes the accounts of a roster, to be killed in the middle of it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store.ledger import Ledger
from tests.accounts.world import World


class Elsewhere:
    """A server in another process, known by its address only."""

    def __init__(self, url: str) -> None:
        self.url = url


def start(world: World, roster: Roster, day: date) -> "subprocess.Popen[bytes]":
    """Push in another process."""
    words = [str(world.folder), world.server.url, roster.url, str(world.batch), str(day)]
    return subprocess.Popen([sys.executable, "-m", "tests.accounts.child", *words])


def main(folder: str, url: str, roster: str, batch: str, day: str) -> None:
    """Push."""
    server: ScimServer = Elsewhere(url)  # type: ignore[assignment]  # all that is asked of it
    with Ledger.open(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        World(Path(folder), ledger, server, batch=int(batch)).sync(
            Roster.open(roster), date.fromisoformat(day)
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
