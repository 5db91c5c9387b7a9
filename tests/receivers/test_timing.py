"""When a destination is sent something: schedules, quiet hours, further tries."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.timing import Times
from tests.receivers.test_config import destination, tables

CHICAGO = ZoneInfo("America/Chicago")
SCHOOL_DAY = {"from": "07:00", "to": "16:00"}
NIGHTLY = {"at": "20:00"}


def times(**keys: Any) -> Times:
    return destination(**keys).times(CHICAGO)


def at(text: str) -> datetime:
    """A moment in Chicago, such as `11-23 07:00`: a Monday."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=CHICAGO)


def until(found: Any) -> str | None:
    """Until when, in Chicago."""
    return None if found is None else f"{found.until.astimezone(CHICAGO):%m-%d %H:%M}"


def test_without_times_nothing_waits() -> None:
    assert times().wait(at("11-23 12:00"), at("11-23 02:35")) is None


@pytest.mark.parametrize(
    ("quiet", "now", "waits"),
    [
        (SCHOOL_DAY, "11-23 06:59", None),
        (SCHOOL_DAY, "11-23 07:00", "11-23 16:00"),
        (SCHOOL_DAY, "11-23 16:00", None),
        ({"from": "22:00", "to": "05:00"}, "11-23 23:30", "11-24 05:00"),
        ({"from": "22:00", "to": "05:00"}, "11-23 04:59", "11-23 05:00"),
        ({"from": "22:00", "to": "05:00", "days": ["friday"]}, "11-23 23:30", None),
        ({"from": "22:00", "to": "05:00", "days": ["friday"]}, "11-28 04:00", "11-28 05:00"),
        ({"from": "00:00", "to": "24:00", "days": ["monday"]}, "11-23 09:00", "11-24 00:00"),
        ([SCHOOL_DAY, {"from": "16:00", "to": "18:00"}], "11-23 09:00", "11-23 18:00"),
        ({"from": "07:00", "to": "16:00", "timezone": "UTC"}, "11-23 07:00", "11-23 10:00"),
        # The clock skips from 2:00 to 3:00.
        ({"from": "01:00", "to": "02:30"}, "03-08 01:30", "03-08 03:30"),
    ],
)
def test_quiet_hours_are_waited_out(quiet: Any, now: str, waits: str | None) -> None:
    assert until(times(quiet_hours=quiet).wait(at(now), at(now))) == waits


def test_quiet_hours_last_until_the_second_time_that_a_clock_shows_their_end() -> None:
    found = times(quiet_hours={"from": "00:30", "to": "01:30"}).wait(at("11-01 00:45"), None)
    assert found is not None
    assert found.until == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "since", "now", "waits"),
    [
        (NIGHTLY, "11-23 02:35", "11-23 02:36", "11-23 20:00"),
        (NIGHTLY, "11-23 02:35", "11-23 20:00", None),
        # What could not be sent then goes as soon as it can.
        (NIGHTLY, "11-23 02:35", "11-24 02:35", None),
        # A sync was under way at that time, or began too late for it.
        (NIGHTLY, "11-23 20:40", "11-23 20:41", None),
        (NIGHTLY, "11-23 21:40", "11-23 21:41", "11-24 20:00"),
        ({"at": "20:00", "timezone": "UTC"}, "11-23 02:35", "11-23 13:59", "11-23 14:00"),
        (
            {"at": "03:30", "cadence": "weekly", "weekday": "sunday"},
            "11-23 02:35",
            "11-28 09:00",
            "11-29 03:30",
        ),
        ({"at": "02:30"}, "03-07 12:00", "03-08 00:30", "03-08 03:30"),
    ],
)
def test_a_schedule_is_waited_for(schedule: Any, since: str, now: str, waits: str | None) -> None:
    assert until(times(schedule=schedule).wait(at(now), at(since))) == waits


