"""Rows that wait, as a person sees them: their age, when it becomes urgent, how good a day was."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from roster_pipeline.assets.checks import CANDIDATE, HELD_ROWS, PACKAGE, entity_key
from roster_pipeline.automation.home import open_home
from roster_pipeline.automation.run import SyncResult
from roster_pipeline.cli.syncs import standing
from roster_pipeline.reports.syncs import status_document, sync_text
from roster_pipeline.store import Outcome
from roster_pipeline.store.snapshots import Snapshots
from tests.automation.town import SOURCE, Lives, Town
from tests.small import Row, district, packed


@pytest.fixture
def small(town: Town, lives: Lives) -> Town:
    """The smallest district, accepted five days ago; rows escalate after one day."""
    return lives.live(town, first_sync)


def first_sync(town: Town) -> None:
    town.pass_days(-3)
    roster = (town.folder / "roster.yaml").read_text()
    town.write("roster.yaml", roster + "held_rows: {escalate_after: 1}\n")
    send(town)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE


def send(town: Town, *typos: str, files: dict[str, list[Row]] | None = None) -> None:
    """Put the district's package on the server, without a given name for these people."""
    files = files or district()
    for user in files["users"]:
        if user["sourcedId"] in typos:
            user["givenName"] = ""
    drop = town.drops / "export.zip"
    drop.write_bytes(packed(files))
    town.arrived(drop)


def next_day(town: Town, *typos: str) -> SyncResult:
    town.pass_days(1)
    send(town, *typos)
    return town.sync(instance="persistent")


