"""docs/sources/ says what the profiles say, and what it tells to do can be done."""

import os
import re
from pathlib import Path

import pytest

from roster_pipeline.reports.vendor_pages import BY_HAND, INDEX, pages, put_in_place
from roster_pipeline.sources import vendors
from roster_pipeline.workspace import Workspace
from tests.cli.conftest import Roster

FOLDER = Path(__file__).parents[2] / "docs" / "sources"
COMMAND = re.compile(r"^roster (source new (\w+) --vendor .*)$", re.MULTILINE)
# A file's name and its header, and below them its rows, set in as far as the header.
SMALLEST = re.compile(r"^(\w+\.csv)? *(\S.*)$", re.MULTILINE)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "page"), pages().items())
def test_each_page_is_as_its_profile_is(name: str, page: str) -> None:
    assert _read(name) == put_in_place(page, _read(name)), "run `make docs`"


def test_there_is_no_page_of_a_vendor_that_is_not_known() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(pages())


def test_what_is_written_by_hand_stays_when_pages_are_made_anew() -> None:
    before = f"# Old\n\n{BY_HAND}\n## By hand\n"
    assert put_in_place("# New\n", before) == f"# New\n\n{BY_HAND}\n## By hand\n"
    assert put_in_place("# New\n", "# Old\n") == "# New\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (name, command.group(1))
        for name in vendors.known()
        for command in COMMAND.finditer(_read(f"{name}.md"))
    ],
)
def test_each_command_of_a_page_writes_a_file_that_lacks_no_more_than_the_host_key(
    roster: Roster, workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    (workspace / "sources" / "springfield.yaml").unlink()
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115
    ended = roster("-w", workspace, *words.split())

    assert ended.code == 0, ended.err
    source = Workspace.load(workspace).source(words.split()[2])
    assert source.vendor == name
    assert ("fingerprint" in ended.err) == (source.rest is None)
    for key in ("base_url", "app", "client_id", "token_url", "host", "username"):
        assert f"`{key}`" not in ended.err
    told = re.search(r"export (\w+)=", _read(f"{name}.md").partition(words)[2])
    if told is not None:
        assert told.group(1) in ended.err


def test_every_vendor_has_a_command() -> None:
    for name in vendors.known():
        assert COMMAND.search(_read(f"{name}.md")), name


@pytest.mark.parametrize("vendor", ["five-files", "student-per-row"])
def test_the_smallest_files_of_a_page_are_a_roster(
    roster: Roster, tmp_path: Path, vendor: str
) -> None:
    page = _read(f"{vendor}.md").partition("The smallest ")[2].split("```")[1]
    files: dict[str, list[str]] = {}
    for called, line in SMALLEST.findall(page.strip("\n")):
        files.setdefault(called or next(reversed(files), "students.csv"), []).append(line)
    for called, lines in files.items():
        (tmp_path / called).write_text("\n".join(lines) + "\n")

    ended = roster("check", tmp_path, "--vendor", vendor, "--format", "json")

    assert ended.code == 0, ended.out
    counts = ended.document()["counts"]
    assert counts["held"] == {}
    assert counts["rows"]["users"] == counts["rows"]["enrollments"] == 2


def test_the_index_links_every_page() -> None:
    assert re.findall(r"^\|\[.+\]\((\S+)\.md\)", _read(INDEX), re.MULTILINE) == list(
        vendors.known()
    )
