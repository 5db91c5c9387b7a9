"""Whole runs of the graph: a loopback SFTP server at both ends, the real rooms between."""

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from roster_pipeline.assets.changes import GUARD
from roster_pipeline.automation.home import open_home
from roster_pipeline.automation.run import NoSuchDateError
from roster_pipeline.automation.undelivered import undelivered
from roster_pipeline.build import build_defs
from roster_pipeline.receivers import sending
from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.store import HoldStatus, Outcome
from roster_pipeline.workspace import dates
from tests.automation.town import SOURCE, Lives, Town
from tests.small import packed, unpacked


@pytest.fixture
def synced(town: Town, lives: Lives) -> Town:
    """The town after its first sync, held and approved, on the next day."""
    return lives.live(town, first_sync)


def first_sync(town: Town) -> None:
    town.drop(0)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE
    town.pass_days(1)


def test_a_first_sync_is_held_and_goes_on_once_it_is_approved(town: Town) -> None:
    town.drop(0)
    held = town.sync()
    assert held.outcome is Outcome.HELD
    assert held.hold is not None
    assert held.hold in held.sentences[0]
    assert not town.delivered.exists()

    done = town.approve(held.hold)
    assert done.outcome is Outcome.DONE
    assert town.delivered.exists()
    with town.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        assert accepted is not None
        assert accepted.hold_name == held.hold
        assert ledger.hold(held.hold).status is HoldStatus.ACCEPTED
        last = ledger.last_sync(SOURCE)
        assert last is not None
        assert last.outcome is Outcome.DONE
        assert last.summary["counts"] == accepted.snapshot.counts


def test_a_held_day_says_in_the_ui_why_and_what_to_do(synced: Town) -> None:
    synced.drop(8)
    apply_accident("half-of-users", synced.drops / "export.zip", synced.drops / "export.zip")
    synced.arrived(synced.drops / "export.zip")
    held = synced.sync(instance="persistent")
    with open_home(synced.folder) as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(GUARD, limit=1)
        (run,) = instance.get_runs(limit=1)
    assert (run.tags["roster/outcome"], run.tags["roster/hold"]) == ("held", held.hold)
    assert record.event is not None
    assert record.event.dagster_event is not None
    said = record.event.dagster_event.asset_check_evaluation_data
    why = [str(said.metadata[key].value) for key in sorted(said.metadata) if "reason" in key]
    assert why == list(held.sentences[1:])
    assert len(why) > 1
    assert said.description == f"{held.sentences[0]}\n• {why[0]}\n• … and {len(why) - 1} more, " + (
        "listed in the metadata."
    )
    settled = str(said.metadata["to settle it"].value)
    for verb in ("approve", "reject"):
        assert f"roster -w {synced.folder} {verb} {held.hold} --why" in settled


def test_a_normal_next_day_is_delivered_without_anybody(synced: Town) -> None:
    before = synced.delivered.read_bytes()
    synced.drop(8)
    result = synced.sync()
    assert result.outcome is Outcome.DONE
    assert synced.delivered.read_bytes() != before


def test_the_same_drop_again_delivers_nothing(synced: Town) -> None:
    synced.drop(8)
    synced.sync()
    before = synced.delivered.stat()
    again = synced.sync()
    assert again.outcome is Outcome.NOTHING_NEW
    after = synced.delivered.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    with synced.ledger() as ledger:
        assert len(ledger.deliveries(SOURCE)) == 2


