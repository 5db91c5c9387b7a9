"""What the provider answers, asked over loopback."""

from typing import Any

import pytest
import requests

from roster_pipeline.oneroster.manifest import Version
from tests.provider.conftest import Ask

V1P1, V1P2 = Version.V1P1, Version.V1P2


def ids(answer: requests.Response) -> list[str]:
    """The sourcedIds of a page, whatever the collection."""
    assert answer.status_code == 200, answer.text
    (records,) = answer.json().values()
    return [record["sourcedId"] for record in records]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    ("path", "wrapper", "expected"),
    [
        ("orgs", "orgs", ["d1", "s1", "s/2"]),
        ("schools", "orgs", ["s1", "s/2"]),
        ("academicSessions", "academicSessions", ["y1", "t1", "g1"]),
        ("terms", "academicSessions", ["t1"]),
        ("gradingPeriods", "academicSessions", ["g1"]),
        ("courses", "courses", ["co1", "co2"]),
        ("classes", "classes", ["cl1", "cl2"]),
        ("students", "users", ["u1", "u2", "u3"]),
        ("teachers", "users", ["u4"]),
        ("enrollments", "enrollments", ["e1", "e2", "e3", "e4", "e5"]),
        ("demographics", "demographics", ["u1"]),
    ],
)
def test_a_collection_lists_its_records_under_the_plural_of_the_entity(
    ask: Ask, version: Version, path: str, wrapper: str, expected: list[str]
) -> None:
    answer = ask(path, version)
    assert list(answer.json()) == [wrapper]
    assert ids(answer) == expected
    assert answer.headers["X-Total-Count"] == str(len(expected))


def test_users_of_1_1_are_those_who_have_a_role_there(ask: Ask) -> None:
    assert ids(ask("users", V1P2)) == ["u1", "u2", "u3", "u4", "u5", "u6"]
    assert ids(ask("users", V1P1)) == ["u1", "u2", "u3", "u4", "u5"]
    assert ask("users/u6", V1P2).status_code == 200
    assert ask("users/u6", V1P1).status_code == 404
    turing = ask("users/u5", V1P1).json()["user"]
    assert turing["role"] == "administrator"
    assert [org["sourcedId"] for org in turing["orgs"]] == ["s1"]
    roles = ask("users/u5", V1P2).json()["user"]["roles"]
    assert [role["role"] for role in roles] == ["siteAdministrator", "counselor"]


def test_words_that_1_1_does_not_have_are_left_out_there(ask: Ask) -> None:
    assert ask("demographics/u1", V1P2).json()["demographics"]["sex"] == "unspecified"
    assert "sex" not in ask("demographics/u1", V1P1).json()["demographics"]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("courses/co1/classes", ["cl1"]),
        ("terms/t1/classes", ["cl1", "cl2"]),
        ("terms/t1/gradingPeriods", ["g1"]),
        ("schools/s1/classes", ["cl1", "cl2"]),
        ("schools/s%2F2/classes", []),
        ("schools/s1/courses", ["co1", "co2"]),
        ("schools/s1/terms", ["t1"]),
        ("schools/s1/enrollments", ["e1", "e2", "e3", "e4", "e5"]),
        ("schools/s1/students", ["u1", "u2", "u3"]),
        ("schools/s1/teachers", ["u4"]),
        ("classes/cl1/students", ["u1", "u2"]),
        ("classes/cl1/teachers", ["u4"]),
        ("users/u4/classes", ["cl1", "cl2"]),
        ("students/u3/classes", ["cl2"]),
        ("teachers/u4/classes", ["cl1", "cl2"]),
        ("schools/s1/classes/cl2/enrollments", ["e3", "e5"]),
        ("schools/s1/classes/cl2/students", ["u3"]),
        ("schools/s1/classes/cl2/teachers", ["u4"]),
    ],
)
def test_related_records_are_those_of_the_ids_in_the_path(
    ask: Ask, version: Version, path: str, expected: list[str]
) -> None:
    assert ids(ask(path, version)) == expected


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "users/nobody",
        "students/u4",
        "schools/d1",
        "schools/d1/classes",
        "classes/cl1/enrollments",
        "users/u1/classes/cl1",
        "classes/nothing/students",
    ],
)
def test_what_is_not_there_is_an_unknown_object(ask: Ask, path: str) -> None:
    newer, older = ask(path, V1P2), ask(path, V1P1)
    assert (newer.status_code, older.status_code) == (404, 404)
    (field,) = newer.json()["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldValue"] == "unknownobject"
    (entry,) = older.json()["statusInfoSet"]
    assert (entry["imsx_codeMajor"], entry["imsx_codeMinor"]) == ("failure", "unknown object")


