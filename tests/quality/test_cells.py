"""What is found in single cells, and what becomes of them."""

import pandas as pd
import pytest

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import STRICT, Policy
from roster_pipeline.quality.excel import damage, scientific
from roster_pipeline.quality.grades import wrong_grades
from roster_pipeline.quality.lists import has_gap, without_gaps
from roster_pipeline.tables.text import TEXT
from tests.quality.conftest import Build
from tests.small import Row, district

NOW = "2026-09-01T00:00:00.000Z"


def texts(*cells: str | None) -> pd.Series:
    return pd.Series(cells, dtype=TEXT)


def row(files: dict[str, list[Row]], entity: str, key: str) -> Row:
    return next(row for row in files[entity] if row["sourcedId"] == key)


def cell(roster: Roster | None, entity: str, key: str, column: str) -> str | None:
    assert roster is not None
    frame = roster.frame(entity).set_index("sourcedId")
    value = frame[column].to_dict()[key]
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(
    ("text", "is_number"),
    [("1.23E+11", True), ("1,23E+11", True), ("1E+05", True), ("1.23E11", True),
     ("5E2", False), ("123456", False), ("E+11", False), ("1.23E+11x", False)],
)  # fmt: skip
def test_numbers_as_excel_shortens_them_are_told_from_codes(text: str, is_number: bool) -> None:
    assert len(scientific(texts(None, text))) == is_number


@pytest.mark.parametrize(
    ("text", "by_excel"),
    [("8/22/2026", True), ("22.08.26", True), ("22-Aug-26", True), ("22. août 2026", True),
     ("46256", True), ("2026/8/22", True), ("8/22/2026 6:30 AM", True),
     ("soon", False), ("2026-02-31", False), ("2026", False), ("22", False)],
)  # fmt: skip
def test_dates_as_excel_writes_them_are_told_from_other_texts(text: str, by_excel: bool) -> None:
    column = Column("endDate", Kind.DATE, Required.NEVER)
    assert (damage(texts(text), column) is not None) == by_excel


@pytest.mark.parametrize(
    ("text", "in_1p1", "in_1p2"),
    [("09", False, False), ("KG,01", False, False), ("Other", False, False),
     ("9", True, True), ("K", True, True), ("Pre-K", True, True), ("9th", True, True),
     ("kg", True, True), ("Grade 9", True, True), ("Y7", True, False), ("-1", True, False)],
)  # fmt: skip
def test_1p2_leaves_grades_to_agreement_but_for_misspelt_ones(
    text: str, in_1p1: bool, in_1p2: bool
) -> None:
    judged = [wrong_grades(texts(text), version).item() for version in Version]
    assert dict(zip(Version, judged, strict=True)) == {
        Version.V1P1: in_1p1,
        Version.V1P2: in_1p2,
    }


def test_lists_lose_their_gaps() -> None:
    lists = texts("a,,b", ",a", "a,", "a,b", ",", None)
    assert has_gap(lists).tolist() == [True, True, True, False, True, False]
    assert without_gaps(lists).fillna("-").to_list() == ["a,b", "a", "a", "a,b", "-", "-"]


def test_a_list_with_a_gap_is_read_without_it(build: Build) -> None:
    files = district()
    row(files, "classes", "cl1").update(termSourcedIds="t1,", periods="1,,2")
    candidate = build(files)
    assert candidate.findings.counts() == {"cell.list": 2}
    assert cell(candidate.roster, "classes", "cl1", "termSourcedIds") == "t1"
    assert cell(candidate.roster, "classes", "cl1", "periods") == "1,2"


def test_a_required_list_of_nothing_but_commas_is_no_list(build: Build, accepted: Roster) -> None:
    files = district()
    row(files, "classes", "cl1")["termSourcedIds"] = ","
    candidate = build(files, accepted)
    assert candidate.findings.counts() == {"cell.reference": 1}
    assert cell(candidate.roster, "classes", "cl1", "termSourcedIds") == "t1"


def test_a_delta_row_without_its_status_is_taken_as_active(build: Build, accepted: Roster) -> None:
    changed = {**row(district(), "users", "u1"), "familyName": "Neu", "dateLastModified": NOW}
    candidate = build({"users": [changed]}, accepted, modes={"users": "delta"})
    assert candidate.findings.counts() == {"cell.delta_status": 1}
    assert cell(candidate.roster, "users", "u1", "familyName") == "Neu"


def test_a_thin_delete_row_is_a_breach_only_where_the_standard_is_insisted_on(
    build: Build, accepted: Roster
) -> None:
    thin = {"users": [{"sourcedId": "u2", "status": "tobedeleted"}]}
    found = build(thin, accepted, modes={"users": "delta"}).findings
    assert not any(finding.code.startswith("cell.") for finding in found)
    strict = build(thin, accepted, modes={"users": "delta"}, policy=STRICT).findings
    assert strict.counts()["cell.delta_status"] == 1


def test_a_row_that_ends_before_it_begins_still_takes_access_away(
    build: Build, accepted: Roster
) -> None:
    files = district()
    row(files, "enrollments", "e1").update(beginDate="2026-09-02", endDate="2026-09-01")
    candidate = build(files, accepted)
    assert candidate.held["enrollments"] == 1
    assert cell(candidate.roster, "enrollments", "e1", "endDate") == "2026-09-01"
    assert cell(candidate.roster, "enrollments", "e1", "beginDate") is None


