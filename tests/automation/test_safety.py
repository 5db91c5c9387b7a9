"""What must not get out, and what must not be left over."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import dagster as dg
import pytest

from roster_pipeline.automation.home import make_home, open_home
from roster_pipeline.receivers.config import Destination
from roster_pipeline.resources.channels import Channels
from roster_pipeline.resources.redaction import redact_logs
from roster_pipeline.store import Landed, Outcome
from roster_pipeline.store.landing import Landing
from roster_pipeline.transport.outlet import Outlet
from tests.automation.town import SOURCE, Town

PUPIL = "Ada Lovelace"


class _Spilling(Landing):
    """Fails as a library would that puts the row it choked on into its message."""

    def open(self, landed: Landed) -> BinaryIO:
        logging.getLogger("some.library").warning("choked on ada@school.example.org")
        raise ValueError(f"could not read: {PUPIL}")


@pytest.fixture
def redacted() -> Iterator[None]:
    """Redacted logs, for one test."""
    before = logging.getLogRecordFactory()
    redact_logs()
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("redacted")
def test_the_text_of_an_unexpected_error_is_found_nowhere(town: Town) -> None:
    town.drop(0)
    landing = _Spilling(town.workspace.storage_url)
    result = town.sync(instance="persistent", overrides={"landing": landing})
    assert result.outcome is Outcome.FAILED
    assert "ValueError" in result.sentences[0]
    assert "candidate.py" in result.sentences[0] or "test_safety.py" in result.sentences[0]
    assert PUPIL not in str(result)
    for path in town.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert PUPIL.encode() not in content, path
            assert b"ada@school" not in content, path


@pytest.mark.usefixtures("redacted")
def test_log_records_lose_addresses_passwords_and_the_text_of_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("a.library.far.away")
    logger.warning("to %s at %s", "ada@school.example.org", "postgresql://roster:pw-123@host/db")
    try:
        raise KeyError(PUPIL)
    except KeyError:
        logger.exception("it broke")
    assert "ada@school" not in caplog.text
    assert "pw-123" not in caplog.text
    assert PUPIL not in caplog.text
    assert "KeyError" in caplog.text
    assert "test_safety.py" in caplog.text


@pytest.mark.soak
def test_a_lost_run_is_marked_as_failed_by_the_one_that_takes_over(town: Town) -> None:
    town.drop(0)
    make_home(town.folder)
    code = (
        "import sys\n"
        "from datetime import datetime\n"
        "from pathlib import Path\n"
        "from roster_pipeline.automation.run import run_sync\n"
        "from roster_pipeline.build import build_defs\n"
        "from roster_pipeline.workspace import Workspace\n"
        "now = datetime.fromisoformat(sys.argv[2])\n"
        "run_sync(build_defs, Workspace.load(Path(sys.argv[1])), sys.argv[3],\n"
        "         overrides={'clock': lambda: now})\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(town.folder), town.now.isoformat(), SOURCE],
        env={**os.environ, "ROSTER_CRASH_AT": "snapshot.before-rename"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    with open_home(town.folder) as instance:
        (lost,) = instance.get_runs()
        assert lost.status is dg.DagsterRunStatus.STARTED

    again = town.sync(instance="persistent")
    assert again.outcome is Outcome.HELD, again
    with open_home(town.folder) as instance:
        buried = instance.get_run_by_id(lost.run_id)
        assert buried is not None
        assert buried.status is dg.DagsterRunStatus.FAILURE


def test_a_run_broken_off_after_the_gate_is_not_written_down_as_done(town: Town) -> None:
    class Breaking(Channels):
        def destination(self, destination: Destination) -> Outlet:
            signal.raise_signal(signal.SIGINT)
            return super().destination(destination)

    town.drop(0)
    hold = town.sync().hold
    with pytest.raises(KeyboardInterrupt):
        town.approve(hold, overrides={"channels": Breaking(town.folder, os.environ)})
    with town.ledger() as ledger:
        assert ledger.accepted(SOURCE) is not None
        last = ledger.last_sync(SOURCE)
        assert last is not None
        assert last.outcome is Outcome.HELD
    assert town.sync().outcome is Outcome.DONE


def test_a_ledger_that_cannot_be_opened_is_one_sentence(town: Town) -> None:
    town.drop(0)
    start = town.workspace.settings.partitions.start
    town.write(
        "roster.yaml",
        f"partitions: {{start: {start}}}\nledger: postgresql+psycopg2://nobody@127.0.0.1:1/none\n",
    )
    result = town.sync()
    assert result.outcome is Outcome.FAILED
    assert "127.0.0.1" in result.sentences[0]
    assert "Traceback" not in result.sentences[0]
