"""`roster check` and `roster diff`, on packages alone."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import SOURCE, Roster
from tests.small import Row

Pack = Callable[..., Path]
Files = dict[str, list[Row]]
SHOW = ["--show-values"]


def spoiled(files: Files) -> None:
    """A student without a given name, and another one whose e-mail changed."""
    files["users"][1]["givenName"] = ""
    files["users"][0]["email"] = "planted@example.org"


def test_a_clean_package_is_said_to_be_clean(roster: Roster, pack: Pack) -> None:
    ended = roster("check", pack("clean.zip"))
    assert ended.code == 0
    assert "Valid: a sync would take all of it." in ended.out


def test_findings_are_told_by_cause_with_places_and_mending_and_without_cells(
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
    assert document["schema"] == "roster.check/2"
    assert document["verdict"] == "invalid"
    assert (document["version"], document["profile"]) == ("1.2", "lenient")
    counts = document["counts"]
    assert (counts["rows"]["users"], counts["held"]["users"]) == (4, 1)
    assert counts["severity"]["hold"] == len(document["findings"])
    assert counts["causes"] == 1
    required, *others = sorted(document["findings"], key=lambda finding: finding["code"])
    assert required == {
        "code": "cell.required",
        "severity": "hold",
        "entity": "users",
        "file": "users.csv",
        "line": 3,
        "column": "givenName",
        "sourcedId": "u2",
        "cause": None,
        "message": required["message"],
        "fix": required["fix"],
    }
    assert {finding["cause"] for finding in others} == {"users/u2"}


def test_the_csv_of_a_check_has_a_line_for_each_finding(roster: Roster, pack: Pack) -> None:
    package = pack("bad.zip", spoiled)
    found = roster("check", package, "--format", "json").document()["findings"]
    ended = roster("check", package, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out, newline="")))
    assert ended.code == 1
    assert rows == [
        {name: "" if value is None else str(value) for name, value in finding.items()}
        for finding in found
    ]


def test_what_follows_from_a_bad_row_is_counted_and_not_listed(roster: Roster, pack: Pack) -> None:
    def closed(files: Files) -> None:
        files["orgs"][1]["type"] = "scool"

    ended = roster("check", pack("bad.zip", closed))
    assert "1. orgs  cell.vocabulary  1 × holds rows back; 12 rows follow:" in ended.out
    assert "2 in classes, 5 in enrollments" in ended.out
    assert "classes.csv:" not in ended.out


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_no_cell_is_shown_but_where_somebody_asks_and_then_masked(
    roster: Roster, pack: Pack, form: str
) -> None:
    def wrong(files: Files) -> None:
        files["enrollments"][0]["beginDate"] = "31/08/2026"
        files["users"][0]["userIds"] = "Planted"
        files["users"][0]["password"] = "hunter2"

    words = ("check", pack("bad.zip", wrong), "--format", form)
    plain, masked, shown = (roster(*words, *more).out for more in ([], ["--values"], SHOW))
    assert "31/08/2026" not in plain
    assert "Planted" not in plain + masked
    assert "31/08/2026" in masked
    assert "Xxxxxxx" in masked
    assert "Planted" in shown
    assert "hunter2" not in plain + masked + shown


def test_an_unpacked_folder_is_checked_as_its_zip_is(
    roster: Roster, pack: Pack, tmp_path: Path
) -> None:
    with ZipFile(pack("bad.zip", spoiled)) as archive:
        archive.extractall(tmp_path / "folder")
    zipped = roster("check", tmp_path / "bad.zip", "--format", "json").document()
    folder = roster("check", tmp_path / "folder", "--format", "json").document()
    assert zipped | {"package": None} == folder | {"package": None}


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_zip_cut_off_is_unreadable(roster: Roster, pack: Pack, form: str) -> None:
    package = pack("cut.zip")
    package.write_bytes(package.read_bytes()[:-400])
    ended = roster("check", package, "--format", form)
    assert ended.code == 2
    assert str(package) in ended.err
    if form == "json":
        document = ended.document()
        assert (document["verdict"], document["version"]) == ("invalid", None)
        (finding,) = document["findings"]
        assert finding["code"] == "package.truncated"
        assert finding["message"] in ended.err
    if form == "csv":
        assert "package.truncated,stop" in ended.out


def test_a_file_without_rows_is_not_told_as_taken(roster: Roster, pack: Pack) -> None:
    ended = roster("check", pack("summer.zip", lambda files: files["enrollments"].clear()))
    assert "would take all" not in ended.out
    assert "Nothing was sent of enrollments" in ended.out


def test_a_package_that_is_not_there_is_said_so(roster: Roster, tmp_path: Path) -> None:
    ended = roster("check", tmp_path / "none.zip")
    assert (ended.code, ended.err) == (2, f"roster: There is no {tmp_path / 'none.zip'}.\n")


def test_warnings_alone_pass(roster: Roster, pack: Pack) -> None:
    def padded(files: Files) -> None:
        files["users"][0]["givenName"] = " Ada "

    package = pack("padded.zip", padded)
    assert roster("check", package).code == 0
    lenient = roster("check", package, "--format", "json").document()
    assert lenient["verdict"] == "valid"
    assert lenient["findings"]


def test_strict_lets_what_breaks_the_standard_stop_the_package(roster: Roster, pack: Pack) -> None:
    def twice(files: Files) -> None:
        files["users"].append(dict(files["users"][0]))

    package = pack("twice.zip", twice)
    assert roster("check", package).code == 0
    strict = roster("check", package, "--strict", "--format", "json")
    assert strict.code == 1
    document = strict.document()
    assert (document["verdict"], document["profile"]) == ("invalid", "strict")
    assert document["counts"]["severity"]["stop"] == document["counts"]["codes"]["key.repeated"]


def test_a_package_is_judged_against_what_was_accepted_before(roster: Roster, pack: Pack) -> None:
    def without_a_class(files: Files) -> None:
        files["classes"].pop()

    later = pack("later.zip", without_a_class)
    alone = roster("check", later, "--format", "json").document()["counts"]["codes"]
    ended = roster("check", later, "--against", pack("earlier.zip"), "--format", "json")
    assert "reference.unknown" in alone
    assert "reference.removed" in ended.document()["counts"]["codes"]


def test_rows_that_go_with_a_row_that_is_gone_are_not_said_to_be_taken(
    roster: Roster, pack: Pack
) -> None:
    later = pack("later.zip", lambda files: files["classes"].pop())
    ended = roster("check", later, "--against", pack("earlier.zip"))
    assert ended.code == 0
    assert "gone with others" in ended.out
    assert "with others." in ended.out.splitlines()[-1] + ended.out.splitlines()[-2]
    assert "To mend, in this order" in ended.out
    assert "take all of it" not in ended.out


# ---- sources ----


@pytest.fixture
def landed(roster: Roster, workspace: Path, pack: Pack) -> Path:
    """A workspace in which a spoiled package landed."""
    pack("roster.zip", spoiled).replace(workspace / "drops" / "roster.zip")
    assert roster("sync", "springfield", "-w", workspace).code == 3
    return workspace


@pytest.mark.soak
def test_a_source_is_checked_by_its_last_package_as_its_sync_does(
    roster: Roster, landed: Path
) -> None:
    ended = roster("check", "springfield", "-w", landed, "--values", "--format", "json")
    assert ended.code == 1, ended.err
    document = ended.document()
    assert document["package"].startswith("springfield, landed for ")
    assert document["counts"]["codes"]["cell.required"] == 1
    (landed / "sources" / "springfield.yaml").write_text(SOURCE + "strict: true\n")
    strict = roster("check", "springfield", "-w", landed, "--format", "json").document()
    assert strict["profile"] == "strict"


def test_a_source_of_which_nothing_landed_is_said_so(roster: Roster, workspace: Path) -> None:
    ended = roster("check", "springfield", "-w", workspace)
    assert ended.code == 2
    assert "Nothing has landed of springfield yet." in ended.err


def test_what_is_neither_a_package_nor_a_source_is_told_with_the_sources(
    roster: Roster, workspace: Path
) -> None:
    ended = roster("check", "springfeld", "-w", workspace)
    assert ended.code == 2
    assert "There is no springfeld, and no source called so; there are: springfield." in ended.err


def test_a_source_without_an_accepted_roster_is_nothing_to_compare_with(
    roster: Roster, workspace: Path, pack: Pack
) -> None:
    ended = roster("check", pack("a.zip"), "--against", "springfield", "-w", workspace)
    assert ended.code == 2
    assert "springfield has no accepted roster yet." in ended.err


# ---- diff ----


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
