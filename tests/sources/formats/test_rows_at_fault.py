"""What is wrong with a district's own files is told with its file, line and column."""

from pathlib import Path
from typing import NamedTuple

import pytest

from roster_pipeline.oneroster.findings import Finding, Severity
from roster_pipeline.quality.candidate import Candidate
from tests.sources.formats.conftest import DISTRICT, read, written
from tests.sources.formats.drops import with_cell, with_header
from tests.sources.formats.held import frames


class Fault(NamedTuple):
    """A cell that is wrong, and how that is told."""

    file: str
    line: int
    column: str
    cell: str
    code: str
    told: str | None = None
    """The columns that are named, where it is not the one alone."""


FAULTS = {
    "five-files": [
        Fault("students.csv", 5, "DOB", "31/31/2015", "excel.date"),
        Fault("students.csv", 6, "School_id", "nowhere", "reference.unknown"),
        Fault("students.csv", 7, "Gender", "robot", "cell.vocabulary"),
        Fault("teachers.csv", 3, "Last_name", "", "cell.required"),
        Fault("enrollments.csv", 9, "Student_id", "nobody", "reference.unknown"),
        Fault("sections.csv", 4, "Teacher_id", "nobody", "reference.unknown"),
    ],
    "microsoft-sds-2.1": [
        Fault("roles.csv", 5, "role", "wizard", "cell.vocabulary"),
        Fault("roles.csv", 6, "orgSourcedId", "nowhere", "reference.unknown"),
        Fault("enrollments.csv", 4, "userSourcedId", "nobody", "reference.unknown"),
        Fault("academicSessions.csv", 2, "endDate", "soon", "cell.date"),
    ],
    "oneroster-1.0": [
        Fault("orgs.csv", 3, "type", "castle", "cell.vocabulary"),
        Fault("classes.csv", 4, "termSourcedId", "t-99", "reference.unknown"),
        Fault("demographics.csv", 8, "birthdate", "2015-02-30", "cell.date"),
        Fault("users.csv", 3, "familyName", "", "cell.required"),
    ],
    "student-per-row": [
        Fault("students.csv", 4, "Birth Date", "2/30/2015", "excel.date"),
        Fault("students.csv", 5, "Last Name", "", "cell.required"),
        Fault(
            "students.csv", 9, "Course 2 Teacher Name", "Nobody, Else", "mapping.differs", told=""
        ),
    ],
}


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults]
)
def test_a_cell_that_is_wrong_is_told_where_it_stands(
    name: str, fault: Fault, tmp_path: Path
) -> None:
    judged = read(with_cell(written(name), *fault[:4]), name, tmp_path)
    told = [f for f in _findings(judged) if f.code == fault.code]
    column = fault.column if fault.told is None else fault.told or None
    assert (fault.file, fault.line, column) in [(f.file, f.line, f.column) for f in told]
    assert not any(fault.cell in str(f) for f in told if fault.cell)


@pytest.mark.parametrize(
    ("name", "file", "column"),
    [
        ("five-files", "sections.csv", "Term_start"),
        ("microsoft-sds-2.1", "classes.csv", "courseSourcedId"),
        ("oneroster-1.0", "enrollments.csv", "userSourcedId"),
        ("student-per-row", "students.csv", "School ID"),
    ],
)
def test_a_column_that_is_not_there_stops_with_its_name(
    name: str, file: str, column: str, tmp_path: Path
) -> None:
    drop = with_header(written(name), file, column, "Something else")
    judged = read(drop, name, tmp_path)
    assert judged.roster is None
    stops = [f for f in _findings(judged) if f.severity is Severity.STOP]
    assert (file, column) in [(f.file, f.column) for f in stops]


def test_who_is_inactive_in_oneroster_1p0_is_left_out(tmp_path: Path) -> None:
    name = "oneroster-1.0"
    drop = with_cell(written(name), "enrollments.csv", 2, "status", "inactive")
    whole = read(written(name), name, tmp_path / "whole").roster
    less = read(drop, name, tmp_path / "less").roster
    assert whole is not None
    assert less is not None
    before, after = (frames(roster)["enrollments"]["sourcedId"] for roster in (whole, less))
    assert set(before) - set(after) == {before[0]}


@pytest.mark.parametrize(("file", "column"), [("users.csv", "status"), ("enrollments.csv", "role")])
def test_a_word_that_oneroster_1p0_does_not_know_takes_nobody_out(
    file: str, column: str, tmp_path: Path
) -> None:
    name = "oneroster-1.0"
    judged = read(with_cell(written(name), file, 2, column, "robot"), name, tmp_path)
    (told,) = [f for f in _findings(judged) if f.code == "cell.vocabulary"]
    assert (told.file, told.line, told.column) == (file, 2, column)
    assert judged.held[file.removesuffix(".csv")] == 1


def test_oneroster_1p0_is_known_by_itself_and_its_missing_manifest_told(tmp_path: Path) -> None:
    judged = read(written("oneroster-1.0"), "generic-csv", tmp_path)
    assert judged.roster is not None
    assert judged.roster.counts["demographics"] == DISTRICT.students
    (told,) = _findings(judged)
    assert told.severity is Severity.WARN
    assert "1.0" in told.message
    assert "schoolYear: it is taken from the end dates" in told.message


def test_a_parents_place_in_a_class_is_left_out_of_oneroster_1p0(tmp_path: Path) -> None:
    """Later versions know none; it is nothing to mend."""
    name = "oneroster-1.0"
    drop = with_cell(written(name), "enrollments.csv", 2, "role", "guardian")
    judged = read(drop, name, tmp_path)
    assert not _findings(judged)


def _findings(judged: Candidate) -> list[Finding]:
    return list(judged.findings)
