"""What the simulator writes in each format comes back through its vendor profile."""

from pathlib import Path

import pandas as pd
import pytest

from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.simulator.formats import FORMATS
from tests.sources.formats.conftest import DISTRICT, read, read_oneroster, written
from tests.sources.formats.held import HELD, Frames, as_in, frames

DAYS = (0, 40)


def test_a_district_comes_back_as_far_as_the_format_holds_it(name: str, tmp_path: Path) -> None:
    for number in DAYS:
        wanted = _held(name, number, tmp_path / f"{number}-full")
        made = as_in(wanted, frames(_read(name, number, tmp_path / f"{number}-made")))
        for entity, frame in wanted.items():
            pd.testing.assert_frame_equal(_sorted(made[entity]), _sorted(frame), obj=entity)


def test_nothing_is_found_in_what_is_right(name: str, tmp_path: Path) -> None:
    judged = read(written(name), name, tmp_path)
    assert not judged.findings.groups
    assert not any(judged.held.values())


@pytest.mark.soak
def test_from_one_day_to_the_next_the_same_changes(name: str, tmp_path: Path) -> None:
    """As many as what the format holds of both days differs in."""
    before, after = (_held(name, number, tmp_path / f"{number}-full") for number in DAYS)
    changes = diff(*(_read(name, number, tmp_path / f"{number}-made") for number in DAYS))
    moved = 0
    for entity in before:
        delta = changes.entities[entity]
        gone = _rows(before[entity]) - _rows(after[entity])
        new = _rows(after[entity]) - _rows(before[entity])
        assert len(delta.removed) + len(delta.changed) == len(gone), entity
        assert len(delta.added) + len(delta.changed) == len(new), entity
        moved += len(gone) + len(new)
    assert moved > 10


@pytest.mark.parametrize("name", ["five-files", "student-per-row"])
def test_terms_have_the_days_of_the_districts(name: str, tmp_path: Path) -> None:
    """Those of semesters and of the year; in a row for each student the year's alone."""
    columns = ["startDate", "endDate", "schoolYear"]
    full = frames(read_oneroster("1.2", tmp_path / "full"))
    theirs = full["academicSessions"].set_index("type")[columns]
    kinds = ["schoolYear", "semester"] if name == "five-files" else ["schoolYear"]

    made = frames(_read(name, 0, tmp_path / "made"))

    assert _rows(made["academicSessions"][columns]) == _rows(theirs.loc[kinds])


def test_extension_columns_of_oneroster_1p0_come_along(tmp_path: Path) -> None:
    cells = _read("oneroster-1.0", 0, tmp_path).columns("orgs", ["metadata.boarding"])
    assert set(cells["metadata.boarding"]) == {"false"}


def _held(name: str, number: int, into: Path) -> Frames:
    full = read_oneroster(FORMATS[name].version, into, number)
    return HELD[name](frames(full), DISTRICT.date_of(number))


def _read(name: str, number: int, into: Path) -> Roster:
    made = read(written(name, number), name, into, number).roster
    assert made is not None
    return made


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).sort_values(list(frame.columns)).reset_index(drop=True)


def _rows(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(frame.itertuples(index=False, name=None))
