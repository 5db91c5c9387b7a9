"""What was pulled by REST, judged."""

import io
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.oneroster.entities import names
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.pulled import Reading
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate
from tests.oneroster.strategies import frame_of
from tests.records import Said, pulled, records_of
from tests.small import district

MERGING = Reading({"users": "union"})


@pytest.fixture
def said() -> Said:
    """The small district as objects, with a second school."""
    frames = {name: frame_of(name, rows) for name, rows in district().items()}
    objects = records_of(frames | {"userProfiles": frame_of("userProfiles", [])})
    objects["orgs"].append({**objects["orgs"][1], "sourcedId": "s2", "name": "Willow"})
    return objects


def judged(
    said: Said, into: Path, reading: Reading | None = None, base: Roster | None = None
) -> Candidate:
    with open_package(io.BytesIO(pulled(said, reading=reading))) as package:
        return build_candidate(package, base, into)


def cells(candidate: Candidate, entity: str, *columns: str) -> list[tuple[Any, ...]]:
    assert candidate.roster is not None
    frame = candidate.roster.frame(entity)[list(columns)].astype(object)
    rows = frame.where(frame.notna(), None).itertuples(index=False, name=None)
    return sorted(rows, key=str)


def at_willow(user: dict[str, Any]) -> dict[str, Any]:
    """The same person, sent for the second school."""
    (role,) = user["roles"]
    there = {**role, "org": {"href": "https://sis.example/or/orgs/s2"}}
    return {**user, "roles": [there]}


@pytest.mark.parametrize("reading", [None, MERGING])
def test_a_record_sent_twice_is_one_row_whatever_the_order_of_its_keys(
    said: Said, reading: Reading | None, tmp_path: Path
) -> None:
    plain = judged(said, tmp_path / "plain")
    first = said["users"][0]
    stamped = {**first, "dateLastModified": "2026-11-23T00:00:00Z"}
    said["users"].append(dict(reversed(stamped.items())))
    made = judged(said, tmp_path / "made", reading)
    for entity in ("users", "roles"):
        assert cells(made, entity, *names(entity)) == cells(plain, entity, *names(entity))
    assert not any(made.held.values())
    assert set(made.findings.counts()) <= {"key.repeated"}


def test_a_person_sent_for_each_school_is_one_person_at_both(said: Said, tmp_path: Path) -> None:
    said["users"] += [at_willow(user) for user in said["users"]]
    made = judged(said, tmp_path / "made", MERGING)
    assert made.findings.counts() == {}
    assert len(cells(made, "users", "sourcedId")) == 5
    places = cells(made, "roles", "userSourcedId", "orgSourcedId")
    assert places == sorted((f"u{n}", school) for n in range(1, 6) for school in ("s1", "s2"))


