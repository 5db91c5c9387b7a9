"""Data that change under a pull, and servers that stumble: what is read wrong is read again."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from roster_pipeline.sources.paging import PullError
from roster_pipeline.transport.errors import Busy
from tests.sources.school_server import Habits, Record, records, school_server
from tests.sources.test_pull import lines_in, many, pulled, pulled_from, refusal
from tests.transport.scripted import Answer, Asked, json_answer

Instead = Callable[[Asked, str, int], Answer | None]


def only(collection: str, answer: Callable[[Asked, int], Answer | None]) -> Habits:
    """A server with a habit in one collection."""
    return Habits(
        headers=True,
        instead=lambda asked, name, offset: answer(asked, offset) if name == collection else None,
    )


def page(data: list[Record], asked: Asked, total: int, offset: int | None = None) -> Answer:
    """A page of enrollments, as asked for, or from another offset on."""
    offset = int(asked.query["offset"]) if offset is None else offset
    rows = data[offset : offset + int(asked.query["limit"])]
    return json_answer({"enrollments": rows}, X_Total_Count=str(total))


def enrollments(got: dict[str, list[Any]]) -> list[str]:
    return [record["sourcedId"] for record in got["enrollments"]]


# ---- totals --------------------------------------------------------------------------------


def test_a_total_that_moved_does_no_harm_where_everything_came() -> None:
    data = many(30)
    live = data["enrollments"][:25]

    def answer(asked: Asked, offset: int) -> Answer:
        if offset == 18:
            live.extend(data["enrollments"][25:])  # five enroll while the last page is asked for
        return page(live, asked, len(live))

    with school_server(data, only("enrollments", answer)) as server:
        assert len(enrollments(lines_in(pulled_from(f"{server.url}/ims", limit=10)))) == 30
        asked = [one.query["offset"] for one in server.asked if one.path.endswith("enrollments")]

    assert asked == ["0", "9", "18", "27", "29"]


@pytest.mark.parametrize("at", [9, 18, 27])
def test_records_that_slip_onto_a_page_that_was_read_are_asked_for(at: int) -> None:
    data = many(30)
    live = list(data["enrollments"])

    def answer(asked: Asked, offset: int) -> Answer:
        if offset == at and len(live) == 30:
            del live[3:5]  # all that follow move up, two of them onto the page before this one
        return page(live, asked, len(live))

    with school_server(data, only("enrollments", answer)) as server:
        got = lines_in(pulled_from(f"{server.url}/ims", limit=10))
        queries = [one.query for one in server.asked if one.path.endswith("enrollments")]

    assert sorted(enrollments(got)) == sorted(f"e{n}" for n in range(30))
    assert [query["offset"] for query in queries].count(str(at)) < 3
    assert len(queries) <= 7


def test_records_that_move_down_are_fetched_by_another_reading() -> None:
    data = many(30)
    live = [record for record in data["enrollments"] if record["sourcedId"] != "e0"]

    def answer(asked: Asked, offset: int) -> Answer:
        if offset == 9 and len(live) == 29:
            live.insert(0, data["enrollments"][0])
        return page(live, asked, len(live))

    got, _ = pulled(data, only("enrollments", answer), limit=10)

    assert enrollments(got) == [f"e{n}" for n in range(30)]


def test_pages_that_never_fit_together_make_the_pull_incomplete() -> None:
    data = many(30)
    begun = Counter[int]()

    def answer(asked: Asked, offset: int) -> Answer:
        begun[offset] += 1
        rows = data["enrollments"][offset : offset + int(asked.query["limit"])]
        # In place of its last record but one each page but the first has one that came already.
        if offset and len(rows) > 2:
            rows[-2] = data["enrollments"][0]
        return json_answer({"enrollments": rows}, X_Total_Count="30")

    said = refusal(data, only("enrollments", answer), limit=10)

    assert "of them twice, and says that it has 30" in said
    assert begun[0] == 3


def test_a_total_that_falls_by_more_than_a_page_begins_the_collection_again() -> None:
    data = many(30)
    live = list(data["enrollments"])

    def answer(asked: Asked, offset: int) -> Answer:
        if offset == 9:
            del live[15:]
        return page(live, asked, len(live))

    got, _ = pulled(data, only("enrollments", answer), limit=10)

    assert enrollments(got) == [f"e{n}" for n in range(15)]


def test_a_record_that_the_server_has_twice_is_not_taken_for_one_that_slipped() -> None:
    data = many(30)
    twice = sorted(
        [*data["enrollments"], data["enrollments"][9]], key=lambda r: int(r["sourcedId"][1:])
    )
    on_one_page = only("enrollments", lambda asked, _: page(twice, asked, 31))
    with school_server(data, on_one_page) as server:
        pulled_from(f"{server.url}/ims", limit=16)
        assert len([a for a in server.asked if a.path.endswith("enrollments")]) == 3

    # On two pages it looks like one that slipped, until pages of another size say the same.
    got, _ = pulled(data, on_one_page, limit=10)

    assert enrollments(got) == [record["sourcedId"] for record in twice]


def test_per_school_rows_of_one_person_are_as_many_as_the_total_where_they_are_merged() -> None:
    data = records()
    data["users"] = [{**user, "n": str(n)} for n, user in enumerate(data["users"] * 3)]
    data["users"].sort(key=lambda user: str(user["sourcedId"]))
    with school_server(data, Habits(headers=True)) as server:
        pulled_from(f"{server.url}/ims", limit=2, merge={"users": "union"})
        assert len([a for a in server.asked if a.path == "/ims/users"]) == 15


# ---- readings ------------------------------------------------------------------------------


def stumbling(times: int, stumble: Answer) -> tuple[Habits, Counter[int]]:
    """A server whose second page of enrollments fails so many times, and what it was asked."""
    asked_for = Counter[int]()

    def answer(_: Asked, offset: int) -> Answer | None:
        asked_for[offset] += 1
        return stumble if offset == 9 and asked_for[9] <= times else None

    return only("enrollments", answer), asked_for


BUSY = json_answer({"imsx_StatusInfo": {"imsx_codeMinor": "server_busy"}, "enrollments": []})
STUMBLES: list[tuple[Answer, type[Exception], str]] = [
    (Answer(500), Busy, "fails (500"),
    (Answer(404), PullError, "is not there (404"),
    (Answer(200, b"<html>"), PullError, "a web page instead of JSON"),
    (json_answer({}), PullError, "answers without `enrollments`"),
    (BUSY, PullError, "says beside its records that it failed: server_busy"),
]


@pytest.mark.parametrize(("stumble", "kind", "said"), STUMBLES)
def test_a_collection_that_fails_in_its_middle_is_begun_three_times(
    stumble: Answer, kind: type[Exception], said: str
) -> None:
    data = many(30)
    habits, asked_for = stumbling(2, stumble)

    got, content = pulled(data, habits, limit=10)

    assert got["enrollments"] == data["enrollments"]  # and nothing of the first two readings
    assert content == pulled(data, limit=10)[1]
    assert asked_for == {0: 3, 9: 3, 18: 1, 27: 1, 29: 1}

    habits, asked_for = stumbling(3, stumble)
    assert said in refusal(data, habits, kind=kind, limit=10)
    assert asked_for[0] == 3


NOTHING: list[tuple[Answer, int]] = [
    (Answer(204), 2),
    (json_answer({"enrollments": []}), 2),
    (json_answer({"enrollments": []}, X_Total_Count="30"), 2),
    (json_answer({"enrollments": []}, Link='</ims/enrollments?offset=20>; rel="next"'), 2),
    (json_answer({"enrollments": many(10)["enrollments"]}), 2),
]


@pytest.mark.parametrize(("stumble", "more"), NOTHING)
def test_an_answer_with_nothing_new_is_no_end(stumble: Answer, more: int) -> None:
    data = many(30)
    habits, asked_for = stumbling(1, stumble)

    got, _ = pulled(data, habits, limit=10)

    assert got["enrollments"] == data["enrollments"]
    assert asked_for.total() <= 5 + more


@pytest.mark.parametrize("stumble", [answer for answer, _ in NOTHING[:-1]])
def test_a_hole_that_stays_makes_the_pull_incomplete(stumble: Answer) -> None:
    habits, asked_for = stumbling(10_000, stumble)

    said = refusal(many(30), habits, limit=10)

    assert "its pages do not fit together. Nothing was taken" in said
    assert asked_for[0] >= 3


def test_what_fails_on_the_first_page_is_not_asked_again() -> None:
    asked_for = Counter[int]()

    def answer(_: Asked, offset: int) -> Answer:
        asked_for[offset] += 1
        return Answer(200, b"<html>")

    refusal(records(), only("enrollments", answer))
    assert asked_for == {0: 1}


def test_a_new_revision_in_the_middle_begins_all_collections_again() -> None:
    data = many(30)
    asked_for = Counter[str]()
    revision = 7

    def instead(asked: Asked, collection: str, offset: int) -> Answer:
        nonlocal revision
        asked_for[collection] += not offset
        if collection == "enrollments" and offset == 9 and revision < 9:
            revision += 1
        limit = int(asked.query["limit"])
        rows = data[collection][offset : offset + limit]
        return json_answer({collection: rows}, x_perm_rev=str(revision))

    _, content = pulled(data, Habits(instead=instead), limit=10, steady=["x-perm-rev"])

    assert content == pulled(data)[1]
    assert asked_for["orgs"] == asked_for["enrollments"] == 3
    assert asked_for["users"] == 1


# ---- servers that stumble --------------------------------------------------------------------


def faults() -> Iterator[Answer | None]:
    """Of every twenty answers one is 429 or 502, and two connections are cut."""
    number = 0
    while True:
        number += 1
        if number in (13, 41):
            yield Answer(body=b"{" * 99, cut=9)
        elif number % 20 == 0:
            yield Answer(429, headers={"Retry-After": "0"}) if number % 40 else Answer(502)
        else:
            yield None


@pytest.mark.parametrize("at_once", [1, 3])
def test_of_a_rough_server_all_arrives_and_each_failure_costs_one_request(at_once: int) -> None:
    data = many(31_045)
    rough = faults()
    failed = Counter[str]()

    def instead(_: Asked, collection: str, offset: int) -> Answer | None:
        answer = next(rough)
        failed[f"{collection} {offset}"] += answer is not None
        return answer

    with school_server(data, Habits(most=100, instead=instead)) as server:
        content = pulled_from(f"{server.url}/ims", limit=5000, attempts=5, at_once=at_once)
        asked = Counter(
            f"{one.path.rpartition('/')[2]} {one.query['offset']}" for one in server.asked
        )

    assert content == pulled(data)[1]
    assert failed.total() > 15
    assert asked == Counter(asked.keys()) + +failed
    assert len([page for page in asked if page.startswith("enrollments")]) == 316
