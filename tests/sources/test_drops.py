from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.sources.drops import is_under_way, search
from roster_pipeline.transport.channel import RemoteFile
from roster_pipeline.transport.folder import Folder
from tests.sources.conftest import NOW, Put, source

TODAY = date(2026, 8, 26)
MORNING = datetime(2026, 8, 26, 11, 0, tzinfo=UTC)
DATED = {"name": r"_(?P<date>[0-9]{8})\.zip$"}


def newest(server: Folder, day: date = TODAY, now: datetime = NOW, **keys: Any) -> str | None:
    found = search(server, source(**keys), day, now, sleep=no_sleep).found
    return None if found is None else found.path


def no_sleep(seconds: float) -> None:
    pass


def test_the_newest_drop_of_the_day_is_taken(server: Folder, put: Put) -> None:
    put("a.zip", MORNING)
    put("b.zip", MORNING + timedelta(hours=1))
    put("notes.txt", MORNING + timedelta(hours=2))

    assert newest(server) == "b.zip"


def test_the_folder_and_the_pattern_say_where_to_look(server: Folder, put: Put) -> None:
    put("out/roster.csv.gz", MORNING)
    put("roster.zip", MORNING)

    assert newest(server, folder="out", pattern="roster*") == "out/roster.csv.gz"


def test_of_two_drops_of_one_moment_the_last_by_name_is_taken(server: Folder, put: Put) -> None:
    for name in ("b.zip", "c.zip", "a.zip"):
        put(name, MORNING)

    assert newest(server) == "c.zip"


@pytest.mark.parametrize(
    ("zone", "arrived", "day"),
    [
        ("Pacific/Honolulu", datetime(2026, 8, 27, 9, 59, tzinfo=UTC), date(2026, 8, 26)),
        ("Pacific/Honolulu", datetime(2026, 8, 27, 10, 1, tzinfo=UTC), date(2026, 8, 27)),
        ("Pacific/Auckland", datetime(2026, 8, 26, 11, 59, tzinfo=UTC), date(2026, 8, 26)),
        ("Pacific/Auckland", datetime(2026, 8, 26, 12, 1, tzinfo=UTC), date(2026, 8, 27)),
    ],
)
def test_a_drop_belongs_to_the_day_it_arrived_on_in_the_district(
    server: Folder, put: Put, zone: str, arrived: datetime, day: date
) -> None:
    put("roster.zip", arrived)
    now = arrived + timedelta(seconds=30)

    assert newest(server, day, now, timezone=zone) == "roster.zip"
    assert newest(server, day - timedelta(days=1), now, timezone=zone) is None


def test_a_drop_of_yesterday_is_not_todays(server: Folder, put: Put) -> None:
    put("roster.zip", MORNING - timedelta(days=1))

    assert newest(server) is None


def test_an_old_date_has_only_what_a_name_dates(server: Folder, put: Put) -> None:
    yesterday = TODAY - timedelta(days=1)
    put("roster_20260825.zip", MORNING - timedelta(days=1))

    assert newest(server, yesterday) is None
    assert newest(server, yesterday, date_from=DATED) == "roster_20260825.zip"


def test_a_drop_dated_by_its_name_is_for_that_date_whenever_it_arrived(
    server: Folder, put: Put
) -> None:
    put("roster_20260825.zip", MORNING)
    put("roster_20260826.zip", MORNING - timedelta(days=3))
    put("roster_20261399.zip", MORNING)

    assert newest(server, date_from=DATED) == "roster_20260826.zip"


def test_what_arrived_late_yesterday_is_not_lost_to_an_early_run(server: Folder, put: Put) -> None:
    last_landed = datetime(2026, 8, 25, 7, 0, tzinfo=UTC)
    put("old.zip", last_landed)
    put("late.zip", datetime(2026, 8, 26, 4, 50, tzinfo=UTC))  # 23:50 on the 25th in Chicago
    early = datetime(2026, 8, 26, 7, 30, tzinfo=UTC)

    found = search(server, source(), TODAY, early, after=last_landed, sleep=no_sleep).found

    assert found is not None
    assert found.path == "late.zip"
    assert search(server, source(), TODAY, early, after=found.modified).found is None


