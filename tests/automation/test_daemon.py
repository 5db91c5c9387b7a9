"""`dagster dev` on a workspace, and nobody giving a command: sensors do the rest."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import pytest

from roster_pipeline.automation.home import POSTGRES_URL, make_home, open_home
from roster_pipeline.store import HoldStatus, Outcome
from tests.automation.town import SOURCE, Town

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 300
T = TypeVar("T")


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.timeout(3 * PATIENCE)
@pytest.mark.parametrize("storage", ["sqlite", "postgres"])
def test_a_drop_is_picked_up_held_approved_elsewhere_continued_and_delivered(
    town: Town,
    storage: Literal["sqlite", "postgres"],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if storage == "postgres":
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_database"))
        text = (town.folder / "roster.yaml").read_text(encoding="utf-8")
        town.write("roster.yaml", f"{text}ledger: {{env: {POSTGRES_URL}}}\n")
    make_home(town.folder, storage)
    with town.ledger() as ledger, dagster_dev(town.folder) as log:
        town.now = datetime.now(UTC)
        town.drop(0)
        (hold,) = wait_for(lambda: ledger.holds(SOURCE, HoldStatus.OPEN), log)
        assert not town.delivered.exists()
        approve_elsewhere(town.folder, hold.name)
        wait_for(town.delivered.exists, log)
        last = wait_for(
            lambda: (s := ledger.last_sync(SOURCE)) and s.outcome is Outcome.DONE and s, log
        )
        assert last
        delivery = ledger.delivery("lms", SOURCE)
        assert delivery is not None
        assert delivery.size == town.delivered.stat().st_size


@contextmanager
def dagster_dev(workspace: Path) -> Iterator[Path]:
    """A running `dagster dev`; its log."""
    log = workspace.parent / "dagster-dev.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dagster", "dev"),
                *("-w", str(REPOSITORY / "workspace.yaml"), "-p", str(free_port())),
            ],
            cwd=workspace,
            env={
                **os.environ,
                "ROSTER_WORKSPACE": str(workspace),
                "DAGSTER_HOME": str(workspace / ".dagster"),
                "ROSTER_SENSOR_SECONDS": "2",
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            # In its own session, or it would be deaf to the signal that ends it.
            start_new_session=True,
        )
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def approve_elsewhere(workspace: Path, hold: str) -> None:
    """Approve a hold in another process, which runs nothing."""
    code = (
        "import os, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from roster_pipeline.store.ledger import Ledger\n"
        "from roster_pipeline.workspace import Workspace\n"
        "url = Workspace.load(Path(sys.argv[1])).ledger_url(os.environ)\n"
        "with Ledger.open(url) as ledger:\n"
        "    ledger.approve(sys.argv[2], 'principal', 'as expected', datetime.now(UTC))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(workspace), hold], cwd=REPOSITORY, check=True)


def wait_for(found: Callable[[], T], log: Path) -> T:
    """What is found, once it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.5)
    pytest.fail(f"{_runs(log.parent / 'workspace')}\n{log.read_text('utf-8', 'replace')[-3000:]}")


def _runs(workspace: Path) -> str:
    """Every run, and what it says of its failures."""
    lines = []
    with open_home(workspace) as instance:
        for run in instance.get_runs():
            lines.append(f"{run.job_name} {run.status.name}")
            lines += [str(e.user_message) for e in instance.all_logs(run.run_id)][-20:]
    return "\n".join(lines)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
