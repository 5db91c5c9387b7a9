"""Rules over a whole roster: what they look at, what they leave alone, and where they point."""

from datetime import date

import pytest

from roster_pipeline.oneroster.entities import ENTITIES, names
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.rules import LENIENT, Policy
from roster_pipeline.quality.view import RosterView
from roster_pipeline.quality.whole import WHOLE, judge_whole, wanted
from roster_pipeline.quality.whole_rules import WholeRule
from tests.quality.breaking import TODAY
from tests.quality.conftest import Build
from tests.small import Row, district


def row(files: dict[str, list[Row]], entity: str, key: str) -> Row:
    return next(row for row in files[entity] if row["sourcedId"] == key)


@pytest.mark.parametrize("rule", WHOLE, ids=lambda rule: rule.code)
def test_a_rule_reads_the_columns_that_it_names_and_no_other(
    rule: WholeRule, accepted: Roster
) -> None:
    view = RosterView(accepted, {}, wanted([rule]), version=Version.V1P2, today=TODAY)

    list(rule.breaks(view))

    for entity, columns in rule.reads.items():
        assert entity in ENTITIES
        assert set(columns) <= set(names(entity))


@pytest.mark.parametrize("rule", WHOLE, ids=lambda rule: rule.code)
def test_a_rule_finds_nothing_in_nothing(rule: WholeRule) -> None:
    view = RosterView(Roster.empty(), {}, wanted([rule]), version=Version.V1P1, today=TODAY)

    assert all(some.rows is None or not len(some.rows) for some in rule.breaks(view))


def test_a_finding_says_the_line_and_the_sourced_id_of_its_row(build: Build) -> None:
    files = district()
    row(files, "users", "u3")["username"] = "U1"

    found = list(build(files, today=TODAY).findings)

    assert [(f.code, f.file, f.line, f.column) for f in found] == [
        ("key.username", "users.csv", line, "username") for line in (2, 4)
    ]
    assert [(f.entity, f.sourced_id, f.cause) for f in found] == [
        ("users", key, None) for key in ("u1", "u3")
    ]


def test_a_source_chooses_how_grave_a_rule_is(build: Build) -> None:
    files = district()
    row(files, "users", "u3")["username"] = "U1"
    stop = Policy(severities={"key.username": Severity.STOP})

    assert {f.severity for f in build(files).findings} == {Severity.WARN}
    stopped = build(files, policy=stop)
    assert {f.severity for f in stopped.findings} == {Severity.STOP}
    assert stopped.roster is None


def test_in_a_delta_only_its_own_rows_are_judged_beside_the_accepted_ones(
    build: Build, accepted: Roster
) -> None:
    files = district()
    stamp = {"status": "active", "dateLastModified": "2026-09-01T06:30:00.000Z"}
    changed = row(files, "users", "u3") | stamp | {"username": "U1"}

    delta = build({"users": [changed]}, accepted, modes={"users": "delta"}, today=TODAY)

    assert [(f.code, f.line, f.sourced_id) for f in delta.findings] == [("key.username", 2, "u3")]


