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
    _, _, beside = ended.err.partition(
        "Beside it, this is to be mended; what has an error is not used:\n"
    )
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


def test_a_key_takes_the_place_of_a_password(roster: Roster, workspace: Path) -> None:
    words = ("--host", "sftp.example", "--port", "2222", "--private-key", "secrets/shelby")
    ended = roster("-w", workspace, "source", "new", "shelby", *words, *ZONE)

    assert ended.code == 0, ended.err
    assert "Put the private key into secrets/shelby" in ended.err
    assert "PASSWORD" not in ended.err
    transport = Workspace.load(workspace).source("shelby").transport
    assert transport is not None
    assert transport.sftp is not None
    assert (transport.sftp.port, str(transport.sftp.private_key)) == (
        2222,
        "{file: secrets/shelby}",
    )


def test_a_folder_of_this_machine_needs_no_secret(roster: Roster, workspace: Path) -> None:
    ended = roster("-w", workspace, "source", "new", "shelby", "--folder-path", "./drops", *ZONE)

    assert ended.code == 0, ended.err
    assert ended.err.endswith(f"Next: `roster -w {workspace} source test shelby`.\n")
    transport = Workspace.load(workspace).source("shelby").transport
    assert transport is not None
    assert transport.folder is not None
    assert transport.folder.path == "./drops"
    checked = roster("-w", workspace, "workspace", "check")
    assert (checked.code, checked.out) == (0, "2 sources, 1 destination: all right.\n")


def test_a_folder_that_is_not_there_yet_is_told_of(roster: Roster, workspace: Path) -> None:
    ended = roster("-w", workspace, "source", "new", "shelby", "--folder-path", "later", *ZONE)

    assert ended.code == 0, ended.err
    assert "Make the folder later, which is not there yet. Then run `roster -w" in ended.err


def test_loose_files_are_named_by_patterns(roster: Roster, workspace: Path) -> None:
    words = ("--host", "sftp.example", "--files", "*.csv", "--files", "yes.txt")
    ended = roster("-w", workspace, "source", "new", "shelby", *words, *ZONE)

    assert ended.code == 0, ended.err
    assert Workspace.load(workspace).source("shelby").patterns == ("*.csv", "yes.txt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pattern", "*.zip", "--files", "*.csv"), "--pattern and --files: say one of the two"),
        (("--folder-path", "x", "--host", "y"), "--folder-path and --host: say one of the two"),
        (("--base-url", "https://x.example", "--host", "y"), "--base-url and --host: say one"),
        (("--files", "*.zip"), "--files: *.zip: a zip is a whole drop"),
        (("--port", "99999", "--host", "y"), "--port: "),
        (("--folder-path", ""), "--folder-path: "),
    ],
)
def test_options_that_cannot_be_are_refused_and_nothing_is_written(
    roster: Roster, workspace: Path, words: tuple[str, ...], said: str
) -> None:
    ended = roster("-w", workspace, "source", "new", "shelby", *words, *ZONE)

    assert ended.code == 2
    assert said in ended.err
    assert not (workspace / "sources" / "shelby.yaml").exists()


def test_a_vendor_with_servers_may_send_files_too(roster: Roster, workspace: Path) -> None:
    words = ("--vendor", "powerschool", "--host", "sftp.example")
    assert roster("-w", workspace, "source", "new", "shelby", *words, *ZONE).code == 0
    source = Workspace.load(workspace).source("shelby")
    assert (source.vendor, source.rest) == ("powerschool", None)


def test_what_editors_complete_by_is_brought_up_to_date(roster: Roster, workspace: Path) -> None:
    schema = workspace / ".schemas" / "source.json"
    schema.write_text("{}")
    assert roster("-w", workspace, "source", "new", "shelby", *ZONE).code == 0
    assert "properties" in schema.read_text()
