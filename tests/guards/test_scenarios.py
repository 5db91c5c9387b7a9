"""What happens to exports in the field, in the middle of ordinary weeks: each accident is known by
its name, and nothing moves until a person says so."""

import datetime as dt
import io
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest

from roster_pipeline.guards.calendar import Calendar
from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.cells import IdStyle
from roster_pipeline.simulator.district import District
from roster_pipeline.tables.archive import ArchiveError
from tests.guards.weeks import CALENDAR, Weeks

MONDAY: Final = dt.date(2026, 10, 5)
IN_SUMMER: Final = dt.date(2026, 8, 10)
WEDNESDAY, THURSDAY = 2, 3
SMALL: Final = District(students=800, seed=7, today=MONDAY, seasons=True)
LARGE: Final = District(students=4500, seed=7, today=MONDAY, seasons=True)
OTHER: Final = District(students=800, seed=8, today=MONDAY, seasons=True)


@dataclass(frozen=True)
class Town:
    """A source whose Monday and Tuesday were accepted, and what it sends in its first days."""

    folder: Path
    packages: list[bytes]
    content: str | None
    """What is accepted on Tuesday."""
    undisturbed: str | None
    """What is accepted on Thursday where Wednesday went by without a file."""
    first: dt.date = MONDAY

    def date_of(self, number: int) -> dt.date:
        """The date of a day, 0 for Monday."""
        return self.first + dt.timedelta(days=number)

    def spoilt(self, number: int, accident: str, **options: Any) -> bytes:
        """The package of a day after an accident."""
        out = io.BytesIO()
        apply_accident(accident, io.BytesIO(self.packages[number]), out, **options)
        return out.getvalue()

    def copied(self, to: Path) -> Path:
        """Another folder in the same state."""
        shutil.copytree(self.folder, to)
        return to


def _package(district: District, number: int) -> bytes:
    out = io.BytesIO()
    district.write_package(out, number)
    return out.getvalue()


