"""What each receiver with files of its own gets of one make-believe district.

`ROSTER_GOLDEN=write` writes the goldens anew: read the difference before it is committed.
"""

import hashlib
import io
import os
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.adapting import adapted
from roster_pipeline.receivers.checking import unfit
from roster_pipeline.receivers.columns.checking import left_out, misfits
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.rendering import Rendered, render
from roster_pipeline.sources.opening import open_source
from tests.receivers.columns.conftest import Write, members
from tests.receivers.conftest import Make
from tests.sources.conftest import source
from tests.sources.formats.held import HELD, as_in, frames

GOLDEN = Path(__file__).parent / "golden"
SHIPPED = [
    name for name in profiles.names() if isinstance(profiles.load(name).columns, ColumnsFormat)
]
VARIANTS = [(name, v) for name in SHIPPED for v in (None, *profiles.load(name).variants)]

# Apple School Manager User Guide, the pages of the templates.
APPLE_HEADERS = {
    "locations.csv": "location_id,location_name",
    "students.csv": "person_id,person_number,first_name,middle_name,last_name,grade_level,"
    "email_address,sis_username,password_policy,location_id",
    "staff.csv": "person_id,person_number,first_name,middle_name,last_name,email_address,"
    "sis_username,location_id",
    "courses.csv": "course_id,course_number,course_name,location_id",
    "classes.csv": "class_id,class_number,course_id,instructor_id,instructor_id_2,"
    "instructor_id_3,location_id",
    "rosters.csv": "roster_id,class_id,student_id",
}


def columns(name: str, variant: str | None = None) -> ColumnsFormat:
    said = profiles.load(name, variant).columns
    assert isinstance(said, ColumnsFormat)
    return said


