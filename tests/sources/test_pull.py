"""Pulling a roster from a server: everything and once, or nothing and why."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.sources import vendors
from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.pull import pull
from roster_pipeline.transport.errors import Busy, Changed, Forbidden, Interrupted, TransportError
from roster_pipeline.transport.http import open_http
from tests.examples import examples
from tests.sources.conftest import rest_source
from tests.sources.school_server import Habits, Record, records, school_server
from tests.transport.scripted import Answer, Asked, json_answer

Pulled = dict[str, list[Any]]


def pulled(
    data: dict[str, list[Record]], habits: Habits | None = None, **keys: Any
) -> tuple[Pulled, bytes]:
    """What is kept of a pull, unpacked and as it lies there."""
    with school_server(data, habits) as server:
        content = pulled_from(f"{server.url}/ims", **keys)
    return lines_in(content), content


def lines_in(content: bytes) -> Pulled:
    """The records that are kept."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removesuffix(".jsonl"): [json.loads(x) for x in archive.read(name).splitlines()]
            for name in archive.namelist()
            if name.endswith(".jsonl")
        }


def pulled_from(
    url: str, *, expect: Mapping[str, tuple[int, int]] | None = None, **keys: Any
) -> bytes:
    source = rest_source(url, **{"attempts": 2, "timeout": 5.0, **keys})
    assert source.rest is not None
    session = open_http(
        source.rest.base_url,
        source.rest.auth,
        base=Path(),
        environ={"TOKEN": "t"},
        timeout=source.rest.timeout,
        attempts=source.rest.attempts,
        sleep=lambda _: None,
    )
    with (
        session,
        pull(
            session,
            source.rest,
            source=source.id,
            secrets=source.profile.secrets,
            timezone=source.timezone,
            expect=expect or {},
        ) as package,
    ):
        return package.file.read()


def refusal(
    data: dict[str, list[Record]],
    habits: Habits | None = None,
    *,
    kind: type[Exception] = PullError,
    **keys: Any,
) -> str:
    """What is said of a pull that fails."""
    with pytest.raises(kind) as refused:
        pulled(data, habits, **keys)
    return str(refused.value)


def at(collection: str, answer: Answer, *, offset: int | None = None) -> Habits:
    """A server that answers for one collection (from an offset on) with something else."""

    def instead(_: Asked, asked: str, start: int) -> Answer | None:
        return answer if asked == collection and (offset is None or start >= offset) else None

    return Habits(instead=instead)


def many(count: int) -> dict[str, list[Record]]:
    """The small district with this many enrollments."""
    data = records()
    (first, *_) = data["enrollments"]
    data["enrollments"] = [{**first, "sourcedId": f"e{n}"} for n in range(count)]
    return data


# ---- everything, and once ------------------------------------------------------------------


def test_a_clamped_limit_and_silent_headers_lose_nothing() -> None:
    data = many(31_045)

    got, _ = pulled(data, Habits(most=500), limit=10_000)

    assert got["enrollments"] == data["enrollments"]
    assert len({record["sourcedId"] for record in got["enrollments"]}) == 31_045


@pytest.mark.parametrize("paging", ["rows", "next", "total"])
def test_each_way_of_paging_brings_every_record_once(paging: str) -> None:
    data = many(57)

    got, _ = pulled(data, Habits(most=10, headers=True), limit=25, paging=paging)

    assert {name: got[name] for name in data} == data


@settings(deadline=None, max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, 60),
    most=st.integers(1, 70),
    limit=st.integers(1, 70),
    headers=st.booleans(),
    paging=st.sampled_from(["rows", "next"]),
)
def test_no_page_size_loses_or_repeats_a_record(
    count: int, most: int, limit: int, headers: bool, paging: str
) -> None:
    data = many(count)

    got, _ = pulled(data, Habits(most=most, headers=headers), limit=limit, paging=paging)

    assert got["enrollments"] == data["enrollments"]


def test_a_short_page_is_not_the_end() -> None:
    data = many(30)
    all_of_them = data["enrollments"]

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        # Pages of 7, 1, 7, 1, …
        if collection != "enrollments":
            return None
        size = 1 if offset % 8 == 7 else 7
        return json_answer({"enrollments": all_of_them[offset : offset + size]})

    assert pulled(data, Habits(instead=instead))[0]["enrollments"] == all_of_them


