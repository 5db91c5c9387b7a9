"""Loops among parents, and parents that cannot be."""

import numpy as np
import pandas as pd
import pytest

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.parents import in_loops, wrong_kinds
from roster_pipeline.tables.text import TEXT
from tests.quality.conftest import Build
from tests.small import district


@pytest.mark.parametrize(
    ("parents", "loops"),
    [([], []), ([-1, 0, 1], []), ([0], [0]), ([1, 0, 1], [0, 1]), ([1, 2, 3, 1], [1, 2, 3]),
     ([-1, 2, 1, 4, 3, 0], [1, 2, 3, 4])],
)  # fmt: skip
def test_rows_on_a_loop_are_found_and_those_that_lead_into_it_are_not(
    parents: list[int], loops: list[int]
) -> None:
    assert in_loops(np.array(parents, dtype=np.int64)).tolist() == loops


def test_a_chain_as_long_as_the_file_is_no_loop() -> None:
    assert len(in_loops(np.arange(-1, 99_999, dtype=np.int64))) == 0


@pytest.mark.parametrize(
    ("row", "parent", "wrong"),
    [("school", "district", False), ("school", "state", False), ("district", "local", False),
     ("school", "school", True), ("district", "school", True), ("state", "local", True),
     ("department", "school", False), ("department", "state", True),
     ("school", "department", False), ("ext:campus", "school", False),
     ("school", "ext:trust", False), ("schoolYear", "term", True), ("term", "semester", False),
     ("semester", "gradingPeriod", True), ("gradingPeriod", "gradingPeriod", False)],
)  # fmt: skip
def test_parents_stand_above_their_rows(row: str, parent: str, wrong: bool) -> None:
    types = pd.Series([row, parent], dtype=TEXT)
    found = wrong_kinds(types, np.array([1, -1], dtype=np.int64))
    assert found.tolist() == [wrong, False]


def test_rows_of_a_loop_lose_their_parent(build: Build) -> None:
    files = district()
    files["orgs"][0]["parentSourcedId"] = "s1"
    candidate = build(files)
    assert candidate.findings.counts() == {"reference.loop": 2}
    assert candidate.roster is not None
    assert candidate.roster.frame("orgs")["parentSourcedId"].isna().all()


def test_a_loop_through_accepted_rows_is_opened_and_told_where_it_came_in(
    build: Build, accepted: Roster
) -> None:
    stamp = {"status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"}
    files = {"orgs": [district()["orgs"][0] | stamp | {"parentSourcedId": "s1"}]}
    candidate = build(files, accepted, modes={"orgs": "delta"})
    (finding,) = candidate.findings
    assert (finding.code, finding.sourced_id) == ("reference.loop", "d1")
    assert candidate.roster is not None
    assert candidate.roster.frame("orgs")["parentSourcedId"].isna().all()
