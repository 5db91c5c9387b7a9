"""Deliveries by themselves: `roster deliver` and `roster deliveries`, to a receiver of changes."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from roster_pipeline.automation.delivering import run_delivery
from roster_pipeline.build import build_defs
from roster_pipeline.cli.app import main
from roster_pipeline.store import Outcome
from tests.automation.town import SOURCE, Town
from tests.small import unpacked

_DELTA = (
    "profile: oneroster-1.2\nmode: delta\nbulk_every: 30\npath: /in/{source}-{number}.zip\n"
    "sources: all\n"
)


def _write_destination(town: Town) -> None:
    text = f"id: lms\n{_DELTA}{town.transport()}"
    town.write("destinations/lms.yaml", text)


def _rehearse(folder: Path) -> Path:
    """What an earlier dry run left."""
    file = folder / "out" / "lms" / "in" / f"{SOURCE}-000003.zip"
    file.parent.mkdir(parents=True)
    file.write_text("of an earlier day")
    return folder / "out"


def _names(town: Town) -> list[str]:
    return sorted(path.name for path in (town.server.root / "in").iterdir())


def test_changes_go_out_by_syncs_and_deliveries_and_come_again_when_asked_for(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_destination(town)
    town.drop(0)
    done = town.approve(town.sync().hold)
    said = [s for s in done.sentences if s.startswith("Delivered to lms")]
    assert said[0].endswith("bytes. The whole roster, as what it has is not known.")

    # The next day the receiver is away: what is accepted then waits.
    town.pass_days(1)
    (town.server.root / "in").rename(town.server.root / "away")
    (town.server.root / "in").write_text("no folder")
    town.drop(8)
    assert town.sync().outcome is Outcome.FAILED
    (town.server.root / "in").unlink()
    (town.server.root / "away").rename(town.server.root / "in")

    # A dry run says what differs and sends nothing, whatever an earlier one left.
    workspace = ["-w", str(town.folder)]
    capsys.readouterr()
    assert main(["deliver", "lms", "--dry-run", "--out", str(_rehearse(tmp_path)), *workspace]) == 0
    shown = capsys.readouterr().out
    assert "Compared with what was delivered last:" in shown
    assert "A dry run" in shown
    assert _names(town) == [f"{SOURCE}-000001.zip"]
    (tried,) = (tmp_path / "out" / "lms" / "in").iterdir()
    rows = unpacked(tried)
    assert {row["status"] for row in rows["enrollments"]} <= {"active", "tobedeleted"}

    assert main(["deliver", "lms", "--format", "json", *workspace]) == 0
    (told,) = json.loads(capsys.readouterr().out)["sources"]
    assert told["outcome"] == "done"
    assert _names(town) == [f"{SOURCE}-{number:06}.zip" for number in (1, 2)]
    assert unpacked(town.server.root / "in" / f"{SOURCE}-000002.zip").keys() == rows.keys()
    with town.ledger() as ledger:
        last = ledger.last_sync(SOURCE)
    assert last is not None
    assert last.outcome is Outcome.FAILED

    # It has it now; what it has lost comes again as it was.
    again = run_delivery(build_defs, town.workspace, "lms", SOURCE, instance="ephemeral")
    assert again.outcome is Outcome.NOTHING_NEW
    assert again.sentences == ("lms has what is accepted.",)
    package = town.server.root / "in" / f"{SOURCE}-000001.zip"
    content = package.read_bytes()
    package.unlink()
    with town.ledger() as ledger:
        first = ledger.deliveries(SOURCE, "lms")[0]
    day = town.workspace.source(SOURCE).date_of(first.at)
    assert main(["deliver", "lms", "--resend", str(day), *workspace]) == 0
    assert package.read_bytes() == content
    capsys.readouterr()
    assert main(["deliver", "lms", "--resend", str(day - timedelta(days=9)), *workspace]) == 1
    assert "is kept of" in capsys.readouterr().err

    assert main(["deliveries", "lms", "--format", "json", *workspace]) == 0
    listed = json.loads(capsys.readouterr().out)["deliveries"]
    assert [(one["mode"], one["confirmed"], one["again"]) for one in listed] == [
        ("bulk", "read back", False),
        ("delta", "read back", False),
        ("bulk", "read back", True),
    ]
    assert main(["deliveries", "lms", *workspace]) == 0
    assert f"/in/{SOURCE}-000002.zip" in capsys.readouterr().out


def test_what_cannot_be_delivered_is_said(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    _write_destination(town)
    workspace = ["-w", str(town.folder)]
    assert main(["deliver", "nobody", *workspace]) == 2
    assert "No destination is called nobody; there are lms." in capsys.readouterr().err
    assert main(["deliver", "lms", *workspace]) == 0
    assert "Nothing of springfield is accepted yet" in capsys.readouterr().out
    assert main(["deliver", "lms", "--out", "x", *workspace]) == 2
    assert main(["deliveries", "lms", *workspace]) == 0
    assert "Nothing was delivered yet." in capsys.readouterr().out