def settled(district: District, folder: Path, calendar: Calendar | None = None) -> Town:
    """A town whose first days went well."""
    packages = [_package(district, number) for number in range(4)]
    town = Town(folder / "settled", packages, None, None, district.today)
    with Weeks.at(town.folder, calendar=calendar) as weeks:
        weeks.approve(weeks.sync(town.date_of(0), packages[0]))
        assert weeks.sync(town.date_of(1), packages[1]).ended == "accepted"
        content = weeks.content
    with Weeks.at(town.copied(folder / "undisturbed"), calendar=calendar) as weeks:
        assert weeks.sync(town.date_of(THURSDAY), packages[THURSDAY]).ended == "accepted"
        return replace(town, content=content, undisturbed=weeks.content)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return settled(SMALL, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return settled(LARGE, tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def in_summer(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A town in the days between rollover and the first day of school."""
    district = replace(SMALL, today=IN_SUMMER)
    return settled(district, tmp_path_factory.mktemp("summer"), CALENDAR)


@dataclass(frozen=True)
class Scenario:
    """An accident, and what the guards say of it."""

    accident: str
    named: str
    """The guard whose reason comes first."""
    options: dict[str, Any] = field(default_factory=dict)
    lasts: bool = True
    """Whether the next package may be of the same kind, if the accident was none; otherwise the
    next one is as if nothing had happened."""
    back: frozenset[str] = frozenset()
    """What the guards say of that next one: coming back is much at once, too."""

    def __str__(self) -> str:
        return self.accident


SCENARIOS: Final = (
    Scenario("half-of-users", "removed", lasts=False, back=frozenset({"additions"})),
    Scenario("school-missing", "school_removed"),
    Scenario("school-row-missing", "school_removed", lasts=False, back=frozenset({"additions"})),
    Scenario("header-only-enrollments", "header_only"),
    Scenario("all-ids-changed", "rekeyed"),
    Scenario("all-emails-changed", "sign_in"),
    Scenario("teachers-as-students", "role_flips"),
    Scenario("another-district", "other_district", {"other": OTHER}),
    Scenario("old-file-again", "again", lasts=False),
)


def _happens(town: Town, scenario: Scenario, number: int) -> bytes:
    if number != WEDNESDAY and not scenario.lasts:
        return town.packages[number]
    options = dict(scenario.options)
    if scenario.accident == "old-file-again":
        options["older"] = io.BytesIO(town.packages[0])
    if scenario.accident == "another-district":
        options["day"] = number
    return town.spoilt(number, scenario.accident, **options)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_an_accident_is_held_by_its_name_and_gone_once_rejected(
    small: Town, scenario: Scenario, tmp_path: Path
) -> None:
    with Weeks.at(small.copied(tmp_path / "weeks")) as weeks:
        synced = weeks.sync(small.date_of(WEDNESDAY), _happens(small, scenario, WEDNESDAY))

        assert synced.ended == "held"
        assert synced.reasons[0].guard == scenario.named
        assert weeks.content == small.content
        weeks.reject(synced)
        assert weeks.content == small.content
        assert weeks.sync(small.date_of(THURSDAY), small.packages[THURSDAY]).ended == "accepted"
        assert weeks.content == small.undisturbed


@pytest.mark.soak
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_what_was_approved_is_the_roster_and_the_next_day_of_its_kind_passes(
    small: Town, scenario: Scenario, tmp_path: Path
) -> None:
    with Weeks.at(small.copied(tmp_path / "weeks")) as weeks:
        synced = weeks.sync(small.date_of(WEDNESDAY), _happens(small, scenario, WEDNESDAY))
        accepted = weeks.approve(synced)

        assert accepted.hold_name == synced.hold
        assert weeks.content not in (None, small.content)
        following = weeks.sync(small.date_of(THURSDAY), _happens(small, scenario, THURSDAY))
        assert following.guards == scenario.back
        if following.ended == "held":
            weeks.approve(following)
        assert scenario.lasts or weeks.content == small.undisturbed


IN_TURN: Final = [
    scenario if number % 3 == 0 else pytest.param(scenario, marks=pytest.mark.soak)
    for number, scenario in enumerate(SCENARIOS)
]
"""A third of them in every test run."""


@pytest.mark.soak
@pytest.mark.parametrize("scenario", IN_TURN, ids=str)
def test_a_window_for_rollover_lets_no_accident_through(
    in_summer: Town, scenario: Scenario, tmp_path: Path
) -> None:
    with Weeks.at(in_summer.copied(tmp_path / "weeks"), calendar=CALENDAR) as weeks:
        package = _happens(in_summer, scenario, WEDNESDAY)
        synced = weeks.sync(in_summer.date_of(WEDNESDAY), package)

        assert synced.ended == "held"
        assert synced.reasons[0].guard == scenario.named
        assert weeks.content == in_summer.content


def test_what_was_rejected_stays_refused_however_often_it_comes(
    small: Town, tmp_path: Path
) -> None:
    package = small.spoilt(WEDNESDAY, "half-of-users")
    with Weeks.at(small.copied(tmp_path / "weeks")) as weeks:
        weeks.reject(weeks.sync(small.date_of(WEDNESDAY), package))

        assert weeks.sync(small.date_of(WEDNESDAY), package).ended == "held"
        assert weeks.sync(small.date_of(THURSDAY), package).ended == "held"
        assert weeks.content == small.content


def test_a_zip_cut_off_is_stopped_when_it_is_read(small: Town, tmp_path: Path) -> None:
    with Weeks.at(small.copied(tmp_path / "weeks")) as weeks:
        cut = small.spoilt(WEDNESDAY - 1, "cut-at-90-percent")
        with pytest.raises(ArchiveError, match="cut off"):
            weeks.sync(small.date_of(WEDNESDAY), cut)

        assert weeks.content == small.content
        assert weeks.sync(small.date_of(THURSDAY), small.packages[THURSDAY]).ended == "accepted"
        assert weeks.content == small.undisturbed


def test_another_district_with_the_same_plain_numbers_for_ids_is_held(tmp_path: Path) -> None:
    ours, theirs = (
        District(800, seed=seed, today=MONDAY, seasons=True, ids=IdStyle.NUMBER) for seed in (7, 8)
    )
    with Weeks.at(tmp_path) as weeks:
        weeks.approve(weeks.sync(MONDAY, _package(ours, 0)))
        before = weeks.content
        synced = weeks.sync(MONDAY + dt.timedelta(days=1), _package(theirs, 1))

        assert synced.ended == "held"
        assert "sign_in" in synced.guards
        assert weeks.content == before


@pytest.mark.soak
def test_a_school_that_loses_all_its_students_is_noticed_in_a_large_district(
    large: Town, tmp_path: Path
) -> None:
    package = large.spoilt(WEDNESDAY, "students-of-a-school-missing")
    with Weeks.at(large.copied(tmp_path / "weeks")) as weeks:
        synced = weeks.sync(large.date_of(WEDNESDAY), package)

        assert synced.ended == "held"
        assert synced.reasons[0].guard == "school"
        assert "removed" not in synced.guards
        assert weeks.content == large.content


@pytest.mark.soak
def test_nine_in_a_hundred_students_a_day_do_not_go_five_days_running(
    large: Town, tmp_path: Path
) -> None:
    ended, guards = [], set[str]()
    with Weeks.at(large.copied(tmp_path / "weeks")) as weeks:
        for day in range(1, 6):
            # Tuesday's package; nothing else moves.
            package = large.spoilt(1, "people-missing", share=1 - 0.91**day)
            synced = weeks.sync(large.date_of(day + 1), package)
            ended.append(synced.ended)
            guards |= synced.guards
            if synced.ended == "held":
                weeks.reject(synced)
        accepted = weeks.accepted
        assert accepted is not None
        left = accepted.snapshot.counts["demographics"]

    assert ended == ["accepted"] * 2 + ["held"] * 3
    assert "cumulative" in guards
    assert left > 0.8 * LARGE.students
