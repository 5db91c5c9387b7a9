"""What a sync and a check say of the cells that were mended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Roster
from tests.small import Row

KEYS = """\
lookups:
  orgs.type: {Campus: school}
repairs: {dates: [M/D/YYYY]}
end_dates: inclusive
"""
CELLS = {
    "orgs.type": {"lookups": 1},
    "academicSessions.endDate": {"dates": 1, "end_dates": 2},
}


def spoil(files: dict[str, list[Row]]) -> None:
    files["orgs"][1]["type"] = "Campus"
    files["academicSessions"][1]["endDate"] = "1/14/2027"


@pytest.mark.soak
def test_mended_cells_are_counted_in_a_sync_and_in_a_check(
    roster: Roster, workspace: Path, pack: Callable[..., Path]
) -> None:
    file = workspace / "sources" / "springfield.yaml"
    file.write_text(f"{file.read_text()}{KEYS}")
    pack("roster.zip", spoil).rename(workspace / "drops" / "roster.zip")

    said = roster("sync", "springfield", "-w", workspace, "--dry-run")
    sentence = (
        "Repaired cells: orgs.type 1 (lookups); academicSessions.endDate 1 (dates), 2 (end_dates)."
    )
    assert sentence in said.out
    told = roster("sync", "springfield", "-w", workspace, "--format", "json").document()
    assert told["summary"]["repaired"] == CELLS
    assert "Campus" not in str(told)

    assert sentence in roster("check", "springfield", "-w", workspace).out
    words = ("check", "springfield", "-w", workspace, "--format", "json")
    assert roster(*words).document()["counts"]["repaired"] == CELLS


def test_a_package_that_nobody_mends_is_said_nothing_of(
    roster: Roster, pack: Callable[..., Path]
) -> None:
    package = pack("roster.zip")
    assert "Repaired" not in roster("check", package).out
    assert roster("check", package, "--format", "json").document()["counts"]["repaired"] == {}


def test_a_column_that_is_not_there_is_told_with_its_line(roster: Roster, workspace: Path) -> None:
    file = workspace / "sources" / "springfield.yaml"
    file.write_text(f"{file.read_text()}lookups:\n  users.grade: {{K: KG}}\n")
    line = file.read_text().count("\n")

    ended = roster("sync", "springfield", "-w", workspace)
    assert ended.code == 2
    assert f"springfield.yaml:{line}" in ended.err
    assert "users has no column grade; did you mean grades?" in ended.err


def test_an_export_of_last_year_is_held(
    roster: Roster, workspace: Path, pack: Callable[..., Path]
) -> None:
    def age(files: dict[str, list[Row]]) -> None:
        for row in files["academicSessions"]:
            row |= {"startDate": "2019-08-20", "endDate": "2020-06-12", "schoolYear": "2020"}

    file = workspace / "sources" / "springfield.yaml"
    expect = "expect: {students: [3, 3], last_date: {academicSessions.endDate: 0}}\n"
    file.write_text(f"{file.read_text()}{expect}")
    pack("roster.zip", age).rename(workspace / "drops" / "roster.zip")

    ended = roster("sync", "springfield", "-w", workspace, "--dry-run", "--format", "json")
    sentences = " ".join(ended.document()["summary"]["sentences"])
    assert "academicSessions.endDate: the latest date lies" in sentences
    assert "people are" not in sentences
