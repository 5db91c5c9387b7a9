"""What a receiver lacks, since when, and when it is due, by what the ledger says."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from roster_pipeline.receivers.timing import Times
from roster_pipeline.receivers.timing_lack import Lack, lack, lack_while_held
from roster_pipeline.store import Accepted, Delivery, Outcome, Snapshot, Sync
from roster_pipeline.store.overview import Overview
from tests.receivers.test_timing import NIGHTLY, SCHOOL_DAY, at, times

NEVER = times()


def accepted(content: str, when: datetime) -> Accepted:
    snapshot = Snapshot("springfield", content, {}, "")
    day = when.date()
    return Accepted("springfield", 1, snapshot, None, day, day, when, None)


def had(content: str, when: datetime, **receipt: Any) -> Delivery:
    return Delivery("lms", "springfield", content, "hash", "/in/x.zip", 1, receipt, when)


def sync(outcome: Outcome, when: datetime, **summary: Any) -> Sync:
    return Sync("springfield", when.date(), outcome, summary, None, when)


def known(now: Accepted, last: Delivery | None = None, ended: Sync | None = None) -> Overview:
    return Overview(
        {"springfield": now},
        {} if ended is None else {"springfield": ended},
        {},
        {} if last is None else {("lms", "springfield"): last},
        {},
    )


def lacks(
    said: Overview, of: Times = NEVER, now: str = "11-23 03:00", *before: Accepted
) -> Lack | None:
    return lack(said, "lms", "springfield", of, at(now), lambda *_: before)


def due(said: Overview, now: str, of: Times = NEVER, *before: Accepted) -> datetime | None:
    found = lacks(said, of, now, *before)
    return None if found is None else found.due(of, at(now))


NEW = accepted("new", at("11-23 02:35"))
OLD = had("old", at("11-22 02:36"))


def test_what_a_receiver_has_it_does_not_lack() -> None:
    assert lacks(known(NEW, had("new", at("11-23 02:36")))) is None
    assert lacks(Overview({}, {}, {}, {}, {})) is None


@pytest.mark.parametrize("last", [OLD, None])
def test_a_roster_that_a_sync_could_not_bring_is_due_after_growing_pauses(
    last: Delivery | None,
) -> None:
    said = known(NEW, last)
    moments = ["11-23 02:49", "11-23 02:51", "11-23 03:10", "11-23 09:00", "11-24 02:36"]
    tries = [due(said, now) for now in moments]
    begun = NEW.at
    hours = (0.25, 0.25, 4, 24)
    assert tries == [None, *(begun + timedelta(hours=pause) for pause in hours)]


def test_a_roster_that_is_accepted_in_quiet_hours_is_due_at_their_end() -> None:
    quiet, said = times(quiet_hours=SCHOOL_DAY), known(accepted("new", at("11-23 09:00")), OLD)
    assert due(said, "11-23 15:59", quiet) is None
    assert due(said, "11-23 16:00", quiet) == at("11-23 16:00")
    assert due(said, "11-23 16:14", quiet) == at("11-23 16:00")


def test_a_schedule_brings_at_its_time_what_is_accepted_then() -> None:
    nightly = times(schedule=NIGHTLY)
    said = known(NEW, had("old", at("11-22 20:00")))
    assert due(said, "11-23 19:59", nightly) is None
    assert due(said, "11-23 20:00", nightly) == at("11-23 20:00")
    assert due(said, "11-23 20:16", nightly) == at("11-23 20:15")


def test_a_schedule_that_meets_a_longer_sync_each_day_is_not_put_off_for_ever() -> None:
    # The newest roster came after the time of the schedule, as the one before it did.
    nightly, before = times(schedule={"at": "02:30"}), accepted("mid", at("11-22 04:10"))
    said = known(accepted("new", at("11-23 04:10")), had("old", at("11-21 04:11")))
    assert due(said, "11-23 04:11", nightly) is None
    assert due(said, "11-23 04:11", nightly, before) == at("11-23 03:30")


def test_on_a_usual_day_a_schedule_asks_for_nothing_but_what_is_accepted() -> None:
    def never(*_: object) -> list[Accepted]:
        raise AssertionError("it was asked for all that was accepted")

    nightly, said = times(schedule=NIGHTLY), known(NEW, had("old", at("11-22 20:01")))
    found = lack(said, "lms", "springfield", nightly, at("11-23 19:00"), never)
    assert found is not None
    assert found.since == NEW.at


def test_a_week_s_delivery_that_failed_is_tried_again_on_the_days_after_it() -> None:
    weekly = times(schedule={"at": "03:30", "cadence": "weekly", "weekday": "sunday"})
    before = accepted("mid", at("11-17 02:35"))
    said = known(accepted("new", at("11-24 02:35")), had("old", at("11-15 03:31")))
    assert due(said, "11-25 08:00", weekly, before) == at("11-25 03:30")


def test_a_delivery_that_nobody_confirmed_is_due_again() -> None:
    confirmed = had("new", at("11-23 02:36"))
    tried = {("lms", "springfield"): at("11-23 12:00")}
    said = replace(known(NEW, confirmed), unconfirmed=tried)
    assert due(said, "11-23 12:10") is None
    assert due(said, "11-23 12:15") == at("11-23 12:15")
    doubtful = known(NEW, had("new", at("11-23 12:00"), doubt=True))
    assert due(doubtful, "11-23 12:15") == at("11-23 12:15")


def test_what_is_of_an_earlier_day_is_due_when_the_next_begins() -> None:
    said = known(NEW, had("new", at("11-23 02:36"), day="2026-11-23"))
    assert due(said, "11-23 23:59") is None
    assert due(said, "11-24 00:00") == at("11-24 00:00")
    assert due(said, "11-24 19:00", times(schedule=NIGHTLY)) is None
    assert due(said, "11-24 20:00", times(schedule=NIGHTLY)) == at("11-24 20:00")


def test_what_a_sync_found_missing_and_put_off_is_due_at_the_next_time() -> None:
    nightly, last = times(schedule=NIGHTLY), had("new", at("11-20 20:00"))
    ended = sync(Outcome.NOTHING_NEW, at("11-23 02:36"), waiting={"lms": "…"})
    assert lacks(known(NEW, last, sync(Outcome.NOTHING_NEW, at("11-23 02:36")))) is None
    assert due(known(NEW, last, ended), "11-23 19:59", nightly) is None
    assert due(known(NEW, last, ended), "11-23 20:00", nightly) == at("11-23 20:00")
    assert lacks(known(NEW, had("new", at("11-23 20:01")), ended), nightly) is None


def held_due(last: Delivery, ended: Sync, now: str, of: Times = NEVER) -> datetime | None:
    found = lack_while_held(known(NEW, last, ended), "lms", "springfield", of)
    return None if found is None else found.due(of, at(now))


def test_while_a_sync_is_held_what_was_sent_last_is_due_once_a_day() -> None:
    last, held = had("new", at("11-22 02:36")), sync(Outcome.HELD, at("11-23 02:31"))
    assert held_due(last, held, "11-23 02:35") is None
    assert held_due(last, held, "11-23 02:36") == at("11-23 02:36")
    assert held_due(had("new", at("11-23 02:36")), held, "11-23 23:00") is None
    assert held_due(last, sync(Outcome.DONE, at("11-23 02:31")), "11-23 09:00") is None
    # A long time without news is no reason to send before the sync is held.
    assert held_due(had("new", at("11-10 02:36")), held, "11-23 02:31") == at("11-23 02:31")


def test_while_a_sync_is_held_a_schedule_holds_as_ever() -> None:
    nightly, held = times(schedule=NIGHTLY), sync(Outcome.HELD, at("11-23 02:31"))
    assert held_due(had("new", at("11-20 20:00")), held, "11-23 02:31", nightly) is None
    assert held_due(had("new", at("11-20 20:00")), held, "11-23 20:00", nightly) is not None
    assert held_due(had("new", at("11-23 20:00")), held, "11-23 20:05", nightly) is None
