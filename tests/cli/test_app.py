"""The command line as a whole: how it starts, how errors are told, how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Roster

HEAVY = ("dagster", "pandas", "pandera", "polars", "pyarrow", "sqlalchemy", "asyncssh", "faker")


def imported_by(*words: str) -> set[str]:
    code = (
        "import sys\nfrom roster_pipeline.cli import main\n"
        f"main({list(words)!r})\nprint(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ran.stderr.split()}


def test_help_needs_no_heavy_library() -> None:
    assert not imported_by("--help") & set(HEAVY)


def test_check_needs_no_orchestrator(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    loaded = imported_by("check", str(tmp_path / "empty"))
    assert "pandas" in loaded
    assert not loaded & {"dagster", "sqlalchemy", "asyncssh"}


def test_every_command_of_the_issue_is_there(roster: Roster) -> None:
    listed = roster("--help").out
    for command in (
        *("init", "demo", "dev", "sync", "status", "check", "diff"),
        *("holds", "show", "approve", "reject"),
    ):
        assert f"\n  {command} " in listed


def test_a_wrong_command_line_is_one_sentence(roster: Roster) -> None:
    ended = roster("holdz")
    assert (ended.code, ended.out) == (2, "")
    assert (
        ended.err == "roster: No such command 'holdz'. Did you mean 'holds'? See `roster --help`.\n"
    )


def test_a_word_that_is_no_date_is_told_how_dates_are_written(roster: Roster) -> None:
    said = "Invalid value for '--resend': 'yesterday' is no date as YYYY-MM-DD."
    ended = roster("deliver", "lms", "--resend", "yesterday")
    assert (ended.code, ended.err) == (2, f"roster: {said} See `roster deliver --help`.\n")


def test_a_command_without_its_argument_points_to_its_own_help(roster: Roster) -> None:
    said = "roster: Missing argument 'PATH|SOURCE'. See `roster check --help`.\n"
    assert roster("check").err == said


def test_no_command_at_all_shows_what_there_is(roster: Roster) -> None:
    ended = roster()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == roster("--help").out


def test_a_folder_without_a_workspace_is_named(roster: Roster, tmp_path: Path) -> None:
    ended = roster("status", "--workspace", tmp_path)
    assert ended.code == 2
    assert str(tmp_path) in ended.err
    assert "roster init" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("before", [True, False])
def test_the_workspace_may_be_named_before_or_after_the_command(
    roster: Roster, workspace: Path, before: bool
) -> None:
    words = ("-w", workspace, "status") if before else ("status", "-w", workspace)
    assert roster(*words, "--format", "json").document()["sources"][0]["source"] == "springfield"


def test_the_environment_names_the_workspace(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_WORKSPACE", str(workspace))
    assert roster("holds").out == "Nothing is held.\n"


def test_every_mistake_in_the_workspace_is_told_with_its_place(
    roster: Roster, workspace: Path
) -> None:
    file = workspace / "sources" / "springfield.yaml"
    file.write_text(file.read_text().replace("timezone: America", "timezon: America"))
    (workspace / "destinations" / "learning-app.yaml").write_text("id: learning-app\n")
    ended = roster("status", "-w", workspace)
    assert ended.code == 2
    assert "sources/springfield.yaml:3:1" in ended.err
    assert "destinations/learning-app.yaml" in ended.err


def test_an_unexpected_error_shows_no_text_that_may_hold_data(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("Ada Lovelace")

    monkeypatch.setattr("roster_pipeline.store.ledger.Ledger.holds", broken)
    ended = roster("holds", "-w", workspace)
    assert ended.code == 1
    assert "KeyError" in ended.err
    assert "Ada" not in ended.err
    assert "Traceback" not in ended.err
