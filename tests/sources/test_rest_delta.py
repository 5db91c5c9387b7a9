"""Asking for changes only: the same whole roster, or all is asked for and it is said why."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.sources.pull import pull
from roster_pipeline.transport.http import open_http
from tests.sources.conftest import rest_source
from tests.sources.school_server import Habits, Record, records, school_server
from tests.sources.test_pull import lines_in
from tests.transport.scripted import Answer, Asked, json_answer

MONDAY = datetime(2026, 8, 3, 7, 30, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
NEW = "2026-08-03T12:00:00.000Z"


class District:
    """A server, and what is pulled from it day by day."""

    def __init__(self, **habits: Any) -> None:
        self.data = records()
        self.habits = Habits(headers=True, **{"filter": "knows", **habits})
        self.last: bytes | None = None
        self.asked: list[Asked] = []
        self.notice: str | None = None
        self.how: str = ""
        self.original = ""

    def pull(self, now: datetime, **keys: Any) -> dict[str, list[Record]]:
        """What a pull comes to, which is kept for the next."""
        with school_server(self.data, self.habits) as server:
            source = rest_source(f"{server.url}/ims", **{"delta": {}, "attempts": 1, **keys})
            assert source.rest is not None
            # Each server of these tests has a port of its own, and is the same for the source.
            rest = source.rest.model_copy(update={"base_url": "https://sis.example/ims"})
            session = open_http(
                source.rest.base_url, rest.auth, base=Path(), environ={"TOKEN": "t"}
            )
            last = None if self.last is None else io.BytesIO(self.last)
            secrets = source.profile.secrets
            with (
                session,
                pull(session, rest, source="x", secrets=secrets, last=last, now=now) as package,
            ):
                self.last, self.notice = package.file.read(), package.notice
                self.original = package.original_hash
                self.how = package.how
            self.asked = server.asked
        return lines_in(self.last)

    def change(self, collection: str, place: int, **keys: Any) -> None:
        """Change a record, on Monday noon."""
        self.data[collection][place] |= {"dateLastModified": NEW, **keys}

    def add(self, collection: str, sourced_id: str) -> None:
        """Add a record like the first, on Monday noon."""
        first = self.data[collection][0]
        self.data[collection].append({**first, "sourcedId": sourced_id, "dateLastModified": NEW})

    @property
    def said(self) -> dict[str, Any]:
        """What the last pull says of itself."""
        assert self.last is not None
        with zipfile.ZipFile(io.BytesIO(self.last)) as archive:
            said: dict[str, Any] = json.loads(archive.read("pull.json"))
        return said

    def truth(self) -> dict[str, list[Record]]:
        """What the server has, deleted records left out."""
        return {
            name: [record for record in of_one if record["status"] != "tobedeleted"]
            for name, of_one in self.data.items()
        }


def alike(got: dict[str, list[Record]], expected: dict[str, list[Record]]) -> bool:
    def by_id(data: dict[str, list[Record]]) -> dict[str, dict[str, Record]]:
        return {name: {r["sourcedId"]: r for r in of_one} for name, of_one in data.items()}

    return by_id(got) == by_id(expected) and all(
        len(got[name]) == len(expected[name]) for name in expected
    )


def test_changes_are_completed_into_the_whole_roster() -> None:
    district = District()
    assert district.pull(MONDAY) == district.data
    assert district.how == "full"
    assert "there is no earlier pull" in str(district.notice)
    assert district.said["pulled"] == "full"

    district.change("users", 0, givenName="Ada B.")
    district.change("enrollments", 1, status="tobedeleted")
    district.add("enrollments", "e9")
    got = district.pull(TUESDAY)

    assert district.how == "changes"
    assert district.notice is None
    assert alike(got, district.truth())
    assert district.said["pulled"] == "changes"
    assert district.said["full_at"] == MONDAY.isoformat()
    assert district.said["holding"]["roles"] is True
    queries = {asked.query.get("filter", "none") for asked in district.asked}
    # The newest change that was known is of the first of August, and a day is overlapped.
    assert queries == {"dateLastModified>='2026-07-31T00:00:00.000Z'", "none"}
    assert {asked.query["limit"] for asked in district.asked if "filter" not in asked.query} == {
        "1"
    }


def test_day_after_day_the_newest_change_moves_on_and_the_last_full_pull_does_not() -> None:
    district = District()
    district.pull(MONDAY)
    for day in range(1, 7):
        changed = MONDAY + timedelta(days=day - 1, hours=5)
        district.data["users"][day % 5]["dateLastModified"] = f"{changed:%Y-%m-%dT%H:%M:%S.000Z}"
        got = district.pull(MONDAY + timedelta(days=day), delta={"overlap_hours": 0})

        assert district.how == "changes"
        assert alike(got, district.truth())
        assert datetime.fromisoformat(district.said["newest"]["users"]) == changed
        assert district.said["full_at"] == MONDAY.isoformat()

    district.pull(MONDAY + timedelta(days=7, minutes=-3), delta={"overlap_hours": 0})
    assert district.how == "full"
    assert "the last full pull is of 2026-08-03." in str(district.notice)


def test_a_clock_of_the_server_that_was_wrong_hides_no_changes() -> None:
    district = District()
    district.data["users"][3]["dateLastModified"] = "2099-01-01T00:00:00.000Z"
    district.pull(MONDAY)
    district.change("users", 0, givenName="Ada B.")

    got = district.pull(TUESDAY, delta={"overlap_hours": 1})

    assert district.how == "changes"
    assert alike(got, district.truth())


def test_where_nothing_changed_the_records_are_the_same_bytes() -> None:
    district = District()
    first = district.pull(MONDAY)
    district.pull(TUESDAY, delta={"overlap_hours": 0})
    before = district.original

    assert district.how == "changes"
    assert district.pull(TUESDAY, delta={"overlap_hours": 0}) == first
    assert district.original == before


# ---- what makes changes alone not do ---------------------------------------------------------


def of_1_user(asked: Asked, collection: str, _: int) -> Answer | None:
    """A page of users beside the total, which is one too many."""
    return (
        Answer(200, b'{"users": [{"sourcedId": "u1"}]}', {"X-Total-Count": "6"})
        if collection == "users" and "filter" not in asked.query and asked.query["limit"] == "1"
        else None
    )


def fails(asked: Asked, collection: str, _: int) -> Answer | None:
    return Answer(500) if "filter" in asked.query and collection == "courses" else None


def untimely(district: District) -> None:
    for user in district.data["users"]:
        user["dateLastModified"] = "2026-08-01"


def undated(district: District) -> None:
    for user in district.data["users"]:
        user["dateLastModified"] = "0001-01-01T00:00:00.000Z"


def twins(district: District) -> None:
    district.data["enrollments"].append({**district.data["enrollments"][0], "role": "aide"})
    district.change("enrollments", 2)


def hidden(district: District) -> None:
    """An old record that is deleted without a word."""
    del district.data["enrollments"][0]


def swapped(district: District) -> None:
    """A record of lately in the place of which there is another, which says that it is old."""
    gone = district.data["enrollments"].pop(1)
    old = {"sourcedId": "e9", "dateLastModified": "2026-07-01T00:00:00.000Z"}
    district.data["enrollments"].append({**gone, **old})


def restored(district: District) -> None:
    """A record as it was before its last change."""
    district.data["users"][0] |= {"dateLastModified": "2026-07-01T00:00:00.000Z"}


def knows_nothing(asked: Asked, collection: str, _: int) -> Answer | None:
    """No record for a filter that is not understood."""
    return json_answer({collection: []}, 200) if "filter" in asked.query else None


def refuses_users(status: int) -> Callable[[Asked, str, int], Answer | None]:
    def refuses(asked: Asked, collection: str, _: int) -> Answer | None:
        refused = "filter" in asked.query and collection == "users"
        return Answer(status, b"{}") if refused else None

    return refuses


LEFT_OUT = "asked for changes of {} the server leaves out what it has to send"


REASONS: list[tuple[dict[str, Any], Callable[[District], None] | None, dict[str, Any], str]] = [
    ({"filter": "refuses"}, None, {}, "asked for changes of orgs the server fails (refused)"),
    ({"instead": fails}, None, {}, "asked for changes of courses the server fails"),
    ({"filter": "passes over"}, None, {"delta": {"overlap_hours": 0}}, "passes over the filter"),
    ({"instead": refuses_users(401)}, None, {}, "does not let us ask for changes of users"),
    ({"instead": refuses_users(403)}, None, {}, "does not let us ask for changes of users"),
    ({"instead": knows_nothing}, None, {}, LEFT_OUT.format("orgs")),
    ({}, swapped, {}, LEFT_OUT.format("enrollments")),
    ({}, restored, {}, LEFT_OUT.format("users")),
    ({"instead": of_1_user}, None, {}, "has 6 users, and with the changes there would be 5"),
    ({}, hidden, {}, "the server has 4 enrollments, and with the changes there would be 5"),
    ({}, None, {"parameters": {"ext_basic": "true"}}, "settings of the source have changed"),
    ({}, None, {"demographics": True}, "settings of the source have changed"),
]


@pytest.mark.parametrize(("habits", "happens", "keys", "why"), REASONS)
def test_all_is_asked_for_where_changes_do_not_prove_to_be_the_whole(
    habits: dict[str, Any], happens: Callable[[District], None] | None, keys: Any, why: str
) -> None:
    district = District(**habits)
    district.data["demographics"] = [
        {"sourcedId": "u1", "status": "active", "dateLastModified": "2026-08-01T00:00:00.000Z"}
    ]
    # Had any server passed over the filter, it would show by a record from before.
    district.data["enrollments"][0]["dateLastModified"] = "2026-07-01T00:00:00.000Z"
    district.pull(MONDAY)
    if happens is not None:
        happens(district)

    got = district.pull(TUESDAY, **keys)

    assert district.how == "full"
    assert why in str(district.notice)
    assert got["enrollments"] == district.data["enrollments"]
    assert district.said["full_at"] == TUESDAY.isoformat()


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (untimely, "not all users say when they were last modified"),
        (undated, "no users say truly when they were last modified"),
        (twins, "enrollments of the last pull share a sourcedId"),
    ],
)
def test_records_that_cannot_be_laid_over_are_all_asked_for(
    prepare: Callable[[District], None], why: str
) -> None:
    district = District()
    prepare(district)
    district.pull(MONDAY)
    district.pull(TUESDAY)

    assert district.how == "full"
    assert why in str(district.notice)


def test_a_server_that_does_not_say_how_many_there_are_is_asked_for_all() -> None:
    district = District()
    district.habits.headers = False
    district.pull(MONDAY)
    district.pull(TUESDAY)

    assert "does not say how many orgs it has" in str(district.notice)


def test_a_pull_of_before_is_not_completed_if_it_does_not_say_when_it_was() -> None:
    district = District()
    district.pull(MONDAY, delta=None)
    assert set(district.said) == {
        *("pulled", "format", "version", "collections", "holding", "reading")
    }
    district.pull(TUESDAY)

    assert "does not say what a later one needs" in str(district.notice)


def test_no_source_is_asked_for_changes_by_default() -> None:
    district = District()
    district.pull(MONDAY, delta=None)
    district.pull(TUESDAY, delta=None)

    assert (district.how, district.notice) == ("full", None)
    assert not any("filter" in asked.query for asked in district.asked)


def test_a_filter_that_is_used_on_pages_that_are_cut_already_loses_no_change() -> None:
    def cut_first(asked: Asked, collection: str, offset: int) -> Answer | None:
        if "filter" not in asked.query:
            return None
        since = asked.query["filter"].removeprefix("dateLastModified>='").removesuffix("'")
        page = district.data[collection][offset : offset + 2]
        found = [record for record in page if str(record["dateLastModified"]) >= since]
        return json_answer({collection: found}, 200)

    district = District(instead=cut_first)
    for user in district.data["users"][:2]:
        user["dateLastModified"] = "2026-06-01T00:00:00.000Z"
    district.pull(MONDAY)
    district.change("users", 3, givenName="Ada B.")

    got = district.pull(TUESDAY)

    assert alike(got, district.truth())
    assert district.how == "full"


def test_what_changed_while_users_were_pulled_is_not_lost_where_the_clocks_differ() -> None:
    district = District()
    # By our clock the pull begins at 10:20; by that of the server it is 10:00 then.
    district.data["users"][4]["dateLastModified"] = "2026-08-03T10:10:00.000Z"
    district.pull(datetime(2026, 8, 3, 10, 20, tzinfo=UTC))
    changed = {"dateLastModified": "2026-08-03T10:05:00.000Z", "givenName": "Ada B."}
    district.data["users"][0] |= changed

    got = district.pull(TUESDAY, delta={"overlap_hours": 0})

    assert district.how == "changes"
    assert alike(got, district.truth())


def test_a_moment_finer_than_a_question_does_not_look_like_a_filter_passed_over() -> None:
    district = District()
    for user in district.data["users"][1:]:
        user["dateLastModified"] = "2026-08-01T12:00:00.123456Z"
    district.data["users"][0]["dateLastModified"] = "2026-08-01T11:00:00.123400Z"

    def as_numbers(asked: Asked, collection: str, offset: int) -> Answer | None:
        if "filter" not in asked.query:
            return None
        since = asked.query["filter"].removeprefix("dateLastModified>='").removesuffix("'")
        found = [
            record
            for record in district.data[collection]
            if datetime.fromisoformat(str(record["dateLastModified"]))
            >= datetime.fromisoformat(since)
        ]
        return json_answer({collection: found[offset:]}, 200)

    district.habits.instead = as_numbers
    district.pull(MONDAY)
    got = district.pull(TUESDAY, delta={"overlap_hours": 0})

    assert district.how == "changes"
    assert alike(got, district.truth())


def test_a_clock_of_ours_that_was_wrong_once_does_not_put_off_the_next_full_pull() -> None:
    district = District()
    district.pull(datetime(2031, 1, 1, tzinfo=UTC))
    district.pull(MONDAY)

    assert district.how == "full"
    assert "by the clock of this machine the last pull is yet to come" in str(district.notice)
    assert district.said["full_at"] == MONDAY.isoformat()


# ---- a last pull that is damaged -------------------------------------------------------------


def flipped(package: bytes) -> bytes:
    """With two bytes of the users that are others."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        start = archive.getinfo("users.jsonl").header_offset + 30 + len("users.jsonl") + 20
    return (
        package[:start] + bytes(b ^ 0xFF for b in package[start : start + 2]) + package[start + 2 :]
    )


def without_users(package: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name != "users.jsonl":
                new.writestr(name, old.read(name))
    return out.getvalue()


def not_json(package: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"{\n" if name == "users.jsonl" else old.read(name))
    return out.getvalue()


@pytest.mark.parametrize("damage", [flipped, without_users, not_json])
@pytest.mark.parametrize("changed", [True, False])
def test_over_a_last_pull_that_is_damaged_nothing_is_laid(
    damage: Callable[[bytes], bytes], changed: bool
) -> None:
    district = District()
    district.pull(MONDAY)
    assert district.last is not None
    district.last = damage(district.last)
    if changed:
        district.change("users", 0, givenName="Ada B.")

    got = district.pull(TUESDAY)

    assert district.how == "full"
    assert "the last pull cannot be read" in str(district.notice)
    assert alike(got, district.truth())
