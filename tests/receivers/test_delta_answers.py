"""A destination that takes changes and answers: what its own reports say is what it has."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from roster_pipeline.receivers.processing.looking import Answer
from roster_pipeline.receivers.processing.matching import Outcome
from roster_pipeline.store import Delivery
from roster_pipeline.tables.text import TEXT
from roster_pipeline.transport import Unreachable
from tests.receivers.desk import Desk
from tests.receivers.test_delta_doubts import changed
from tests.receivers.test_deltas import name, statuses, users


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A destination that took the whole roster, and says so."""
    made = Desk(tmp_path / "desk", {})
    answer(made, Outcome.ACCEPTED)
    made.bring()
    made.day()
    answer(made, Outcome.ACCEPTED)
    return made


def answer(
    desk: Desk,
    outcome: Outcome,
    refused: Sequence[tuple[str | None, str | None]] = (),
    *,
    at: datetime | None = None,
) -> None:
    """What it says, of (file, sourcedId) that it refused; now, if nothing else is said."""
    rows = pd.DataFrame(refused, columns=["file", "sourcedId"]).astype(TEXT)
    moment = None if outcome is Outcome.WAITING else (at or desk.now)
    said = Answer(outcome, "report.csv", modified=moment, refused=rows)
    desk.answered = lambda _: said


def refuse(desk: Desk, number: int) -> None:
    """It takes nothing of this package."""
    desk.reader.refuses = [*desk.reader.refuses, name(number)]
    desk.reader.fetch()


def test_what_was_rejected_is_told_again_with_the_same_roster(desk: Desk) -> None:
    changed(desk, "Augusta")
    gone = desk.rows["enrollments"].pop()
    desk.bring()
    refuse(desk, 2)
    assert not desk.read_alike()
    desk.now += timedelta(hours=1)
    answer(desk, Outcome.REJECTED)

    sent = desk.bring()

    assert (sent.news, sent.why_bulk) == (True, None)
    assert statuses(users(desk, name(3))) == {"u1": "active"}
    assert statuses(desk.package(name(3))["enrollments"]) == {gone["sourcedId"]: "tobedeleted"}
    assert desk.read_alike()
    # The report is of before this package, so that it says nothing of it.
    assert not desk.bring().news


def test_what_no_report_confirms_is_told_with_what_is_next(desk: Desk) -> None:
    changed(desk, "Augusta")
    desk.bring()
    refuse(desk, 2)
    desk.day()
    answer(desk, Outcome.WAITING)
    assert not desk.bring().news
    desk.rows["users"][1]["givenName"] = "Bo"
    desk.bring()
    assert set(statuses(users(desk, name(3)))) == {"u1", "u2"}
    assert desk.read_alike()


def test_what_is_back_where_it_was_is_told_while_no_report_confirms_it(desk: Desk) -> None:
    before = desk.rows["users"][0]["givenName"]
    changed(desk, "Augusta")
    desk.bring()
    desk.day()
    answer(desk, Outcome.WAITING)
    changed(desk, before)
    desk.bring()
    assert statuses(users(desk, name(3))) == {"u1": "active"}
    assert desk.read_alike()


def test_a_report_confirms_what_was_brought_before_a_day_with_nothing_new(desk: Desk) -> None:
    changed(desk, "Augusta")
    desk.bring()
    desk.now += timedelta(hours=1)
    answer(desk, Outcome.ACCEPTED)
    for _ in range(2):
        desk.day()
        desk.rows["users"].append(desk.rows["users"].pop(0))
        assert not desk.bring().news
    desk.rows["users"][0]["givenName"] = "Bo"
    desk.bring()
    assert set(statuses(users(desk, name(3)))) == {"u3"}


def test_rows_that_were_refused_are_told_until_they_are_not(desk: Desk) -> None:
    changed(desk, "Augusta")
    desk.rows["users"][1]["givenName"] = "Bo"
    desk.bring()
    for number, given in ((3, "Cy"), (4, "Di")):
        desk.now += timedelta(hours=1)
        answer(desk, Outcome.WITH_ERRORS, [("users.csv", "u2")])
        desk.day()
        desk.rows["users"][2]["givenName"] = given
        assert desk.bring().why_bulk is None
        assert set(statuses(users(desk, name(number)))) == {"u2", "u3"}
    desk.now += timedelta(hours=1)
    answer(desk, Outcome.ACCEPTED)
    desk.rows["users"][2]["givenName"] = "Ed"
    desk.day()
    desk.bring()
    assert set(statuses(users(desk, name(5)))) == {"u3"}


def test_a_refused_row_that_is_gone_meanwhile_is_told_as_gone(desk: Desk) -> None:
    desk.rows["enrollments"][-1]["beginDate"] = "2026-08-01"
    desk.bring()
    desk.now += timedelta(hours=1)
    key = desk.rows["enrollments"].pop()["sourcedId"]
    answer(desk, Outcome.WITH_ERRORS, [(None, key)])
    desk.bring()
    assert statuses(desk.package(name(3))["enrollments"]) == {key: "tobedeleted"}


def test_a_deletion_that_was_refused_is_told_again(desk: Desk) -> None:
    key = desk.rows["enrollments"].pop()["sourcedId"]
    desk.bring()
    refuse(desk, 2)
    desk.now += timedelta(hours=1)
    answer(desk, Outcome.WITH_ERRORS, [("enrollments.csv", key)])
    changed(desk, "Augusta")
    desk.bring()
    assert statuses(desk.package(name(3))["enrollments"]) == {key: "tobedeleted"}
    assert desk.read_alike()


def test_changes_wait_until_the_whole_is_taken(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", {})
    answer(desk, Outcome.WAITING)
    for number in (1, 2):
        changed(desk, f"Ada {number}")
        desk.bring()
        refuse(desk, number)
        desk.day()
    changed(desk, "Zoë")
    assert desk.bring().why_bulk == "it has not said that it took the whole one before"
    assert desk.read_alike()


def test_a_server_of_reports_that_is_down_stops_nothing_and_confirms_nothing(desk: Desk) -> None:
    def down(_: Delivery) -> Answer:
        raise Unreachable("The server does not answer.")

    changed(desk, "Augusta")
    desk.bring()
    refuse(desk, 2)
    desk.day()
    desk.answered = down
    desk.rows["users"][1]["givenName"] = "Bo"
    assert desk.bring().news
    assert desk.read_alike()
