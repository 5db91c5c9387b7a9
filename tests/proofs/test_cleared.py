"""A run that is killed between accepting a roster and clearing its drop away."""

import signal
from pathlib import Path

import pytest

from tests.proofs.forking import Commands
from tests.proofs.stage import Stage, staged


def left(stage: Stage) -> list[str]:
    """Every file in the folder of drops."""
    return sorted(str(p.relative_to(stage.drops)) for p in stage.drops.rglob("*") if p.is_file())


@pytest.mark.soak
@pytest.mark.parametrize("how", ["archive: processed\n", "delete: true\n"])
def test_a_drop_whose_run_was_killed_is_cleared_away_by_the_next_one(
    commands: Commands, tmp_path: Path, how: str
) -> None:
    with staged(tmp_path, commands) as stage:
        stage.write_source(how)
        first = stage.drop(0)
        killed = stage.roster(
            *("approve", stage.first_hold(), "--why", "as expected"),
            ROSTER_CRASH_AT="clearing.before",
        )
        assert killed.code == -signal.SIGKILL, killed.err + killed.out
        assert left(stage) == [first.name]
        second = stage.drop(1)
        done = stage.sync(1)
        assert done.code == 0, done.err + done.out

        moved = [f"processed/{path.name}" for path in (first, second)]
        assert left(stage) == (moved if "archive" in how else [])