def described(package: Rendered) -> str:
    """The files of a package: rows, hash, header and first row of each."""
    lines = []
    with zipfile.ZipFile(package.file) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            lines.append(f"{name} {package.rows[name]} {hashlib.sha256(content).hexdigest()}")
            lines += [f"  {line}" for line in content.decode().splitlines()[:2]]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_receiver_gets_what_it_got_before_and_all_of_it_fits(
    district_roster: Roster, tmp_path: Path, name: str, variant: str | None
) -> None:
    package = render(district_roster, profiles.load(name, variant), tmp_path / "package.zip")
    made = described(package)
    assert misfits(district_roster, columns(name, variant)) == []
    golden = GOLDEN / f"{name}{f'.{variant}' if variant else ''}.txt"
    if os.environ.get("ROSTER_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(made)
    assert made == golden.read_text()


def test_there_is_a_golden_for_each_profile_and_variant_and_no_other() -> None:
    wanted = {f"{name}{f'.{variant}' if variant else ''}" for name, variant in VARIANTS}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == wanted


def test_apple_gets_all_six_files_with_its_headers_even_of_an_empty_roster() -> None:
    found = members(Roster.empty(), columns("apple"))
    assert {name: content.decode() for name, content in found.items()} == {
        name: header + "\n" for name, header in APPLE_HEADERS.items()
    }


def test_who_is_student_and_staff_is_two_people_to_apple(make: Make, written: Write) -> None:
    """u4 teaches both classes, and learns in one of them."""

    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        role = {"roleType": "secondary", "role": "student", "orgSourcedId": "s1"}
        seat = {"classSourcedId": "cl2", "schoolSourcedId": "s1", "role": "student"}
        rows["roles"].append({"sourcedId": "r9", "userSourcedId": "u4", **role})
        rows["enrollments"].append({"sourcedId": "e9", "userSourcedId": "u4", **seat})

    files = written(make(change), columns("apple"))
    assert [row["person_id"] for row in files["students.csv"]] == ["u1", "u2", "u3", "u4"]
    assert [row["person_id"] for row in files["staff.csv"]] == ["staff-u4", "u5"]
    assert {row["instructor_id"] for row in files["classes.csv"]} == {"staff-u4"}
    assert files["rosters.csv"][-1] == {"roster_id": "e9", "class_id": "cl2", "student_id": "u4"}
    assert misfits(make(change), columns("apple")) == []


def test_an_id_is_one_things_alone_at_apple_and_of_its_signs(make: Make, written: Write) -> None:
    """Two kinds have the id u1, and one id has signs that Apple does not know."""

    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["courses"][0]["sourcedId"] = rows["classes"][0]["courseSourcedId"] = "u1"
        rows["courses"][1]["sourcedId"] = rows["classes"][1]["courseSourcedId"] = "a_b.c"

    files = written(make(change), columns("apple"))
    assert [row["course_id"] for row in files["courses.csv"]] == ["course-u1", "a-5f-b-2e-c"]
    assert [row["course_id"] for row in files["classes.csv"]] == ["course-u1", "a-5f-b-2e-c"]
    assert misfits(make(change), columns("apple")) == []
    always = written(make(change), columns("apple", "prefixed"))
    assert [row["student_id"] for row in always["rosters.csv"]] == [
        f"student-u{number}" for number in (1, 2, 3)
    ]


def test_a_prefix_at_apple_makes_no_id_that_somebody_has(make: Make, written: Write) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["courses"][0]["sourcedId"] = rows["classes"][0]["courseSourcedId"] = "u1"
        rows["courses"][1]["sourcedId"] = rows["classes"][1]["courseSourcedId"] = "course-u1"

    files = written(make(change), columns("apple"))
    assert [row["course_id"] for row in files["classes.csv"]] == ["course-course-u1", "course-u1"]
    assert misfits(make(change), columns("apple")) == []


def test_a_class_at_a_department_has_a_location_at_apple(make: Make, written: Write) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["orgs"].append({"sourcedId": "dep", "name": "Math", "type": "department"})
        rows["classes"][0]["schoolSourcedId"] = "dep"

    files = written(make(change), columns("apple"))
    assert "dep" in {row["location_id"] for row in files["locations.csv"]}
    assert misfits(make(change), columns("apple")) == []


def test_more_teachers_and_schools_make_more_columns_and_the_primary_comes_first(
    make: Make, written: Write
) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["orgs"].append({"sourcedId": "s2", "name": "Oak", "type": "school"})
        for number in range(10, 14):
            of = {"sourcedId": f"u{number}", "enabledUser": "true", "username": f"u{number}"}
            rows["users"].append({**of, "givenName": "Tia", "familyName": "Ode"})
            for org in ("s1", "s2"):
                role = {"roleType": "primary", "role": "teacher", "orgSourcedId": org}
                key = {"sourcedId": f"r{number}-{org}", "userSourcedId": f"u{number}"}
                rows["roles"].append({**key, **role})
            seat = {"classSourcedId": "cl1", "schoolSourcedId": "s1", "role": "teacher"}
            key = {"sourcedId": f"e{number}", "userSourcedId": f"u{number}"}
            primary = {"primary": "true" if number == 12 else "false"}
            rows["enrollments"].append({**key, **seat, **primary})

    files = written(make(change), columns("apple"))
    first, second = files["classes.csv"]
    assert list(first)[-3:] == ["location_id", "instructor_id_4", "instructor_id_5"]
    assert [first[name] for name in first if name.startswith("instructor")] == [
        *("u12", "u4", "u10", "u11", "u13")
    ]
    assert [second[name] for name in second if name.startswith("instructor")] == ["u4"] + [""] * 4
    assert [row["location_id_2"] for row in files["staff.csv"]] == ["", ""] + ["s2"] * 4


def test_people_who_are_disabled_or_have_no_place_are_left_out_and_counted(
    make: Make, written: Write
) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][0]["enabledUser"] = rows["users"][3]["enabledUser"] = "false"
        rows["roles"][4]["role"] = "guardian"

    roster = make(change)
    apple = written(roster, columns("apple"))
    assert [row["person_id"] for row in apple["students.csv"]] == ["u2", "u3"]
    assert apple["staff.csv"] == []
    assert [row["student_id"] for row in apple["rosters.csv"]] == ["u2", "u3"]
    assert {row["instructor_id"] for row in apple["classes.csv"]} == {""}
    assert left_out(roster, columns("apple")) == {"users": 3, "enrollments": 3}
    sds = written(roster, columns("microsoft-sds-2.1"))
    assert [row["sourcedId"] for row in sds["users.csv"]] == ["u2", "u3", "u5"]
    assert [row["userSourcedId"] for row in sds["roles.csv"]] == ["u2", "u3"]
    sds_lacks = {"users": 2, "roles": 3, "enrollments": 3}
    assert left_out(roster, columns("microsoft-sds-2.1")) == sds_lacks
    assert left_out(roster, columns("accounts")) == {}
    for name in SHIPPED:
        assert misfits(roster, columns(name)) == [], name


def test_the_same_seat_taken_twice_is_one_row_of_school_data_sync(
    make: Make, written: Write
) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["enrollments"] += [{**rows["enrollments"][0], "sourcedId": "again"}]

    sds = written(make(change), columns("microsoft-sds-2.1"))
    seats = Counter(tuple(row.values()) for row in sds["enrollments.csv"])
    assert len(seats) == 5
    assert set(seats.values()) == {1}


