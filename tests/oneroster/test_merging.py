"""Records of one sourcedId put together."""

from collections.abc import Mapping
from itertools import permutations
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

OLDER = {**ADA, "dateLastModified": "2026-07-01T00:00:00Z"}


def put_together(*records: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    union = Union(records[0])
    for record in records[1:]:
        union.add(record)
    return union.united()


def test_lists_hold_the_items_of_all_records_once() -> None:
    elsewhere = {**PUPIL, "org": {"sourcedId": "s2"}}
    again = {
        "org": {"href": "https://sis.example/orgs/s1", "type": "org"},
        "role": "student",
        "roleType": "primary",
        "endDate": None,
    }
    made, differing = put_together(
        ADA, {**OLDER, "roles": [elsewhere]}, {**OLDER, "roles": [again], "grades": "10"}
    )
    assert made == {**ADA, "roles": [PUPIL, elsewhere], "grades": ["09", "10"]}
    assert not differing


@pytest.mark.parametrize("nothing", [None, "", " ", [], {}])
def test_what_is_filled_goes_before_what_is_not(nothing: Any) -> None:
    email = {"email": "ada@example.org"}
    newer = {"email": nothing, "dateLastModified": "2026-09-01T00:00:00Z"}
    for records in ([{**ADA, "email": nothing}, {**ADA, **email}], [ADA, {**ADA, **email}]):
        assert put_together(*records) == ({**ADA, **email}, set())
    assert put_together({**ADA, **email}, {**ADA, **newer})[0]["email"] == "ada@example.org"
    assert put_together({**ADA, "email": nothing}, {**ADA, "email": nothing})[0]["email"] is None


NEWER = {"dateLastModified": "2026-08-01 01:00:00+00"}
EVERY_KIND: list[Mapping[str, Any]] = [
    {**ADA, "email": "a@example.org", "role": "student", "grades": ["09", "10"], "sms": 7},
    {**ADA, "email": "b@example.org", "role": "teacher", "grades": ["11", "10"], "sms": "7"},
    {**ADA, **NEWER, "email": "c@example.org", "enabledUser": "false", "grades": "12", "sms": None},
    {**ADA, "email": "d@example.org", "metadata": {"bus": "7"}, "dateLastModified": None},
    {**ADA, "email": "e@example.org", "metadata": {"bus": "8"}, "grades": []},
]


@pytest.mark.parametrize("waiting", [1, 2, 100])
def test_the_order_of_the_records_makes_no_difference(
    waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roster_pipeline.oneroster.merging._WAITING", waiting)
    made, differing = put_together(*EVERY_KIND)
    assert (made["email"], made["role"]) == ("c@example.org", "student")
    assert made["enabledUser"] == "true"
    assert made["grades"] == ["12", "09", "10", "11"]
    assert differing == {"email", "role", "enabledUser", "metadata.bus"}
    for records in permutations(EVERY_KIND):
        assert put_together(*records) == (made, differing)


@pytest.mark.parametrize(("modified", "stays"), [("2026-08-01T05:00:00Z", 2), ("yesterday", 1)])
def test_the_newest_record_goes_first(modified: str, stays: int) -> None:
    first = {**ADA, "email": "1", "roles": [1]}
    second = {**ADA, "email": "2", "roles": [2], "dateLastModified": modified}
    for records in ([first, second], [second, first]):
        made, differing = put_together(*records)
        assert (made["email"], made["roles"]) == (str(stays), [stays, 3 - stays])
        assert differing == {"email"}


ENROLLED: Mapping[str, Any] = {"sourcedId": "e1", "class": {"sourcedId": "c1"}}


@pytest.mark.parametrize(
    ("name", "said", "stays"),
    [
        ("endDate", ["2026-01-01", None], None),
        ("endDate", ["2026-01-01", ""], None),
        ("endDate", ["2026-01-01", "2026-06-30T00:00:00Z"], "2026-06-30T00:00:00Z"),
        ("endDate", ["2026-01-01", "soon"], "2026-01-01"),
        ("endDate", [None, None], None),
        ("beginDate", ["2026-01-01", None], None),
        ("beginDate", ["2026-01-01", "2025-08-20"], "2025-08-20"),
        ("beginDate", ["2026-01-01", "at once"], "2026-01-01"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_an_enrollment_lasts_as_long_as_any_record_says(
    name: str, said: list[str | None], stays: str | None, order: int
) -> None:
    records = [{**ENROLLED, name: value} for value in said]
    made, differing = put_together(*records[::order])
    assert (made[name], differing) == (stays, {name} if said[0] else set())
    if not said[1]:
        records[1].pop(name)
        assert put_together(*records[::order])[0].get(name) is None


def test_a_session_ends_although_a_record_does_not_say_when() -> None:
    session = {"sourcedId": "t1", "startDate": "2026-08-20", "endDate": "2027-06-15"}
    made, differing = put_together({**session, "endDate": None}, session)
    assert (made["endDate"], differing) == ("2027-06-15", set())


def test_what_says_the_same_in_another_way_does_not_differ() -> None:
    first = {**ADA, "identifier": 7, "enabledUser": True, "primaryOrg": {"sourcedId": "s1"}}
    second = {
        **ADA,
        "identifier": "7 ",
        "enabledUser": "True",
        "primaryOrg": {"href": "/orgs/s1", "type": "org"},
        "dateLastModified": "2025-01-01T00:00:00Z",
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