def test_a_sourced_id_with_a_slash_has_its_own_address(ask: Ask) -> None:
    assert ask("orgs/s%2F2").json()["org"]["name"] == "Annex"


@pytest.mark.parametrize(
    ("path", "wanted", "expected"),
    [
        ("users", "familyName='Hopper'", ["u4"]),
        ("users", "familyName='O''Neill'", ["u2"]),
        ("users", "familyName~'rr'", []),
        ("users", "familyName~'r'", ["u3", "u4", "u5"]),
        ("users", "givenName='NA' OR givenName='Zoë'", ["u2", "u3"]),
        ("users", "status='active' AND familyName!='Null'", ["u2", "u3", "u4", "u5", "u6"]),
        ("users", "email!='u1@example.org'", ["u2", "u3", "u4", "u5", "u6"]),
        ("users", "sourcedId>='u3' AND sourcedId<'u5'", ["u3", "u4"]),
        ("users", "dateLastModified>'2020-01-01'", ["u1", "u2", "u3", "u4", "u5", "u6"]),
        ("users", "dateLastModified>'2100-01-01T00:00:00Z'", []),
        ("users", "userIds.identifier='ada'", ["u1"]),
        ("users", "userIds.type='SIS'", ["u1"]),
        ("users", "metadata.bus='12'", ["u1"]),
        ("users", "roles.role='counselor'", ["u5", "u6"]),
        ("users", "roles.role!='counselor'", ["u1", "u2", "u3", "u4"]),
        ("users", "roles.org.sourcedId='d1'", ["u5"]),
        ("students", "familyName>'N' AND familyName<'O'", ["u1"]),
        ("classes", "school.sourcedId='s1' AND title~'Art'", ["cl2"]),
        ("classes", "terms.sourcedId='t1'", ["cl1", "cl2"]),
        ("classes", "subjects='Science,Math'", ["cl1"]),
        ("classes", "subjects='Math'", []),
        ("classes", "subjects!='Math'", ["cl1", "cl2"]),
        ("classes", "subjects~'Math'", ["cl1"]),
        ("schools", "name<'B'", ["s/2"]),
        ("schools/s1/enrollments", "role='teacher'", ["e4", "e5"]),
    ],
)
def test_a_filter_of_the_standards_grammar_chooses(
    ask: Ask, path: str, wanted: str, expected: list[str]
) -> None:
    answer = ask(path, filter=wanted)
    assert ids(answer) == expected
    assert answer.headers["X-Total-Count"] == str(len(expected))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("role='administrator'", ["u5"]),
        ("role!='student' AND orgs.sourcedId='s1'", ["u4", "u5"]),
        ("orgs.sourcedId='d1'", []),
        ("role='counselor'", []),
    ],
)
def test_1_1_filters_by_the_one_role_and_its_orgs(
    ask: Ask, wanted: str, expected: list[str]
) -> None:
    assert ids(ask("users", V1P1, filter=wanted)) == expected


@pytest.mark.parametrize(
    "wanted",
    ["familyName=Hopper", "familyName 'x'", "a='b' AND", "a='b' and c='d'", "(a='b')", "x='y'",
     "password='x'", "school='s1'", "role='student'", "a='1' AND b='2' AND c='3'", "givenName='"],
)  # fmt: skip
def test_a_filter_that_cannot_be_understood_is_refused(ask: Ask, wanted: str) -> None:
    answer = ask("users", filter=wanted)
    assert answer.status_code == 400
    assert "invalid_filter_field" in answer.text


