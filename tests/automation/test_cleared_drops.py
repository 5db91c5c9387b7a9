"""What becomes of drops on the server once their rosters are accepted, and what never does."""

from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipeline.automation.run import run_sync
from roster_pipeline.build import build_defs
from roster_pipeline.store import Outcome
from tests.automation.test_sensors import DROP, skipped, tick
from tests.automation.town import SOURCE, Town

ARCHIVE = "archive: processed\n"


def there(town: Town) -> list[str]:
    """Every file in the folder of drops."""
    return sorted(str(p.relative_to(town.drops)) for p in town.drops.rglob("*") if p.is_file())


def accept_first(town: Town) -> None:
    town.drop(0)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE


@pytest.mark.soak
def test_nothing_is_moved_or_removed_by_default(town: Town) -> None:
    accept_first(town)

    assert there(town) == ["export.zip"]


@pytest.mark.parametrize(
    ("how", "left"), [(ARCHIVE, ["processed/export.zip"]), ("delete: true\n", [])]
)
def test_a_drop_goes_when_its_roster_is_approved_and_not_while_it_is_held(
    town: Town, how: str, left: list[str]
) -> None:
    town.write_source(how)
    town.drop(0)
    held = town.sync()
    assert held.outcome is Outcome.HELD
    assert there(town) == ["export.zip"]

    assert town.approve(held.hold).outcome is Outcome.DONE
    assert there(town) == left


def test_a_drop_goes_when_its_roster_is_accepted_and_none_is_missed(town: Town) -> None:
    town.write_source("archive: processed/{date}\n")
    accept_first(town)
    day = town.today
    assert there(town) == [f"processed/{day}/export.zip"]
    assert "what came for it was read" in skipped(tick(town, DROP))
    again = town.sync()
    assert again.outcome is Outcome.NOTHING_NEW
    assert not any("nothing in" in said for said in again.sentences)

    town.pass_days(1)
    town.drop(8)
    assert town.sync().outcome is Outcome.DONE
    assert there(town) == [f"processed/{day}/export.zip", f"processed/{town.today}/export.zip"]


@pytest.mark.soak
def test_a_rejected_drop_stays(town: Town) -> None:
    town.write_source("delete: true\n")
    town.drop(0)
    held = town.sync().hold
    assert held is not None
    with town.ledger() as ledger:
        ledger.reject(held, "principal", "not ours", town.now)
    assert town.sync().outcome is Outcome.HELD

    assert there(town) == ["export.zip"]


@pytest.mark.soak
def test_a_drop_that_was_passed_over_stays(town: Town) -> None:
    town.write_source("delete: true\n")
    town.drop(1, "older.zip")
    town.now += timedelta(minutes=10)
    accept_first(town)

    assert there(town) == ["older.zip"]


@pytest.mark.soak
def test_a_drop_that_two_sources_read_goes_when_both_have_accepted_it(town: Town) -> None:
    town.write_source("delete: true\n")
    mine = town.folder / "sources" / f"{SOURCE}.yaml"
    town.write("sources/shelby.yaml", mine.read_text().replace(SOURCE, "shelby"))
    town.drop(0)
    done = town.approve(town.sync().hold)
    assert any("until shelby has accepted" in said for said in done.sync.summary["notices"])
    assert there(town) == ["export.zip"]

    held = run_sync(build_defs, town.workspace, "shelby", overrides=town.clock)
    assert there(town) == ["export.zip"]
    town.approve(held.hold)
    assert there(town) == []


@pytest.mark.soak
def test_a_dry_run_moves_nothing_not_even_what_was_left_over(town: Town) -> None:
    accept_first(town)
    town.write_source("delete: true\n")
    town.pass_days(1)
    town.drop(8, "next.zip")

    assert town.sync(dry_run=True).outcome is Outcome.DONE
    assert there(town) == ["export.zip", "next.zip"]


@pytest.mark.soak
def test_a_server_that_lets_nothing_be_moved_is_told_of_and_holds_up_nothing(town: Town) -> None:
    town.write_source(ARCHIVE)
    town.write_destination("lms")
    town.drop(0)
    held = town.sync().hold
    _deliver_elsewhere(town)
    town.server.faults.read_only = True

    done = town.approve(held)

    assert done.outcome is Outcome.DONE
    assert there(town) == ["export.zip"]
    (notice,) = (said for said in done.sync.summary["notices"] if "moved away" in said)
    assert notice.startswith(f"{SOURCE}: the roster is accepted, but its drop could not be moved")
    town.server.faults.read_only = False
    town.sync()
    assert there(town) == ["processed/export.zip"]


def _deliver_elsewhere(town: Town) -> Path:
    folder = town.folder / "delivered"
    folder.mkdir()
    town.write(
        "destinations/lms.yaml",
        "id: lms\npath: '{source}.zip'\ntransport: {folder: {path: delivered}}\n",
    )
    return folder


@pytest.mark.soak
def test_what_a_run_left_undone_the_next_one_does_even_with_another_drop(town: Town) -> None:
    town.write_source(ARCHIVE)
    _deliver_elsewhere(town)
    town.drop(0, "first.zip")
    held = town.sync().hold
    town.server.faults.read_only = True
    town.approve(held)
    town.server.faults.read_only = False
    town.pass_days(1)
    town.drop(8, "second.zip")
    town.sync()

    assert there(town) == ["processed/first.zip", "processed/second.zip"]


@pytest.mark.soak
def test_loose_files_go_together(town: Town) -> None:
    from tests.automation.test_drops_of_a_day import LOOSE, loose

    town.write_source(LOOSE, "archive: processed\n")
    loose(town, 0)
    names = [f"processed/{name}" for name in there(town)]
    town.approve(town.sync().hold)

    assert there(town) == names