@pytest.mark.parametrize(
    "name",
    [".roster.zip", "roster.zip.part", "roster.zip.FILEPART", "~roster.zip", "x.tmp", "r.zip~"],
)
def test_files_that_are_hidden_or_under_way_are_passed_over(
    server: Folder, put: Put, name: str
) -> None:
    put(name, MORNING)

    assert is_under_way(name)
    assert newest(server, pattern="*") is None


def test_an_empty_file_is_not_complete(server: Folder, put: Put) -> None:
    put("roster.zip", MORNING, b"")

    assert newest(server) is None


def test_a_fresh_drop_is_taken_when_it_is_the_same_on_a_second_look(
    server: Folder, put: Put
) -> None:
    put("roster.zip", NOW)
    waited: list[float] = []

    found = search(
        server, source(complete={"stable_seconds": 7}), TODAY, NOW, sleep=waited.append
    ).found

    assert found is not None
    assert waited == [7]


def test_a_drop_that_grows_between_two_looks_is_left_for_the_one_before_it(
    server: Folder, put: Put
) -> None:
    put("first.zip", MORNING)
    put("second.zip", NOW, b"half")

    def upload_goes_on(seconds: float) -> None:
        put("second.zip", NOW, b"half and some more")

    searched = search(server, source(), TODAY, NOW, sleep=upload_goes_on)

    assert searched.found is not None
    assert searched.found.path == "first.zip"
    assert [waiting.path for waiting in searched.waiting] == ["second.zip"]


def test_a_quiet_time_is_waited_for(server: Folder, put: Put) -> None:
    put("roster.zip", NOW - timedelta(seconds=299))
    rule = {"quiet_seconds": 300}

    assert newest(server, complete=rule) is None
    assert newest(server, now=NOW + timedelta(seconds=1), complete=rule) == "roster.zip"


@pytest.mark.parametrize(
    ("marker", "name"), [("{name}.done", "roster.zip.done"), ("{stem}.ok", "roster.ok")]
)
def test_a_marker_completes_a_drop_unless_it_is_yesterdays(
    server: Folder, put: Put, marker: str, name: str
) -> None:
    put("out/roster.zip", MORNING)
    keys: dict[str, Any] = {"folder": "out", "pattern": "*", "complete": {"marker": marker}}

    assert newest(server, **keys) is None
    put(f"out/{name}", MORNING - timedelta(days=1))
    assert newest(server, **keys) is None
    put(f"out/{name}", MORNING + timedelta(seconds=2))
    assert newest(server, **keys) == "out/roster.zip"


def test_a_search_says_what_it_came_to(server: Folder, put: Put) -> None:
    def said(**keys: Any) -> str:
        return search(server, source(**keys), TODAY, NOW, sleep=no_sleep).sentence()

    assert said() == "springfield: nothing in its folder (*.zip) is for 2026-08-26"
    put("old.zip", MORNING - timedelta(days=2))
    assert said().endswith("the newest drop there, old.zip, is for 2026-08-24")
    assert "states no date" in said(date_from=DATED)
    put("new.zip", MORNING, b"")
    assert said() == "springfield: new.zip is not complete: it has no bytes yet"
    put("new.zip", MORNING)
    assert said() == "springfield: new.zip is the newest drop for 2026-08-26"


def test_a_remote_file_is_only_listed_not_read(tmp_path: Path, put: Put) -> None:
    class Listing(Folder):
        def download(self, file: RemoteFile, *_: Any, **__: Any) -> None:
            raise AssertionError("read")

    put("roster.zip", MORNING)

    assert newest(Listing(tmp_path)) == "roster.zip"
