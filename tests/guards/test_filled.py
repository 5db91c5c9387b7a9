from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from roster_pipeline.guards.filled import filled, latest
from roster_pipeline.oneroster.roster import RosterWriter
from roster_pipeline.tables.text import TEXT


def test_filled_cells_are_counted_over_all_parts_and_empty_ones_are_not(tmp_path: Path) -> None:
    writer = RosterWriter(tmp_path)
    for first, emails in ((0, ["a@x.example", None]), (2, [None, "b@x.example", "NA"])):
        ids = [f"u{first + n}" for n in range(len(emails))]
        frame = pd.DataFrame({"sourcedId": ids, "email": emails}, dtype=TEXT)
        writer.write("users", frame, file="users.csv", lines=np.arange(len(ids)) + first + 2)
    roster = writer.finish()

    names = ("users.email", "users.phone", "orgs.name")
    assert filled(roster, names) == {"users.email": 3, "users.phone": 0, "orgs.name": 0}


def test_the_latest_date_is_found_over_all_parts_and_what_is_no_date_is_passed_over(
    tmp_path: Path,
) -> None:
    writer = RosterWriter(tmp_path)
    for first, ends in ((0, ["2027-06-12", None]), (2, ["2026-12-31", "soon", "2027-13-01"])):
        ids = [f"y{first + n}" for n in range(len(ends))]
        frame = pd.DataFrame({"sourcedId": ids, "endDate": ends}, dtype=TEXT)
        lines = np.arange(len(ids)) + first + 2
        writer.write("academicSessions", frame, file="academicSessions.csv", lines=lines)
    roster = writer.finish()

    names = ("academicSessions.endDate", "academicSessions.startDate", "roles.endDate")
    assert latest(roster, names) == {"academicSessions.endDate": date(2027, 6, 12)}
