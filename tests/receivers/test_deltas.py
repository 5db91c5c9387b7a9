"""A destination that takes changes: what each package says, and what becomes of failed ones."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from roster_pipeline.receivers.delivery import DeliveryError
from tests.receivers.desk import Desk
from tests.small import Row


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A destination that has had the whole roster."""
    made = Desk(tmp_path / "desk", {})
    made.bring()
    made.day()
    return made


def users(desk: Desk, name: str) -> list[Row]:
    return desk.package(name).get("users", [])


def name(number: int) -> str:
    return f"springfield-{number:06}.zip"


def statuses(rows: list[Row]) -> dict[str, str]:
    return {row["sourcedId"]: row["status"] for row in rows}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"profile": "oneroster-1.2-bulk"}, "takes whole rosters only, not `delta`"),
        ({"path": "in/{source}.zip"}, "one package of changes would overwrite another"),
        ({"mode": "bulk"}, "{date} and {number} go with `mode: delta`"),
        ({"mode": "bulk", "path": "{source}.zip", "bulk_every": 7}, "this goes with `mode: delta`"),
        ({"mode": "bulk", "path": "{source}.zip", "retention": 7}, "this goes with `mode: delta`"),
        ({"bulk_every": 0}, "greater than or equal to 1"),
        ({"path": "in/{day}-{number}.zip"}, "can stand in braces"),
        ({"mode": "changes"}, "'bulk' or 'delta'"),
    ],
)
def test_what_of_changes_cannot_be_is_refused_with_a_sentence(
    tmp_path: Path, keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as error:
        _ = Desk(tmp_path / "desk", keys).destination
    assert sentence in str(error.value)


def test_the_first_package_is_whole_and_the_next_says_what_changed(desk: Desk) -> None:
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.rows["enrollments"].pop()
    sent = desk.bring()

    assert sent.delivery.receipt["mode"] == "delta"
    assert sent.why_bulk is None
    assert desk.names() == [name(1), name(2)]
    assert {row["status"] for row in users(desk, name(1))} == {""}
    assert statuses(users(desk, name(2))) == {"u1": "active"}
    assert statuses(desk.package(name(2))["enrollments"]) == {"e5": "tobedeleted"}
    assert {row["dateLastModified"] for row in users(desk, name(2))} == {"2026-08-25T07:00:00.000Z"}
    assert desk.read_alike()


def test_a_roster_that_says_nothing_new_sends_nothing_and_counts_as_delivered(desk: Desk) -> None:
    desk.rows["users"].reverse()
    sent = desk.bring()

    assert not sent.news
    assert desk.names() == [name(1)]
    desk.rows["users"].reverse()
    desk.rows["users"][0]["givenName"] = "Augusta"
    assert desk.bring().delivery.path.endswith(name(2))
    assert desk.read_alike()


def test_what_is_back_where_it_was_is_told_where_an_attempt_may_have_told_otherwise(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.rows["users"][0]["givenName"]
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.rows["users"].append(desk.rows["users"][0] | {"sourcedId": "u9", "username": "u9"})
    desk.killed_at("upload.after-rename", monkeypatch)
    assert desk.names() == [name(1), name(2)]
    desk.day()
    desk.rows["users"][0]["givenName"] = before
    desk.rows["users"].pop()

    desk.bring()

    assert statuses(users(desk, name(3))) == {"u1": "active", "u9": "tobedeleted"}
    assert {row["givenName"] for row in users(desk, name(3))} == {before, "Augusta"}
    assert desk.read_alike()


def test_an_attempt_to_bring_the_same_is_repeated_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.killed_at("delivery.before-receipt", monkeypatch)
    made = (desk.folder / "in" / name(2)).read_bytes()
    desk.day()

    sent = desk.bring()

    assert sent.delivery.path.endswith(name(2))
    assert not sent.delivery.receipt["sent"]
    assert (desk.folder / "in" / name(2)).read_bytes() == made
    assert desk.ledger.attempts("desk", "springfield") == []


def test_a_server_that_was_never_reached_leaves_no_attempt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> Any:
        raise ConnectionError

    there, desk.channel = desk.channel, down
    desk.rows["users"][0]["givenName"] = "Augusta"
    with pytest.raises(ConnectionError):
        desk.bring()
    assert desk.ledger.attempts("desk", "springfield") == []
    desk.channel = there
    assert desk.bring().delivery.path.endswith(name(2))


def test_moments_grow_even_where_the_clock_does_not(desk: Desk) -> None:
    desk.now -= timedelta(days=3)
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.bring()
    desk.rows["users"][0]["givenName"] = "Ada"
    desk.bring()
    said = [users(desk, name(number))[0]["dateLastModified"] for number in (2, 3)]
    assert said == sorted(set(said))
    assert said[0] > "2026-08-24T07:00:00.000Z"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"system_name": "Hub"}, "makes packages otherwise"),
        ({"path": "in/x-{source}-{number}.zip"}, "makes packages otherwise"),
        ({"bulk_every": 1}, "1 days have passed"),
    ],
)
def test_a_doubt_sends_the_whole(desk: Desk, change: dict[str, Any], why: str) -> None:
    desk.keys = change
    desk.rows["users"][0]["givenName"] = "Augusta"
    sent = desk.bring()
    assert sent.why_bulk is not None
    assert why in sent.why_bulk
    assert sent.delivery.receipt["number"] == 2


