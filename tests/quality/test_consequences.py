"""A chain org, class, enrollment breaks at its top: what follows names the row at fault."""

import pytest

from roster_pipeline.oneroster.findings import Finding
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate
from tests.quality.conftest import Build
from tests.small import Row, district

Files = dict[str, list[Row]]


def follow_ups(candidate: Candidate) -> dict[tuple[str, str, str | None], str | None]:
    """For each finding on a reference its cause."""
    return {
        (finding.code, finding.entity or "", finding.sourced_id): finding.cause
        for finding in candidate.findings
        if finding.code.startswith(("reference.", "excel.leading"))
    }


def second_school(count: int = 1) -> Files:
    """One more school with a class and `count` enrollments."""
    files = district()
    files["orgs"].append(
        {"sourcedId": "s2", "name": "Birch", "type": "school", "parentSourcedId": "d1"}
    )
    files["classes"].append(files["classes"][0] | {"sourcedId": "cl9", "schoolSourcedId": "s2"})
    files["enrollments"] += [
        {"sourcedId": f"e9-{n}", "classSourcedId": "cl9", "schoolSourcedId": "s1",
         "userSourcedId": "u1", "role": "student"}
        for n in range(count)
    ]  # fmt: skip
    return files


def new_school(files: Files) -> Row:
    return files["orgs"][2]


def test_what_hangs_on_a_held_school_waits_and_names_it(build: Build, accepted: Roster) -> None:
    files = second_school()
    new_school(files)["name"] = ""
    candidate = build(files, accepted)
    assert follow_ups(candidate) == {
        ("reference.waiting", "classes", "cl9"): "orgs/s2",
        ("reference.waiting", "enrollments", "e9-0"): "orgs/s2",
    }
    (root,) = [f for f in candidate.findings if f.code == "cell.required"]
    assert (root.entity, root.sourced_id, root.cause) == ("orgs", "s2", None)
    assert (candidate.held["classes"], candidate.held["enrollments"]) == (1, 1)
    assert not any(candidate.cascaded.values())


def test_what_hangs_on_a_removed_school_goes_and_names_it(build: Build) -> None:
    base = build(second_school()).roster
    files = second_school()
    files["orgs"].remove(new_school(files))
    candidate = build(files, base)
    assert follow_ups(candidate) == {
        ("reference.removed", "classes", "cl9"): "orgs/s2",
        ("reference.removed", "enrollments", "e9-0"): "orgs/s2",
    }
    assert (candidate.cascaded["classes"], candidate.cascaded["enrollments"]) == (1, 1)
    assert not any(candidate.held.values())


def test_what_hangs_on_a_school_never_seen_waits_and_names_it(
    build: Build, accepted: Roster
) -> None:
    files = second_school()
    files["orgs"].remove(new_school(files))
    candidate = build(files, accepted)
    assert follow_ups(candidate) == {
        ("reference.unknown", "classes", "cl9"): "orgs/s2",
        ("reference.waiting", "enrollments", "e9-0"): "orgs/s2",
    }
    assert (candidate.held["classes"], candidate.held["enrollments"]) == (1, 1)


def test_four_thousand_rows_name_the_one_school_that_breaks_them(build: Build) -> None:
    files = second_school(4000)
    new_school(files)["type"] = "shcool"
    found = build(files, block_bytes=20_000).findings.frame()
    consequences = found[found["code"] == "reference.waiting"]
    assert consequences["cause"].value_counts().to_dict() == {"orgs/s2": 4001}
    assert found.loc[found["cause"].isna(), "sourcedId"].to_list() == ["s2"]


def test_demographics_held_for_their_user_keep_their_last_good_row(build: Build) -> None:
    files = district()
    files["demographics"] = [{"sourcedId": "u1", "birthDate": "2012-03-04"}]
    base = build(files).roster
    files["demographics"].append({"sourcedId": "u-typo", "birthDate": "2012-03-04"})
    candidate = build(files, base)
    assert follow_ups(candidate) == {
        ("reference.unknown", "demographics", "u-typo"): "users/u-typo"
    }


@pytest.mark.parametrize("sent", ["123", "000123"])
def test_an_id_that_differs_by_leading_zeros_is_named_so(
    build: Build, accepted: Roster, sent: str
) -> None:
    files = second_school()
    new_school(files)["sourcedId"] = "00123"
    files["classes"][2]["schoolSourcedId"] = sent
    assert follow_ups(build(files, accepted)) == {
        ("excel.leading_zeros", "classes", "cl9"): f"orgs/{sent}",
        ("reference.waiting", "enrollments", "e9-0"): f"orgs/{sent}",
    }


def delta(**files: list[Row]) -> dict[str, list[Row]]:
    stamp = {"status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"}
    return {name: [{**stamp, **row} for row in rows] for name, rows in files.items()}


def told(candidate: Candidate) -> list[tuple[str, str]]:
    findings: list[Finding] = list(candidate.findings)
    return [(finding.code, finding.file) for finding in findings]


def test_a_delta_alone_says_once_for_each_file_what_cannot_be_judged(build: Build) -> None:
    full = district()
    files = delta(users=full["users"], enrollments=full["enrollments"])
    candidate = build(files, modes={"users": "delta", "enrollments": "delta"})
    assert told(candidate) == [("reference.unjudged", "enrollments.csv")]
    assert candidate.roster is not None


def test_in_a_delta_alone_references_into_a_bulk_file_are_judged(build: Build) -> None:
    files = district()
    files["enrollments"] = delta(e=[files["enrollments"][0] | {"userSourcedId": "u-typo"}])["e"]
    found = build(files, modes={"enrollments": "delta"}).findings
    assert found.counts() == {"reference.unknown": 1}


def test_in_a_delta_alone_what_hangs_on_a_held_row_waits(build: Build) -> None:
    full = district()
    full["users"][0]["givenName"] = ""
    files = delta(users=full["users"], enrollments=full["enrollments"])
    candidate = build(files, modes={"users": "delta", "enrollments": "delta"})
    assert follow_ups(candidate)[("reference.waiting", "enrollments", "e1")] == "users/u1"


def test_a_delta_to_a_source_without_a_roster_is_refused(build: Build) -> None:
    files = delta(enrollments=district()["enrollments"])
    candidate = build(files, Roster.empty(), modes={"enrollments": "delta"})
    assert candidate.roster is None
    assert "package.no_file" in candidate.findings.counts()


def test_a_class_that_stands_in_loses_the_term_that_is_gone(build: Build) -> None:
    files = district()
    files["academicSessions"].append(
        {"sourcedId": "t2", "title": "Spring", "type": "term", "startDate": "2027-01-15",
         "endDate": "2027-06-12", "parentSourcedId": "y1", "schoolYear": "2027"}
    )  # fmt: skip
    files["classes"][0]["termSourcedIds"] = "t1,t2"
    base = build(files).roster
    del files["academicSessions"][2]
    files["classes"][0] |= {"title": "", "termSourcedIds": "t1"}
    roster = build(files, base).roster
    assert roster is not None
    assert roster.frame("classes")["termSourcedIds"].to_list() == ["t1", "t1"]
