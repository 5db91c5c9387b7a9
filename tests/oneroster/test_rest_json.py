"""REST objects read as rows."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.rest_json import COLLECTIONS, collection_of, metadata_names, rows_of

ADA: dict[str, Any] = {
    "sourcedId": "u1",
    "status": "active",
    "dateLastModified": "2026-08-01T06:00:00.000Z",
    "enabledUser": "true",
    "username": "ada",
    "givenName": "Ada",
    "familyName": "Lovelace",
    "roles": [
        {"roleType": "primary", "role": "teacher", "org": {"sourcedId": "s1", "type": "org"}},
        {"roleType": "secondary", "role": "parent", "org": {"sourcedId": "d1", "type": "org"}},
    ],
}


def first(record: Any, entity: str = "users", version: Version = Version.V1P2) -> dict[str, Any]:
    frame = rows_of([record], entity, version).frame
    return {str(name): None if pd.isna(cell) else cell for name, cell in frame.iloc[0].items()}


def test_a_role_within_a_user_is_a_row_that_knows_its_record() -> None:
    rows = rows_of([{"sourcedId": "u0"}, ADA], "roles", Version.V1P2)
    assert list(rows.frame["sourcedId"]) == ["u1.s1.teacher", "u1.d1.parent"]
    assert list(rows.frame["userSourcedId"]) == ["u1", "u1"]
    assert list(rows.frame["dateLastModified"]) == [ADA["dateLastModified"]] * 2
    assert rows.record.tolist() == [1, 1]


def test_the_same_role_held_twice_is_two_rows_however_it_is_ordered() -> None:
    early = {"role": "student", "org": {"sourcedId": "s1"}, "beginDate": "2024-08-20"}
    late = {**early, "beginDate": "2026-08-20"}
    for roles in ([early, late], [late, early]):
        frame = rows_of([ADA | {"roles": roles}], "roles", Version.V1P2).frame
        begins = dict(zip(frame["sourcedId"], frame["beginDate"], strict=True))
        assert begins == {"u1.s1.student": "2024-08-20", "u1.s1.student.2": "2026-08-20"}
    twice = rows_of([ADA | {"roles": [early, early]}], "roles", Version.V1P2).frame
    assert list(twice["sourcedId"]) == ["u1.s1.student"] * 2


def test_a_record_sent_twice_has_the_same_roles_both_times() -> None:
    early = {"role": "student", "org": {"sourcedId": "s1"}, "endDate": "2024-08-20"}
    late = {**early, "endDate": "2026-08-20"}
    users = [ADA | {"roles": [early, late]}, ADA | {"roles": [late, early]}]
    frame = rows_of(users, "roles", Version.V1P2).frame
    assert list(frame["sourcedId"]) == [f"u1.s1.student{more}" for more in ("", ".2", ".2", "")]
    assert list(frame["endDate"]) == ["2024-08-20", "2026-08-20", "2026-08-20", "2024-08-20"]


def test_a_role_has_one_sourced_id_with_blanks_around_those_it_is_made_of_or_without() -> None:
    role = {"role": " teacher", "org": {"sourcedId": "s1 "}}
    assert first(ADA | {"sourcedId": " u1 ", "roles": [role]}, "roles")["sourcedId"] == (
        "u1.s1.teacher"
    )


def test_a_role_at_no_org_has_no_sourced_id_for_quality_to_find() -> None:
    assert first(ADA | {"roles": [{"role": "student"}]}, "roles")["sourcedId"] is None


def test_each_credential_of_a_profile_is_a_row_without_its_password() -> None:
    profile = {
        "profileId": "https://example.org/p?id=7",
        "profileType": "LMS",
        "vendorId": "acme",
        "credentials": [
            {"type": "oidc", "username": "ada", "password": "secret"},
            {"type": "ldap", "username": "ada2"},
        ],
    }
    bare = {**profile, "credentials": []}
    role = {**ADA["roles"][0], "userProfile": profile["profileId"]}
    user = ADA | {"userProfiles": [profile, bare], "roles": [role]}
    frame = rows_of([user], "userProfiles", Version.V1P2).frame
    assert list(frame["sourcedId"]) == [
        "u1.https_//example.org/p_id_7",
        "u1.https_//example.org/p_id_7.2",
    ]
    assert list(frame["credentialType"]) == ["oidc", "ldap"]
    assert frame["password"].isna().all()
    assert first(user, "roles")["userProfileSourcedId"] == frame["sourcedId"][0]


def test_a_user_of_1_1_has_the_columns_of_the_1_1_table() -> None:
    user = {
        "sourcedId": "u2",
        "role": "student",
        "orgs": [{"sourcedId": "s1"}, {"sourcedId": "s2"}],
        "agents": ["u9"],
        "password": "secret",
    }
    row = first(user, version=Version.V1P1)
    assert (row["role"], row["orgSourcedIds"], row["agentSourcedIds"]) == ("student", "s1,s2", "u9")
    assert row["password"] is None


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        ("", None),
        ([], None),
        ({}, None),
        (True, "true"),
        (7, "7"),
        (9.0, "9"),
        (["a"], "a"),
        ({"a": 1}, '{"a": 1}'),
        ("\ud83d", "\ufffd"),
    ],
)
def test_a_value_of_another_shape_becomes_a_cell(value: Any, cell: str | None) -> None:
    assert first({"middleName": value})["middleName"] == cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ({"href": "h", "sourcedId": "s1", "type": "org"}, "s1"),
        ("s1", "s1"),
        ([{"sourcedId": "s1"}], "s1"),
        ({"href": "https://sis.example/or/v1p2/orgs/s1"}, "s1"),
        ({"href": "/orgs/d%2F1%20%C3%BC/?fields=name#top", "sourcedId": None}, "d/1 ü"),
        ({"href": "orgs/s1", "sourcedId": " "}, "s1"),
        ({"href": "s1", "sourcedId": "s2"}, "s2"),
        ({"href": "\ud83d"}, "\ufffd"),
        ({"href": "//[/x"}, None),
        ({"href": 7}, None),
        ({"href": ""}, None),
        (None, None),
        (12, "12"),
    ],
)
def test_a_reference_is_its_sourced_id(value: Any, cell: str | None) -> None:
    assert first({"primaryOrg": value})["primaryOrgSourcedId"] == cell


def test_blank_items_of_a_list_are_none() -> None:
    row = first({"grades": ["09", " ", "", "10"], "agents": [{"sourcedId": ""}, " ", "a"]})
    assert (row["grades"], row["agentSourcedIds"]) == ("09,10", "a")


def test_lists_become_list_cells_without_commas_within_items() -> None:
    row = first(
        {
            "grades": ["09", None, 10],
            "userIds": [{"type": "SIS", "identifier": 1}, {"type": "LDAP"}, {"identifier": "x"}],
            "agents": [{"sourcedId": "a"}, "b"],
        }
    )
    assert (row["grades"], row["agentSourcedIds"]) == ("09,10", "a,b")
    assert row["userIds"] == "{SIS:1},{:x}"
    course = first({"subjects": ["Arts, visual", "Music"]}, "courses")
    assert course["subjects"] == "Arts visual,Music"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-08-01T06:00:00.000Z", "2026-08-01T06:00:00.000Z"),
        ("2026-08-01T06:00:00Z", "2026-08-01T06:00:00Z"),
        ("2022-03-15T01:30:00.0000000+00:00", "2022-03-15T01:30:00.000Z"),
        ("2022-03-15T01:30:00-05:00", "2022-03-15T06:30:00.000Z"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        ("yesterday", "yesterday"),
        ("2022-03-15", "2022-03-15"),
    ],
)
def test_times_are_brought_to_utc(written: str, read: str) -> None:
    assert first({"dateLastModified": written})["dateLastModified"] == read


def test_metadata_become_columns_where_anything_stands_in_them() -> None:
    records: list[Any] = [
        {"metadata": {"bus": 7, "x": None}},
        {"metadata": "odd"},
        {"metadata": {"a": True}},
    ]
    frame = rows_of(records, "orgs", Version.V1P2).frame
    assert list(frame.columns[-2:]) == ["metadata.a", "metadata.bus"]
    assert frame["metadata.bus"].dropna().tolist() == ["7"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(
    ["sourcedId", "status", "dateLastModified", "roles", "userProfiles", "org", "credentials",
     "userIds", "agents", "grades", "metadata", "terms", "type", "profileId", "course", "orgs",
     "href"]
)  # fmt: skip


@given(
    st.lists(st.dictionaries(_NAMES, _JSON) | st.lists(_JSON, max_size=2), max_size=4),
    st.sampled_from(Version),
)
def test_no_json_is_too_odd_to_read(records: list[Any], version: Version) -> None:
    for entity, table in tables(version).items():
        assert collection_of(entity) in COLLECTIONS
        rows = rows_of(records, entity, version)
        standard = [name for name in rows.frame.columns if not name.startswith("metadata.")]
        assert standard == [column.name for column in table]
        assert len(rows.frame) == len(rows.record)
        assert collection_of(entity) != entity or len(rows.frame) == len(records)


def test_names_in_metadata_that_cannot_be_written_are_mended() -> None:
    records = [{"metadata": {"\ud800": "1"}}, {"metadata": {"\udfff": "2", "bus": "7", "": "8"}}]
    frame = rows_of(records, "orgs", Version.V1P2).frame
    assert list(frame["metadata.\ufffd"]) == ["1", "2"]
    assert [name for name in frame if str(name).startswith("metadata")] == [
        "metadata.bus",
        "metadata.\ufffd",
    ]
    assert metadata_names([*records, {"metadata": 7}, 7]) == {"\ufffd": 2, "bus": 1}


def test_of_metadata_only_what_is_wanted_is_read() -> None:
    records = [{"metadata": {"bus": "7", "house": "red"}}]
    frame = rows_of(records, "orgs", Version.V1P2, {"house", "colour"}).frame
    assert [name for name in frame if str(name).startswith("metadata")] == ["metadata.house"]
