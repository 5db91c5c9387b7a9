"""Drops as they come: twice a day, at midnight, dated by name, in pieces; over a real server."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zipfile import ZipFile

import pytest

from roster_pipeline.automation.run import SyncResult
from roster_pipeline.resources.drops import is_landed
from roster_pipeline.sources.drops import Drop
from roster_pipeline.store import HoldStatus, Landed, Outcome
from roster_pipeline.transport import RemoteFile
from tests.automation.test_whole_runs import first_sync
from tests.automation.town import SOURCE, Lives, Town

HOUR = timedelta(hours=1)
BY_NAME = "date_from: {name: '(?P<date>[0-9]{8})'}\n"
LOOSE = "files: ['*.csv']\n"


@pytest.fixture
def synced(town: Town, lives: Lives) -> Town:
    """The town after its first sync, held and approved, on the next day."""
    return lives.live(town, first_sync)


def loose(town: Town, day: int, *, without: tuple[str, ...] = ()) -> None:
    """Put the export of a day on the server as files, written a moment ago."""
    package = town.drop(day, ".hidden.zip")
    with ZipFile(package) as archive:
        archive.extractall(town.drops)
    package.unlink()
    for path in town.drops.glob("*.csv"):
        town.arrived(path)
        if path.stem in without:
            path.unlink()


def sequence(town: Town) -> int:
    """How many rosters were accepted."""
    with town.ledger() as ledger:
        now = ledger.accepted(SOURCE)
        return 0 if now is None else now.sequence


def came(town: Town, day: date) -> str | None:
    """The drop that was landed last for a date."""
    with town.ledger() as ledger:
        landed = ledger.landed(SOURCE, day)
        return None if landed is None else landed.remote_path


def at(town: Town, hour: int, minute: int) -> datetime:
    """A moment of the town's day, by its own clock."""
    zone = town.workspace.source(SOURCE).zone
    return datetime.combine(town.today, time_of_day(hour, minute), zone)


def waited(result: SyncResult) -> str:
    """What a sync said that took nothing."""
    assert result.outcome is Outcome.NOTHING_NEW
    return result.sentences[0]


@pytest.mark.soak
def test_a_second_drop_of_a_day_supersedes_one_that_waits_for_a_person(town: Town) -> None:
    town.drop(0, "first.zip")
    first = town.sync().hold
    town.now += HOUR
    town.drop(8, "second.zip")
    second = town.sync().hold
    assert first is not None
    assert second is not None

    with town.ledger() as ledger:
        assert ledger.hold(first).status is HoldStatus.SUPERSEDED
        assert ledger.hold(second).status is HoldStatus.OPEN
    assert town.approve(second).outcome is Outcome.DONE
    assert sequence(town) == 1
    assert came(town, town.today) == "drops/second.zip"


def test_a_second_drop_of_a_day_is_the_next_change_after_the_first_was_accepted(
    synced: Town,
) -> None:
    synced.drop(8, "first.zip")
    assert synced.sync().outcome is Outcome.DONE
    synced.now += HOUR
    synced.drop(9, "second.zip")
    assert synced.sync().outcome is Outcome.DONE

    assert sequence(synced) == 3
    with synced.ledger() as ledger:
        now = ledger.accepted(SOURCE)
        assert now is not None
        assert now.date == synced.today
    assert synced.sync().outcome is Outcome.NOTHING_NEW


def test_a_drop_is_for_the_date_in_its_name_and_not_for_that_of_its_arrival(town: Town) -> None:
    town.write_source(BY_NAME)
    yesterday = town.today - timedelta(days=1)
    town.drop(0, f"roster_{yesterday:%Y%m%d}.zip")

    assert "is for" in waited(town.sync())
    assert town.sync(yesterday).outcome is Outcome.HELD
    assert came(town, yesterday) == f"drops/roster_{yesterday:%Y%m%d}.zip"


@pytest.mark.soak
def test_a_drop_of_ten_to_midnight_is_taken_by_the_run_of_the_night(synced: Town) -> None:
    synced.now = at(synced, 23, 52)
    synced.drop(8)
    late = synced.today
    synced.now += timedelta(hours=2, minutes=38)

    assert synced.sync().outcome is Outcome.DONE
    assert came(synced, synced.today) == "drops/export.zip"
    assert came(synced, late) is None
    assert synced.sync().outcome is Outcome.NOTHING_NEW
    assert sequence(synced) == 2


def test_a_drop_waits_for_its_marker(town: Town) -> None:
    write = "complete: {marker: '{name}.done'}\n"
    town.write(
        f"sources/{SOURCE}.yaml",
        f"id: {SOURCE}\nname: Springfield\ntimezone: America/Chicago\nfolder: drops\n"
        + write
        + town.transport(),
    )
    drop = town.drop(0)
    assert "its marker file is missing or older than it" in waited(town.sync())

    marker = drop.with_name("export.zip.done")
    marker.touch()
    town.arrived(marker)
    assert town.sync().outcome is Outcome.HELD


