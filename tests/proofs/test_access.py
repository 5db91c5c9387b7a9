"""What takes access away applies even when another cell of its row is bad."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from tests.small import Row, district, packed

Files = dict[str, list[Row]]

_BAD = {"users": ("givenName", ""), "roles": ("role", "studnet"), "enrollments": ("role", "x y")}
"""Of each entity a cell that holds its row back."""


def judged(files: Files, folder: Path, base: Roster | None = None) -> tuple[Roster, dict[str, int]]:
    """The candidate that a package gives, and the findings by code."""
    with open_package(io.BytesIO(packed(files))) as opened:
        made = build_candidate(opened, base, folder)
    assert made.roster is not None, made.findings.counts()
    return made.roster, made.findings.counts()


def spoilt(row: Row, entity: str) -> Row:
    column, typo = _BAD[entity]
    return {**row, column: typo}


def of(roster: Roster, entity: str) -> dict[str, dict[str, str]]:
    """The rows of an entity by sourcedId."""
    rows = roster.frame(entity).fillna("").to_dict("records")
    return {str(row["sourcedId"]): {str(k): str(v) for k, v in row.items()} for row in rows}


@pytest.fixture
def base(tmp_path: Path) -> Roster:
    """The small district, accepted."""
    return judged(district(), tmp_path / "base")[0]


def edited(entity: str, edit: Callable[[Row], Row]) -> Files:
    """The small district with the first row of an entity edited."""
    files = district()
    files[entity][0] = edit(files[entity][0])
    return files


@pytest.mark.parametrize(
    ("entity", "cells"),
    [
        ("users", {"enabledUser": "false"}),
        ("roles", {"endDate": "2026-09-30"}),
        ("enrollments", {"endDate": "2026-09-30"}),
    ],
)
def test_what_is_disabled_or_ended_is_so_in_the_row_that_stands_in(
    tmp_path: Path, base: Roster, entity: str, cells: Row
) -> None:
    files = edited(entity, lambda row: spoilt({**row, **cells}, entity))
    roster, codes = judged(files, tmp_path / "now", base)
    key = files[entity][0]["sourcedId"]
    assert sum(codes.values()) >= 1
    assert of(roster, entity)[key] == {**of(base, entity)[key], **cells}


@pytest.mark.parametrize("entity", ["users", "roles", "enrollments"])
def test_what_is_to_be_deleted_goes_whatever_else_is_in_its_row(
    tmp_path: Path, base: Roster, entity: str
) -> None:
    files = edited(entity, lambda row: spoilt({**row, "status": "tobedeleted"}, entity))
    roster, _ = judged(files, tmp_path / "now", base)
    assert files[entity][0]["sourcedId"] in of(base, entity)
    assert files[entity][0]["sourcedId"] not in of(roster, entity)


@pytest.mark.parametrize("entity", ["roles", "enrollments"])
def test_what_is_missing_goes_though_its_user_and_the_rows_beside_it_are_bad(
    tmp_path: Path, base: Roster, entity: str
) -> None:
    files = district()
    gone = files[entity].pop(0)
    files["users"] = [
        spoilt(row, "users") if row["sourcedId"] == gone["userSourcedId"] else row
        for row in files["users"]
    ]
    files[entity][0] = spoilt(files[entity][0], entity)
    roster, _ = judged(files, tmp_path / "now", base)
    assert gone["sourcedId"] not in of(roster, entity)
    assert files[entity][0]["sourcedId"] in of(roster, entity)
    assert gone["userSourcedId"] in of(roster, "users")


def test_a_bad_row_gives_nobody_access(tmp_path: Path, base: Roster) -> None:
    disabled = edited("users", lambda row: {**row, "enabledUser": "false"})
    before, _ = judged(disabled, tmp_path / "before", base)
    enabled = edited("users", lambda row: spoilt(row, "users"))
    now, _ = judged(enabled, tmp_path / "now", before)
    assert of(now, "users")["u1"]["enabledUser"] == "false"
