"""Files that are not OneRoster, read by a mapping."""

from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.oneroster.findings import Finding, Severity
from roster_pipeline.quality.candidate import Candidate
from roster_pipeline.sources.mapping.reading import LIST_LIMIT
from tests.sources.mapping.school import files, judged, roster_of, said, table_bytes


def rows(candidate: Candidate, entity: str, *columns: str) -> list[tuple[Any, ...]]:
    frame = roster_of(candidate).frame(entity)
    cells = frame[list(columns)].astype(object).where(frame[list(columns)].notna(), None)
    return [tuple(row) for row in cells.itertuples(index=False)]


def found(candidate: Candidate, code: str) -> list[Finding]:
    return [finding for finding in candidate.findings if finding.code == code]


def test_a_clean_district_has_no_findings_and_all_nine_or_fewer_entities(tmp_path: Path) -> None:
    made = judged(files(), tmp_path)
    assert [str(finding) for finding in made.findings] == []
    assert roster_of(made).counts == {
        "orgs": 3,
        "academicSessions": 2,
        "courses": 1,
        "classes": 2,
        "users": 3,
        "userProfiles": 0,
        "roles": 3,
        "demographics": 0,
        "enrollments": 5,
    }


def test_cells_are_constants_templates_parts_and_words_of_lookups(tmp_path: Path) -> None:
    made = judged(files(), tmp_path)
    assert rows(made, "users", "sourcedId", "givenName", "familyName", "grades") == [
        ("student-1", "Ada", "Null", "KG"),
        ("student-2", "Zoë", "Müller", "01"),
        ("teacher-1", "Grace", "Hopper", None),
    ]
    assert rows(made, "classes", "title")[0] == ("Algebra (sec1)",)


def test_one_row_with_two_course_columns_is_two_enrollments_in_the_order_of_the_rows(
    tmp_path: Path,
) -> None:
    made = judged(files(), tmp_path)
    assert rows(made, "enrollments", "sourcedId", "schoolSourcedId", "role") == [
        ("1-sec1", "s1", "student"),
        ("1-sec2", "s1", "student"),
        ("2-sec1", "s1", "student"),
        ("t1-sec1", "s1", "teacher"),
        ("t1-sec2", "s1", "teacher"),
    ]


def test_only_some_rows_are_taken(tmp_path: Path) -> None:
    drop = files()
    drop["sections.csv"][1]["Kind"] = "Study hall"
    made = rows(judged(drop, tmp_path), "enrollments", "sourcedId", "role")
    assert [key for key, role in made if role == "teacher"] == ["t1-sec1"]


def test_some_rows_are_left_out_and_others_never_for_a_word_that_nobody_thought_of(
    tmp_path: Path,
) -> None:
    mapping = said()
    del mapping["tables"]["enrollments"][1]["only"]
    mapping["tables"]["enrollments"][1]["but"] = {"Kind": ["Online"]}
    drop = files()
    drop["sections.csv"][0]["Kind"] = "ONLINE "
    drop["sections.csv"][1]["Kind"] = "hybrid"
    made = judged(drop, tmp_path, mapping=mapping)
    assert [key for (key,) in rows(made, "enrollments", "sourcedId") if key[0] == "t"] == [
        "t1-sec2"
    ]


def test_blanks_around_cells_that_a_spreadsheet_makes_do_not_count_either(tmp_path: Path) -> None:
    drop = files()
    drop["students_2026.csv"][0]["ID"] = "\N{NO-BREAK SPACE}1\N{NO-BREAK SPACE}"
    assert rows(judged(drop, tmp_path), "users", "sourcedId")[0] == ("student-1",)


def test_dates_are_brought_to_the_form_of_the_standard(tmp_path: Path) -> None:
    made = judged(files(), tmp_path)
    sessions = rows(made, "academicSessions", "title", "startDate", "endDate")
    assert sessions[1] == ("Fall A", "2026-08-20", "2027-01-15")


