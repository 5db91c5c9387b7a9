"""What becomes of the rows of a package."""

import io
import threading
import zipfile

import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.roster import Roster, RosterWriter
from roster_pipeline.oneroster.rules import STRICT
from roster_pipeline.quality.candidate import Candidate
from tests.quality.conftest import Build
from tests.small import Row, district, packed


def keys(roster: Roster | None, entity: str) -> set[str]:
    assert roster is not None
    return set(roster.frame(entity)["sourcedId"])


def cell(roster: Roster | None, entity: str, key: str, column: str) -> str | None:
    assert roster is not None
    frame = roster.frame(entity).set_index("sourcedId")
    value = frame[column].to_dict()[key]
    return value if isinstance(value, str) else None


def codes(candidate: Candidate) -> dict[str, int]:
    return candidate.findings.counts()


def csv_of(files: dict[str, list[Row]], entity: str) -> str:
    with zipfile.ZipFile(io.BytesIO(packed(files))) as archive:
        return archive.read(f"{entity}.csv").decode()


def row(files: dict[str, list[Row]], entity: str, key: str) -> Row:
    return next(row for row in files[entity] if row["sourcedId"] == key)


def test_a_clean_package_is_taken_as_it_is(build: Build) -> None:
    candidate = build(district())
    assert len(candidate.findings) == 0
    assert candidate.roster is not None
    assert candidate.roster.counts == {
        "orgs": 2, "academicSessions": 2, "courses": 2, "classes": 2, "users": 5,
        "userProfiles": 0, "roles": 5, "demographics": 0, "enrollments": 5,
    }  # fmt: skip


def test_names_that_look_like_missing_values_are_names(build: Build) -> None:
    roster = build(district()).roster
    assert cell(roster, "users", "u1", "familyName") == "Null"
    assert cell(roster, "users", "u2", "givenName") == "NA"


def test_a_held_row_keeps_its_last_good_version(build: Build, accepted: Roster) -> None:
    files = district()
    row(files, "users", "u1")["givenName"] = ""
    row(files, "users", "u1")["familyName"] = "Changed"
    candidate = build(files, accepted)
    assert codes(candidate) == {"cell.required": 1}
    (finding,) = candidate.findings
    assert (finding.file, finding.line, finding.column) == ("users.csv", 2, "givenName")
    assert cell(candidate.roster, "users", "u1", "familyName") == "Null"
    assert candidate.roster is not None
    assert diff(accepted, candidate.roster).empty
    assert candidate.held["users"] == 1
    assert candidate.standing_in["users"] == 1


def test_a_new_held_row_waits_and_so_does_what_refers_to_it(build: Build, accepted: Roster) -> None:
    files = district()
    files["users"].append({"sourcedId": "u9", "enabledUser": "true", "username": "u9"})
    files["roles"].append({"sourcedId": "r-u9", "userSourcedId": "u9", "roleType": "primary",
                           "role": "student", "orgSourcedId": "s1"})  # fmt: skip
    candidate = build(files, accepted)
    assert codes(candidate) == {"cell.required": 2, "reference.waiting": 1}
    assert "u9" not in keys(candidate.roster, "users")
    assert "r-u9" not in keys(candidate.roster, "roles")


def test_what_refers_to_a_removed_row_goes_with_it(build: Build, accepted: Roster) -> None:
    files = district()
    files["users"].remove(row(files, "users", "u1"))
    candidate = build(files, accepted)
    assert codes(candidate) == {"reference.removed": 2}
    assert candidate.cascaded == {**candidate.cascaded, "roles": 1, "enrollments": 1}
    assert keys(candidate.roster, "enrollments") == {"e2", "e3", "e4", "e5"}


def test_a_reference_to_nothing_ever_seen_holds_the_row(build: Build, accepted: Roster) -> None:
    files = district()
    row(files, "enrollments", "e1")["userSourcedId"] = "u-typo"
    candidate = build(files, accepted)
    assert codes(candidate) == {"reference.unknown": 1}
    assert cell(candidate.roster, "enrollments", "e1", "userSourcedId") == "u1"


def test_an_optional_cell_that_is_wrong_is_blanked_and_the_row_lives(
    build: Build, accepted: Roster
) -> None:
    files = district()
    row(files, "users", "u1")["userIds"] = "no braces"
    row(files, "users", "u1")["familyName"] = "Neu"
    candidate = build(files, accepted)
    (finding,) = candidate.findings
    assert (finding.code, finding.severity) == ("cell.userIds", Severity.DROP)
    assert cell(candidate.roster, "users", "u1", "familyName") == "Neu"


