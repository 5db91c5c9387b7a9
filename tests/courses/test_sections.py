"""The classes that a product opens."""

from datetime import date
from pathlib import Path

import pandas as pd

from roster_pipeline.courses.matching import READ, CourseMap, map_courses
from roster_pipeline.courses.sections import COLUMNS, Sections, sections
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.store import IGNORE
from tests.courses.scene import catalogue, decision, roster, settings
from tests.small import Row, district

MATHS = catalogue({"id": "alg-1", "title": "Algebra 1"})
DAY = date(2026, 9, 1)


def made(files: dict[str, list[Row]], tmp_path: Path, day: date = DAY, **said: str) -> Sections:
    whole = roster(files, tmp_path / "roster")
    return sections(whole, course_map(whole, **(said or {"co1": "alg-1"})), day)


def course_map(whole: Roster, **said: str) -> CourseMap:
    decisions = [decision(course, what) for course, what in said.items()]
    return map_courses(whole.columns("courses", READ), MATHS, decisions, settings(), "springfield")


def enrolled(key: str, class_id: str, user: str, role: str, **cells: str) -> Row:
    return {
        "sourcedId": key,
        "classSourcedId": class_id,
        "schoolSourcedId": "s1",
        "userSourcedId": user,
        "role": role,
        **cells,
    }


def test_a_class_of_a_mapped_course_is_a_section(tmp_path: Path) -> None:
    found = made(district(), tmp_path)
    assert tuple(found.frame.columns) == COLUMNS
    (row,) = found.frame.to_dict("records")
    assert {name: cell for name, cell in row.items() if not pd.isna(cell)} == {
        "classSourcedId": "cl1",
        "schoolYear": "2027",
        "productCourse": "alg-1",
        "title": "Algebra 1",
        "classType": "scheduled",
        "courseSourcedId": "co1",
        "schoolSourcedId": "s1",
        "termSourcedIds": "t1",
        "startDate": "2026-08-20",
        "endDate": "2027-01-15",
        "teacherSourcedIds": "u4",
        "teamTaught": "false",
        "students": 2,
        "section": 1,
        "sections": 1,
    }
    assert (found.unmapped, found.ignored) == (1, 0)


def test_several_classes_of_one_course_are_several_sections(tmp_path: Path) -> None:
    files = district()
    files["classes"] += [
        {**files["classes"][0], "sourcedId": f"cl1{n}", "title": f"Algebra {n}"} for n in (3, 2)
    ]
    frame = made(files, tmp_path).frame
    assert frame["classSourcedId"].tolist() == ["cl1", "cl12", "cl13"]
    assert frame["section"].tolist() == [1, 2, 3]
    assert set(frame["sections"]) == {3}


def test_two_district_courses_may_be_one_of_the_product_s(tmp_path: Path) -> None:
    frame = made(district(), tmp_path, co1="alg-1", co2="alg-1").frame
    assert frame["courseSourcedId"].tolist() == ["co1", "co2"]
    assert set(frame["sections"]) == {2}


def test_a_team_is_one_section_with_its_primary_teacher_first(tmp_path: Path) -> None:
    files = district()
    files["users"].append({**files["users"][3], "sourcedId": "u9", "username": "u9"})
    files["roles"].append({**files["roles"][3], "sourcedId": "r9", "userSourcedId": "u9"})
    files["enrollments"] += [
        enrolled("e6", "cl1", "u9", "teacher", primary="true"),
        enrolled("e7", "cl1", "u9", "teacher", primary="false"),
    ]
    found = made(files, tmp_path)
    assert found.frame["teacherSourcedIds"].tolist() == ["u9,u4"]
    assert found.frame["teamTaught"].tolist() == ["true"]
    assert found.counts["team-taught"] == 1


def test_who_has_left_teaches_and_learns_no_longer(tmp_path: Path) -> None:
    files = district()
    for row in files["enrollments"]:
        if row["sourcedId"] in ("e1", "e4"):
            row |= {"beginDate": "2026-08-20", "endDate": DAY.isoformat()}
    found = made(files, tmp_path)
    assert found.frame["students"].tolist() == [1]
    assert found.frame["teacherSourcedIds"].isna().all()
    assert found.counts["without a teacher"] == 1
    day_before = sections(
        Roster.open(tmp_path / "roster"),
        course_map(Roster.open(tmp_path / "roster"), co1="alg-1"),
        date(2026, 8, 31),
    )
    assert day_before.frame["students"].tolist() == [2]
    assert day_before.frame["teacherSourcedIds"].tolist() == ["u4"]


def test_a_class_over_several_terms_lasts_from_the_first_to_the_last(tmp_path: Path) -> None:
    files = district()
    files["academicSessions"].append(
        {**files["academicSessions"][1], "sourcedId": "t2", "title": "Spring",
         "startDate": "2027-01-15", "endDate": "2027-06-12"}
    )  # fmt: skip
    files["classes"][0]["termSourcedIds"] = "t2,t1"
    frame = made(files, tmp_path).frame
    assert frame["startDate"].tolist() == ["2026-08-20"]
    assert frame["endDate"].tolist() == ["2027-06-12"]


def test_ignored_and_unmapped_classes_are_counted_and_no_sections(tmp_path: Path) -> None:
    found = made(district(), tmp_path, co2=IGNORE)
    assert len(found.frame) == 0
    assert tuple(found.frame.columns) == COLUMNS
    assert (found.unmapped, found.ignored) == (1, 1)
    assert found.counts["sections"] == 0


def test_a_roster_without_classes_has_no_sections() -> None:
    empty = Roster.empty()
    found = sections(empty, course_map(empty), DAY)
    assert (len(found.frame), found.unmapped, found.ignored) == (0, 0, 0)


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    files = district()
    turned = {name: list(reversed(rows)) for name, rows in files.items()}
    one = made(files, tmp_path / "one", co1="alg-1", co2="alg-1").frame
    other = made(turned, tmp_path / "other", co1="alg-1", co2="alg-1").frame
    pd.testing.assert_frame_equal(one, other)
