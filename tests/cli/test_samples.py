"""`roster sync --dry-run` on a few students or one school."""

from collections.abc import Callable
from pathlib import Path

import pytest

from roster_pipeline.store import Hold
from tests.cli.conftest import Roster


@pytest.fixture
def drop(workspace: Path, pack: Callable[..., Path]) -> Callable[[str], Path]:
    """Put the small package where the source looks."""
    return lambda name: pack(name).rename(workspace / "drops" / name)


def test_a_sample_says_how_much_of_the_roster_it_is(
    roster: Roster, workspace: Path, first_hold: Hold, drop: Callable[[str], Path]
) -> None:
    roster("approve", first_hold.name, "--why", "ok", "-w", workspace)
    drop("later.zip")
    words = ("sync", "springfield", "-w", workspace, "--dry-run", "--sample", "2")

    said = roster(*words)
    assert said.code == 0, said.err
    assert "A sample: 2 of 2 orgs" in said.out
    assert "of 5 users" in said.out
    assert "A dry run: nothing of this was kept or delivered." in said.out

    told = roster(*words, "--format", "json").document()
    assert told["sample"]["roles"]["of"] == 5
    assert told["sample"]["users"]["rows"] < 5
    assert told["summary"]["deliveries"] == {}


@pytest.mark.soak
def test_a_whole_dry_run_says_nothing_of_samples(
    roster: Roster, workspace: Path, first_hold: Hold
) -> None:
    ended = roster("sync", "springfield", "-w", workspace, "--dry-run", "--format", "json")
    assert "sample" not in ended.document()


@pytest.mark.parametrize("option", [("--sample", "5"), ("--school", "s1")])
def test_a_sample_is_refused_where_something_would_come_of_it(
    roster: Roster, workspace: Path, tmp_path: Path, option: tuple[str, str]
) -> None:
    real = roster("sync", "springfield", "-w", workspace, *option)
    assert real.code == 2
    assert "--sample and --school go with --dry-run" in real.err

    words = ("--dry-run", "--out", tmp_path / "out")
    delivered = roster("sync", "springfield", "-w", workspace, *option, *words)
    assert delivered.code == 2
    assert "leave --out out" in delivered.err


def test_a_school_that_is_not_there_is_told(
    roster: Roster, workspace: Path, drop: Callable[[str], Path]
) -> None:
    drop("roster.zip")
    words = ("--dry-run", "--school", "s1", "--school", "Evergreen")
    ended = roster("sync", "springfield", "-w", workspace, *words)

    assert ended.code == 1
    assert "`--school` names Evergreen, and the orgs have no such sourcedId. Did you mean s1?" in (
        ended.err
    )
    assert ended.err.rstrip().endswith("? Correct it.")
