"""What holds for any roster."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.receivers import profiles
from roster_pipeline.receivers.columns.checking import misfits
from roster_pipeline.receivers.columns.config import ColumnsFormat
from tests.examples import examples
from tests.oneroster.strategies import rosters, stored
from tests.receivers.columns.conftest import Write, columns_of

Row = dict[str, str]
STAFF = {
    *("aide", "counselor", "districtAdministrator", "principal"),
    *("proctor", "siteAdministrator", "systemAdministrator", "teacher"),
}
GATHERED = columns_of(
    {
        "files": {
            "users.csv": {
                "rows": "users",
                "columns": {
                    "id": "{sourcedId}",
                    "role": "{role.sourcedId}",
                    "student": "{studentOrgs}",
                    "staff": "{staffOrgs}",
                },
            },
            "classes.csv": {
                "rows": "classes",
                "columns": {"id": "{sourcedId}", "teachers": "{teachers}"},
            },
        }
    }
)


def _rows(frame: pd.DataFrame) -> list[Row]:
    return frame.astype(object).fillna("").to_dict("records")  # type: ignore[return-value]


def _by_hand(frames: dict[str, list[Row]]) -> tuple[list[Row], list[Row]]:
    """What is gathered of roles and enrollments, one row after the other."""
    people = []
    for user in frames["users"]:
        own = [role for role in frames["roles"] if role["userSourcedId"] == user["sourcedId"]]

        def rank(role: Row, home: str = user["primaryOrgSourcedId"]) -> int:
            primary = role["roleType"] == "primary"
            return 2 - primary - (primary and role["orgSourcedId"] == home)

        own.sort(key=rank)
        orgs = {
            name: _listed(role["orgSourcedId"] for role in own if role["role"] in words)
            for name, words in (("student", {"student"}), ("staff", STAFF))
        }
        people.append({"id": user["sourcedId"], "role": own[0]["sourcedId"] if own else "", **orgs})
    staff = {
        user["sourcedId"]
        for user, found in zip(frames["users"], people, strict=True)
        if found["staff"] and user["enabledUser"] == "true"
    }
    teaching = [seat for seat in frames["enrollments"] if seat["role"] == "teacher"]
    teaching.sort(key=lambda seat: seat["primary"] != "true")
    classes = [
        {
            "id": one["sourcedId"],
            "teachers": _listed(
                seat["userSourcedId"]
                for seat in teaching
                if seat["classSourcedId"] == one["sourcedId"] and seat["userSourcedId"] in staff
            ),
        }
        for one in frames["classes"]
    ]
    return people, classes


def _listed(texts: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(texts))


@settings(max_examples=examples(8))
@given(frames=rosters(max_rows=12), block=st.integers(1, 4))
def test_what_stands_beside_rows_is_what_one_finds_by_hand_and_receivers_take_all_of_it(
    written: Write, frames: dict[str, pd.DataFrame], block: int
) -> None:
    parts = patch("roster_pipeline.oneroster.roster._FEWEST_ROWS", 1)
    with tempfile.TemporaryDirectory() as folder, parts:
        roster = stored(frames, Path(folder) / "roster", block=block)
        files = written(roster, GATHERED)
        people, classes = _by_hand({entity: _rows(frame) for entity, frame in frames.items()})
        assert files["users.csv"] == people
        assert files["classes.csv"] == classes
        for name in ("apple", "microsoft-sds-2.1"):
            columns = profiles.load(name).columns
            assert isinstance(columns, ColumnsFormat)
            for misfit in misfits(roster, columns):
                assert (misfit.wrong, misfit.column) in {("unique", "username"), ("words", "type")}
