"""`roster source suggest-expectations`."""

from pathlib import Path

import pytest
import yaml

from roster_pipeline.sources.config import Expect
from roster_pipeline.store import Hold
from tests.cli.conftest import Roster

COMMAND = ("source", "suggest-expectations", "springfield")


@pytest.mark.soak
def test_what_was_accepted_suggests_what_to_expect(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    roster("approve", first_hold.name, "--why", "ok", "-w", workspace)

    said = roster(*COMMAND, "-w", workspace)
    assert said.code == 0, said.err
    expect = yaml.safe_load(said.out)["expect"]
    assert expect["users"] == [4, 7]
    assert expect["students"] == [2, 4]
    assert expect["teachers"] == [1, 2]
    assert expect["fill"]["users.email"] == 90
    assert Expect.model_validate(expect).last_date == {"academicSessions.endDate": -90}
    assert "# From the roster accepted for 20" in said.out

    told = roster(*COMMAND, "-w", workspace, "--format", "json").document()
    assert told["schema"] == "roster.expectations/1"
    assert told["rosters"] == 1
    assert told["expect"] == expect


@pytest.mark.soak
def test_a_file_that_expects_something_already_is_told_of(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    roster("approve", first_hold.name, "--why", "ok", "-w", workspace)
    file = workspace / "sources" / "springfield.yaml"
    file.write_text(f"{file.read_text()}expect: {{users: [1, 9]}}\n")

    assert "has an `expect` block already" in roster(*COMMAND, "-w", workspace).err


def test_of_a_source_without_an_accepted_roster_nothing_is_known(
    roster: Roster, workspace: Path
) -> None:
    ended = roster(*COMMAND, "-w", workspace)
    assert ended.code == 2
    assert "Nothing was accepted of springfield yet" in ended.err
    assert ended.out == ""