def test_an_end_is_its_last_day_where_somebody_reads_it_so(make: Make, written: Write) -> None:
    for variant, end in ((None, "2027-01-15"), ("last-days", "2027-01-14")):
        sds = written(make(), columns("microsoft-sds-2.1", variant))
        assert sds["academicSessions.csv"][1]["endDate"] == end


def test_our_school_data_sync_is_read_back_by_our_own_vendor_profile(
    district_roster: Roster, tmp_path: Path
) -> None:
    profile, file = profiles.load("microsoft-sds-2.1", "demographics"), tmp_path / "sds.zip"
    render(district_roster, profile, file)
    on = date(2026, 9, 14)
    drop = io.BytesIO(file.read_bytes())
    with open_source(drop, source(vendor="microsoft-sds-2.1")) as package:
        judged = build_candidate(package, None, tmp_path / "read", today=on)
    assert list(judged.findings) == []
    assert judged.roster is not None
    wanted = HELD["microsoft-sds-2.1"](frames(district_roster), on)
    made = as_in(wanted, frames(judged.roster))
    for entity, frame in wanted.items():
        pd.testing.assert_frame_equal(_sorted(made[entity]), _sorted(frame), obj=entity)


def test_accounts_have_a_row_for_each_person_with_their_chief_role(
    make: Make, written: Write
) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][4]["primaryOrgSourcedId"] = "d1"
        role = {"roleType": "primary", "role": "districtAdministrator", "orgSourcedId": "d1"}
        rows["roles"].append({"sourcedId": "r9", "userSourcedId": "u5", **role})

    accounts = written(make(change), columns("accounts"))["accounts.csv"]
    assert len(accounts) == 5
    assert list(accounts[4].values()) == [
        *("u5", "u5", "Alan", "Turing", "u5@example.org"),
        *("districtAdministrator", "Springfield", "true"),
    ]


def test_what_does_not_fit_is_told_with_the_checks_of_the_profile(
    make: Make, tmp_path: Path
) -> None:
    """One student has an address that another has, one teacher none, and one class no student."""

    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][0]["email"] = rows["users"][1]["email"]
        rows["users"][3]["email"] = ""
        rows["users"][2]["familyName"] = ""
        rows["enrollments"][2]["role"] = "proctor"

    profile = profiles.load("apple", "federated")
    assert [(found.message, found.stops) for found in unfit(make(change), profile)] == [
        ("Apple wants a student in each class: 1 of 2 classes has none.", False),
        ("Apple needs an e-mail for each federated user: 1 of 5 users has none.", False),
        (
            "Apple wants each federated user to have an e-mail of their own: 2 of 5 users share "
            "theirs.",
            False,
        ),
        ("1 row of students.csv has no last_name.", True),
    ]
    told = adapted(make(_no_student_at_all), profile, tmp_path / "told")
    assert told.left_out == {"users": 3, "enrollments": 3}


def test_who_is_not_sent_needs_no_address(make: Make) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][0] |= {"enabledUser": "false", "email": ""}
        rows["users"][1]["email"] = ""

    (found,) = unfit(make(change), profiles.load("apple", "federated"))
    assert found.message.endswith("1 of 4 users has none.")


def test_a_class_whose_students_are_all_disabled_has_none_at_apple(make: Make) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][2]["enabledUser"] = "false"

    (found,) = unfit(make(change), profiles.load("apple"))
    assert found.message == "Apple wants a student in each class: 1 of 2 classes has none."


def test_a_line_break_in_a_name_is_a_blank_to_who_reads_line_by_line(
    make: Make, written: Write
) -> None:
    def change(rows: dict[str, list[dict[str, str]]]) -> None:
        rows["users"][0] |= {"givenName": "Ada\r\nMae", "phone": "+15551234567"}
        rows["users"][1] |= {"familyName": "O\nNeill", "phone": "555 1234"}

    sds = written(make(change), columns("microsoft-sds-2.1"))["users.csv"]
    assert (sds[0]["givenName"], sds[1]["familyName"]) == ("Ada Mae", "O Neill")
    (found,) = unfit(make(change), profiles.load("microsoft-sds-2.1"))
    assert found.message.endswith("and drops others: 1 of 5 users has others.")


def _no_student_at_all(rows: dict[str, list[dict[str, str]]]) -> None:
    for role in rows["roles"][:3]:
        role["role"] = "parent"


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).sort_values(list(frame.columns)).reset_index(drop=True)