def test_a_drop_that_was_written_a_moment_ago_waits(town: Town) -> None:
    drop = town.drop(0)
    stamp = (town.now - timedelta(seconds=59)).timestamp()
    os.utime(drop, (stamp, stamp))
    assert "it was changed a moment ago" in waited(town.sync())

    town.now += timedelta(seconds=2)
    assert town.sync().outcome is Outcome.HELD


def test_loose_files_are_synced_as_a_zip_is(town: Town) -> None:
    town.write_source(LOOSE)
    loose(town, 0)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE
    assert came(town, town.today) == "drops/*.csv"

    town.write_source()
    town.now += HOUR
    town.drop(0)
    assert town.sync().outcome is Outcome.NOTHING_NEW
    assert sequence(town) == 1


def growing(town: Town) -> None:
    """A file that an upload is at."""
    path = town.drops / "users.csv"
    path.write_bytes(path.read_bytes()[:1000])
    stamp = town.now.timestamp()
    os.utime(path, (stamp, stamp))


def gone(town: Town) -> None:
    """A file that did not come this time."""
    (town.drops / "enrollments.csv").unlink()


def not_again(town: Town) -> None:
    """A file that is as it was last time."""
    path = town.drops / "enrollments.csv"
    with town.ledger() as ledger:
        last = ledger.last_landed(SOURCE, town.today - timedelta(days=9), town.today)
    assert last is not None
    (was,) = (file for file in last.files if file.path == "drops/enrollments.csv")
    content = path.read_bytes()
    path.write_bytes(content[: was.size].ljust(was.size, b"\n"))
    os.utime(path, (was.modified.timestamp(), was.modified.timestamp()))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(
            growing,
            "drops/users.csv is not complete: it was changed a moment ago",
            marks=pytest.mark.soak,
        ),
        (gone, "enrollments.csv is not complete: it was there last time and is missing"),
        pytest.param(
            not_again,
            "enrollments.csv is not complete: it is as it was last time, and newer",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_a_set_of_which_one_file_is_not_there_yet_waits(
    town: Town, spoil: Callable[[Town], None], said: str
) -> None:
    town.write_source(LOOSE)
    loose(town, 0)
    town.approve(town.sync().hold)
    town.pass_days(1)
    loose(town, 8)
    spoil(town)

    assert said in waited(town.sync())
    loose(town, 8)
    assert town.sync().outcome is Outcome.DONE
    assert sequence(town) == 2


@pytest.mark.soak
def test_a_second_set_of_a_day_that_waits_is_told_of(town: Town) -> None:
    town.write_source(LOOSE)
    loose(town, 0)
    town.approve(town.sync().hold)
    town.now += HOUR
    loose(town, 8)
    gone(town)

    result = town.sync()

    assert result.outcome is Outcome.NOTHING_NEW
    (said,) = result.sync.summary["notices"]
    assert "enrollments.csv is not complete: it was there last time and is missing" in said


@pytest.mark.soak
def test_a_set_that_was_waited_for_in_vain_is_taken_and_removes_nobody(town: Town) -> None:
    town.write_source(LOOSE)
    loose(town, 0)
    town.approve(town.sync().hold)
    kept = demographics(town)
    town.pass_days(1)
    loose(town, 8, without=("demographics",))
    manifest = town.drops / "manifest.csv"
    said_so = manifest.read_text().replace("file.demographics,bulk", "file.demographics,absent")
    manifest.write_text(said_so)
    town.arrived(manifest)
    town.now += HOUR

    result = town.sync()

    said = [notice for notice in result.sync.summary["notices"] if "loose files" in notice]
    assert len(said) == 1
    assert "missing that were there last time: demographics.csv." in said[0]
    assert result.outcome is Outcome.DONE
    assert sequence(town) == 2
    # One person has left by then; nobody else's went with the file.
    assert demographics(town) == kept - 1 > 0


def demographics(town: Town) -> int:
    """How many rows of them are accepted."""
    with town.ledger() as ledger:
        now = ledger.accepted(SOURCE)
        return 0 if now is None else now.snapshot.counts["demographics"]


def test_a_file_that_was_replaced_under_its_old_time_is_another_drop() -> None:
    """As by a program that gives an upload the time of the file at home."""
    when = datetime(2026, 8, 26, 6, 0, tzinfo=UTC)
    file = RemoteFile("out/export.zip", 1000, when)
    before = Landed(
        source="springfield",
        date=when.date(),
        original_hash="0" * 64,
        stored_hash="0" * 64,
        remote_path=file.path,
        modified=when,
        size=1,
        url="file:///nowhere",
        files=(file,),
    )
    assert is_landed(Drop.of(file), before)
    assert not is_landed(Drop.of(RemoteFile(file.path, 1001, when)), before)
    assert is_landed(Drop.of(file), replace(before, files=()))