def test_what_was_sent_at_its_time_is_not_sent_again_before_the_next() -> None:
    found = times(schedule=NIGHTLY).wait(at("11-23 20:31"), at("11-23 20:30"), at("11-23 20:01"))
    assert until(found) == "11-24 20:00"


def test_a_time_in_quiet_hours_moves_to_their_end() -> None:
    both = times(schedule={"at": "08:00"}, quiet_hours=SCHOOL_DAY)
    assert until(both.wait(at("11-23 02:36"), at("11-23 02:35"))) == "11-23 16:00"
    assert until(both.wait(at("11-23 08:10"), at("11-23 02:35"))) == "11-23 16:00"
    assert both.wait(at("11-23 16:00"), at("11-23 02:35")) is None


def test_what_waits_is_told_with_the_moment_by_the_clock_that_is_meant() -> None:
    moment = at("11-23 12:00")
    quiet = times(quiet_hours={**SCHOOL_DAY, "timezone": "America/New_York"}).wait(moment, moment)
    nightly = times(schedule=NIGHTLY).wait(moment, moment)
    assert quiet is not None
    assert nightly is not None
    assert quiet.sentence("lms") == (
        "lms has quiet hours until 2026-11-23 16:00 America/New_York, and waits."
    )
    assert nightly.sentence("lms") == (
        "lms waits for the time of its `schedule`, 2026-11-23 20:00 America/Chicago."
    )


@pytest.mark.parametrize(
    ("minutes", "tries"),
    [(0, None), (14, None), (15, 15), (59, 15), (60, 60), (240, 240), (1439, 240), (3000, 2880)],
)
def test_what_failed_is_tried_again_after_growing_pauses(minutes: int, tries: int | None) -> None:
    begun = at("11-23 02:35")
    last = times().last_try(begun, begun + timedelta(minutes=minutes), tried=True)
    assert last == (None if tries is None else begun + timedelta(minutes=tries))


def test_tries_in_quiet_hours_are_one_at_their_end() -> None:
    quiet, begun = times(quiet_hours=SCHOOL_DAY), at("11-23 06:50")
    tries = [quiet.last_try(begun, at(f"11-23 {now}"), tried=True) for now in ("07:30", "15:59")]
    assert tries == [None, None]
    assert quiet.last_try(begun, at("11-23 16:10"), tried=True) == at("11-23 16:00")
    # What was accepted in quiet hours nobody has tried to send.
    assert quiet.last_try(at("11-23 12:00"), at("11-23 16:00"), tried=True) == at("11-23 16:00")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"schedule": {"at": "3:30"}}, "say a time of day"),
        ({"schedule": {"at": "03:30", "cadence": "weekly"}}, "needs a `weekday`"),
        ({"schedule": {"at": "03:30", "weekday": "monday"}}, "is for `cadence: weekly`"),
        ({"schedule": {"at": "03:30", "timezone": "America/Chicgo"}}, "did you mean"),
        ({"quiet_hours": {"from": "07:00", "to": "07:00"}}, "are the same"),
        ({"quiet_hours": {"from": "07:00", "to": "24:01"}}, "say a time of day"),
        (
            {"quiet_hours": [SCHOOL_DAY, {"from": "16:00", "to": "07:00"}]},
            "leave no time at which something could be sent",
        ),
        (
            {
                "on_hold": "resend",
                "profile": "oneroster-1.2",
                "mode": "delta",
                "path": "{source}-{number}.zip",
            },
            "`on_hold: resend` goes with `mode: bulk`",
        ),
    ],
)
def test_times_that_cannot_be_meant_are_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as error:
        destination(**keys)
    assert sentence in str(error.value)


def test_tables_have_times_but_nothing_to_send_again() -> None:
    made: Destination = tables(schedule=NIGHTLY, quiet_hours=[SCHOOL_DAY])
    assert made.schedule is not None
    assert made.quiet_hours[0].last == "16:00"
    with pytest.raises(ValidationError, match="`on_hold` is of packages"):
        tables(on_hold="resend")
