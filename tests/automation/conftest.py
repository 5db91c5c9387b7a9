"""The town, and quiet."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipeline.simulator.sftp_server import SftpServer
from tests.automation.town import PASSWORD, VARIABLE, Lives, Town


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A workspace with one district and one destination; it is the day before yesterday."""
    root = tmp_path / "server"
    (root / "drops").mkdir(parents=True)
    (root / "in").mkdir()
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with SftpServer(root, passwords={"roster": PASSWORD}) as server:
        made = Town(tmp_path / "workspace", server)
        start = made.now.date() - timedelta(days=20)
        made.write("roster.yaml", f"partitions: {{start: {start}}}\n")
        made.write_source()
        made.write_destination()
        made.pass_days(-2)
        # The morning in the district, whenever the tests run: hours later it is the same date.
        made.now = made.now.replace(hour=15)
        yield made


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """Where towns begin that begin alike."""
    return Lives(tmp_path_factory.mktemp("lives"))