def said(town: Town, check: dg.AssetCheckKey) -> Any:
    """What a check said last."""
    with open_home(town.folder) as instance:
        storage = instance.event_log_storage
        (record,) = storage.get_asset_check_execution_history(check, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data


def metadata(town: Town, asset: dg.AssetKey) -> dict[str, Any]:
    """What an asset's last materialisation said of itself."""
    with open_home(town.folder) as instance:
        event = instance.get_latest_materialization_event(asset)
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def held(town: Town) -> dict[str, Any]:
    """What `roster status` says of held rows."""

    class Opened:
        workspace = town.workspace
        snapshots = Snapshots(town.workspace.storage_url)

    with town.ledger() as ledger:
        opened: Any = Opened()
        opened.ledger = ledger
        (source,) = status_document([standing(opened, SOURCE)])["sources"]
    found: dict[str, Any] = source["held_rows"]
    return found


def text(result: SyncResult) -> str:
    """What `roster sync` prints."""
    from rich.console import Console

    console = Console(width=400)
    with console.capture() as captured:
        console.print(sync_text(result.sync, None, "roster"))
    return captured.get()


@pytest.mark.soak
def test_a_row_grows_older_each_day_escalates_and_is_forgotten_when_mended(small: Town) -> None:
    next_day(small, "u1")
    first = small.today
    assert str(said(small, HELD_ROWS).severity.value) == "WARN"
    assert held(small) == {
        "date": str(first), "rows": 1, "since": str(first), "days": 0, "escalated": False,
    }  # fmt: skip

    second = next_day(small, "u1", "u2")
    assert str(said(small, HELD_ROWS).severity.value) == "WARN"
    assert f"2 rows are held, the oldest since {first} (1 day)." in text(second)

    next_day(small, "u1")
    old = said(small, HELD_ROWS)
    assert (old.passed, str(old.severity.value)) == (False, "ERROR")
    assert old.description == f"1 row is held, since {first} (2 days)."
    assert held(small)["escalated"] is True

    mended = next_day(small)
    assert said(small, HELD_ROWS).passed
    assert held(small)["rows"] == 0
    assert "held" not in text(mended)


@pytest.mark.soak
def test_a_date_that_runs_twice_makes_nothing_older(small: Town) -> None:
    next_day(small, "u1")
    kept = next(Path(small.workspace.storage_url).glob("held/*/*.parquet"))
    before = {path.name: path.read_bytes() for path in kept.parent.iterdir()}
    small.sync()
    assert {path.name: path.read_bytes() for path in kept.parent.iterdir()} == before


@pytest.mark.soak
def test_a_day_that_stops_neither_ages_nor_mends_a_row(small: Town) -> None:
    next_day(small, "u1")
    first = small.today
    small.pass_days(1)
    drop = small.drops / "export.zip"
    drop.write_bytes(b"PK no zip at all")
    small.arrived(drop)
    assert small.sync().outcome is Outcome.STOPPED
    assert held(small)["date"] == str(first)

    next_day(small, "u1")
    assert (held(small)["since"], held(small)["days"]) == (str(first), 2)


@pytest.mark.soak
def test_a_dry_run_counts_the_days_and_keeps_no_age(small: Town) -> None:
    next_day(small, "u1")
    first = small.today
    small.pass_days(1)
    send(small, "u1")
    rehearsed = small.sync(dry_run=True)
    assert rehearsed.sync.summary["held_rows"]["since"] == str(first)
    assert held(small)["date"] == str(first)


@pytest.mark.soak
def test_the_check_of_a_layer_counts_its_findings_and_says_the_limit(small: Town) -> None:
    next_day(small, "u1")
    cells = said(small, dg.AssetCheckKey(entity_key("users"), "cells"))
    shown = {name: value.value for name, value in cells.metadata.items()}
    assert (cells.passed, str(cells.severity.value)) == (False, "ERROR")
    assert cells.description == "1 finding on 1 of 5 rows (20 %)."
    assert (shown["findings"], shown["% of rows"]) == (1, 20.0)
    assert "|cell.required|hold|1|" in shown["top codes"]
    assert shown["limit on these"] == "20 % (1 rows), from 5 rows up"
    assert said(small, dg.AssetCheckKey(entity_key("users"), "keys")).passed
    assert said(small, PACKAGE).passed


@pytest.mark.soak
def test_the_quality_score_is_there_to_be_plotted(small: Town) -> None:
    next_day(small, "u1")
    assert metadata(small, entity_key("users"))["quality score"] == 80.0
    assert metadata(small, entity_key("orgs"))["quality score"] == 100.0
    assert metadata(small, CANDIDATE)["quality score"] == 95.65
    next_day(small)
    assert metadata(small, CANDIDATE)["quality score"] == 100.0


@pytest.mark.soak
def test_a_file_with_a_header_alone_that_means_nothing_is_said(small: Town) -> None:
    small.write_source("header_only: {enrollments: keep}\n")
    small.pass_days(1)
    files = district()
    files["enrollments"] = []
    send(small, files=files)
    result = small.sync(instance="persistent")

    assert result.outcome in (Outcome.NOTHING_NEW, Outcome.DONE)
    assert "enrollments.csv has a header and no rows" in text(result)
    assert len(result.sync.summary["notices"]) == 1
    package = said(small, PACKAGE)
    assert (package.passed, str(package.severity.value)) == (False, "WARN")
    assert "[package.header_only]" in package.description


@pytest.mark.soak
def test_a_column_that_has_run_empty_waits_for_a_person(small: Town) -> None:
    small.write_source("expect: {fill: {users.email: 80}}\n")
    small.pass_days(1)
    files = district()
    for user in files["users"][:2]:
        user["email"] = ""
    send(small, files=files)

    result = small.sync()

    assert result.outcome is Outcome.HELD
    assert (
        "users.email: filled in 3 of 5 rows (60 %); at least 80 % are expected" in result.sentences
    )


@pytest.mark.soak
def test_a_source_may_stop_on_what_is_otherwise_held(small: Town) -> None:
    small.write_source("severities: {cell.required: stop}\n")
    small.pass_days(1)
    send(small, "u1")
    result = small.sync(instance="persistent")
    assert result.outcome is Outcome.STOPPED
    assert "[cell.required]" in result.sentences[0]
    cells = said(small, dg.AssetCheckKey(entity_key("users"), "cells"))
    assert (cells.passed, str(cells.severity.value)) == (False, "ERROR")