def test_a_date_that_is_not_written_as_was_said_is_judged_as_it_is(tmp_path: Path) -> None:
    drop = files()
    for row in drop["sections.csv"]:
        row["Start"] = "20/8/2026"
    (finding,) = found(judged(drop, tmp_path), "excel.date")
    assert (finding.file, finding.line, finding.column) == ("sections.csv", 2, "Start")


@pytest.mark.parametrize("row", [0, 1])
def test_a_bad_cell_is_told_with_the_files_own_line_and_column(row: int, tmp_path: Path) -> None:
    drop = files()
    drop["students_2026.csv"][row]["Name"] = "Nobody"
    (finding,) = found(judged(drop, tmp_path), "cell.required")
    place = (finding.file, finding.line, finding.column, finding.sourced_id)
    assert place == ("students_2026.csv", row + 2, "Name", f"student-{row + 1}")


def test_rows_of_one_entity_are_told_by_the_file_that_each_came_from(tmp_path: Path) -> None:
    drop = files()
    drop["teachers.csv"][0]["Last"] = ""
    (finding,) = found(judged(drop, tmp_path), "cell.required")
    assert (finding.file, finding.line, finding.column) == ("teachers.csv", 2, "Last")


def test_a_word_of_each_is_told_as_the_column_that_it_was_and_the_joined_one(
    tmp_path: Path,
) -> None:
    drop = files()
    drop["students_2026.csv"][1]["Period 2"] = "no such section"
    told = found(judged(drop, tmp_path), "cell.required")
    assert {(f.file, f.line) for f in told} == {("students_2026.csv", 3)}
    assert "Period 2, section.Section" in {f.column for f in told}


def test_what_two_rows_say_alike_is_told_where_the_rows_are(tmp_path: Path) -> None:
    """Found in what was written, not in what was read."""
    drop = files()
    drop["teachers.csv"].append({**drop["teachers.csv"][0], "Last": "Other"})
    told = found(judged(drop, tmp_path), "key.duplicate")
    assert sorted((f.file, f.line, f.column) for f in told if f.entity == "users") == [
        ("teachers.csv", 2, "ID"),
        ("teachers.csv", 3, "ID"),
    ]


def test_findings_do_not_depend_on_the_size_of_the_blocks(tmp_path: Path) -> None:
    drop = files()
    drop["students_2026.csv"] *= 20
    drop["students_2026.csv"][7] = {**drop["students_2026.csv"][7], "Email": ""}
    whole = judged(drop, tmp_path / "whole")
    cut = judged(drop, tmp_path / "cut", block_bytes=100)
    assert sorted(map(str, whole.findings)) == sorted(map(str, cut.findings))
    for entity, count in roster_of(whole).counts.items():
        assert count == roster_of(cut).counts[entity]


def test_where_rows_differ_that_should_say_the_same_the_first_is_taken_and_it_is_told(
    tmp_path: Path,
) -> None:
    drop = files()
    drop["sections.csv"][1]["Title"] = "Algebra Two"
    made = judged(drop, tmp_path)
    (finding,) = found(made, "mapping.differs")
    assert (finding.file, finding.line, finding.sourced_id) == ("sections.csv", 3, "course-c1")
    assert finding.severity is Severity.WARN
    assert rows(made, "courses", "title") == [("Algebra",)]


@pytest.mark.parametrize("alike", [False, True])
def test_two_people_to_whom_a_mapping_gives_one_id_are_held_and_one_person_is_not(
    alike: bool, tmp_path: Path
) -> None:
    """Else a student had the roles of the teacher of that number."""
    mapping = said()
    teachers = mapping["tables"]["users"][1]
    teachers["first"] = True
    teachers["columns"]["sourcedId"] = "student-{ID}"
    mapping["tables"]["roles"][1]["columns"]["userSourcedId"] = "student-{ID}"
    drop = files()
    drop["teachers.csv"].append({**drop["teachers.csv"][0], "Email": "other@example.org"})
    if alike:
        for row in drop["teachers.csv"]:
            row.update(First="ADA ", Last="Hopper")
    made = judged(drop, tmp_path, mapping=mapping)
    if alike:
        assert ("student-1",) in rows(made, "users", "sourcedId")
        assert found(made, "mapping.differs")
        return
    assert rows(made, "users", "sourcedId") == [("student-2",)]
    assert [user for (user,) in rows(made, "roles", "userSourcedId")] == ["student-2"]
    told = {(f.file, f.line) for f in found(made, "key.duplicate")}
    assert {("students_2026.csv", 2), ("teachers.csv", 2)} <= told