def test_a_dangling_agent_is_taken_out_of_the_list(build: Build) -> None:
    files = district()
    row(files, "users", "u1")["agentSourcedIds"] = "u4,nobody"
    candidate = build(files)
    assert codes(candidate) == {"reference.unknown": 1}
    assert cell(candidate.roster, "users", "u1", "agentSourcedIds") == "u4"


def test_rows_that_share_a_sourced_id_and_differ_wait(build: Build, accepted: Roster) -> None:
    files = district()
    files["users"].append({**row(files, "users", "u1"), "familyName": "Other"})
    candidate = build(files, accepted)
    assert codes(candidate) == {"key.duplicate": 2}
    assert [finding.line for finding in candidate.findings] == [2, 7]
    assert cell(candidate.roster, "users", "u1", "familyName") == "Null"
    assert len(keys(candidate.roster, "enrollments")) == 5


def test_a_row_sent_twice_is_read_once(build: Build) -> None:
    files = district()
    files["enrollments"].append(dict(row(files, "enrollments", "e1")))
    candidate = build(files)
    assert codes(candidate) == {"key.repeated": 1}
    assert candidate.roster is not None
    assert candidate.roster.counts["enrollments"] == 5


def test_a_row_with_one_cell_too_many_is_held_and_no_deletion(
    build: Build, accepted: Roster
) -> None:
    text = csv_of(district(), "enrollments")
    broken = text.replace("e1,,,cl1,", "e1,,,cl1,surplus,", 1)
    candidate = build(district(), accepted, extra={"enrollments.csv": broken.encode()})
    assert codes(candidate) == {"row.too_many_cells": 1}
    assert keys(candidate.roster, "enrollments") == keys(accepted, "enrollments")


def test_a_row_whose_id_is_unreadable_is_recognised_by_its_other_cells(
    build: Build, accepted: Roster
) -> None:
    files = district()
    row(files, "enrollments", "e1")["sourcedId"] = "e 1!"
    del files["enrollments"][4]
    candidate = build(files, accepted)
    assert keys(candidate.roster, "enrollments") == {"e1", "e2", "e3", "e4"}


@pytest.mark.parametrize("more_is_wrong", [False, True])
def test_rows_whose_ids_excel_spoilt_are_no_deletions_beside_a_true_one(
    build: Build, more_is_wrong: bool
) -> None:
    files = district()
    for number, user in enumerate(files["users"]):
        user["identifier"] = f"1234567890{number}"
    base = build(files).roster
    assert base is not None
    for user in files["users"][:3]:
        user["sourcedId"] = user["identifier"] = "1.23E+11"
        if more_is_wrong:
            user["email"] = ""
    files["users"].pop()
    files["roles"].pop()
    candidate = build(files, base)
    assert keys(candidate.roster, "users") == {"u1", "u2", "u3", "u4"}
    assert keys(candidate.roster, "enrollments") == keys(base, "enrollments")
    assert codes(candidate)["key.unidentified"] == 1


def test_an_unreadable_row_that_is_found_keeps_no_other_one(build: Build, accepted: Roster) -> None:
    files = district()
    again = {"sourcedId": "e9", "endDate": "2026-12-01"}
    files["enrollments"].append({**row(files, "enrollments", "e1"), **again})
    base = build(files, accepted).roster
    assert base is not None
    row(files, "enrollments", "e1")["sourcedId"] = "e 1!"
    files["enrollments"].pop()
    candidate = build(files, base)
    assert keys(candidate.roster, "enrollments") == keys(accepted, "enrollments")


def test_a_header_only_file_keeps_the_accepted_rows(build: Build, accepted: Roster) -> None:
    files = district()
    files["enrollments"] = []
    candidate = build(files, accepted)
    assert candidate.header_only == ("enrollments",)
    assert keys(candidate.roster, "enrollments") == keys(accepted, "enrollments")


def test_an_absent_file_keeps_the_accepted_rows_but_not_what_dangles(
    build: Build, accepted: Roster
) -> None:
    files = district()
    del files["enrollments"]
    files["users"].remove(row(files, "users", "u1"))
    files["roles"].remove(row(files, "roles", "r-u1"))
    candidate = build(files, accepted)
    assert codes(candidate) == {"package.absent_file": 1}
    assert keys(candidate.roster, "enrollments") == {"e2", "e3", "e4", "e5"}


