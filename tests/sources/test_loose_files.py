"""Files without a zip around them: which are a drop together, for which date, and when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from roster_pipeline.sources.config import DateRule
from roster_pipeline.sources.drops import Drop, Search, Wait, search
from roster_pipeline.transport.channel import RemoteFile
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import NOW, Put, source

TODAY = date(2026, 8, 26)
MORNING = datetime(2026, 8, 26, 11, 0, tzinfo=UTC)
NAMES = ("classes.csv", "orgs.csv", "users.csv")
DATED = {"name": r"_(?P<date>[0-9]{8})\."}
MINUTE = timedelta(minutes=1)


def looked(server: Folder, day: date = TODAY, now: datetime = NOW, **given: Any) -> Search:
    options = {key: given.pop(key) for key in ("after", "last", "sleep") if key in given}
    keys = {"files": ["*.csv", "*.csv.gz"], **given}
    return search(server, source(**keys), day, now, **{"sleep": lambda _: None, **options})


def found(server: Folder, **given: Any) -> Drop:
    drop = looked(server, **given).found
    assert drop is not None
    return drop


def waits(searched: Search) -> list[tuple[str, Wait]]:
    assert searched.found is None
    return [(waiting.path, waiting.why) for waiting in searched.waiting]


def everything(put: Put, modified: datetime = MORNING) -> None:
    for name in NAMES:
        put(name, modified, name.encode())


def test_all_files_together_are_one_drop_dated_by_the_newest(server: Folder, put: Put) -> None:
    everything(put)
    put("users.csv", MORNING + MINUTE, b"users")
    put("readme.txt", MORNING + MINUTE)

    drop = found(server)

    assert drop.names == NAMES
    assert drop.modified == MORNING + MINUTE
    assert drop.size == sum(file.size for file in drop.files)
    assert drop.path == "*.csv, *.csv.gz"
    assert looked(server).sentence().endswith("are the newest drop for 2026-08-26")


def test_an_upload_over_midnight_belongs_to_the_day_on_which_it_ended(
    server: Folder, put: Put
) -> None:
    before = datetime(2026, 8, 26, 4, 58, tzinfo=UTC)  # 23:58 on the 25th in Chicago
    put("orgs.csv", before)
    put("users.csv", before + timedelta(minutes=4))

    assert len(found(server).files) == 2
    assert looked(server, TODAY - timedelta(days=1)).found is None


def test_loose_files_of_late_yesterday_are_not_lost_to_an_early_run(
    server: Folder, put: Put
) -> None:
    everything(put, datetime(2026, 8, 26, 4, 50, tzinfo=UTC))
    early = datetime(2026, 8, 26, 7, 30, tzinfo=UTC)

    assert looked(server, now=early).found is None
    assert looked(server, now=early, after=MORNING - timedelta(days=1)).found is not None
    assert looked(server, now=early, after=MORNING).found is None


def test_files_whose_names_state_one_date_are_a_drop(server: Folder, put: Put) -> None:
    for day in ("20260825", "20260826"):
        for name in ("orgs", "users"):
            put(f"{name}_{day}.csv", MORNING, day.encode())
    put("orgs_2026.csv", MORNING)

    drop = found(server, date_from=DATED)

    assert [file.path for file in drop.files] == ["orgs_20260826.csv", "users_20260826.csv"]
    assert drop.names == ("orgs.csv", "users.csv")
    assert found(server, day=TODAY - timedelta(days=1), date_from=DATED).day == date(2026, 8, 25)


@pytest.mark.parametrize(
    ("rule", "name", "left"),
    [
        (r"_(?P<date>[0-9]{8})\.", "orgs_20260823.csv", "orgs.csv"),
        (r"(?P<date>[0-9]{8})", "20260823-orgs.csv", "orgs.csv"),
        (r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})", "orgs 2026-08-23.csv", "orgs.csv"),
        (r"(?P<month>..)(?P<day>..)(?P<year>....)\.", "orgs.08232026.csv", "orgs.csv"),
        (r"(?P<date>[0-9]{8})", "SPS_20260823_orgs.csv", "SPS_orgs.csv"),
        (r"(?P<stamp>_(?P<date>[0-9]{8})_[0-9]{6})", "orgs_20260823_023001.csv", "orgs.csv"),
        (r"(?P<date>[0-9]{8})", "orgs.csv", "orgs.csv"),
        (r"(?P<date>[0-9]{8})?csv", "orgs.csv", "orgs.csv"),
    ],
)
def test_a_date_is_taken_out_of_a_name(rule: str, name: str, left: str) -> None:
    assert DateRule(name=rule).without_date(name) == left


def test_of_two_files_for_one_name_the_newer_is_taken(server: Folder, put: Put) -> None:
    put("orgs.csv", MORNING)
    put("orgs.csv.gz", MORNING + MINUTE)
    put("users.csv", MORNING)

    assert [file.path for file in found(server).files] == ["orgs.csv.gz", "users.csv"]


def test_a_set_with_one_file_still_growing_is_not_taken(server: Folder, put: Put) -> None:
    everything(put)
    put("users.csv", NOW, b"half")

    def upload_goes_on(_: float) -> None:
        put("users.csv", NOW, b"half and more")

    assert waits(looked(server, sleep=upload_goes_on)) == [("users.csv", Wait.CHANGING)]
    said = looked(server, sleep=lambda _: put("users.csv", NOW, b"half, more and more")).sentence()
    assert said == (
        "springfield: *.csv, *.csv.gz wait, as users.csv is not complete: it is still changing"
    )
    assert looked(server, now=NOW + 2 * MINUTE).found is not None


def test_a_file_that_comes_between_two_looks_shows_that_more_may_come(
    server: Folder, put: Put
) -> None:
    put("orgs.csv", NOW)

    def the_next_one_comes(_: float) -> None:
        put("users.csv", NOW)

    assert waits(looked(server, sleep=the_next_one_comes)) == [("users.csv", Wait.CHANGING)]


def test_every_file_has_to_be_quiet(server: Folder, put: Put) -> None:
    everything(put)
    put("users.csv", NOW - 4 * MINUTE)
    rule = {"quiet_seconds": 300}

    assert waits(looked(server, complete=rule)) == [("users.csv", Wait.RECENT)]
    assert looked(server, now=NOW + MINUTE, complete=rule).found is not None


def test_one_marker_completes_all_of_them(server: Folder, put: Put) -> None:
    everything(put)
    keys: dict[str, Any] = {"files": ["*"], "complete": {"marker": "done.flag"}}

    assert waits(looked(server, **keys)) == [("*", Wait.NO_MARKER)]
    put("done.flag", MORNING - MINUTE)
    assert waits(looked(server, **keys)) == [("*", Wait.NO_MARKER)]
    put("done.flag", MORNING + MINUTE)
    assert found(server, **keys).names == NAMES


def test_a_file_that_was_there_last_time_is_waited_for_and_then_missed(
    server: Folder, put: Put
) -> None:
    everything(put, MORNING - timedelta(days=1))
    last = found(server, day=TODAY, after=MORNING - timedelta(days=2)).files
    for name in NAMES[:2]:
        put(name, MORNING)
    (server._root / "users.csv").unlink()
    early = MORNING + 59 * MINUTE

    assert waits(looked(server, now=early, last=last)) == [("users.csv", Wait.MISSING)]
    late = looked(server, now=early + MINUTE, last=last)
    assert late.found is not None
    assert late.found.names == NAMES[:2]
    assert late.found.lacks == (("users.csv", Wait.MISSING),)
    (said,) = late.remarks()
    assert "missing that were there last time: users.csv." in said


def test_a_file_that_did_not_come_again_is_waited_for_and_then_taken_as_it_is(
    server: Folder, put: Put
) -> None:
    everything(put, MORNING - timedelta(days=1))
    last = found(server, day=TODAY, after=MORNING - timedelta(days=2)).files
    for name in NAMES[:2]:
        put(name, MORNING)
    files = {"names": ["*.csv"], "wait_minutes": 10}

    early = looked(server, now=MORNING + 9 * MINUTE, last=last, files=files)
    assert waits(early) == [("users.csv", Wait.NOT_AGAIN)]
    late = looked(server, now=MORNING + 10 * MINUTE, last=last, files=files)
    assert late.found is not None
    assert late.found.names == NAMES
    assert "as they were last time: users.csv." in late.remarks()[0]


def test_what_was_landed_already_is_found_without_waiting(server: Folder, put: Put) -> None:
    everything(put)
    last = found(server).files

    assert looked(server, now=MORNING + 2 * MINUTE, last=last).remarks() == ()
    assert found(server, now=MORNING + 2 * MINUTE, last=last).files == last


def test_the_last_zip_of_a_source_that_sends_loose_files_now_is_not_missed(
    server: Folder, put: Put
) -> None:
    everything(put)
    last = (RemoteFile("export.zip", 5, MORNING - timedelta(days=1)),)

    assert found(server, now=MORNING + 2 * MINUTE, last=last).lacks == ()


def test_dated_files_are_missed_by_their_names_without_the_date(server: Folder, put: Put) -> None:
    last = tuple(
        RemoteFile(f"{name}_20260825.csv", 5, MORNING - timedelta(days=1))
        for name in ("orgs", "users")
    )
    put("orgs_20260826.csv", MORNING)
    given: dict[str, Any] = {"last": last, "date_from": DATED}

    assert waits(looked(server, now=MORNING + MINUTE, **given)) == [("users.csv", Wait.MISSING)]
    put("users_20260826.csv", MORNING)
    assert found(server, now=MORNING + MINUTE, **given).lacks == ()


def test_an_empty_file_is_waited_for_as_a_missing_one_is(server: Folder, put: Put) -> None:
    everything(put)
    put("users.csv", MORNING, b"")

    assert waits(looked(server, now=MORNING + 2 * MINUTE)) == [("users.csv", Wait.EMPTY)]
    assert found(server, now=MORNING + 61 * MINUTE).names == NAMES


def test_files_for_no_date_are_told_of(server: Folder, put: Put) -> None:
    everything(put)

    said = looked(server, date_from=DATED).sentence()

    assert said.startswith("springfield: nothing in its folder (*.csv, *.csv.gz) is for 2026-08-26")
    assert said.endswith("the name of users.csv states no date as `date_from` describes")