def test_provenance_in_the_roster_names_the_files_own_lines(tmp_path: Path) -> None:
    from roster_pipeline.oneroster.origins import lines_of

    users = next(roster_of(judged(files(), tmp_path)).blocks("users", ["sourcedId"], True))
    assert users["_file"].tolist() == ["students_2026.csv", "students_2026.csv", "teachers.csv"]
    assert lines_of(users["_line"].to_numpy()).tolist() == [2, 3, 2]


def test_a_broken_row_is_held_and_what_it_was_stays(tmp_path: Path) -> None:
    before = roster_of(judged(files(), tmp_path / "before"))
    drop: dict[str, Any] = files()
    content = table_bytes(drop["students_2026.csv"])
    drop["students_2026.csv"] = content.replace(b",sec1,\r\n", b",\r\n")
    made = judged(drop, tmp_path / "after", base=before)
    (finding,) = found(made, "row.too_few_cells")
    assert (finding.file, finding.line) == ("students_2026.csv", 3)
    assert roster_of(made).counts == before.counts


# ---- files ----


def test_files_may_lie_in_a_folder_and_case_does_not_count(tmp_path: Path) -> None:
    drop: dict[str, Any] = {f"Export 1/{name.upper()}": rows for name, rows in files().items()}
    drop |= {"__MACOSX/._x": b"", "Export 1/": b""}
    assert not judged(drop, tmp_path).findings


def test_a_missing_file_stops_and_is_told_once(tmp_path: Path) -> None:
    drop = files()
    del drop["students_2026.csv"]
    made = judged(drop, tmp_path)
    assert made.roster is None
    stops = [f for f in made.findings if f.severity is Severity.STOP]
    assert [(f.code, f.file) for f in stops] == [("package.missing_file", "students*.csv")]


def test_two_files_for_one_stop(tmp_path: Path) -> None:
    drop = files()
    drop["students_2027.csv"] = drop["students_2026.csv"]
    made = judged(drop, tmp_path)
    assert made.roster is None
    assert [f.file for f in found(made, "package.duplicate_file")] == ["students_2027.csv"]


def test_a_plain_name_goes_before_a_pattern(tmp_path: Path) -> None:
    mapping = said()
    mapping["files"]["more"] = {"name": "students_more.csv"}
    drop: dict[str, Any] = {**files(), "students_more.csv": b"x\n1\n"}
    assert not judged(drop, tmp_path, mapping=mapping).findings


def test_a_file_that_nobody_knows_is_told_and_not_read(tmp_path: Path) -> None:
    drop: dict[str, Any] = {**files(), "lunch.csv": b"x\n1\n"}
    (finding,) = judged(drop, tmp_path).findings
    assert (finding.code, finding.file) == ("package.unknown_file", "lunch.csv")


def test_an_entity_whose_files_are_all_missing_and_may_be_is_left_as_it_was(tmp_path: Path) -> None:
    mapping = said()
    mapping["files"]["race"] = {"name": "race.csv", "required": False}
    mapping["tables"]["demographics"] = [
        {"rows_of": "race", "columns": {"sourcedId": "student-{ID}", "sex": "{Sex}"}}
    ]
    with_race: dict[str, Any] = {**files(), "race.csv": [{"ID": "1", "Sex": "female"}]}
    before = judged(with_race, tmp_path / "before", mapping=mapping)
    after = judged(files(), tmp_path / "after", mapping=mapping, base=roster_of(before))
    assert roster_of(after).counts["demographics"] == 1


