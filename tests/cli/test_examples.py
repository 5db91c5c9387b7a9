"""The workspaces that the repository shows."""

import shutil
from pathlib import Path

from roster_pipeline.simulator.district import District
from tests.cli.conftest import Roster

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_example_takes_a_first_roster_and_holds_it(roster: Roster, tmp_path: Path) -> None:
    folder = shutil.copytree(
        EXAMPLES / "demo",
        tmp_path / "demo",
        ignore=shutil.ignore_patterns(".dagster", "store", "ledger*", "drops", "delivered"),
    )
    assert roster("init", folder).code == 0
    District(students=40).write_package(folder / "drops" / "roster.zip")
    ended = roster("sync", "springfield", "-w", folder)
    assert ended.code == 3, ended.out + ended.err