def test_a_first_package_without_a_required_file_stops(build: Build) -> None:
    files = district()
    del files["enrollments"]
    candidate = build(files)
    assert candidate.roster is None
    assert codes(candidate) == {"package.no_file": 1}


def test_a_delta_changes_only_what_it_names(build: Build, accepted: Roster) -> None:
    changed = {**row(district(), "users", "u1"), "familyName": "Neu", "status": "active",
               "dateLastModified": "2026-09-01T00:00:00.000Z"}  # fmt: skip
    gone = {"sourcedId": "u2", "status": "tobedeleted"}
    candidate = build({"users": [changed, gone]}, accepted, modes={"users": "delta"})
    assert codes(candidate) == {}
    assert keys(candidate.roster, "users") == {"u1", "u3", "u4", "u5"}
    assert cell(candidate.roster, "users", "u1", "familyName") == "Neu"
    assert keys(candidate.roster, "roles") == {"r-u1", "r-u3", "r-u4", "r-u5"}
    assert keys(candidate.roster, "enrollments") == {"e1", "e3", "e4", "e5"}


def test_to_be_deleted_in_a_bulk_file_is_a_removal(build: Build, accepted: Roster) -> None:
    files = district()
    row(files, "enrollments", "e1")["status"] = "tobedeleted"
    candidate = build(files, accepted)
    assert keys(candidate.roster, "enrollments") == {"e2", "e3", "e4", "e5"}


def test_what_takes_access_away_is_not_held_back(build: Build, accepted: Roster) -> None:
    files = district()
    user = row(files, "users", "u1")
    user |= {"enabledUser": "false", "givenName": ""}
    candidate = build(files, accepted)
    assert cell(candidate.roster, "users", "u1", "enabledUser") == "false"
    assert cell(candidate.roster, "users", "u1", "givenName") == "Ada"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_words_and_dates_are_rewritten_to_the_standards_spelling(
    build: Build, version: str
) -> None:
    files = district(version)
    row(files, "classes", "cl1")["classType"] = "Scheduled"
    row(files, "users", "u1")["enabledUser"] = "TRUE"
    row(files, "academicSessions", "t1")["endDate"] = "2027-01-15T00:00:00Z"
    candidate = build(files, version=version)
    assert codes(candidate) == {"cell.spelling": 2, "excel.boolean": 1}
    assert cell(candidate.roster, "classes", "cl1", "classType") == "scheduled"
    assert cell(candidate.roster, "users", "u1", "enabledUser") == "true"
    assert cell(candidate.roster, "academicSessions", "t1", "endDate") == "2027-01-15"


def test_strict_stops_on_what_lenient_only_notes(build: Build) -> None:
    files = district()
    row(files, "users", "u1")["enabledUser"] = "TRUE"
    assert build(files).roster is not None
    assert build(files, policy=STRICT).roster is None


def test_a_1p1_package_has_users_and_roles(build: Build) -> None:
    candidate = build(district("1.1"), version="1.1")
    assert codes(candidate) == {}
    assert "u5.s1.siteAdministrator" in keys(candidate.roster, "roles")
    assert "u1.s1.student" in keys(candidate.roster, "roles")


def test_roles_of_a_held_1p1_user_stay(build: Build) -> None:
    base = build(district("1.1"), version="1.1").roster
    files = district("1.1")
    row(files, "users", "u4")["givenName"] = ""
    candidate = build(files, base, version="1.1")
    assert candidate.roster is not None
    assert diff(base, candidate.roster).empty


def test_roles_of_a_changed_1p1_user_change(build: Build) -> None:
    base = build(district("1.1"), version="1.1").roster
    files = district("1.1")
    row(files, "users", "u4")["orgSourcedIds"] = "d1,s1"
    candidate = build(files, base, version="1.1")
    assert keys(candidate.roster, "roles") >= {"u4.d1.teacher", "u4.s1.teacher"}
    files["users"] = [{**row(files, "users", "u4"), "orgSourcedIds": "d1", "status": "active"}]
    later = build(
        {"users": files["users"]}, candidate.roster, version="1.1", modes={"users": "delta"}
    )
    assert "u4.s1.teacher" not in keys(later.roster, "roles")
    assert "u1.s1.student" in keys(later.roster, "roles")


