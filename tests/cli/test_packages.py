"""`roster check` and `roster diff`, on packages alone."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import Roster
from tests.small import Row

Pack = Callable[..., Path]
Files = dict[str, list[Row]]


def spoiled(files: Files) -> None:
    """A student without a given name, and another one whose e-mail changed."""
    files["users"][1]["givenName"] = ""
    files["users"][0]["email"] = "planted@example.org"


def test_a_clean_package_is_said_to_be_clean(roster: Roster, pack: Pack) -> None:
    ended = roster("check", pack("clean.zip"))
    assert ended.code == 0
    assert "A sync would take all of it." in ended.out


def test_findings_are_told_by_code_with_places_and_mending_and_without_cells(
    roster: Roster, pack: Pack
) -> None:
    ended = roster("check", pack("bad.zip", spoiled))
    assert ended.code == 1
    assert "users.csv:3:givenName" in ended.out
    assert "To mend it:" in ended.out
    assert "planted@example.org" not in ended.out
    assert all(line == line.rstrip() for line in ended.out.splitlines())


def test_the_document_of_a_check_says_what_the_text_says(roster: Roster, pack: Pack) -> None:
    document = roster("check", pack("bad.zip", spoiled), "--format", "json").document()
    assert document["schema"] == "roster.check/1"
    assert document["outcome"] == "errors"
    assert document["version"] == "1.2"
    assert document["held"]["users"] == 1
    assert {"file": "users.csv", "column": "givenName", "lines": [3]}.items() <= next(
        code["places"][0]
        for code in document["findings"]["codes"]
        if code["code"] == "cell.required"
    ).items()


def test_an_unpacked_folder_is_checked_as_its_zip_is(
    roster: Roster, pack: Pack, tmp_path: Path
) -> None:
    with ZipFile(pack("bad.zip", spoiled)) as archive:
        archive.extractall(tmp_path / "folder")
    zipped = roster("check", tmp_path / "bad.zip", "--format", "json").document()
    folder = roster("check", tmp_path / "folder", "--format", "json").document()
    assert zipped | {"package": None} == folder | {"package": None}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_zip_cut_off_is_unreadable(roster: Roster, pack: Pack, form: str) -> None:
    package = pack("cut.zip")
    package.write_bytes(package.read_bytes()[:-400])
    ended = roster("check", package, "--format", form)
    assert ended.code == 2
    assert str(package) in ended.err
    if form == "json":
        assert ended.document()["outcome"] == "unreadable"
        assert ended.document()["error"] in ended.err


def test_a_package_that_is_not_there_is_said_so(roster: Roster, tmp_path: Path) -> None:
    ended = roster("check", tmp_path / "none.zip")
    assert (ended.code, ended.err) == (2, f"roster: There is no {tmp_path / 'none.zip'}.\n")


def test_warnings_alone_pass_unless_strict(roster: Roster, pack: Pack) -> None:
    def padded(files: Files) -> None:
        files["users"][0]["givenName"] = " Ada "

    package = pack("padded.zip", padded)
    assert roster("check", package).code == 0
    strict = roster("check", package, "--strict", "--format", "json")
    assert strict.code == 1
    assert strict.document()["outcome"] == "errors"


def test_diff_counts_rows_and_names_the_columns_that_changed(roster: Roster, pack: Pack) -> None:
    def later(files: Files) -> None:
        files["users"][0]["email"] = "new@example.org"
        files["enrollments"].pop()

    ended = roster("diff", pack("old.zip"), pack("new.zip", later), "--format", "json")
    assert ended.code == 0
    document = ended.document()
    assert document["schema"] == "roster.diff/1"
    assert document["totals"] == {"added": 0, "changed": 1, "removed": 1, "unchanged": 21}
    assert document["entities"]["users"]["changed_columns"] == {"email": 1}
    assert (
        "users: changed in email 1" in roster("diff", pack("old.zip"), pack("new.zip", later)).out
    )


def test_diff_takes_a_held_row_for_no_removal(roster: Roster, pack: Pack) -> None:
    ended = roster("diff", pack("old.zip"), pack("new.zip", spoiled), "--format", "json")
    assert ended.document()["entities"]["users"]["removed"] == 0


def test_diff_refuses_what_no_sync_would_take(roster: Roster, pack: Pack) -> None:
    ended = roster("diff", pack("old.zip", lambda files: files.pop("orgs")), pack("new.zip"))
    assert ended.code == 2
    assert "roster check" in ended.err
