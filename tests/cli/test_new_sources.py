"""`roster source new` where ids, names and the workspace beside are odd."""

import os
from pathlib import Path

import pytest

from roster_pipeline.workspace import Workspace, WorkspaceError
from tests.cli.conftest import Roster

ZONE = ("--timezone", "America/Chicago")


@pytest.fixture(autouse=True)
def _without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115


@pytest.mark.parametrize("vendor", ["generic-rest-1.2", "generic-csv"])
@pytest.mark.parametrize("source", ["yes", "null", "007"])
def test_an_id_that_yaml_takes_for_something_else_is_quoted(
    roster: Roster, workspace: Path, source: str, vendor: str
) -> None:
    ended = roster("-w", workspace, "source", "new", source, "--vendor", vendor, *ZONE)

    assert ended.code == 0, ended.err
    assert Workspace.load(workspace).source(source).id == source


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base-url", "https://[::1"), "--base-url: this is not an address"),
        (("--name", "\udcff"), "--name: it has signs that cannot be read"),
        (("--client-id", "a\x07"), "--client-id: it has signs that cannot be read"),
    ],
)
def test_what_cannot_stand_in_the_file_is_told_of_its_option(
    roster: Roster, workspace: Path, words: tuple[str, ...], said: str
) -> None:
    ended = roster("-w", workspace, "source", "new", "shelby", *words, *ZONE)

    assert ended.code == 2
    assert f"Nothing was written. {said}" in ended.err
    assert not (workspace / "sources" / "shelby.yaml").exists()


def test_a_name_may_have_any_letters(roster: Roster, workspace: Path) -> None:
    name = "\u00c9cole\u00a0n\u00ba 5 \u2013 \u5b66\u6821"

    assert roster("-w", workspace, "source", "new", "shelby", "--name", name, *ZONE).code == 0
    assert Workspace.load(workspace).source("shelby").name == name


def test_what_is_wrong_beside_the_new_file_is_told(roster: Roster, workspace: Path) -> None:
    (workspace / "sources" / "z.yaml").write_text("x: [")
    (workspace / "sources" / "foo.yaml").write_text("id: bar\nname: Bar\ntimezone: UTC\n")

    ended = roster("-w", workspace, "source", "new", "bar", *ZONE)

    assert ended.code == 0
    assert "made sources/bar.yaml" in ended.err
    _, _, beside = ended.err.partition("No command can use the workspace before this is mended:\n")
    assert "sources/foo.yaml:1:1: " in beside
    assert "sources/z.yaml:2:1: this is not YAML" in beside
    with pytest.raises(WorkspaceError):
        Workspace.load(workspace)


def test_nothing_is_told_of_a_workspace_in_order(roster: Roster, workspace: Path) -> None:
    assert "mended" not in roster("-w", workspace, "source", "new", "bar", *ZONE).err


@pytest.mark.parametrize("what", ["file", "link"])
def test_sources_that_are_no_folder_are_named(roster: Roster, workspace: Path, what: str) -> None:
    sources = workspace / "sources"
    sources.rename(workspace / "moved")
    sources.symlink_to("nowhere") if what == "link" else sources.touch()

    ended = roster("-w", workspace, "source", "new", "shelby", *ZONE)

    assert ended.code == 2
    assert f"{sources} should be a folder, and is none." in ended.err
