"""Where collections lie, how many are pulled at once, and how many records are too few."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.pull import pull
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.transport.http import open_http
from tests.sources.conftest import rest_source
from tests.sources.school_server import Habits, Record, records, school_server
from tests.sources.test_pull import Pulled, at, lines_in, many, pulled, pulled_from, refusal
from tests.transport.scripted import Answer, Asked, json_answer

IN_PARTS = {
    "orgs": ["districts", "schools"],
    "academicSessions": ["terms", "gradingPeriods"],
    "users": ["students", "teachers", "staff"],
}


def in_parts() -> dict[str, list[Record]]:
    """The small district on a server without collections for the whole; a teacher learns, too."""
    data = records()
    orgs, sessions, users = (data.pop(name) for name in IN_PARTS)
    return data | {
        "districts": orgs[:1],
        "schools": orgs[1:],
        "terms": sessions,
        "gradingPeriods": [],
        "students": users[:4],
        "teachers": users[3:4],
        "staff": users[4:],
    }


# ---- made of several -------------------------------------------------------------------------


def test_a_collection_is_put_together_of_the_endpoints_that_hold_it() -> None:
    got, content = pulled(in_parts(), made_of=IN_PARTS)

    assert content == pulled(records())[1]  # and the teacher who learns is there once
    assert len(got["users"]) == 5


@pytest.mark.parametrize("wrapper", ["users", "students", "people"])
def test_records_may_stand_under_the_name_of_collection_or_endpoint_or_another(
    wrapper: str,
) -> None:
    habits = Habits(wrappers={"students": wrapper, "teachers": "users", "staff": "staff"})

    got, _ = pulled(in_parts(), habits, made_of=IN_PARTS, wrappers={"users": ["people"]})

    assert len(got["users"]) == 5


def test_rows_of_one_person_that_differ_by_a_sign_are_both_kept() -> None:
    data = in_parts()
    data["teachers"] = [{**data["teachers"][0], "givenName": "Grace B."}]

    assert len(pulled(data, made_of=IN_PARTS)[0]["users"]) == 6


def test_an_endpoint_that_is_empty_or_missing_is_a_failure_only_if_all_are() -> None:
    data = in_parts()
    del data["gradingPeriods"]
    assert len(pulled(data, made_of=IN_PARTS)[0]["academicSessions"]) == 2

    data["terms"] = []
    assert "/ims/gradingPeriods is not there (404" in refusal(data, made_of=IN_PARTS)

    said = refusal({**data, "gradingPeriods": []}, made_of=IN_PARTS)
    assert "/ims/terms, http://127.0.0.1" in said
    assert "has no records" in said


@pytest.mark.parametrize("body", [{"imsx_codeMinor": "server_busy"}, {}])
def test_an_endpoint_that_answers_without_records_is_never_passed_over(
    body: dict[str, str],
) -> None:
    habits = at("teachers", json_answer(body))

    with pytest.raises(PullError) as refused:
        pulled(in_parts(), habits, made_of=IN_PARTS)

    assert refused.value.code == "no_list"


def test_an_endpoint_that_is_not_there_is_remarked() -> None:
    data = in_parts()
    del data["gradingPeriods"]
    with school_server(data) as server:
        source = rest_source(f"{server.url}/ims", made_of=IN_PARTS)
        assert source.rest is not None
        session = open_http(
            source.rest.base_url, source.rest.auth, base=Path(), environ={"TOKEN": "t"}
        )
        with session, pull(session, source.rest, source="x", secrets=Secrets()) as package:
            (remark,) = package.remarks

    assert remark.startswith("x: academicSessions came without `gradingPeriods`")


# ---- at once ---------------------------------------------------------------------------------


def test_collections_are_pulled_side_by_side_and_the_bytes_are_the_same() -> None:
    data = many(300)
    together = threading.Barrier(3, timeout=20)

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        if collection in ("orgs", "academicSessions", "courses") and not offset:
            together.wait()
        return None

    got, content = pulled(data, Habits(instead=instead), limit=7, at_once=3)

    assert got == lines_in(content) == data
    assert content == pulled(data)[1]


def test_after_a_failure_no_other_collection_is_begun() -> None:
    habits = at("academicSessions", Answer(404))
    with school_server(records(), habits) as server, pytest.raises(PullError) as refused:
        pulled_from(f"{server.url}/ims", at_once=2)

    assert "pulling academicSessions" in str(refused.value)
    assert "/ims/users" not in server.paths()


def test_after_a_failure_nobody_waits_for_a_busy_server() -> None:
    waiting = threading.Event()

    def instead(_: Asked, collection: str, __: int) -> Answer | None:
        if collection == "academicSessions":
            waiting.set()
            return Answer(503, headers={"Retry-After": "60"})
        if collection == "orgs":
            waiting.wait(20)
            return Answer(404)
        return None

    with school_server(records(), Habits(instead=instead)) as server:
        source = rest_source(f"{server.url}/ims", at_once=2)
        assert source.rest is not None
        session = open_http(
            source.rest.base_url, source.rest.auth, base=Path(), environ={"TOKEN": "t"}
        )
        began = time.monotonic()
        with (
            session,
            pytest.raises(PullError, match="pulling orgs"),
            pull(session, source.rest, source="x", secrets=Secrets()),
        ):
            pass

    assert time.monotonic() - began < 30


# ---- how many --------------------------------------------------------------------------------


def failure(data: dict[str, list[Record]], **keys: Any) -> PullError:
    with pytest.raises(PullError) as refused:
        pulled(data, **keys)
    return refused.value


def test_failures_say_for_machines_too_what_they_are_and_of_which_collection() -> None:
    data = records()
    of_users: Pulled = {**data, "users": [{**user, "roles": []} for user in data["users"]]}

    empty, missing = failure({**data, "classes": []}), {**data}
    del missing["courses"]
    found = [empty, failure(missing), failure(of_users), failure(data, paging="total")]

    assert [(error.code, error.collection) for error in found] == [
        ("empty", "classes"),
        ("no_collection", "courses"),
        ("roles", "users"),
        ("no_total", "orgs"),
    ]
    assert "A login without the right to see them gets such an empty list" in str(empty)


def test_fewer_records_than_expected_are_incomplete() -> None:
    error = failure(many(12), expect={"enrollments": (4000, 9000), "roles": (1, 2)})

    assert (error.code, error.collection) == ("few", "enrollments")
    assert "has 12 records, and `expect` says at least 4,000 enrollments" in str(error)
    # More than expected is for the guards to judge.
    assert pulled(many(12), expect={"enrollments": (1, 9)})


def test_the_reading_that_a_source_wants_is_kept_with_its_records() -> None:
    import io

    from roster_pipeline.oneroster.package import open_package
    from roster_pipeline.oneroster.pulled import Pull

    _, content = pulled(records(), merge={"users": "union"}, blanks_in_ids="underscore")

    with open_package(io.BytesIO(content)) as package:
        assert isinstance(package, Pull)
        assert package.reading.merge == {"users": "union"}
        assert package.reading.blanks_in_ids == "underscore"
        assert package.reading.timezone == "America/Chicago"


def test_a_page_is_asked_for_once_whatever_is_at_once() -> None:
    with school_server(many(100)) as server:
        pulled_from(f"{server.url}/ims", limit=10, at_once=4)

    assert set(Counter(asked.url for asked in server.asked).values()) == {1}