@pytest.mark.soak
def test_a_package_that_was_delivered_is_not_even_made_again(
    synced: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was rendered")

    synced.drop(8)
    synced.sync()
    monkeypatch.setattr(sending, "render", never)
    assert synced.sync().outcome is Outcome.NOTHING_NEW
    monkeypatch.setattr(sending, "recipe", lambda *_, **__: "another")
    assert synced.sync().outcome is Outcome.FAILED


@pytest.mark.soak
def test_a_roster_that_makes_the_same_package_is_delivered_without_sending(synced: Town) -> None:
    before = synced.delivered.stat()
    _touched(synced.drop(0, "touched.zip"))
    synced.arrived(synced.drops / "touched.zip")
    with synced.ledger() as ledger:
        first = ledger.accepted(SOURCE)
    synced.sync()

    with synced.ledger() as ledger:
        second, delivery = ledger.accepted(SOURCE), ledger.delivery("lms", SOURCE)
        assert undelivered(synced.workspace, ledger, SOURCE, synced.now) is None
    assert first is not None
    assert second is not None
    assert second.snapshot.content_hash != first.snapshot.content_hash
    assert second.snapshot.is_with(delivery)
    after = synced.delivered.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert synced.sync().outcome is Outcome.NOTHING_NEW


@pytest.mark.soak
def test_a_package_that_a_receiver_has_taken_away_is_not_sent_again(synced: Town) -> None:
    synced.drop(8)
    synced.sync()
    synced.delivered.unlink()
    assert synced.sync().outcome is Outcome.NOTHING_NEW
    assert not synced.delivered.exists()


@pytest.mark.soak
def test_another_district_s_file_is_held_and_changes_nothing(synced: Town) -> None:
    with synced.ledger() as ledger:
        before = ledger.accepted(SOURCE)
    synced.district = type(synced.district)(students=60, seed=99)
    synced.drop(0)
    result = synced.sync()
    assert result.outcome is Outcome.HELD
    assert any("would be removed" in sentence for sentence in result.sentences)
    with synced.ledger() as ledger:
        assert ledger.accepted(SOURCE) == before


def test_a_day_without_a_drop_is_green_and_says_so(synced: Town) -> None:
    result = synced.sync()
    assert result.outcome is Outcome.NOTHING_NEW
    assert "nothing in drops (*.zip)" in result.sentences[0]


def test_a_truncated_zip_stops_and_changes_nothing(synced: Town) -> None:
    with synced.ledger() as ledger:
        before = ledger.accepted(SOURCE)
    synced.drop(8, keep=0.9)
    result = synced.sync()
    assert result.outcome is Outcome.STOPPED
    assert "export.zip" in result.sentences[0]
    with synced.ledger() as ledger:
        assert ledger.accepted(SOURCE) == before


def test_a_package_without_a_required_file_stops_with_its_name(synced: Town) -> None:
    drop = synced.drop(8)
    _without(drop, "users.csv")
    synced.arrived(drop)
    result = synced.sync()
    assert result.outcome is Outcome.STOPPED
    assert any("users.csv" in sentence for sentence in result.sentences)


@pytest.mark.soak
def test_strict_stops_on_what_is_otherwise_tolerated(synced: Town) -> None:
    drop = synced.drop(8)
    _without(drop, "demographics.csv")
    synced.arrived(drop)
    assert synced.sync(strict=True, dry_run=True).outcome is Outcome.STOPPED
    assert synced.sync(strict=False, dry_run=True).outcome is not Outcome.STOPPED


@pytest.mark.soak
def test_an_old_date_changes_nothing(synced: Town) -> None:
    old = synced.today
    synced.drop(8)
    synced.sync()
    synced.pass_days(1)
    synced.drop(16)
    assert synced.sync().outcome is Outcome.DONE
    before = synced.delivered.read_bytes()

    result = synced.sync(old)
    assert result.outcome is Outcome.NOTHING_NEW
    assert "is accepted already" in result.sentences[0]
    assert synced.delivered.read_bytes() == before


def test_a_date_beyond_the_partitions_is_refused_with_the_reason(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoSuchDateError, match=r"partitions\.start"):
        town.sync(town.today.replace(year=2001))
    monkeypatch.setattr(dates, "LIMIT", 3)
    with pytest.raises(NoSuchDateError, match=r"so many sources, Dagster keeps pace with no more"):
        town.sync(town.today - timedelta(days=3))


@pytest.mark.soak
def test_a_destination_that_takes_other_sources_is_passed_over(synced: Town) -> None:
    synced.write("sources/shelby.yaml", _other_source(synced))
    synced.write_destination("sis", "sources: [shelby]\n")
    synced.drop(8)
    assert synced.sync().outcome is Outcome.DONE
    assert not (synced.server.root / "sis").exists()


def test_what_was_not_delivered_is_delivered_on_the_next_day(synced: Town) -> None:
    synced.drop(8)
    synced.server.faults.quota = 100
    failed = synced.sync()
    assert failed.outcome is Outcome.FAILED
    assert any("Not delivered yet to lms" in sentence for sentence in failed.sentences)

    synced.server.faults.quota = None
    synced.pass_days(1)
    healed = synced.sync()
    assert healed.outcome is Outcome.DONE
    assert "Delivered to lms" in healed.sentences[0]


@pytest.mark.soak
def test_a_rejected_roster_is_reported_and_not_held_again(town: Town) -> None:
    town.drop(0)
    hold = town.sync().hold
    assert hold is not None
    with town.ledger() as ledger:
        ledger.reject(hold, "principal", "wrong school year", town.now)
    again = town.sync()
    assert again.outcome is Outcome.HELD
    assert "rejected" in again.sentences[0]
    with town.ledger() as ledger:
        assert len(ledger.holds(SOURCE)) == 1


def test_a_second_run_says_who_is_at_work(town: Town) -> None:
    town.drop(0)
    with town.ledger() as ledger, ledger.lease(SOURCE, lambda: town.now, run_id="the-first"):
        result = town.sync()
        assert result.outcome is Outcome.FAILED
        assert "the-first" in result.sentences[0]
        assert ledger.last_sync(SOURCE) is None


def test_accepted_roster_alone_is_refused_with_the_hold_s_name(town: Town) -> None:
    town.drop(0)
    hold = town.sync().hold
    assert hold is not None
    definitions = build_defs(town.workspace, town.clock)
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        partition_key=dg.MultiPartitionKey({"date": str(town.today), "source": SOURCE}),
        asset_selection=[dg.AssetKey("accepted_roster")],
        raise_on_error=False,
    )
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert failure.step_key == "accepted_roster"
    assert hold in str(failure.step_failure_data.user_failure_data)
    with town.ledger() as ledger:
        assert ledger.accepted(SOURCE) is None


