"""Towns of the automation's tests, for proofs that need no process of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipeline.simulator.district import District
from roster_pipeline.simulator.sftp_server import SftpServer
from tests.automation.town import PASSWORD, VARIABLE, Town


@contextmanager
def town_at(root: Path, district: District) -> Iterator[Town]:
    """A workspace with one district and one destination; it is yesterday."""
    (root / "server" / "drops").mkdir(parents=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        SftpServer(root / "server", passwords={"roster": PASSWORD}) as server,
    ):
        patch.setenv(VARIABLE, PASSWORD)
        made = Town(root / "workspace", server, district)
        start = made.now.date() - timedelta(days=20)
        made.write("roster.yaml", f"partitions: {{start: {start}}}\n")
        made.write_source()
        made.write_destination()
        made.pass_days(-1)
        yield made