@pytest.mark.parametrize("sent", [None, b"ID,Email,First,Last,School\r\n"])
def test_who_came_from_a_file_that_is_missing_or_empty_stays_though_others_are_there(
    sent: bytes | None, tmp_path: Path
) -> None:
    mapping = said()
    mapping["files"]["teachers"]["required"] = False
    before = roster_of(judged(files(), tmp_path / "before", mapping=mapping))
    drop: dict[str, Any] = files()
    del drop["teachers.csv"], drop["students_2026.csv"][1]
    if sent is not None:
        drop["Export/teachers.csv"] = sent
    made = judged(drop, tmp_path / "after", mapping=mapping, base=before)
    assert [key for (key,) in rows(made, "users", "sourcedId")] == ["student-1", "teacher-1"]
    told = found(made, "package.absent_file")
    assert [(f.file, f.entity) for f in told] == [("teachers.csv", "users")]


@pytest.mark.parametrize("joined", [False, True])
def test_who_came_by_a_column_that_is_missing_stays_as_it_was(joined: bool, tmp_path: Path) -> None:
    """A column that may be missing is called otherwise one day."""
    mapping = said()
    mapping["files"]["students"]["optional"] = ["Period *"]
    mapping["files"]["sections"]["optional"] = ["Title"]
    if joined:
        mapping["tables"]["enrollments"][0]["filled"] = ["period", "section.Title"]
        mapping["tables"]["classes"][0]["columns"]["title"] = "{Section}"
        mapping["tables"]["courses"][0]["columns"]["title"] = "{Course}"
    before = roster_of(judged(files(), tmp_path / "before", mapping=mapping))
    drop = files()
    file, column = ("sections.csv", "Title") if joined else ("students_2026.csv", "Period 2")
    for row in drop[file]:
        row["New name"] = row.pop(column)
    del drop["students_2026.csv"][1]
    made = judged(drop, tmp_path / "after", mapping=mapping, base=before)
    left = {key for (key,) in rows(made, "enrollments", "sourcedId")}
    assert {"1-sec1", "1-sec2", "t1-sec1", "t1-sec2"} == left
    told = {(f.file, f.column, f.entity) for f in found(made, "package.absent_file")}
    assert told == {(file, column, "enrollments")}


# ---- columns ----


def test_a_column_that_is_needed_and_missing_stops_and_is_told_once(tmp_path: Path) -> None:
    drop = files()
    for row in drop["students_2026.csv"]:
        row["Student No"] = row.pop("ID")
    made = judged(drop, tmp_path)
    assert made.roster is None
    (finding,) = [f for f in made.findings if f.severity is Severity.STOP]
    place = (finding.code, finding.file, finding.line, finding.column)
    assert place == ("header.missing_column", "students_2026.csv", 1, "ID")


def test_a_column_that_is_nearly_the_one_is_named(tmp_path: Path) -> None:
    drop = files()
    for row in drop["students_2026.csv"]:
        row["E-mail"] = row.pop("Email")
    (finding,) = found(judged(drop, tmp_path), "header.missing_column")
    assert "E-mail may be meant" in finding.message


def test_a_column_that_may_be_missing_is_empty(tmp_path: Path) -> None:
    mapping = said()
    mapping["files"]["students"]["optional"] = ["grade"]
    drop = files()
    for row in drop["students_2026.csv"]:
        del row["Grade"]
    made = judged(drop, tmp_path, mapping=mapping)
    assert not made.findings
    assert set(rows(made, "users", "grades")) == {(None,)}


def test_columns_that_nobody_knows_are_told_once_each_and_ignored_ones_never(
    tmp_path: Path,
) -> None:
    drop = files()
    for row in drop["students_2026.csv"]:
        row |= {"Bus": "7", "Allergy": ""}
    told = list(judged(drop, tmp_path).findings)
    assert [(f.code, f.file, f.line, f.column) for f in told] == [
        ("header.unknown_column", "students_2026.csv", 1, "Bus"),
        ("header.unknown_column", "students_2026.csv", 1, "Allergy"),
    ]