def test_links_are_passed_over_where_pages_are_counted_by_rows() -> None:
    stray = json_answer({"orgs": records()["orgs"]}, Link='<https://evil.example/x>; rel="next"')

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        return stray if collection == "orgs" and not offset else None

    assert len(pulled(records(), Habits(instead=instead))[0]["orgs"]) == 2


def test_a_link_may_be_relative() -> None:
    data = records()

    def instead(asked: Asked, collection: str, offset: int) -> Answer | None:
        if collection == "orgs" and not offset:
            link = f'<{asked.path}?offset=1&cursor=x>; rel="next"'
            return json_answer({"orgs": data["orgs"][:1]}, Link=link)
        return None

    assert pulled(data, Habits(instead=instead), paging="next")[0]["orgs"] == data["orgs"]


def test_a_server_that_cannot_sort_is_asked_without() -> None:
    with school_server(records(), Habits(sort=False)) as server:
        pulled_from(f"{server.url}/ims")

    orgs = [asked.query for asked in server.asked if asked.path == "/ims/orgs"]
    assert ["sort" in query for query in orgs] == [True, False, False]


def test_every_request_has_the_parameters_of_the_source() -> None:
    with school_server(records()) as server:
        pulled_from(
            f"{server.url}/ims", limit=7, sort=False, parameters={"filter": "status='active'"}
        )

    assert server.asked[0].query == {"filter": "status='active'", "limit": "7", "offset": "0"}
    assert {asked.path for asked in server.asked} == {
        f"/ims/{name}" for name in records()
    }  # and no demographics


def test_demographics_come_only_where_they_are_wanted() -> None:
    data = {**records(), "demographics": [{"sourcedId": "u1", "sex": "female"}]}

    assert "demographics" not in pulled(data)[0]
    assert pulled(data, demographics=True)[0]["demographics"] == data["demographics"]
    # Nobody's being known is not a failure.
    assert pulled({**data, "demographics": []}, demographics=True)[0]["demographics"] == []


def test_a_vendors_own_names_for_a_collection_are_taken() -> None:
    habits = Habits(wrappers={"orgs": "org", "academicSessions": "terms"})
    names = {"orgs": ["org"], "academicSessions": ["sessions", "terms"]}

    assert len(pulled(records(), habits, wrappers=names)[0]["academicSessions"]) == 2
    bare = Habits(
        instead=lambda _, name, offset: (
            json_answer(records()["orgs"][offset:]) if name == "orgs" else None
        )
    )
    assert len(pulled(records(), bare)[0]["orgs"]) == 2


def test_busy_and_broken_answers_are_asked_for_again() -> None:
    left = [Answer(429, headers={"Retry-After": "1"}), Answer(502), Answer(body=b"{" * 99, cut=9)]

    def instead(_: Asked, collection: str, __: int) -> Answer | None:
        return left.pop() if collection == "users" and left else None

    got, _ = pulled(records(), Habits(instead=instead), attempts=4)

    assert len(got["users"]) == 5


# ---- what is kept --------------------------------------------------------------------------


def test_the_same_records_give_the_same_bytes_however_they_are_paged() -> None:
    _, first = pulled(records(), limit=2)
    _, second = pulled(records(), Habits(most=1, headers=True), limit=50)

    assert first == second


