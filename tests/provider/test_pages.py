"""Pages cut out of rosters of many parts."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import COLLECTIONS
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.provider.pages import Pages, Published, pages_of
from roster_pipeline.provider.query import Query
from roster_pipeline.provider.reading import Owned, Reading
from tests.examples import examples
from tests.oneroster.strategies import Frames, frame_of, rosters, stored

NOW = datetime(2026, 8, 22, 6, 0, tzinfo=UTC)


def records(pages: Pages, entity: str, query: Query) -> list[dict[str, Any]]:
    page = pages.page(Version.V1P2, "https://sis", (entity,), (), query)
    found: list[dict[str, Any]] = json.loads(page.body)[entity]
    return found


@settings(max_examples=examples(8))
@given(rosters(max_rows=12), st.integers(1, 7), st.booleans())
def test_pages_of_any_size_add_up_to_the_whole_however_it_lies(
    frames: Frames, limit: int, descending: bool
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("roster_pipeline.oneroster.roster._FEWEST_ROWS", 3),
        patch("roster_pipeline.provider.pages._ROWS", 5),
    ):
        pages = Pages(Published(stored(frames, Path(folder) / "roster", block=3), NOW))
        for entity in COLLECTIONS:
            ids = list(frames[entity]["sourcedId"])
            for sort in (None, "sourcedId"):
                whole: list[dict[str, Any]] = []
                while some := records(
                    pages, entity, Query(limit, len(whole), None, sort, descending)
                ):
                    assert len(some) <= limit
                    whole += some
                expected = sorted(ids, reverse=descending) if sort else ids
                assert [record["sourcedId"] for record in whole] == expected
            _roles_are_their_users(whole, frames["roles"]) if entity == "users" else None


def _roles_are_their_users(users: list[dict[str, Any]], roles: pd.DataFrame) -> None:
    for user in users:
        theirs = roles[roles["userSourcedId"] == user["sourcedId"]]
        said = [role["org"]["sourcedId"] for role in user["roles"]]
        assert said == list(theirs["orgSourcedId"])


def test_rows_come_in_the_order_asked_for_from_any_part(tmp_path: Path) -> None:
    ids = [f"o{n}" for n in range(20)]
    with patch("roster_pipeline.oneroster.roster._FEWEST_ROWS", 4):
        roster = stored(
            {"orgs": frame_of("orgs", [{"sourcedId": i} for i in ids])}, tmp_path / "r", block=4
        )
    reading = Reading(roster)
    assert len(roster.tables["orgs"].parts) == 5
    for positions in ([19, 0, 7, 7, 12], [3, 4], [], [5]):
        found = reading.rows("orgs", np.array(positions, dtype=np.int64))
        assert list(found["sourcedId"]) == [ids[n] for n in positions]
    assert [reading.position("orgs", i) for i in ("o0", "o13", "nobody")] == [0, 13, -1]


@given(st.lists(st.integers(-1, 4), max_size=12), st.lists(st.integers(0, 4), max_size=6))
def test_the_rows_of_users_are_found_whatever_their_order(
    owners: list[int], users: list[int]
) -> None:
    owned = Owned(np.array(owners, dtype=np.int64), 5)
    rows, owner = owned.of(np.array(users, dtype=np.int64))
    expected = [
        (row, place)
        for place, user in enumerate(users)
        for row, o in enumerate(owners)
        if o == user
    ]
    assert list(zip(rows.tolist(), owner.tolist(), strict=True)) == expected


def test_parts_that_were_read_leave_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = stored({"orgs": frame_of("orgs", [{"sourcedId": "o1"}])}, tmp_path / "r")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    pages = Pages(Published(roster, NOW))
    assert len(records(pages, "orgs", Query())) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_empty_roster_has_empty_pages() -> None:
    pages = Pages(Published(Roster.empty(), NOW))
    for entity in COLLECTIONS:
        assert records(pages, entity, Query(sort="sourcedId")) == []


def test_pages_are_made_anew_only_when_something_else_is_published() -> None:
    published = [Published(Roster.empty(), NOW)]
    current = pages_of(lambda: published[0])
    before = current()
    assert current() is before
    published[0] = Published(Roster.empty(), NOW)
    assert current() is not before
