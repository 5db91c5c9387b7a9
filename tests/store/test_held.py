"""Since when rows have been held."""

import dataclasses
import stat
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.store.held import COLUMNS, HeldRows, aged
from roster_pipeline.store.snapshots import Snapshots
from tests.store.scene import DAY1, DAY2, DAY3, DAY4


def found(*ids: str | None, code: str = "cell.required", entity: str = "users") -> FindingGroup:
    """Rows that one rule holds back."""
    return FindingGroup(
        code,
        Severity.HOLD,
        "the cell is empty",
        f"{entity}.csv",
        lines=np.arange(2, 2 + len(ids)),
        entity=entity,
        sourced_ids=pa.array(ids, pa.large_string()),
    )


def frame(*groups: FindingGroup) -> pd.DataFrame:
    return Findings(groups).frame()


def since(rows: pd.DataFrame) -> dict[str, str]:
    return dict(zip(rows["sourcedId"], rows["since"], strict=True))


def test_a_row_is_as_old_as_the_first_day_of_an_unbroken_row_of_days() -> None:
    first = aged(frame(found("u1", "u2")), None, DAY1)
    second = aged(frame(found("u1")), first, DAY2)
    third = aged(frame(found("u1", "u2")), second, DAY3)

    assert since(first) == {"u1": str(DAY1), "u2": str(DAY1)}
    assert since(second) == {"u1": str(DAY1)}
    assert since(third) == {"u1": str(DAY1), "u2": str(DAY3)}


def test_another_fault_in_the_same_row_does_not_make_it_young() -> None:
    before = aged(frame(found("u1")), None, DAY1)
    now = aged(frame(found("u1", code="cell.date")), before, DAY2)
    assert since(now) == {"u1": str(DAY1)}
    assert now["code"].tolist() == ["cell.date"]


def test_a_row_with_two_faults_waits_once_and_one_of_another_entity_is_another() -> None:
    rows = aged(
        frame(found("x"), found("x", code="cell.date"), found("x", entity="orgs")), None, DAY1
    )
    assert rows[["entity", "code"]].to_numpy().tolist() == [
        ["orgs", "cell.required"],
        ["users", "cell.required"],
    ]
    assert tuple(rows.columns) == COLUMNS


def test_only_rows_that_are_held_and_can_be_told_have_an_age() -> None:
    blanked = found("u1").with_severity(Severity.DROP)
    assert len(aged(frame(blanked, found(None)), None, DAY1)) == 0
    assert len(aged(frame(), None, DAY1)) == 0


def test_rows_of_a_file_that_was_not_sent_wait_on() -> None:
    before = aged(frame(found("u1"), found("e1", entity="enrollments")), None, DAY1)
    now = aged(frame(), before, DAY2, not_sent=["users"])
    assert since(now) == {"u1": str(DAY1)}


def test_the_numbers_are_those_of_the_oldest() -> None:
    before = aged(frame(found("u1")), None, DAY1)
    rows = aged(frame(found("u1", "u2", "u3")), before, DAY4)
    held = HeldRows.of(DAY4, rows)
    assert (held.rows, held.since, held.days) == (3, DAY1, 3)
    nobody = HeldRows.of(DAY4, aged(frame(), before, DAY4))
    assert (nobody.rows, nobody.since, nobody.days) == (0, None, 0)


@pytest.fixture
def store(url: str) -> Snapshots:
    return Snapshots(url)


def test_a_date_reads_the_newest_earlier_one(store: Snapshots) -> None:
    assert store.held("springfield") is None
    for day, key in ((DAY3, "u3"), (DAY1, "u1")):
        store.put_held("springfield", day, aged(frame(found(key)), None, day))
    store.put_held("shelbyville", DAY4, aged(frame(found("other")), None, DAY4))

    def seen(before: date | None) -> tuple[date, list[str]] | None:
        found_on = store.held("springfield", before=before)
        return found_on and (found_on[0], found_on[1]["sourcedId"].tolist())

    assert seen(None) == (DAY3, ["u3"])
    assert seen(DAY4) == (DAY3, ["u3"])
    assert seen(DAY3) == (DAY1, ["u1"])
    assert seen(DAY1) is None


def test_what_was_kept_comes_back_as_text_and_ages_on(store: Snapshots) -> None:
    store.put_held("springfield", DAY1, aged(frame(found("u1")), None, DAY1))
    last = store.held("springfield")
    assert last is not None
    assert since(aged(frame(found("u1", "u2")), last[1], DAY2)) == {
        "u1": str(DAY1),
        "u2": str(DAY2),
    }


def test_a_day_without_held_rows_is_remembered_as_one(store: Snapshots) -> None:
    store.put_held("springfield", DAY1, aged(frame(found("u1")), None, DAY1))
    store.put_held("springfield", DAY2, aged(frame(), None, DAY2))
    last = store.held("springfield")
    assert last is not None
    assert since(aged(frame(found("u1")), last[1], DAY3)) == {"u1": str(DAY3)}


def test_a_date_that_runs_twice_leaves_the_same_private_bytes(tmp_path: Path) -> None:
    store, kept = Snapshots(tmp_path), tmp_path / "held" / "springfield" / f"{DAY1}.parquet"
    written = []
    for _ in range(2):
        store.put_held("springfield", DAY1, aged(frame(found("u2", "u1")), None, DAY1))
        written.append(kept.read_bytes())
    assert written[0] == written[1]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_findings_keep_their_row_and_cause_and_are_private(tmp_path: Path) -> None:
    store = Snapshots(tmp_path)
    cause = pa.array(["orgs/s9"], pa.large_string())
    group = dataclasses.replace(found("u1"), causes=cause)
    store.put_findings("springfield", "ab" * 32, frame(group))
    kept = store.findings("springfield", "ab" * 32)
    (row,) = kept[["entity", "sourcedId", "cause"]].to_numpy().tolist()
    assert row == ["users", "u1", "orgs/s9"]
    (file,) = tmp_path.glob("snapshots/springfield/*.findings.parquet")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