def test_no_password_is_kept_however_deep_it_stands() -> None:
    data = records()
    secret = "planted-s3cret"
    data["users"][0] |= {
        "password": secret,
        "metadata": {"initialPassword": secret, "locker": "7"},
        "userProfiles": [
            {
                "profileId": "urn:x",
                "credentials": [
                    {"type": "sso", "username": "ada", "password": secret, "pin": secret},
                    {"type": "sso", "username": "bob", "keys": [secret]},
                ],
            }
        ],
    }
    data["orgs"][0]["pwd"] = {"x": [secret]}
    with school_server(data) as server:
        source = rest_source(f"{server.url}/ims")
        assert source.rest is not None
        session = open_http(
            source.rest.base_url, source.rest.auth, base=Path(), environ={"TOKEN": "t"}
        )
        secrets = vendors.load("generic-rest-1.2").secrets
        with session, pull(session, source.rest, source="x", secrets=secrets) as package:
            content = package.file.read()
            assert package.blanked == {"users.jsonl": 1, "orgs.jsonl": 1}
            assert package.original_hash != hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        kept = b"".join(archive.read(name) for name in archive.namelist())
        (user, *_) = map(json.loads, archive.read("users.jsonl").splitlines())
    assert secret.encode() not in kept
    assert user["metadata"] == {"initialPassword": None, "locker": "7"}
    (profile,) = user["userProfiles"]
    assert profile["credentials"][0] == {
        "type": "sso",
        "username": "ada",
        "password": None,
        "pin": None,
    }


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_was_pulled_is_read_like_a_package(version: str, tmp_path: Path) -> None:
    _, content = pulled(records(version), version=version)

    with open_package(io.BytesIO(content)) as package:
        assert package.version == version
        candidate = build_candidate(package, None, tmp_path / "roster")

    assert list(candidate.findings) == []
    assert candidate.roster is not None
    assert candidate.roster.counts["enrollments"] == 5
    assert candidate.roster.counts["roles"] == 5


# ---- nothing, and why ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "collection", ["orgs", "academicSessions", "courses", "classes", "users", "enrollments"]
)
def test_an_empty_collection_is_incomplete_and_not_empty(collection: str) -> None:
    said = refusal({**records(), collection: []})

    assert said.startswith(f"springfield: pulling {collection}: http://127.0.0.1")
    assert f"/ims/{collection} has no records, and no roster is without {collection}" in said


def test_a_missing_collection_is_incomplete() -> None:
    data = records()
    del data["enrollments"]

    assert "springfield: pulling enrollments" in refusal(data)
    assert "is not there (404 Not Found). Check `base_url`" in refusal(data)


@pytest.mark.parametrize("body", [{}, {"user": []}, {"users": None}, {"users": {}}, "users", None])
def test_a_page_without_its_collection_is_a_failure(body: Any) -> None:
    said = refusal(records(), at("users", json_answer(body)))

    assert "pulling users" in said
    assert "answers without `users`" in said
    assert "wrappers: {users: [NAME]}" in said


def test_an_error_with_status_200_is_told_from_an_empty_page() -> None:
    body = {"imsx_StatusInfo": {"imsx_codeMinor": "server_busy", "imsx_description": "Zoë?"}}
    said = refusal(many(20), at("enrollments", json_answer(body), offset=10), limit=10)

    assert "answers without `enrollments`: server_busy" in said
    assert "Zoë" not in said


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<!DOCTYPE html><html>Log in</html>", "a web page"),
        (b"", "nothing"),
        (b"{'users': []}", "something"),
        (b"[" * 100_000, "something"),
    ],
)
def test_a_page_that_is_no_json_is_said_to_be_none(body: bytes, what: str) -> None:
    said = refusal(records(), at("users", Answer(200, body, {"Content-Type": "text/html"})))

    assert "springfield: pulling users: http://127.0.0.1" in said
    assert f"answers with {what} instead of JSON. Check `base_url`" in said


def test_a_page_repeated_for_ever_is_noticed() -> None:
    same = json_answer({"users": records()["users"]})

    assert "sends the same page again after 5 records" in refusal(records(), at("users", same))


def test_pages_that_go_round_in_a_circle_are_noticed() -> None:
    pages = [json_answer({"users": [user]}) for user in records()["users"][:2]]
    habits = Habits(instead=lambda _, name, offset: pages[offset % 2] if name == "users" else None)

    assert "sends the same page again after 2 records" in refusal(records(), habits)


def test_the_same_records_again_are_noticed_though_the_page_is_not_the_same() -> None:
    users = records()["users"]

    def instead(asked: Asked, name: str, offset: int) -> Answer | None:
        if name != "users":
            return None
        told = [{**user, "dateLastModified": f"2026-08-01T00:00:{offset:02}Z"} for user in users]
        return json_answer({"servedAt": offset, "users": told if offset < 50 else []})

    said = refusal(records(), Habits(instead=instead))

    assert "sends the same page again after 5 records" in said