def test_a_file_without_its_header_stops_without_a_cell_being_told(tmp_path: Path) -> None:
    drop: dict[str, Any] = files()
    drop["students_2026.csv"] = table_bytes(drop["students_2026.csv"]).split(b"\r\n", 1)[1]
    made = judged(drop, tmp_path)
    assert made.roster is None
    assert [f.code for f in made.findings if f.severity is Severity.STOP] == ["header.none"]
    assert not any("Ada" in f"{f}{f.fix}" for f in made.findings)


def test_blanks_around_cells_do_not_count(tmp_path: Path) -> None:
    drop = files()
    for row in drop["students_2026.csv"]:
        row["Period 1"] = f"  {row['Period 1']} "
    assert not judged(drop, tmp_path).findings


def test_an_empty_list_is_told_where_the_files_have_the_other_one_too(tmp_path: Path) -> None:
    mapping = said()
    course = mapping["tables"]["courses"][0]["columns"]
    drop = files()
    for row in drop["sections.csv"]:
        row.update(Subject="Algebra", Codes="")
    mapping["files"]["sections"]["ignore"] = ["Subject", "Codes"]
    course["subjects"] = "{Subject}"
    assert not judged(drop, tmp_path / "one", mapping=mapping).findings
    course["subjectCodes"] = "{Codes}"
    both = judged(drop, tmp_path / "both", mapping=mapping)
    assert {f.code for f in both.findings} == {"row.one_list_empty"}


def test_a_key_that_everybody_has_makes_no_endless_lists(tmp_path: Path) -> None:
    mapping = said()
    mapping["files"]["kin"] = {"name": "kin.csv"}
    student = mapping["tables"]["users"][0]
    student["join"] = {"kin": {"file": "kin", "by": "{ID}", "key": "{Child}", "every": True}}
    student["columns"]["phone"] = "{kin.Phone}"
    drop = files()
    kin = [{"Child": "1", "Phone": f"555-{number:04}"} for number in range(LIST_LIMIT + 1)]
    kin += [{"Child": "2", "Phone": "556"}, {"Child": "2", "Phone": "557"}] * LIST_LIMIT
    made = judged({**drop, "kin.csv": kin}, tmp_path, mapping=mapping)
    assert [phone for (phone,) in rows(made, "users", "phone")] == [None, "556,557", None]
    (told,) = found(made, "mapping.differs")
    assert (told.file, told.line) == ("kin.csv", 2)
    assert "more than 200" in told.message


def test_metadata_columns_are_made_too(tmp_path: Path) -> None:
    mapping = said()
    mapping["tables"]["users"][0]["columns"]["metadata.locker"] = "{Locker}"
    made = judged(files(), tmp_path, mapping=mapping)
    assert rows(made, "users", "metadata.locker") == [("9",), (None,), (None,)]


def test_a_status_means_what_it_says(tmp_path: Path) -> None:
    mapping = said()
    mapping["tables"]["users"][1]["columns"]["status"] = {
        "value": "{Left}",
        "lookup": "statuses",
    }
    mapping["lookups"]["statuses"] = {"y": "tobedeleted", "n": ""}
    drop = files()
    drop["teachers.csv"][0]["Left"] = "N"
    drop["teachers.csv"].append(
        {**drop["teachers.csv"][0], "ID": "9", "Email": "x@example.org", "Left": "Y"}
    )
    made = judged(drop, tmp_path, mapping=mapping)
    assert "teacher-9" not in roster_of(made).frame("users")["sourcedId"].tolist()
    assert {f.code for f in made.findings} <= {"reference.removed", "reference.unknown"}


def test_tables_of_1p1_are_brought_up_to_1p2(tmp_path: Path) -> None:
    mapping = said()
    mapping["version"] = "1.1"
    del mapping["tables"]["roles"]
    for table, role in zip(mapping["tables"]["users"], ("student", "teacher"), strict=True):
        table["columns"] |= {"role": role, "orgSourcedIds": "{School}"}
    made = judged(files(), tmp_path, mapping=mapping)
    assert not made.findings
    assert rows(made, "roles", "userSourcedId", "role")[2] == ("teacher-1", "teacher")
