"""What is no deletion, however it looks, and what takes access away, whatever stands beside it."""

import csv
import io

from roster_pipeline.oneroster.roster import Roster
from tests.quality.conftest import Build
from tests.small import Row, district


def ids(roster: Roster | None, entity: str) -> list[str]:
    assert roster is not None
    return sorted(roster.columns(entity, ["sourcedId"])["sourcedId"])


def renamed(files: dict[str, list[Row]], change: dict[str, str]) -> dict[str, list[Row]]:
    """The same rows with other sourcedIds, in every file."""
    return {
        name: [{key: change.get(cell, cell) for key, cell in row.items()} for row in rows]
        for name, rows in files.items()
    }


def test_users_whose_ids_lost_their_zeros_keep_their_last_good_rows(build: Build) -> None:
    zeros = {f"u{n}": f"00{n}" for n in range(1, 6)}
    base = build(renamed(district(), zeros)).roster
    sent = renamed(district(), zeros)
    for row in sent["users"]:
        row["sourcedId"] = row["sourcedId"].lstrip("0")
    made = build(sent, base)
    assert made.findings.counts() == {"excel.leading_zeros": 5}
    for entity in ("users", "roles", "enrollments"):
        assert ids(made.roster, entity) == ids(base, entity)


def test_ids_that_lost_their_zeros_in_every_file_take_nobody_away(build: Build) -> None:
    for version in ("1.1", "1.2"):
        zeros = {f"u{n}": f"00{n}" for n in range(1, 6)}
        base = build(renamed(district(version), zeros), version=version).roster
        bare = {f"u{n}": str(n) for n in range(1, 6)}
        made = build(renamed(district(version), bare), base, version=version)
        assert made.findings.counts()["excel.leading_zeros"] == 5
        roots = {f.cause for f in made.findings if f.code != "excel.leading_zeros"}
        assert None not in roots
        for entity in ("users", "roles", "enrollments"):
            assert ids(made.roster, entity) == ids(base, entity)


def test_a_row_held_back_under_a_wrong_id_is_no_deletion_of_the_right_one(
    build: Build, accepted: Roster
) -> None:
    files = district()
    files["users"][0] |= {"sourcedId": "u1x", "enabledUser": "perhaps"}
    made = build(files, accepted)
    assert ids(made.roster, "users") == ids(accepted, "users")
    assert ids(made.roster, "enrollments") == ids(accepted, "enrollments")


def test_a_person_of_1p1_who_is_held_back_loses_the_roles_that_the_row_no_longer_says(
    build: Build,
) -> None:
    files = district("1.1")
    files["users"][4]["orgSourcedIds"] = "s1,d1"
    base = build(files, version="1.1").roster
    assert base is not None
    assert len(base.frame("roles")) == 6
    files["users"][4] |= {"orgSourcedIds": "d1", "familyName": ""}
    files["users"][3] |= {"role": "student", "familyName": ""}
    made = build(files, base, version="1.1")
    assert made.held["users"] == 2
    assert made.roster is not None
    roles = made.roster.frame("roles")
    assert roles[roles["userSourcedId"] == "u5"]["orgSourcedId"].tolist() == ["d1"]
    assert "u4" not in roles["userSourcedId"].tolist()
    assert ids(made.roster, "users") == ids(base, "users")


def test_a_row_that_deletes_and_is_cut_after_its_status_deletes(
    build: Build, accepted: Roster
) -> None:
    text = io.StringIO()
    csv.writer(text).writerow(accepted.header("users"))
    short = text.getvalue() + "u5,tobedeleted,2026-09-01T00:00:00.000Z\r\n"
    made = build(
        {"users": []}, accepted, modes={"users": "delta"}, extra={"users.csv": short.encode()}
    )
    assert "u5" not in ids(made.roster, "users")
    assert len(ids(made.roster, "users")) == 4


def test_a_manifest_alone_says_that_nothing_is_new(build: Build, accepted: Roster) -> None:
    made = build({}, accepted)
    assert list(made.findings) == []
    assert made.roster is not None
    assert made.roster.counts == accepted.counts
