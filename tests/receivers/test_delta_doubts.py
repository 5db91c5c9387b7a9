"""A destination that takes changes, when what is known of it is wrong, old or lost.

In each of these whoever replays the packages in the order of their names has the roster at the end.
"""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from roster_pipeline.store.ledger import Ledger
from tests.receivers.desk import Desk
from tests.receivers.test_deltas import name, statuses, users


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A destination that has had the whole roster."""
    made = Desk(tmp_path / "desk", {})
    made.bring()
    made.day()
    return made


def changed(desk: Desk, name: str) -> None:
    desk.rows["users"][0]["givenName"] = name


def backup(desk: Desk, *folders: str) -> None:
    desk.ledger.close()
    (desk.folder / "backup").mkdir()
    for each in folders:
        there = desk.folder / each
        if there.is_dir():
            shutil.copytree(there, desk.folder / "backup" / each)
        else:
            shutil.copy(there, desk.folder / "backup" / each)
    desk.ledger = Ledger.open(f"sqlite:///{desk.folder / 'ledger.db'}")


def restore(desk: Desk) -> None:
    desk.ledger.close()
    for each in (desk.folder / "backup").iterdir():
        there = desk.folder / each.name
        if each.is_dir():
            shutil.rmtree(there)
            shutil.copytree(each, there)
        else:
            for old in desk.folder.glob(f"{each.name}*"):
                old.unlink()
            shutil.copy(each, there)
    desk.ledger = Ledger.open(f"sqlite:///{desk.folder / 'ledger.db'}")


# ---- sent again ----


def test_an_older_package_that_is_sent_again_twice_leaves_a_doubt(desk: Desk) -> None:
    changed(desk, "Augusta")
    desk.bring()
    desk.day()
    desk.rows["enrollments"].pop()
    desk.bring()
    for _ in range(2):
        desk.day()
        desk.resend(date(2026, 8, 25))
    assert desk.bring().why_bulk == "what it has is not known"


@pytest.mark.parametrize("mode", ["delta", "bulk"])
def test_a_death_while_an_older_package_is_sent_again_leaves_a_doubt(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "in/{source}-{number}.zip" if mode == "delta" else "in/{source}.zip"
    desk = Desk(tmp_path / "desk", {"mode": mode, "path": path})
    desk.bring()
    first = desk.names()
    desk.day()
    changed(desk, "Augusta")
    desk.bring()
    (desk.folder / "in" / first[0]).unlink()
    desk.killed_at("upload.after-rename", monkeypatch, lambda: desk.resend(date(2026, 8, 24)))

    assert desk.ledger.unconfirmed("springfield") == {"desk"}
    sent = desk.bring()
    assert sent.news
    assert sent.delivery.receipt["mode"] == "bulk"
    assert desk.read_alike()


# ---- names ----


@pytest.mark.parametrize("path", ["in/{date}.zip", "in/{date}-{number}.zip"])
def test_names_never_go_back_where_the_clock_does(tmp_path: Path, path: str) -> None:
    desk = Desk(tmp_path / "desk", {"path": path, "sources": ["springfield"]})
    desk.bring()
    desk.day()
    changed(desk, "Augusta")
    desk.bring()
    before = desk.names()
    for given in ("Ada", "Zoë"):
        desk.now -= timedelta(days=1)
        changed(desk, given)
        desk.bring()
        assert desk.names()[: len(before) - 1] == before[:-1]
        assert max(desk.names()) >= max(before)
    whole = Desk(tmp_path / "other", {"path": path, "sources": ["springfield"]})
    whole.reader.inbox = desk.folder / "in"
    whole.rows = desk.rows
    whole.accepted()
    assert whole.read_alike()


def test_a_name_that_is_taken_by_what_nobody_knows_of_is_passed_over(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path / "desk", {})
    for number in (1, 2, 4):
        (desk.folder / "in" / name(number)).write_bytes(b"of another machine")
    sent = desk.bring()
    assert sent.delivery.path == f"in/{name(5)}"
    assert (desk.folder / "in" / name(1)).read_bytes() == b"of another machine"
    assert not desk.bring().news


def test_after_a_restored_ledger_no_name_is_used_again_and_the_whole_is_sent(desk: Desk) -> None:
    backup(desk, "ledger.db")
    gone = desk.rows["enrollments"].pop()
    desk.bring()
    second = (desk.folder / "in" / name(2)).read_bytes()
    restore(desk)
    desk.rows["enrollments"].append(gone)

    sent = desk.bring()

    assert (desk.folder / "in" / name(2)).read_bytes() == second
    assert sent.delivery.path == f"in/{name(3)}"
    assert sent.why_bulk == "what it has is not known"
    assert desk.read_alike()
    assert not desk.bring().news


def test_after_a_restored_machine_changes_do_not_take_the_name_of_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"path": "in/{date}.zip", "sources": ["springfield"]})
    desk.bring()
    desk.day()
    backup(desk, "ledger.db", "store")
    changed(desk, "Augusta")
    desk.bring()
    desk.reader.fetch()
    restore(desk)
    changed(desk, "Ada")
    desk.rows["enrollments"].pop()

    sent = desk.bring()

    assert sent.delivery.path == "in/2026-08-25.zip"
    assert sent.delivery.receipt["mode"] == "bulk"
    assert desk.read_alike()


def test_after_a_restored_machine_what_lies_at_the_receiver_is_not_overwritten(
    desk: Desk,
) -> None:
    backup(desk, "ledger.db", "store")
    changed(desk, "Augusta")
    desk.bring()
    second = (desk.folder / "in" / name(2)).read_bytes()
    restore(desk)
    desk.rows["enrollments"].pop()

    sent = desk.bring()

    assert (desk.folder / "in" / name(2)).read_bytes() == second
    assert sent.delivery.path == f"in/{name(3)}"
    assert sent.delivery.receipt["mode"] == "bulk"
    assert desk.read_alike()


# ---- what a whole roster does not say ----


def test_the_last_rows_of_a_file_are_told_as_gone_where_the_whole_is_sent(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path / "desk", {"bulk_every": 2})
    desk.bring()
    desk.day(3)
    gone = desk.rows["enrollments"]
    desk.rows["enrollments"] = []
    sent = desk.bring()
    assert sent.why_bulk is not None
    told = desk.package(name(2))
    assert statuses(told["enrollments"]) == {row["sourcedId"]: "tobedeleted" for row in gone}
    assert {row["status"] for row in told["users"]} == {""}
    assert desk.read_alike()


def test_a_mask_that_drops_a_file_takes_back_what_was_told_of_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {})
    desk.rows["demographics"] = [{"sourcedId": "u1", "birthDate": "2012-03-04", "sex": "female"}]
    desk.bring()
    desk.day()
    desk.keys = {"mask": {"drop": ["demographics"]}}
    assert desk.bring().why_bulk is not None
    (told,) = desk.package(name(2))["demographics"]
    assert (told["sourcedId"], told["status"]) == ("u1", "tobedeleted")
    assert (told["birthDate"], told["sex"]) == ("", "")


def test_rows_told_as_gone_again_do_not_say_what_a_mask_hides_since(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"retention": 9})
    desk.rows["users"][-1] |= {"phone": "555-0100"}
    desk.bring()
    desk.day()
    left = desk.rows["users"].pop()["sourcedId"]
    for entity in ("roles", "enrollments"):
        desk.rows[entity] = [row for row in desk.rows[entity] if row["userSourcedId"] != left]
    desk.bring()
    assert "555-0100" in {row["phone"] for row in users(desk, name(2))}
    for given in ("Augusta", "Ada"):
        desk.day()
        desk.keys = {"retention": 9, "mask": {"drop": ["users.phone"]}}
        changed(desk, given)
        desk.bring()
        assert {row["phone"] for row in users(desk, desk.names()[-1])} == {""}
    assert desk.read_alike()


def test_a_lost_roster_of_gone_rows_is_a_doubt_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"retention": 30})
    desk.bring()
    desk.rows["enrollments"].pop()
    desk.day()
    desk.bring()
    desk.outbox.keep_only("springfield", (), ())
    gone = {row["sourcedId"]: "tobedeleted" for row in desk.rows["enrollments"]}
    desk.rows["enrollments"] = []
    modes = []
    for given in ("Augusta", "Ada", "Zoë"):
        changed(desk, given)
        desk.day()
        modes.append(desk.bring().delivery.receipt["mode"])
    assert modes == ["bulk", "delta", "delta"]
    assert statuses(desk.package(name(3))["enrollments"]) == gone
    assert desk.read_alike()


# ---- order, and what comes next ----


def test_who_goes_is_told_before_who_comes(desk: Desk) -> None:
    for entity in ("users", "roles", "enrollments"):
        for row in desk.rows[entity]:
            for key in ("sourcedId", "userSourcedId"):
                if key in row and row[key] == "u1":
                    row[key] = "U1"
    desk.bring()
    assert list(statuses(users(desk, name(2))).items()) == [
        ("u1", "tobedeleted"),
        ("U1", "active"),
    ]
    assert desk.read_alike()


def test_a_metadata_column_that_is_not_sent_any_more_is_emptied(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {})
    desk.rows["users"][0]["metadata.house"] = "Gryffindor"
    desk.bring()
    desk.day()
    del desk.rows["users"][0]["metadata.house"]
    desk.bring()
    assert desk.read_alike()


def test_a_bulk_goes_to_another_server_even_where_its_bytes_are_the_same(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {"mode": "bulk", "path": "in/{source}.zip"})
    desk.bring()
    (desk.folder / "in" / "springfield.zip").unlink()
    desk.keys = {**desk.keys, "transport": {"folder": {"path": "other"}}}
    assert desk.bring().news
    assert desk.names() == ["springfield.zip"]
    assert not desk.bring().news


@pytest.mark.parametrize("broken", ["part", "index"])
def test_what_is_kept_and_cannot_be_read_is_a_doubt(desk: Desk, broken: str) -> None:
    kept = desk.folder / "store/outgoing/desk/snapshots/springfield"
    for file in kept.rglob("*"):
        if file.is_file() and ((file.suffix == ".parquet") == (broken == "part")):
            file.unlink()
            file.write_bytes(b"half")
    changed(desk, "Augusta")
    assert desk.bring().why_bulk is not None
    assert desk.read_alike()
