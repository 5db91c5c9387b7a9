"""A roster written and read again is the roster that it was."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.entities import BULK_BLANK, ENTITIES
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import write_bulk, write_delta
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.district import District
from tests.quality.conftest import Build
from tests.small import district, packed, unpacked


def read(package: bytes, base: Roster | None, into: Path) -> Roster:
    with open_package(io.BytesIO(package)) as opened:
        candidate = build_candidate(opened, base, into)
    assert list(candidate.findings) == []
    assert candidate.roster is not None
    return candidate.roster


def simulated(day: int, version: str) -> bytes:
    out = io.BytesIO()
    District(students=300, seed=5).write_package(out, day=day, version=version)
    return out.getvalue()


def rows(roster: Roster, entity: str) -> pd.DataFrame:
    frame = roster.frame(entity).drop(columns=list(BULK_BLANK))
    return frame.sort_values("sourcedId").reset_index(drop=True)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_roster_written_as_it_came_reads_back_the_same(tmp_path: Path, version: str) -> None:
    first = read(simulated(0, version), None, tmp_path / "first")
    out = io.BytesIO()
    write_bulk(first, out, version=Version(version))
    again = read(out.getvalue(), None, tmp_path / "again")
    for entity in ENTITIES:
        pd.testing.assert_frame_equal(rows(first, entity), rows(again, entity))
    assert diff(first, again).empty


def test_the_same_roster_gives_the_same_bytes(tmp_path: Path) -> None:
    outs = []
    for name in ("a", "b"):
        roster = read(simulated(0, "1.2"), None, tmp_path / name)
        out = io.BytesIO()
        write_bulk(roster, out)
        outs.append(out.getvalue())
    assert outs[0] == outs[1]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_delta_package_brings_the_old_roster_to_the_new_one(tmp_path: Path, version: str) -> None:
    old = read(simulated(0, version), None, tmp_path / "old")
    new = read(simulated(3, version), None, tmp_path / "new")
    delta = diff(old, new)
    assert not delta.empty
    out = io.BytesIO()
    modified = datetime(2026, 9, 1, 6, 30, tzinfo=UTC)
    write_delta(delta, out, modified=modified, version=Version(version))
    with open_package(io.BytesIO(out.getvalue())) as opened:
        there = build_candidate(opened, old, tmp_path / "there")
    assert list(there.findings) == []
    assert there.roster is not None
    assert diff(new, there.roster).empty


def test_a_delta_empties_the_cells_of_a_column_that_the_new_roster_no_longer_has(
    build: Build, tmp_path: Path
) -> None:
    files = district()
    files["users"][0] |= {"metadata.shoe": "44"}
    old, new = build(files).roster, build(district()).roster
    assert old is not None
    assert new is not None
    out = io.BytesIO()
    write_delta(diff(old, new), out, modified=datetime(2026, 9, 1, tzinfo=UTC))
    with open_package(io.BytesIO(out.getvalue())) as opened:
        there = build_candidate(opened, old, tmp_path / "there")
    assert there.roster is not None
    assert diff(new, there.roster).empty


def test_what_1p1_cannot_say_is_lost_and_nothing_else(build: Build, tmp_path: Path) -> None:
    files = district()
    files["users"][0] |= {
        "userMasterIdentifier": "m1",
        "preferredGivenName": "A",
        "preferredMiddleName": "B",
        "preferredFamilyName": "C",
        "primaryOrgSourcedId": "s1",
        "pronouns": "they",
        "metadata.shoe": "44",
    }
    files["demographics"] = [
        {"sourcedId": "u1", "sex": "other"},
        {"sourcedId": "u2", "sex": "male"},
    ]
    files["userProfiles"] = [
        {
            "sourcedId": "p1",
            "userSourcedId": "u1",
            "profileType": "lms",
            "vendorId": "v",
            "credentialType": "sso",
            "username": "ada",
        }
    ]
    second = {"sourcedId": "r2", "userSourcedId": "u4", "roleType": "secondary", "role": "parent",
              "orgSourcedId": "s1"}  # fmt: skip
    counselor = {"sourcedId": "r3", "userSourcedId": "u6", "roleType": "primary",
                 "role": "counselor", "orgSourcedId": "s1"}  # fmt: skip
    files["users"].append({**files["users"][1], "sourcedId": "u6", "username": "u6"})
    files["roles"] += [second, counselor]
    roster = build(files).roster
    assert roster is not None
    out = io.BytesIO()
    write_bulk(roster, out, version=Version.V1P1)
    said = unpacked(out.getvalue())
    assert "userProfiles" not in said
    assert "roles" not in said
    assert [user["sourcedId"] for user in said["users"]] == ["u1", "u2", "u3", "u4", "u5"]
    assert {user["sourcedId"]: user["role"] for user in said["users"]}["u4"] == "teacher"
    assert said["users"][0]["metadata.shoe"] == "44"
    assert [row["sex"] for row in said["demographics"]] == ["", "male"]
    kept = {k: v for k, v in said["users"][0].items() if v and not k.startswith("metadata")}
    expected = {k: v for k, v in district("1.1")["users"][0].items() if v}
    assert kept == expected
    assert unpacked(packed(district()))["orgs"] == said["orgs"]
