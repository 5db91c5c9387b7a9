"""Half a year without a hold: what docs/churn.md says is usual is not in the way of anybody."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.district import Day, District
from tests.guards.weeks import CALENDAR, Weeks

FIRST: Final = dt.date(2026, 7, 27)
WEEKS: Final = 42
"""Rollover and the first weeks of a year."""
DAYS: Final = 188
"""Until the end of January, with the change of semester."""
DISTRICT: Final = District(students=450, seed=7, today=FIRST, seasons=True)


def packages(district: District, days: int) -> Iterator[tuple[dt.date, bytes]]:
    """The package of every day on which one is sent: none on Saturdays and Sundays."""
    today: Day = district.on(0)
    for number in range(days):
        if district.date_of(number).weekday() < 5:
            today = today.later(number)
            out = io.BytesIO()
            today.write_package(out)
            yield district.date_of(number), out.getvalue()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("days", "ends"),
    [
        (WEEKS, {"2026-08-03"}),
        (DAYS, {"2026-08-03", "2027-01-18"}),
    ],
)
def test_half_a_year_passes_with_no_hold_but_the_first(
    tmp_path: Path, days: int, ends: set[str]
) -> None:
    held: dict[str, list[str]] = {}
    classes_ended: dict[str, int] = {}
    with Weeks.at(tmp_path, calendar=CALENDAR) as weeks:
        for day, package in packages(DISTRICT, days):
            synced = weeks.sync(day, package)
            if synced.facts and (over := synced.facts.shift.entities.get("classes")):
                classes_ended[day.isoformat()] = over.ended
            if synced.ended != "accepted":
                held[day.isoformat()] = [reason.sentence for reason in synced.reasons]
            if synced.ended == "held":
                weeks.approve(synced)
        accepted = weeks.accepted

    assert list(held) == [FIRST.isoformat()], held
    assert accepted is not None
    assert accepted.sequence > days / 2
    assert {day for day, count in classes_ended.items() if count} == ends


def test_a_rollover_outside_of_any_window_is_held(tmp_path: Path) -> None:
    friday, monday = 4, 7
    sent = dict(packages(DISTRICT, monday + 1))
    with Weeks.at(tmp_path) as weeks:
        before, after = (DISTRICT.date_of(number) for number in (friday, monday))
        weeks.approve(weeks.sync(before, sent[before]))
        synced = weeks.sync(after, sent[after])

    assert synced.ended == "held"
    assert {"removed", "moved_school", "changes"} <= synced.guards


def test_a_summer_without_classes_takes_nothing_that_had_not_ended(tmp_path: Path) -> None:
    sent = dict(packages(DISTRICT, 8))
    monday, tuesday, rolled_over = (DISTRICT.date_of(number) for number in (0, 1, 7))
    with Weeks.at(tmp_path, calendar=CALENDAR) as weeks:
        weeks.approve(weeks.sync(monday, sent[monday]))
        synced = weeks.sync(tuesday, _without_classes(sent[tuesday]))
        after = weeks.sync(rolled_over, sent[rolled_over])

    assert synced.ended == "accepted"
    assert synced.facts is not None
    classes = synced.facts.shift.entities["classes"]
    assert (classes.ended, classes.removed) == (classes.was, 0)
    assert after.ended == "accepted"


def _without_classes(package: bytes) -> bytes:
    for entity in ("classes", "enrollments"):
        out = io.BytesIO()
        apply_accident("header-only-file", io.BytesIO(package), out, entity=entity)
        package = out.getvalue()
    return package