def test_records_are_sorted_by_code_point_and_empty_ones_come_last(ask: Ask) -> None:
    names = {"u1": "Null", "u2": "O'Neill", "u3": "García", "u4": "Hopper", "u5": "T", "u6": "E"}
    ascending = sorted(names, key=lambda key: names[key])
    assert ids(ask("users", sort="familyName")) == ascending
    assert ids(ask("users", sort="familyName", orderBy="desc")) == ascending[::-1]
    assert ids(ask("users", sort="email"))[-1] == "u6"
    assert ids(ask("users", sort="email", orderBy="desc"))[-1] == "u6"
    assert ids(ask("enrollments", sort="user.sourcedId", filter="role='student'", limit=2)) == [
        "e1",
        "e2",
    ]


@pytest.mark.parametrize(
    ("parameters", "status", "word"),
    [
        ({"limit": "0"}, 422, "invaliddata"),
        ({"limit": "-1"}, 422, "invaliddata"),
        ({"limit": "many"}, 422, "invaliddata"),
        ({"offset": "1.5"}, 422, "invaliddata"),
        ({"sort": "shoeSize"}, 400, "invalid_selection_field"),
        ({"sort": "grades"}, 400, "invalid_selection_field"),
        ({"orderBy": "up", "sort": "username"}, 400, "invalid_selection_field"),
        ({"fields": "shoeSize"}, 400, "invalid_selection_field"),
        ({"fields": "password"}, 400, "invalid_selection_field"),
        ({"fields": ","}, 400, "invalid_selection_field"),
    ],
)
def test_a_query_that_cannot_be_understood_is_refused(
    ask: Ask, parameters: dict[str, Any], status: int, word: str
) -> None:
    answer = ask("users", **parameters)
    assert answer.status_code == status
    assert word in answer.text


def test_only_the_fields_asked_for_are_sent(ask: Ask) -> None:
    assert ask("users", fields="sourcedId, familyName", limit=1).json() == {
        "users": [{"sourcedId": "u1", "familyName": "Null"}]
    }
    assert ask("users/u1", fields="metadata").json() == {"user": {"metadata": {"bus": "12"}}}
    assert ask("users/u2", fields="metadata").json() == {"user": {}}


def test_links_lead_through_all_pages_and_back(ask: Ask, server: Any) -> None:
    token = {"Authorization": "Bearer forever"}
    url: str | None = f"{server.base_url()}/users?limit=4&filter=status%3D%27active%27"
    seen: list[str] = []
    last: requests.Response | None = None
    while url is not None:
        last = requests.get(url, headers=token, timeout=20)
        seen += ids(last)
        assert last.headers["X-Total-Count"] == "6"
        url = last.links.get("next", {}).get("url")
    assert seen == ["u1", "u2", "u3", "u4", "u5", "u6"]
    assert last is not None
    assert last.links["last"]["url"] == last.url
    assert ids(requests.get(last.links["prev"]["url"], headers=token, timeout=20)) == seen[:4]
    assert "prev" not in requests.get(last.links["first"]["url"], headers=token, timeout=20).links


def test_beyond_the_last_record_there_is_an_empty_page(ask: Ask) -> None:
    answer = ask("users", offset=6)
    assert answer.json() == {"users": []}
    assert answer.headers["X-Total-Count"] == "6"
    assert "next" not in answer.links


def test_a_page_is_of_100_records_unless_another_limit_is_named(ask: Ask) -> None:
    assert "limit=100&" in ask("users").links["last"]["url"]


def test_references_can_be_followed(ask: Ask) -> None:
    course = ask("classes/cl1").json()["class"]["course"]
    token = {"Authorization": "Bearer forever"}
    assert requests.get(course["href"], headers=token, timeout=20).json()["course"][
        "sourcedId"
    ] == course["sourcedId"]  # fmt: skip
