"""Properties that the standard does not have."""

from typing import Any

import pytest

from roster_pipeline.oneroster.extra_properties import ExtraProperties, known_properties
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from tests.oneroster.strategies import frame_of
from tests.records import records


def said(records: list[Any], entity: str = "users", version: Version = Version.V1P2) -> list[Any]:
    extra = ExtraProperties(entity, version)
    for start in range(0, len(records), 2):
        extra.look(records[start : start + 2])
    return [(group.column, group.message) for group in extra.findings("users.jsonl")]


def test_each_property_is_said_once_with_how_many_have_it() -> None:
    users = [{"sourcedId": "u1", "colour": "red"}, {"colour": None, "Zip": 1}, {"Zip": 2}, {}, None]
    told = "the standard has no such property; it was kept and not read; "
    assert said([*users, {"colour": "x", "sourcedId": "u2"}]) == [
        ("Zip", told + "2 objects have it"),
        ("colour", told + "3 objects have it"),
    ]
    assert said([{"a": 1}]) == [("a", told + "one object has it")]


def test_what_stands_in_metadata_is_nobodys_business() -> None:
    assert said([{"metadata": {"colour": "red"}}]) == []


def test_properties_within_users_are_said_of_what_they_are_in() -> None:
    users = [{"roles": [{"role": "student", "colour": 1}, "x"]}, {"roles": "odd"}, 7]
    ((column, _),) = said(users, "roles")
    assert column == "roles.colour"
    assert said(users) == []


def test_a_name_that_may_be_a_value_is_not_repeated() -> None:
    users = [{"Ada Lovelace": 1, "Grace Hopper": 2}, {"x" * 65: 3}]
    ((column, message),) = said(users)
    assert column is None
    assert "2 objects have it" in message
    assert "Ada" not in message


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("@type", True),
        ("$ref", True),
        ("x-colour", True),
        ("x" * 64, True),
        ("ada.lovelace@x.example", False),
        ("ada$x", False),
        ("@", False),
        ("@@type", False),
        ("$" + "x" * 64, False),
        ("\ud800", False),
        ("colour\n", False),
    ],
)
def test_an_address_is_no_name(name: str, is_shown: bool) -> None:
    ((column, _),) = said([{name: 1}])
    assert column == (name if is_shown else None)


def test_of_very_many_properties_some_are_named() -> None:
    found = said([{f"p{n}": n} for n in range(1000)])
    assert len(found) == 51
    assert found[-1][0] is None


@pytest.mark.parametrize(
    ("entity", "name", "versions"),
    [
        ("users", "role", {Version.V1P1}),
        ("users", "orgs", {Version.V1P1}),
        ("users", "roles", {Version.V1P2}),
        ("users", "preferredFirstName", {Version.V1P2}),
        ("users", "preferredGivenName", set()),
        ("users", "password", set(Version)),
        ("orgs", "children", set(Version)),
        ("classes", "resources", set(Version)),
        ("classes", "schoolSourcedId", set()),
        ("classes", "school", set(Version)),
    ],
)
def test_a_version_has_its_own_properties(entity: str, name: str, versions: set[Version]) -> None:
    assert {v for v in Version if name in known_properties(entity, v)} == versions


def test_what_we_say_ourselves_has_no_extra_properties() -> None:
    frames = {
        entity: frame_of(entity, [{column.name: "x" for column in table}], ["metadata.bus"])
        for entity, table in tables(Version.V1P2).items()
    }
    for name in ("roles", "userProfiles"):
        frames[name]["userSourcedId"] = "x"
    for entity in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments"):
        objects: list[Any] = records(frames, entity)
        assert said(objects, entity) == []
        if entity == "users":
            assert said(objects, "roles") == said(objects, "userProfiles") == []
