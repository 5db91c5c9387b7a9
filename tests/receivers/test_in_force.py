"""Roles and enrollments that are over, or to come, do not pass for those of today."""

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.in_force import in_force, leaving
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.receivers.outgoing import Outgoing, prepare
from roster_pipeline.receivers.rendering import render
from tests.examples import examples
from tests.oneroster.strategies import rosters, stored
from tests.receivers.conftest import Make, Rows
from tests.receivers.desk import Desk
from tests.small import unpacked

DAY = date(2026, 9, 14)
BOTH = ("to_come", "over")
LATER, TODAY, EARLIER = "2026-09-15", "2026-09-14", "2026-09-13"


def destination(profile: str, **said: Any) -> Destination:
    return Destination.model_validate({
        "id": "desk", "profile": profile, "path": "in/{source}.zip",
        "transport": {"folder": {"path": "."}}, **said,
    })  # fmt: skip


def told(
    roster: Roster, profile: str, into: Path, on: date = DAY, **said: Any
) -> tuple[Outgoing, dict[str, list[dict[str, str]]]]:
    """What goes out on a day, and the rows of its files."""
    into.mkdir()
    to = destination(profile, **said)
    out = prepare(roster, to, to.format, into / "out", on=on)
    return out, unpacked(render(out.roster, to.format, into / "x.zip").file)


def roles(*given: tuple[str, str, str]) -> Callable[[Rows], None]:
    """Roles of u4 in the place of its own: each word, begin and end."""

    def change(rows: Rows) -> None:
        rows["roles"] = [row for row in rows["roles"] if row["userSourcedId"] != "u4"]
        for number, (word, begin, end) in enumerate(given):
            rows["roles"].append({
                "sourcedId": f"r{number}", "userSourcedId": "u4", "roleType": "primary",
                "role": word, "orgSourcedId": ("s1", "d1")[number], "beginDate": begin,
                "endDate": end,
            })  # fmt: skip

    return change


@pytest.mark.parametrize(
    ("given", "role", "orgs"),
    [
        ([("siteAdministrator", "", TODAY), ("teacher", TODAY, LATER)], "teacher", "d1"),
        ([("siteAdministrator", LATER, ""), ("teacher", "", "")], "teacher", "d1"),
        ([("teacher", "", EARLIER), ("teacher", "", "")], "teacher", "d1"),
        ([("siteAdministrator", "", TODAY), ("teacher", LATER, "")], "teacher", "d1"),
        ([("siteAdministrator", "", TODAY)], "administrator", "s1"),
    ],
    ids=["over", "to-come", "an-org-of-old", "to-come-before-over", "nothing-else"],
)
def test_the_one_role_of_1p1_is_one_in_force_where_there_is_any(
    make: Make, tmp_path: Path, given: list[tuple[str, str, str]], role: str, orgs: str
) -> None:
    out, files = told(make(roles(*given)), "oneroster-1.1", tmp_path / "x")
    (user,) = [row for row in files["users"] if row["sourcedId"] == "u4"]
    assert (user["role"], user["orgSourcedIds"]) == (role, orgs)
    assert out.left_out.get("roles", 0) == len(given) - 1


def test_whoever_teaches_no_more_and_is_now_what_a_receiver_does_not_know_leaves(
    make: Make, tmp_path: Path
) -> None:
    roster = make(roles(("teacher", "", TODAY), ("counselor", "", "")))
    out, files = told(roster, "oneroster-1.1", tmp_path / "x")
    assert "u4" not in {row["sourcedId"] for row in files["users"]}
    assert out.left_out == {"users": 1, "roles": 2, "enrollments": 2}


def seats(rows: Rows) -> None:
    """One enrollment is over, one is to come, one is not over yet."""
    rows["enrollments"][0]["endDate"] = TODAY
    rows["enrollments"][1]["beginDate"] = "2026-10-01"
    rows["enrollments"][2] |= {"beginDate": TODAY, "endDate": "2026-12-24"}


def test_files_without_dates_have_the_enrollments_of_the_day_until_the_next_one_begins(
    make: Make, tmp_path: Path
) -> None:
    roster = make(seats)
    out, files = told(roster, "apple", tmp_path / "apple")
    assert [row["roster_id"] for row in files["rosters"]] == ["e3"]
    assert out.until == date(2026, 9, 30)
    again = told(roster, "apple", tmp_path / "later", date(2026, 9, 30))
    assert again[1] == files
    then = told(roster, "apple", tmp_path / "then", date(2026, 10, 1))
    assert [row["roster_id"] for row in then[1]["rosters"]] == ["e2", "e3"]
    assert then[0].until == date(2026, 12, 23)
    last = told(roster, "apple", tmp_path / "last", date(2026, 12, 24))
    assert ([row["roster_id"] for row in last[1]["rosters"]], last[0].until) == (["e2"], None)


def test_who_gets_dates_gets_all_enrollments_and_a_mask_takes_both(
    make: Make, tmp_path: Path
) -> None:
    out, files = told(make(seats), "oneroster-1.1", tmp_path / "all")
    assert (len(files["enrollments"]), out.until) == (5, None)
    mask = {"drop": ["enrollments.endDate"]}
    out, files = told(make(seats), "oneroster-1.2", tmp_path / "masked", mask=mask)
    assert [row["sourcedId"] for row in files["enrollments"]] == ["e2", "e3", "e4", "e5"]
    assert (out.left_out, out.until) == ({"enrollments": 1}, date(2026, 12, 23))


