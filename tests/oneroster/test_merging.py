"""Records of one sourcedId put together."""

from collections.abc import Mapping
from typing import Any

import pytest

from roster_pipeline.oneroster.merging import Union

PUPIL = {"role": "student", "roleType": "primary", "org": {"sourcedId": "s1"}}
ADA: Mapping[str, Any] = {
    "sourcedId": "u1",
    "status": "active",
    "dateLastModified": "2026-08-01T00:00:00Z",
    "enabledUser": "true",
    "givenName": "Ada",
    "roles": [PUPIL],
    "grades": ["09"],
}


def put_together(*records: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    union = Union(records[0])
    for record in records[1:]:
        union.add(record)
    return union.record, union.differing


def test_lists_hold_the_items_of_all_records_once() -> None:
    elsewhere = {**PUPIL, "org": {"sourcedId": "s2"}}
    again = {
        "org": {"href": "https://sis.example/orgs/s1", "type": "org"},
        "role": "student",
        "roleType": "primary",
        "endDate": None,
    }
    made, differing = put_together(
        ADA, {**ADA, "roles": [elsewhere]}, {**ADA, "roles": [again], "grades": "10"}
    )
    assert made == {**ADA, "roles": [PUPIL, elsewhere], "grades": ["09", "10"]}
    assert not differing


@pytest.mark.parametrize("nothing", [None, "", " ", [], {}])
def test_the_first_filled_value_stays(nothing: Any) -> None:
    email = {"email": "ada@example.org"}
    for records in ([{**ADA, "email": nothing}, {**ADA, **email}], [ADA, {**ADA, **email}]):
        assert put_together(*records) == ({**ADA, **email}, set())
    made, differing = put_together(
        {**ADA, **email}, {**ADA, "email": nothing}, {**ADA, "email": "lovelace@example.org"}
    )
    assert (made, differing) == ({**ADA, **email}, {"email"})


def test_what_says_the_same_in_another_way_does_not_differ() -> None:
    first = {**ADA, "identifier": 7, "enabledUser": True, "primaryOrg": {"sourcedId": "s1"}}
    second = {
        **ADA,
        "identifier": "7 ",
        "enabledUser": "True",
        "primaryOrg": {"href": "/orgs/s1", "type": "org"},
        "dateLastModified": "2027-01-01T00:00:00Z",
    }
    assert put_together(first, second) == (first, set())


@pytest.mark.parametrize("order", [1, -1])
def test_a_person_is_enabled_if_any_record_says_so(order: int) -> None:
    off = {**ADA, "enabledUser": "false"}
    made, differing = put_together(*[ADA, off][::order])
    assert (made["enabledUser"], differing) == ("true", {"enabledUser"})
    assert put_together(off, {**off, "enabledUser": False})[0]["enabledUser"] == "false"


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("word", ["tobedeleted", "ToBeDeleted", "inactive"])
def test_a_record_that_deletes_says_nothing_beside_one_that_does_not(word: str, order: int) -> None:
    left = {**PUPIL, "org": {"sourcedId": "s2"}}
    gone = {**ADA, "status": word, "givenName": "Adah", "roles": [left]}
    assert put_together(*[ADA, gone][::order]) == (ADA, {"status"})
    assert put_together(gone, gone)[0]["status"] == word


def test_metadata_are_put_together_name_by_name() -> None:
    made, differing = put_together(
        {**ADA, "metadata": {"bus": "7", "diet": None}},
        {**ADA, "metadata": {"bus": "8", "diet": "none", "house": "red"}},
    )
    assert made["metadata"] == {"bus": "7", "diet": "none", "house": "red"}
    assert differing == {"metadata.bus"}


def test_the_records_themselves_stay_as_they_were() -> None:
    first, second = {"roles": [1]}, {"roles": [2]}
    assert put_together(first, second)[0] == {"roles": [1, 2]}
    assert (first, second) == ({"roles": [1]}, {"roles": [2]})