def test_a_1p1_user_sent_twice_has_each_role_once(build: Build) -> None:
    base = build(district("1.1"), version="1.1").roster
    files = district("1.1")
    files["users"].append({**row(files, "users", "u1"), "orgSourcedIds": "d1,s1"})
    roster = build(files, base, version="1.1").roster
    assert roster is not None
    theirs = [key for key in roster.frame("roles")["sourcedId"] if key.startswith("u1.")]
    assert sorted(theirs) == ["u1.d1.student", "u1.s1.student"]


def test_1p1_users_who_share_a_sourced_id_and_differ_keep_the_roles_they_had(build: Build) -> None:
    base = build(district("1.1"), version="1.1").roster
    files = district("1.1")
    user = row(files, "users", "u1")
    user["orgSourcedIds"] = "d1"
    files["users"].append({**user, "role": "teacher", "givenName": "Other"})
    candidate = build(files, base, version="1.1")
    assert codes(candidate) == {"key.duplicate": 2}
    assert base is not None
    assert candidate.roster is not None
    assert diff(base, candidate.roster).empty


@pytest.mark.parametrize("last", ["true", "false"])
def test_rows_that_disagree_whether_an_account_is_enabled_leave_it_so(
    build: Build, accepted: Roster, last: str
) -> None:
    files = district()
    user = row(files, "users", "u1")
    user["enabledUser"] = "false" if last == "true" else "true"
    files["users"].append({**user, "enabledUser": last})
    candidate = build(files, accepted)
    assert codes(candidate) == {"key.duplicate": 2}
    assert candidate.roster is not None
    assert diff(accepted, candidate.roster).empty


def test_of_end_dates_that_disagree_the_latest_counts(build: Build, accepted: Roster) -> None:
    files = district()
    enrollment = row(files, "enrollments", "e1")
    enrollment["endDate"] = "2026-12-01"
    files["enrollments"].append({**enrollment, "endDate": "2026-10-01"})
    candidate = build(files, accepted)
    assert cell(candidate.roster, "enrollments", "e1", "endDate") == "2026-12-01"


@pytest.mark.parametrize("mode", ["bulk", "delta"])
def test_a_row_held_is_not_deleted_by_another_of_its_sourced_id(
    build: Build, accepted: Roster, mode: str
) -> None:
    files = district()
    user = row(files, "users", "u1")
    files["users"].append({**user, "status": "tobedeleted"})
    user["givenName"] = ""
    candidate = build(files, accepted, modes={"users": mode})
    assert candidate.roster is not None
    assert diff(accepted, candidate.roster).empty


def test_a_broken_row_is_known_by_its_sourced_id_with_blanks_around_it(
    build: Build, accepted: Roster
) -> None:
    files = district()
    del files["enrollments"][4]
    enrollments = csv_of(files, "enrollments").replace("\ne1,,,cl1,", "\n e1 ,,,cl1,surplus,")
    candidate = build(files, accepted, extra={"enrollments.csv": enrollments.encode()})
    assert codes(candidate) == {"row.too_many_cells": 1}
    assert keys(candidate.roster, "enrollments") == {"e1", "e2", "e3", "e4"}


@pytest.mark.parametrize("more", [[], ["e"], ["e5x"]])
def test_a_row_cut_within_its_sourced_id_is_no_deletion(
    build: Build, accepted: Roster, more: list[str]
) -> None:
    files = district()
    last = files["enrollments"][-1]
    for key in more:  # what is left may also be the sourcedId of another row
        other = {"sourcedId": key, "userSourcedId": "u1", "role": "student"}
        files["enrollments"].insert(0, {**last, **other})
    base = build(files, accepted).roster
    assert base is not None
    whole = csv_of(files, "enrollments")
    cut = whole[: whole.index("\r\ne5,") + 3]
    candidate = build(files, base, extra={"enrollments.csv": cut.encode()})
    assert codes(candidate) == {"key.unidentified": 1, "row.too_few_cells": 1}
    assert keys(candidate.roster, "enrollments") == keys(base, "enrollments")


def test_a_deletion_without_a_readable_sourced_id_is_found(build: Build, accepted: Roster) -> None:
    gone = {"sourcedId": "u 2", "status": "tobedeleted"}
    candidate = build({"users": [gone]}, accepted, modes={"users": "delta"})
    assert codes(candidate)["cell.sourcedId"] == 1
    assert candidate.held["users"] == 1


def test_a_full_disk_is_what_is_said_and_no_thread_is_left(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(RosterWriter, "write", full)
    with pytest.raises(OSError, match="No space left"):
        build(district(), block_bytes=40)
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