def test_a_row_that_ends_on_the_day_it_begins_is_right(build: Build) -> None:
    files = district()
    row(files, "roles", "r-u1").update(beginDate="2026-09-01", endDate="2026-09-01")
    assert build(files).findings.counts().keys() <= {"enrollment.outside_terms"}


def test_of_two_primary_roles_at_an_org_the_first_stands(build: Build, accepted: Roster) -> None:
    files = district()
    files["roles"].insert(0, row(files, "roles", "r-u1") | {"sourcedId": "r-0", "role": "aide"})
    candidate = build(files, accepted)
    (finding,) = (f for f in candidate.findings if f.code == "key.primary_roles")
    assert (finding.line, finding.sourced_id) == (3, "r-u1")
    assert cell(candidate.roster, "roles", "r-0", "role") == "aide"
    assert cell(candidate.roster, "roles", "r-u1", "role") == "student"
    assert (candidate.held["roles"], candidate.standing_in["roles"]) == (1, 1)


@pytest.mark.parametrize(
    ("ended", "begun", "both"),
    [("2026-06-12", "2026-08-20", True), ("2026-08-20", "2026-08-20", True),
     ("2026-08-21", "2026-08-20", False), ("2026-06-12", "", False)],
)  # fmt: skip
def test_last_years_primary_role_does_not_stand_before_this_years(
    build: Build, ended: str, begun: str, both: bool
) -> None:
    files = district()
    mine = row(files, "roles", "r-u1")
    files["roles"].insert(0, mine | {"sourcedId": "r-0", "endDate": ended})
    mine["beginDate"] = begun
    candidate = build(files)
    assert candidate.held["roles"] == (0 if both else 1)
    assert ("key.primary_roles" in candidate.findings.counts()) is not both


def test_primary_roles_at_different_orgs_or_of_different_users_are_right(build: Build) -> None:
    files = district()
    files["roles"].append(row(files, "roles", "r-u5") | {"sourcedId": "r-6", "orgSourcedId": "d1"})
    assert "key.primary_roles" not in build(files).findings.counts()


def severity_of(build: Build, code: str, severity: Severity, **cells: str) -> tuple[str, Roster]:
    files = district()
    row(files, "classes", "cl1").update(cells)
    candidate = build(files, policy=Policy(severities={code: severity}))
    assert candidate.roster is not None
    (finding,) = (f for f in candidate.findings if f.code == code)
    return finding.severity, candidate.roster


def test_a_source_may_take_words_of_its_own(build: Build) -> None:
    said, roster = severity_of(build, "cell.vocabulary", Severity.WARN, classType="elective")
    assert said == Severity.WARN
    assert cell(roster, "classes", "cl1", "classType") == "elective"


def test_a_cell_that_a_row_must_have_is_not_blanked_whatever_a_source_says(build: Build) -> None:
    said, roster = severity_of(build, "cell.vocabulary", Severity.DROP, classType="elective")
    assert said == Severity.HOLD
    assert roster.counts["classes"] == 1


def test_what_cannot_be_compared_is_not_taken_whatever_a_source_says(build: Build) -> None:
    said, roster = severity_of(build, "cell.reference", Severity.WARN, courseSourcedId="c o")
    assert said == Severity.HOLD
    assert roster.counts["classes"] == 1


def test_a_source_may_hold_rows_for_an_optional_cell(build: Build) -> None:
    files = district()
    row(files, "users", "u1")["userIds"] = "no braces"
    candidate = build(files, policy=Policy(severities={"cell.userIds": Severity.HOLD}))
    assert candidate.held["users"] == 1


def test_a_source_may_blank_a_wrong_end_date(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e1")["endDate"] = "soon"
    candidate = build(files, policy=Policy(severities={"cell.date": Severity.DROP}))
    assert cell(candidate.roster, "enrollments", "e1", "endDate") is None


@pytest.mark.parametrize(
    ("code", "entity", "key", "cells"),
    [("row.end_before_start", "enrollments", "e1",
      {"beginDate": "2026-09-02", "endDate": "2026-09-01"}),
     ("key.primary_roles", "roles", "r-u1", {"userSourcedId": "u2"})],
)  # fmt: skip
def test_a_source_may_take_rows_that_contradict_themselves(
    build: Build, code: str, entity: str, key: str, cells: dict[str, str]
) -> None:
    files = district()
    row(files, entity, key).update(cells)
    candidate = build(files, policy=Policy(severities={code: Severity.WARN}))
    assert candidate.findings.counts()[code] == 1
    assert candidate.held[entity] == 0
    assert candidate.roster is not None
    assert candidate.roster.counts[entity] == 5


def test_a_stop_that_a_source_chooses_says_all_that_is_wrong(build: Build) -> None:
    files = district()
    row(files, "orgs", "s1")["type"] = "academy"
    policy = Policy(severities={"cell.vocabulary": Severity.STOP})
    candidate = build(files, policy=policy)
    assert candidate.roster is None
    assert candidate.findings.counts()["reference.waiting"] > 5
