"""Two runs of one source at once, in two processes: one works, the other says who is at it."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from roster_pipeline.simulator.district import District
from tests.proofs.forking import Commands, Ended
from tests.proofs.stage import SOURCE, Stage, staged

PATIENCE = 120
NO_LIMIT = 1 << 40
TURNED_AWAY = (
    rf"{SOURCE}: process [0-9]+ on \S+, run \S+ has been at work since "
    r"(?P<since>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}) UTC .* Wait for it to end, then try again\."
)


class Both:
    """A workspace, and a process for each of two commands at once."""

    def __init__(self, stage: Stage, second: Commands) -> None:
        self.stage = stage
        self._commands = (stage.commands, second)

    def command(self, who: int) -> Ended:
        """What a person does."""
        self.stage.commands = self._commands[who]
        return self.stage.sync(0)

    def dagster(self, who: int) -> Ended:
        """What a schedule, a sensor or the UI does: the graph's assets, without the command."""
        self.stage.commands = self._commands[who]
        return self.stage.materialize("*", 0)

    def while_the_first_downloads(
        self, first: Callable[[int], Ended], second: Callable[[int], Ended]
    ) -> tuple[Ended, Ended]:
        """Run one, and the other while the first is at its work."""
        self.stage.server.faults.stall_download_after = 0
        ended: list[Ended] = []
        at_work = threading.Thread(target=lambda: ended.append(first(0)))
        at_work.start()
        try:
            self._wait_until_it_downloads()
            other = second(1)
        finally:
            self.stage.server.faults.stall_download_after = NO_LIMIT
            at_work.join(PATIENCE)
        return ended[0], other

    def _wait_until_it_downloads(self) -> None:
        end = time.monotonic() + PATIENCE
        while self.stage.server.logins == 0:
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Commands, Commands]]:
    """Two that run one command each at a time."""
    folder = tmp_path_factory.mktemp
    with Commands(folder("first")) as first, Commands(folder("second")) as second:
        yield first, second


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.soak])]
)
def both(
    request: pytest.FixtureRequest, tmp_path: Path, processes: tuple[Commands, Commands]
) -> Iterator[Both]:
    """A district's first export lies on its server."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with staged(tmp_path, processes[0], postgres, district=District(students=60)) as stage:
        stage.drop(0)
        yield Both(stage, processes[1])


def works_once(both: Both) -> None:
    """What one run alone would have left: one roster landed, one hold, one outcome."""
    with both.stage.ledger() as ledger:
        assert len(ledger.holds(SOURCE)) == 1
        assert ledger.landed(SOURCE, both.stage.date_of(0)) is not None
    landed = list((both.stage.workspace / "store" / "landed").rglob("*.zip"))
    assert len(landed) == 1
    assert both.stage.server.logins == 1


@pytest.mark.soak
def test_the_command_says_who_is_at_work_while_dagster_is(both: Both) -> None:
    before = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    dagster, command = both.while_the_first_downloads(both.dagster, both.command)
    assert command.code == 1
    said = re.search(TURNED_AWAY, " ".join(command.err.split()))
    assert said, command.err
    assert datetime.fromisoformat(said["since"]) >= before
    assert "Traceback" not in command.err
    # The guard stops the run that worked, as this is a first roster.
    assert dagster.code == 1
    works_once(both)


@pytest.mark.soak
def test_dagster_says_who_is_at_work_while_the_command_is(both: Both) -> None:
    command, dagster = both.while_the_first_downloads(both.command, both.dagster)
    assert command.code == 3, command.err
    assert dagster.code == 1
    assert re.search(TURNED_AWAY, " ".join((dagster.out + dagster.err).split()))
    works_once(both)


@pytest.mark.soak
def test_of_two_commands_started_together_one_works(both: Both) -> None:
    command, other = both.while_the_first_downloads(both.command, both.command)
    assert (command.code, other.code) == (3, 1), command.err + other.err
    assert re.search(TURNED_AWAY, " ".join(other.err.split()))
    works_once(both)
