"""`roster report`: what a receiver says, found again in what the district sent."""

import os
from pathlib import Path

from tests.cli.conftest import DESTINATION, Roster
from tests.cli.test_syncs import held

REPORTS = """\
reports:
  folder: reports
  pattern: "{source}-*.csv"
  read:
    csv: {fields: {grade: Type, file: File, sourcedId: Id, message: Why}}
    grades: {bad: error, ok: fine}
"""


def test_what_a_receiver_refuses_is_shown_by_the_line_of_the_drop(
    roster: Roster, workspace: Path, pack: object
) -> None:
    assert callable(pack)
    pack("roster.zip").replace(workspace / "drops" / "roster.zip")
    words = ("report", "learning-app", "springfield", "-w", workspace)
    assert "does not say how its reports are written" in roster(*words).err
    (workspace / "destinations" / "learning-app.yaml").write_text(DESTINATION + REPORTS)
    assert "Nothing of springfield has been delivered" in roster(*words).err
    roster("approve", held(roster, workspace), "--why", "ok", "-w", workspace)
    ended = roster(*words)
    assert (ended.code, "no report called springfield-*.csv" in ended.err) == (1, True)

    folder = workspace / "learning-app" / "reports"
    folder.mkdir()
    said = "Type,File,Id,Why\nbad,users.csv,u1,no e-mail\nok,users.csv,t1,\n"
    (folder / "springfield-1.csv").write_text(said)
    ended = roster(*words)

    assert ended.code == 1
    assert ended.out.startswith("accepted with errors  learning-app, springfield\n")
    assert "1 error, 1 fine" in ended.out
    assert "users u1" in ended.out
    assert "users.csv:2" in ended.out

    fine = folder / "springfield-2.csv"
    fine.write_text("Type,File,Id,Why\n")
    os.utime(fine, (1, 1))
    found = roster(*words, fine, "--format", "json")
    assert (found.code, found.document()["outcome"]) == (0, "accepted")
    assert roster(*words, workspace / "nowhere").code == 2