def test_a_person_whose_records_differ_is_one_row_and_a_finding(said: Said, tmp_path: Path) -> None:
    said["users"].append(
        {
            **at_willow(said["users"][0]),
            "dateLastModified": "2020-01-01T00:00:00Z",
            "enabledUser": "false",
            "email": "ada@willow.example",
        }
    )
    made = judged(said, tmp_path / "made", MERGING)
    assert cells(made, "users", "sourcedId", "enabledUser", "email")[0] == (
        "u1",
        "true",
        "u1@example.org",
    )
    told = [(f.code, f.file, f.line, f.column, f.sourced_id) for f in made.findings]
    assert told == [
        ("pull.merged", "users.jsonl", 1, name, "u1") for name in ("email", "enabledUser")
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_an_enrollment_that_one_record_leaves_open_is_open(
    said: Said, order: int, tmp_path: Path
) -> None:
    first = said["enrollments"].pop(0)
    both = [{**first, "endDate": None}, {**first, "endDate": "2026-09-01"}]
    said["enrollments"] += both[::order]
    made = judged(said, tmp_path / "made", Reading({"enrollments": "union"}))
    assert ("e1", None) in cells(made, "enrollments", "sourcedId", "endDate")
    told = [(f.code, f.column, f.sourced_id) for f in made.findings]
    assert told == [("pull.merged", "endDate", "e1")]


def test_where_records_differ_no_name_is_told_that_may_be_a_persons(
    said: Said, tmp_path: Path
) -> None:
    first = said["users"][0]
    for bus in ("7", "8"):
        metadata = {"bus": bus, "Ada Lovelace": bus, "ada@x.example": bus}
        said["users"].append({**first, "metadata": metadata, "grace@x.example": bus})
    made = judged(said, tmp_path / "made", MERGING)
    told = sorted((f.code, f.column or "") for f in made.findings)
    assert told == [
        ("pull.extra_property", ""),
        ("pull.merged", "metadata"),
        ("pull.merged", "metadata.bus"),
    ]


def test_of_very_many_names_in_metadata_the_commonest_are_read(said: Said, tmp_path: Path) -> None:
    for number in range(3000):
        metadata = {"zone": "north", f"key{number}": "x", f"\ud800{number}": "x"}
        more = {"sourcedId": f"o{number}", "name": "School", "metadata": metadata}
        said["orgs"].append({**said["orgs"][1], **more})
    made = judged(said, tmp_path / "made")
    assert made.roster is not None
    frame = made.roster.frame("orgs")
    names = [name for name in frame if str(name).startswith("metadata.")]
    assert len(names) == 200
    assert frame["metadata.zone"].count() == 3000
    assert [(f.file, f.column) for f in made.findings if f.code == "pull.metadata"] == [
        ("orgs.jsonl", "metadata")
    ]


def test_without_merging_a_person_whose_records_differ_is_held_and_not_removed(
    said: Said, tmp_path: Path
) -> None:
    base = judged(said, tmp_path / "base").roster
    said["users"].append({**at_willow(said["users"][0]), "givenName": "Adah"})
    made = judged(said, tmp_path / "made", base=base)
    assert made.findings.counts()["key.duplicate"] == 2
    assert made.held["users"] == 2
    assert ("u1", "Ada") in cells(made, "users", "sourcedId", "givenName")


def test_blanks_in_ids_become_underscores_in_records_and_references(
    said: Said, tmp_path: Path
) -> None:
    teacher = said["users"][3]
    teacher["sourcedId"] = " u 4"
    for enrollment in said["enrollments"]:
        if enrollment["user"]["sourcedId"] == "u4":
            enrollment["user"] = {"href": "/users/u%204"}
    made = judged(said, tmp_path / "made", Reading(blanks_in_ids="underscore"))
    assert {row[0] for row in cells(made, "enrollments", "userSourcedId")} >= {"u_4"}
    assert ("u_4.s1.teacher", "u_4") in cells(made, "roles", "sourcedId", "userSourcedId")
    assert not any(made.held.values())
    told = {(f.file, f.column): f.message for f in made.findings if f.code == "pull.blank_in_id"}
    assert set(told) == {("users.jsonl", "sourcedId"), ("enrollments.jsonl", "userSourcedId")}
    assert told["enrollments.jsonl", "userSourcedId"].endswith("(2 cells)")


def test_blanks_in_ids_are_held_where_nobody_says_what_becomes_of_them(
    said: Said, tmp_path: Path
) -> None:
    said["enrollments"][0]["sourcedId"] = "e 1"
    made = judged(said, tmp_path / "made")
    assert made.held["enrollments"] == 1


@pytest.mark.parametrize("merge", [{}, {"users": "union"}])
def test_two_people_whose_ids_become_one_are_held(
    said: Said, merge: dict[str, str], tmp_path: Path
) -> None:
    said["users"][0]["sourcedId"], said["users"][1]["sourcedId"] = "u 1", "u_1"
    made = judged(said, tmp_path / "made", Reading(merge, "underscore"))
    assert made.findings.counts()["key.duplicate"] == 2
    assert "u_1" not in {row[0] for row in cells(made, "users", "sourcedId")}


def test_a_moment_is_a_day_of_the_district(said: Said, tmp_path: Path) -> None:
    said["enrollments"][0]["beginDate"] = "2026-09-02T01:30:00.0000000+00:00"
    said["enrollments"][1]["beginDate"] = "2026-09-02 01:30:00+00"
    for zone, day in (("America/Chicago", "2026-09-01"), ("Asia/Tokyo", "2026-09-02")):
        made = judged(said, tmp_path / day, Reading(timezone=zone))
        assert {("e1", day), ("e2", day)} <= set(
            cells(made, "enrollments", "sourcedId", "beginDate")
        )
        assert not any(made.held.values())