def test_a_link_to_another_host_is_not_followed() -> None:
    link = '<https://evil.example/ims/orgs?offset=2&token=x>; rel="next"'
    habits = at("orgs", json_answer({"orgs": records()["orgs"]}, Link=link))

    said = refusal(records(), habits, kind=TransportError, paging="next")

    assert "springfield: pulling orgs: 127.0.0.1" in said
    assert "points to another host (evil.example). Nothing was sent" in said


def test_a_hung_server_is_given_up() -> None:
    said = refusal(
        records(), at("classes", Answer(stall=True)), kind=Interrupted, timeout=0.2, attempts=2
    )

    assert "springfield: pulling classes" in said
    assert "was silent for 0.2 s. Gave up after 2 attempts" in said


def test_a_server_that_stays_busy_is_given_up() -> None:
    said = refusal(records(), at("classes", Answer(503)), kind=Busy)
    assert "springfield: pulling classes" in said

    said = refusal(records(), at("classes", Answer(500)), kind=Busy)
    assert "fails (500 Internal Server Error)" in said


def test_a_refused_scope_is_named_with_its_collection() -> None:
    data = {**records(), "demographics": []}
    said = refusal(data, at("demographics", Answer(403)), kind=Forbidden, demographics=True)

    assert "springfield: pulling demographics" in said
    assert "the scope that it needs" in said
    assert "Or leave them out: `demographics: false`." in said


def test_a_refused_parameter_is_named_by_the_standards_word() -> None:
    answer = json_answer({"imsx_codeMinor": "invalid_filter_field", "x": "Zoë"}, 400)
    said = refusal(records(), at("orgs", answer))

    assert "refuses the request (400 Bad Request: invalid_filter_field)" in said
    assert "Zoë" not in said


def test_a_total_that_counts_the_page_only_is_no_total() -> None:
    users = records()["users"]

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        page = users[offset : offset + 2]
        return (
            json_answer({"users": page}, X_Total_Count=str(len(page)))
            if (collection == "users")
            else None
        )

    assert pulled(records(), Habits(instead=instead), limit=2)[0]["users"] == users


def test_fewer_records_than_announced_are_incomplete() -> None:
    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        page = records()["users"][offset:]
        return (
            json_answer({"users": page}, X_Total_Count="31045") if (collection == "users") else None
        )

    said = refusal(records(), Habits(instead=instead))
    assert "pulling users" in said
    assert "sent 5 records and says that it has 31,045" in said


def test_a_header_that_a_vendor_keeps_steady_stays_so_from_the_first_page_to_the_last() -> None:
    data = records()

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        revision = "8" if collection == "enrollments" else "7"
        return json_answer({collection: data[collection][offset:]}, x_perm_rev=revision)

    habits = Habits(instead=instead)
    assert len(pulled(records(), habits)[0]["users"]) == 5
    assert "x-perm-rev is no longer" in refusal(
        records(), habits, kind=Changed, steady=["x-perm-rev"]
    )
    assert Changed.transient


def test_a_total_that_is_needed_and_not_sent_is_asked_for() -> None:
    assert "say `paging: rows`" in refusal(records(), paging="total")


@pytest.mark.parametrize(("asked", "has"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_users_of_the_other_version_are_recognised(asked: str, has: str) -> None:
    said = refusal(records(has), version=asked)

    assert "pulling users" in said
    assert f'say `version: "{has}"`' in said


def test_users_without_any_role_are_incomplete() -> None:
    data = records()
    for user in data["users"]:
        user["roles"] = []

    assert "has users and not one `roles`" in refusal(data)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(404, b"<html>"), "gives no token: it answers with status 404"),
        (json_answer({"error": "invalid_client"}, 401), "does not take `client_id`"),
    ],
)
def test_a_wrong_token_address_or_secret_names_source_and_step(
    answer: Answer, sentence: str
) -> None:
    with school_server(records(), at("token", answer)) as server:
        oauth2 = {
            "client_id": "us",
            "client_secret": {"env": "TOKEN"},
            "token_url": f"{server.url}/token",
        }
        with pytest.raises(TransportError) as refused:
            pulled_from(f"{server.url}/ims", auth={"oauth2": oauth2})

    assert str(refused.value).startswith("springfield: pulling orgs: http://127.0.0.1")
    assert sentence in str(refused.value)
    assert [asked.path for asked in server.asked] == ["/token"]
