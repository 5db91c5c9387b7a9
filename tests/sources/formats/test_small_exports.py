"""Exports that have no more than real systems send: what may be missing may be missing."""

from pathlib import Path

from tests.sources.formats.conftest import DISTRICT, read, written
from tests.sources.formats.drops import Rows, edited, with_columns, with_header, without
from tests.sources.formats.held import frames


def test_five_files_with_the_columns_that_most_systems_send(tmp_path: Path) -> None:
    drop = with_columns(
        written("five-files"),
        {
            "schools.csv": "School_id School_name State_id",
            "students.csv": "School_id Student_id Student_number Last_name First_name Grade "
            "Gender DOB Student_email",
            "teachers.csv": "School_id Teacher_id Teacher_email First_name Last_name",
            "sections.csv": "School_id Section_id Teacher_id Teacher_2_id Name Course_name "
            "Course_number Term_name Term_start Term_end",
        },
    )
    drop = with_header(drop, "students.csv", "DOB", "Dob")
    judged = read(drop, "five-files", tmp_path)
    assert judged.findings.counts() == {}
    assert judged.roster is not None
    users = frames(judged.roster)["users"]
    assert (users["username"] == users["email"]).all()
    assert (frames(judged.roster)["demographics"]["birthDate"] != "").all()


def test_sections_without_numbers_of_courses_have_courses_by_name(tmp_path: Path) -> None:
    columns = "School_id Section_id Teacher_id Name Course_name Term_name Term_start Term_end"
    drop = with_columns(written("five-files"), {"sections.csv": columns})
    judged = read(drop, "five-files", tmp_path)
    assert judged.findings.counts() == {}
    assert judged.roster is not None
    made = frames(judged.roster)
    assert set(made["classes"]["courseSourcedId"]) == set(made["courses"]["sourcedId"])
    assert made["courses"]["title"].is_unique
    assert set(made["courses"]["courseCode"]) == {""}


def test_school_data_sync_with_the_columns_that_it_needs(tmp_path: Path) -> None:
    drop = with_columns(
        written("microsoft-sds-2.1"),
        {
            "orgs.csv": "sourcedId name type",
            "users.csv": "sourcedId username givenName familyName",
            "roles.csv": "userSourcedId orgSourcedId role",
            "courses.csv": "sourcedId orgSourcedId title",
        },
    )
    judged = read(without(drop, "demographics.csv"), "microsoft-sds-2.1", tmp_path)
    assert judged.roster is not None
    assert judged.roster.counts["demographics"] == 0
    roles = frames(judged.roster)["roles"]
    assert (roles["role"] == "student").sum() == DISTRICT.students
    assert (roles["role"] == "parent").any()


def test_students_with_no_more_than_names_and_classes(tmp_path: Path) -> None:
    drop = written("student-per-row")
    for column in ("Middle Name", "Birth Date", "Gender"):
        drop = with_header(drop, "students.csv", column, f"Our {column}")
    judged = read(drop, "student-per-row", tmp_path)
    assert judged.roster is not None
    assert not any(judged.held.values())
    told = [f for f in judged.findings if f.code == "header.unknown_column"]
    assert {f.column for f in told} == {"Our Middle Name", "Our Birth Date", "Our Gender"}


def test_roles_of_school_data_sync_may_have_a_row_for_each_session(tmp_path: Path) -> None:
    """Who was a student last year, and is one this year, is one."""
    name, first = "microsoft-sds-2.1", {"sessionSourcedId": "2026", "roleEndDate": "2026-06-12"}
    this = {"sessionSourcedId": "2027", "roleStartDate": "2026-08-20"}

    def twice(rows: Rows) -> Rows:
        header, again = rows[0], rows[1]
        cells = dict(zip(header, again, strict=True))
        made = [list((cells | said).values()) for said in (first, this)]
        return [header, *made, *rows[2:]]

    judged = read(edited(written(name), {"roles.csv": twice}), name, tmp_path)
    assert judged.roster is not None
    assert not any(judged.held.values())
    whole = read(written(name), name, tmp_path / "whole").roster
    assert whole is not None
    assert judged.roster.counts["roles"] == whole.counts["roles"] + 1


def test_sessions_of_school_data_sync_may_have_names_for_ids(tmp_path: Path) -> None:
    """They become sourcedIds, in lists as well, and go on fitting together."""

    def named(rows: Rows) -> Rows:
        return [[cell.replace("2027", "Fall & 2027 ") for cell in row] for row in rows]

    def sessions(rows: Rows) -> Rows:
        return [[named([row])[0][0], *row[1:]] for row in rows]

    files = {"academicSessions.csv": sessions, "classes.csv": named, "courses.csv": named}
    judged = read(edited(written("microsoft-sds-2.1"), files), "microsoft-sds-2.1", tmp_path)
    assert not judged.findings.groups
    assert judged.roster is not None
    terms = frames(judged.roster)["classes"]["termSourcedIds"]
    assert terms.str.contains(",").any()
    assert terms.str.startswith("Fall___2027_").all()
