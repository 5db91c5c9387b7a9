"""`roster show`: what was saved when the roster was held, or what can still be said."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.guards.facts import Facts, Moves, Shift
from roster_pipeline.guards.judge import judge
from roster_pipeline.guards.settings import GuardSettings
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.roster import Roster as Stored
from roster_pipeline.reports.difference import difference_bytes, difference_document
from roster_pipeline.store import Hold
from roster_pipeline.store.differences import Differences
from tests.cli.conftest import Roster

Held = dict[str, Any]


@pytest.fixture
def held(roster: Roster, workspace: Path, first_hold: Hold) -> Held:
    """A first roster, held, of which no difference is saved."""
    shutil.rmtree(workspace / "store" / "differences", ignore_errors=True)
    listed = roster("holds", "-w", workspace, "--format", "json").document()["holds"]
    hold: Held = listed[0]
    assert hold["name"] == first_hold.name
    return hold


def save(workspace: Path, held: Held) -> None:
    """Save what this hold would do, with a number that no comparison gives."""
    new = Stored.open(workspace / "store" / "snapshots" / "springfield" / held["candidate"])
    shift = Shift(
        entities={"users": Moves(was=7, added=5)},
        schools={"s1": {"students": Moves(added=3)}},
        school_names={"s1": "Evergreen"},
    )
    facts = Facts(counts=new.counts, base=None, shift=shift)
    verdict = judge(facts, GuardSettings())
    content = difference_bytes(difference_document(diff(None, new), facts, verdict))
    Differences(workspace / "store").put_difference("springfield", held["candidate"], None, content)


def test_a_hold_shows_the_difference_that_was_saved(
    roster: Roster, workspace: Path, held: Held
) -> None:
    save(workspace, held)
    shown = roster("show", held["name"], "-w", workspace, "--format", "json").document()
    assert shown["difference"]["schema"] == "roster.difference/1"
    assert shown["difference"]["schools"][0]["name"] == "Evergreen"
    assert shown["changes"]["totals"] == {"added": 23, "changed": 0, "removed": 0, "unchanged": 0}
    assert shown["findings"]["total"] == 0
    assert shown["reasons"] == held["reasons"]

    text = roster("show", held["name"], "-w", workspace).out
    reason, counts, school, sample, settle = (
        text.index(part)
        for part in (
            "• ",
            "If it is accepted",
            "Evergreen",
            "For example",
            f"approve {held['name']}",
        )
    )
    assert reason < settle < counts < school < sample
    assert "Hopper" not in text
    assert "u4@example.org" not in text


def test_a_saved_difference_outlives_the_rosters_it_was_made_of(
    roster: Roster, workspace: Path, held: Held
) -> None:
    save(workspace, held)
    before = roster("show", held["name"], "-w", workspace).out
    shutil.rmtree(workspace / "store" / "snapshots" / "springfield" / held["candidate"])
    after = roster("show", held["name"], "-w", workspace)
    assert (after.code, after.out) == (0, before)


def test_a_hold_without_a_saved_difference_is_compared_again(
    roster: Roster, workspace: Path, held: Held
) -> None:
    shown = roster("show", held["name"], "-w", workspace, "--format", "json").document()
    assert shown["difference"] is None
    assert shown["changes"]["totals"]["added"] == 23
    assert "enrollments" in roster("show", held["name"], "-w", workspace).out


def test_a_hold_of_which_all_is_lost_still_shows_its_reasons(
    roster: Roster, workspace: Path, held: Held
) -> None:
    shutil.rmtree(workspace / "store" / "snapshots")
    shown = roster("show", held["name"], "-w", workspace, "--format", "json")
    assert shown.code == 0
    document = shown.document()
    assert [document[key] for key in ("difference", "changes", "findings")] == [None] * 3
    assert document["reasons"] == held["reasons"]
    assert "Restore the store from its backup" in shown.err
    assert "no findings are kept" in shown.err


def test_both_formats_tell_the_same_numbers(roster: Roster, workspace: Path, held: Held) -> None:
    save(workspace, held)
    document = roster("show", held["name"], "-w", workspace, "--format", "json").document()
    lines = roster("show", held["name"], "-w", workspace).out.splitlines()
    (users,) = (line.split() for line in lines if line.startswith("users  ") and "xxx" not in line)
    of = document["difference"]["entities"]["users"]
    assert users[1:5] == [str(of[kind]) for kind in ("was", "added", "changed", "removed")]
    assert json.dumps(document).count("roster.difference/1") == 1