def test_a_lost_roster_sends_the_whole(desk: Desk) -> None:
    desk.outbox.keep_only("springfield", (), ())
    desk.rows["users"][0]["givenName"] = "Augusta"
    assert desk.bring().why_bulk == "what was sent before is not kept any more"
    assert desk.read_alike()


def test_a_second_package_of_a_day_is_whole_where_it_takes_the_firsts_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"path": "in/{date}.zip", "sources": ["springfield"]})
    desk.bring()
    desk.day()
    desk.rows["users"][0]["givenName"] = "Augusta"
    assert desk.bring().why_bulk is None
    desk.rows["enrollments"].pop()
    assert desk.bring().why_bulk is not None
    assert desk.names() == ["2026-08-24.zip", "2026-08-25.zip"]
    assert desk.read_alike()


def test_what_is_gone_is_told_again_for_the_time_of_retention(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"retention": 2})
    desk.bring()
    gone = desk.rows["enrollments"].pop()
    told = []
    for number in range(2, 6):
        desk.day()
        desk.rows["users"][0]["givenName"] = f"Ada {number}"
        desk.bring()
        told.append(statuses(desk.package(name(number)).get("enrollments", [])))
    assert told == [{gone["sourcedId"]: "tobedeleted"}] * 2 + [{}] * 2


def test_who_is_gone_and_comes_back_is_not_told_as_gone(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"retention": 5})
    desk.bring()
    row = desk.rows["enrollments"].pop()
    desk.day()
    desk.bring()
    desk.rows["enrollments"].append(row)
    desk.day()
    desk.bring()
    assert statuses(desk.package(name(3))["enrollments"]) == {row["sourcedId"]: "active"}


def test_in_1_1_a_changed_role_is_a_changed_user(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"profile": "oneroster-1.1"})
    desk.bring()
    desk.rows["roles"][3]["role"] = "aide"
    gone = desk.rows["users"].pop()["sourcedId"]
    desk.rows["roles"] = [row for row in desk.rows["roles"] if row["userSourcedId"] != gone]
    desk.day()
    desk.bring()
    told = {row["sourcedId"]: row for row in users(desk, name(2))}
    assert {key: (row["status"], row["role"]) for key, row in told.items()} == {
        "u4": ("active", "aide"),
        gone: ("tobedeleted", "administrator"),
    }


def test_the_outbox_has_what_may_be_needed_and_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> int:
        return len(list((desk.folder / "store/outgoing/desk/snapshots/springfield").iterdir()))

    for number in range(3):
        desk.rows["users"][0]["givenName"] = f"Ada {number}"
        desk.bring()
        assert kept() == 1
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.killed_at("upload.after-rename", monkeypatch)
    assert kept() == 2
    desk.rows["users"][0]["givenName"] = "Ada"
    desk.bring()
    assert kept() == 1


def test_a_package_is_sent_again_byte_for_byte_and_then_the_whole(desk: Desk) -> None:
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.bring()
    second = (desk.folder / "in" / name(2)).read_bytes()
    desk.day()
    desk.rows["users"][0]["givenName"] = "Ada"
    desk.bring()
    for number in (2, 3):
        (desk.folder / "in" / name(number)).unlink()

    assert desk.resend(desk.now.date()).delivery.receipt["mode"] == "delta"
    assert desk.names() == [name(1), name(3)]
    assert not desk.bring().news

    desk.resend(date(2026, 8, 25))
    assert (desk.folder / "in" / name(2)).read_bytes() == second
    assert desk.bring().why_bulk == "what it has is not known"
    assert desk.names()[-1] == name(4)
    with pytest.raises(DeliveryError, match="is kept of 2026-08-01; there are some of 2026-08-24"):
        desk.resend(date(2026, 8, 1))


def test_after_an_attempt_an_older_package_again_leaves_a_doubt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.rows["users"][0]["givenName"]
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.killed_at("upload.after-rename", monkeypatch)
    assert desk.ledger.unconfirmed("springfield") == {"desk"}
    desk.rows["users"][0]["givenName"] = before
    desk.resend(date(2026, 8, 24))
    assert desk.ledger.unconfirmed("springfield") == set()

    assert desk.bring().why_bulk == "what it has is not known"
    assert desk.read_alike()
    assert not desk.bring().news


def test_a_comparison_says_what_differs(desk: Desk) -> None:
    desk.rows["users"][0]["givenName"] = "Augusta"
    difference = desk.bring(compare=True).difference
    assert difference is not None
    assert difference["users"] == {"added": 0, "changed": 1, "removed": 0, "unchanged": 4}
    assert desk.bring(compare=True).difference == {}


def test_a_bulk_that_may_have_arrived_is_replaced_by_one_that_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"mode": "bulk", "path": "in/{source}.zip"}
    desk = Desk(tmp_path / "desk", keys)
    desk.bring()
    first = (desk.folder / "in" / "springfield.zip").read_bytes()
    desk.rows["users"][0]["givenName"] = "Augusta"
    desk.killed_at("upload.after-rename", monkeypatch)
    desk.rows["users"][0]["givenName"] = "Ada"

    desk.bring()

    assert (desk.folder / "in" / "springfield.zip").read_bytes() == first
    assert desk.bring(compare=True).difference == {}