def test_a_dry_run_leaves_everything_as_it_was(synced: Town, tmp_path: Path) -> None:
    synced.drop(8)
    before = _bytes_of(synced)
    out = tmp_path / "out"
    rehearsed = synced.sync(dry_run=True, out=out)
    assert rehearsed.dry_run
    assert rehearsed.outcome is Outcome.DONE
    assert _bytes_of(synced) == before

    assert synced.sync().outcome is Outcome.DONE
    assert (out / "lms" / "in" / f"{SOURCE}.zip").read_bytes() == synced.delivered.read_bytes()


@pytest.mark.soak
def test_a_dry_run_of_a_first_sync_says_that_it_would_be_held(town: Town) -> None:
    town.drop(0)
    before = _bytes_of(town)
    result = town.sync(dry_run=True)
    assert result.outcome is Outcome.HELD
    assert _bytes_of(town) == before


@pytest.mark.soak
def test_a_dry_run_makes_no_ledger_of_an_empty_file(town: Town) -> None:
    town.drop(0)
    (town.folder / "ledger.sqlite").touch()
    before = _bytes_of(town)

    assert town.sync(dry_run=True).outcome is Outcome.HELD
    assert _bytes_of(town) == before


def test_a_dry_run_upgrades_no_ledger(synced: Town) -> None:
    url = synced.workspace.ledger_url({})
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    connection.close()
    before = _bytes_of(synced)

    refused = synced.sync(dry_run=True)

    assert refused.outcome is Outcome.FAILED
    [said] = refused.sentences
    assert "is of an older roster_pipeline, and a dry run changes nothing" in said
    assert "`roster status` brings it up to date" in said
    assert _bytes_of(synced) == before


def test_the_workspace_s_instance_keeps_lineage_and_history(town: Town) -> None:
    town.drop(0)
    held = town.sync(instance="persistent")
    town.approve(held.hold, instance="persistent")
    with open_home(town.folder) as instance:
        runs = instance.get_runs()
        assert [(run.job_name, run.status.name) for run in runs] == [
            ("resume", "SUCCESS"),
            ("sync", "FAILURE"),
        ]
        event = instance.get_latest_materialization_event(dg.AssetKey("accepted_roster"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.partition == f"{town.today}|{SOURCE}"


def _without(package: Path, member: str) -> None:
    from zipfile import ZipFile

    copy = package.with_suffix(".copy")
    with ZipFile(package) as old, ZipFile(copy, "w") as new:
        for name in old.namelist():
            if name != member:
                new.writestr(name, old.read(name))
    shutil.move(copy, package)


def _touched(package: Path) -> None:
    """Say of every org when it was modified last, which packages that we send leave blank."""
    files = unpacked(package)
    for row in files["orgs"]:
        row["dateLastModified"] = "2026-08-01T00:00:00.000Z"
    del files["manifest"]
    package.write_bytes(packed(files))


def _other_source(town: Town) -> str:
    text = (town.folder / f"sources/{SOURCE}.yaml").read_text(encoding="utf-8")
    return text.replace(f"id: {SOURCE}", "id: shelby").replace("folder: drops", "folder: shelby")


def _bytes_of(town: Town) -> dict[str, bytes]:
    """Every file of the workspace and the server but what Dagster writes."""
    roots = (town.folder, town.server.root)
    return {
        str(path): path.read_bytes()
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and ".dagster" not in path.parts
    }