def test_a_format_may_say_that_those_to_come_go_along(make: Make, tmp_path: Path) -> None:
    _, files = told(make(seats), "apple", tmp_path / "x", variant="ahead")
    assert [row["roster_id"] for row in files["rosters"]] == ["e2", "e3"]


def test_what_only_looks_like_a_date_is_none(make: Make, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows["enrollments"][0]["endDate"] = "2026-11-31"
        rows["enrollments"][1]["endDate"] = "soon"

    out, files = told(make(change), "apple", tmp_path / "x")
    assert (len(files["rosters"]), out.until) == (3, None)


@pytest.mark.parametrize(
    ("profile", "leaves"),
    [
        ("oneroster-1.2", {}),
        ("oneroster-1.1", {"roles": BOTH}),
        ("naviance-students", {"roles": BOTH}),
        ("apple-oneroster", {"roles": BOTH}),
        ("apple", {"roles": BOTH, "enrollments": BOTH}),
        ("microsoft-sds-2.1", {"enrollments": BOTH}),
        ("accounts", {"roles": BOTH}),
    ],
)
def test_what_stays_is_what_no_date_tells_of(profile: str, leaves: dict[str, Any]) -> None:
    assert leaving(profiles.load(profile)) == leaves


@settings(max_examples=examples(8))
@given(frames=rosters(max_rows=8), block=st.integers(1, 4), days=st.integers(0, 500))
def test_nobody_loses_all_roles_and_a_roster_of_a_day_is_that_of_each_day_until_the_next(
    frames: dict[str, pd.DataFrame], block: int, days: int
) -> None:
    leaves, on = leaving(profiles.load("apple")), date(2026, 1, 1) + timedelta(days)
    parts = patch("roster_pipeline.oneroster.roster._FEWEST_ROWS", 1)
    with tempfile.TemporaryDirectory() as folder, parts:
        roster = stored(frames, Path(folder) / "roster", block=block)
        made = in_force(roster, leaves, on, Path(folder) / "made")
        for entity, rows in roster.counts.items():
            assert made.roster.counts[entity] + made.left_out.get(entity, 0) == rows
        people = [set(one.frame("roles")["userSourcedId"]) for one in (roster, made.roster)]
        assert people[0] == people[1]
        last = made.until or date(2999, 1, 1)
        then = in_force(roster, leaves, last, Path(folder) / "then")
        assert then.roster.content_hash == made.roster.content_hash


def test_files_of_ones_own_leave_out_what_they_do_not_date() -> None:
    def of(rows: str, **cells: str) -> dict[str, Any]:
        columns = {"files": {"a.csv": {"rows": rows, "columns": {"id": "{sourcedId}", **cells}}}}
        return dict(leaving(destination("csv", columns=columns).format))

    assert of("enrollments") == {"enrollments": BOTH}
    assert of("enrollments", until="{endDate}") == {"enrollments": ("to_come",)}
    assert of("enrollments", a="{beginDate}", b="{endDate}") == {}
    assert of("classes") == {}
    assert of("classes", by="{teachers}") == {"roles": BOTH, "enrollments": BOTH}
    assert of("users", job="{staffRole.role}", since="{staffRole.beginDate}") == {
        "roles": ("over",)
    }
    masked = Mask(blank=("enrollments.endDate",))
    assert leaving(profiles.load("oneroster-1.1"), masked) == {
        "roles": BOTH, "enrollments": ("over",),
    }  # fmt: skip


def test_a_destination_gets_the_same_roster_anew_when_the_day_makes_another_of_it(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, {"profile": "apple", "mode": "bulk", "path": "in/{source}.zip"})
    desk.rows["enrollments"][0]["beginDate"] = "2026-08-27"
    desk.rows["roles"][0]["endDate"] = "2026-08-31"
    rosters = []
    for days in (2, 1, 4, 0):
        sent = desk.bring()
        rosters.append((str(desk.now.date()), sent.news, sent.delivery.receipt.get("day")))
        desk.day(days)
    assert rosters == [
        ("2026-08-24", True, "2026-08-26"),
        ("2026-08-26", False, "2026-08-26"),
        ("2026-08-27", True, "2026-08-30"),
        ("2026-08-31", False, None),
    ]


def test_a_destination_of_changes_gets_what_the_day_changed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"profile": "oneroster-1.1"})
    desk.rows["roles"].append({
        "sourcedId": "r9", "userSourcedId": "u4", "roleType": "primary", "role": "aide",
        "orgSourcedId": "s1", "beginDate": "2026-08-25",
    })  # fmt: skip
    desk.rows["roles"][3]["endDate"] = "2026-08-25"
    assert desk.bring().delivery.receipt["day"] == "2026-08-24"
    assert not desk.bring().news
    desk.day()
    assert desk.bring().delivery.receipt["rows"] == {"users": 1}
    (user,) = desk.package("springfield-000002.zip")["users"]
    assert (user["sourcedId"], user["role"], user["status"]) == ("u4", "aide", "active")