def test_nobody_misses_what_was_held_back(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e5")["beginDate"] = "tomorrow"  # the teacher of cl2

    codes = {f.code for f in build(files, today=TODAY).findings}

    assert codes == {"cell.date"}


def test_what_is_missed_beyond_the_rows_held_back_is_told(build: Build) -> None:
    files = district()
    files["enrollments"] = [r for r in files["enrollments"] if r["role"] != "teacher"]
    row(files, "enrollments", "e1")["beginDate"] = "tomorrow"

    counts = build(files, today=TODAY).findings.counts()

    assert counts["class.without_teacher"] == 2
    assert "user.without_enrollment" not in counts


def test_rules_that_compare_with_the_day_need_one(build: Build) -> None:
    files = district()
    for session in files["academicSessions"]:
        session |= {"startDate": "2019-08-20", "endDate": "2020-06-12", "schoolYear": "2020"}

    assert not build(files).findings
    assert build(files, today=TODAY).findings.counts() == {"session.all_past": 1}


def test_rules_that_read_an_entity_cut_short_are_left_out(accepted: Roster) -> None:
    def codes(*unread: str) -> set[str]:
        found = judge_whole(
            accepted,
            dict.fromkeys(ENTITIES, 99),
            lambda entity: f"{entity}.csv",
            version=Version.V1P2,
            policy=LENIENT,
            today=date(2030, 1, 1),
            unread=unread,
        )
        return set(found.counts())

    assert codes() == {"session.all_past"}
    assert codes("academicSessions") == set()


def test_without_any_enrollment_nobody_is_told_that_there_is_none(build: Build) -> None:
    files = district()
    del files["enrollments"]

    assert build(files, today=TODAY).findings.counts() == {"package.no_file": 1}


def test_an_ended_enrollment_counts_until_it_ends(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e3")["endDate"] = TODAY.isoformat()

    assert not build(files).findings
    assert not build(files, today=date(2026, 9, 30)).findings
    assert build(files, today=TODAY).findings.counts() == {
        "class.without_student": 1,
        "user.without_enrollment": 1,
    }


def test_a_class_whose_terms_are_over_misses_nobody(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e3")["classSourcedId"] = "cl1"

    assert "class.without_student" in build(files, today=TODAY).findings.counts()
    assert not build(files, today=date(2027, 1, 15)).findings


# ---- one person with two rows in 1.1 ----


def twice(files: dict[str, list[Row]], role: str) -> None:
    """The teacher has one more row, with another role."""
    files["users"].append(row(files, "users", "u4") | {"sourcedId": "u4b", "role": role})


def test_in_1p1_a_person_may_have_a_row_for_each_role(build: Build) -> None:
    files = district("1.1")
    twice(files, "administrator")

    assert not build(files, version="1.1", today=TODAY).findings


def test_in_1p1_two_rows_of_one_role_collide(build: Build) -> None:
    files = district("1.1")
    twice(files, "teacher")

    counts = build(files, version="1.1", today=TODAY).findings.counts()

    assert counts == {"key.email": 2, "key.username": 2}


# ---- what is no breach ----


def test_a_family_shares_an_address(build: Build) -> None:
    files = district()
    files["users"].append(row(files, "users", "u1") | {"sourcedId": "g1", "username": "g1"})
    files["roles"].append(
        {"sourcedId": "r-g1", "userSourcedId": "g1", "roleType": "primary", "role": "guardian",
         "orgSourcedId": "s1"}
    )  # fmt: skip

    assert not build(files, today=TODAY).findings


def test_namesakes_born_on_other_days_are_two_people(build: Build) -> None:
    files = district()
    row(files, "users", "u3").update(givenName="Ada", familyName="Null")
    files["demographics"] = [
        {"sourcedId": key, "birthDate": day}
        for key, day in {"u1": "2012-03-04", "u3": "2012-03-05"}.items()
    ]

    assert not build(files, today=TODAY).findings


def test_a_class_may_go_from_one_primary_teacher_to_the_next(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e4").update(primary="true", endDate="2026-11-01")
    files["enrollments"].append(
        row(files, "enrollments", "e4")
        | {"sourcedId": "e6", "userSourcedId": "u5", "beginDate": "2026-11-01", "endDate": ""}
    )

    assert not build(files, today=TODAY).findings


def test_one_primary_teacher_enrolled_twice_is_not_two(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e4")["primary"] = "true"
    files["enrollments"].append(row(files, "enrollments", "e4") | {"sourcedId": "e6"})

    assert build(files, today=TODAY).findings.counts() == {"key.enrollment": 2}


def test_someone_who_comes_back_is_enrolled_twice_but_not_at_once(build: Build) -> None:
    files = district()
    row(files, "enrollments", "e1")["endDate"] = "2026-09-10"
    files["enrollments"].append(
        row(files, "enrollments", "e1")
        | {"sourcedId": "e6", "beginDate": "2026-09-20", "endDate": ""}
    )

    assert not build(files, today=TODAY).findings


def test_a_districts_own_roles_and_org_types_are_not_judged(build: Build) -> None:
    files = district()
    row(files, "roles", "r-u1")["role"] = "ext:pupil"
    row(files, "roles", "r-u4")["role"] = "ext:coach"

    assert not build(files, today=TODAY).findings


def test_a_school_year_that_ends_with_the_calendar_year_has_its_number(build: Build) -> None:
    files = district()
    for session in files["academicSessions"]:
        session |= {"startDate": "2026-02-01", "endDate": "2027-01-01", "schoolYear": "2026"}

    assert not build(files, today=TODAY).findings


def test_a_wrong_school_year_is_told_once_and_not_of_its_terms(build: Build) -> None:
    files = district()
    row(files, "academicSessions", "y1")["schoolYear"] = "2026"

    found = list(build(files, today=TODAY).findings)

    assert [(f.code, f.sourced_id) for f in found] == [("session.school_year", "y1")]
