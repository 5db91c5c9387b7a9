"""Whole runs of districts whose drops are not OneRoster 1.1 or 1.2."""

import io
import zipfile
from pathlib import Path

import pytest

from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.formats import FORMATS, write_as
from roster_pipeline.store import Outcome
from tests.automation.town import SOURCE, Town
from tests.sources.formats.drops import edited, with_header, without


def _drop(town: Town, name: str, day: int, target: str = "export.zip") -> None:
    """Put the export of a day on the server, as a zip or as files in a folder."""
    package = io.BytesIO()
    town.district.write_package(package, day, FORMATS[name].version)
    out = town.drops / target
    write_as(name, package, out, town.district.date_of(day))
    for path in [out] if out.is_file() else sorted(out.iterdir()):
        town.arrived(path)


def _delivered(town: Town, file: str) -> list[str]:
    with zipfile.ZipFile(town.delivered) as archive:
        return archive.read(f"{file}.csv").decode().splitlines()[1:]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "student-per-row" else [pytest.mark.soak])
        for name in sorted(FORMATS)
    ],
)
def test_a_district_of_each_format_is_held_once_and_then_goes_on_by_itself(
    name: str, town: Town
) -> None:
    town.write_source(f"vendor: {name}\n")
    _drop(town, name, 0)
    held = town.sync()
    assert held.outcome is Outcome.HELD
    assert town.approve(held.hold).outcome is Outcome.DONE
    with town.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
    assert accepted is not None
    assert accepted.snapshot.counts["demographics"] == town.district.students
    first = _delivered(town, "enrollments")
    assert len(first) == accepted.snapshot.counts["enrollments"]

    town.pass_days(1)
    _drop(town, name, 8)
    assert town.sync().outcome is Outcome.DONE
    assert _delivered(town, "enrollments") != first


@pytest.mark.soak
def test_five_files_may_lie_loose_in_a_folder(town: Town) -> None:
    names = ", ".join(f"{n}.csv" for n in ("schools", "students", "teachers", "sections"))
    town.write_source(f"vendor: five-files\nfiles: [{names}, enrollments.csv]\n")
    _drop(town, "five-files", 0, ".")
    held = town.sync()
    assert held.outcome is Outcome.HELD
    assert town.approve(held.hold).outcome is Outcome.DONE
    assert len(_delivered(town, "demographics")) == town.district.students


def test_a_day_without_one_of_the_files_goes_no_further(town: Town) -> None:
    town.write_source("vendor: five-files\n")
    _drop(town, "five-files", 0)
    export = town.drops / "export.zip"
    export.write_bytes(without(export.read_bytes(), "enrollments.csv"))
    town.arrived(export)
    stopped = town.sync()
    assert stopped.outcome is Outcome.STOPPED
    assert any("enrollments.csv" in sentence for sentence in stopped.sentences)


@pytest.mark.soak
def test_files_without_rows_and_columns_called_otherwise_take_nobody_out_of_class(
    town: Town,
) -> None:
    """Sections still have their first teachers, so the entity has rows; and of teachers beside
    them there are so few that no limit would hold their going."""
    town.write_source("vendor: five-files\n")
    _drop(town, "five-files", 0)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE
    before = _delivered(town, "enrollments")
    town.pass_days(1)
    _drop(town, "five-files", 0)
    export = town.drops / "export.zip"
    renamed = with_header(export.read_bytes(), "sections.csv", "Teacher_2_id", "Teacher 2")
    export.write_bytes(edited(renamed, {"enrollments.csv": lambda rows: rows[:1]}))
    town.arrived(export)
    assert town.sync().outcome is Outcome.DONE
    assert any(",teacher,false," in line for line in before)
    assert sorted(_delivered(town, "enrollments")) == sorted(before)


@pytest.mark.soak
def test_a_school_that_is_missing_in_five_files_is_held(town: Town, tmp_path: Path) -> None:
    town.write_source("vendor: five-files\n")
    _drop(town, "five-files", 0)
    assert town.approve(town.sync().hold).outcome is Outcome.DONE
    town.pass_days(1)
    town.district.write_package(tmp_path / "whole.zip", 1)
    apply_accident("school-missing", tmp_path / "whole.zip", tmp_path / "spoilt.zip")
    export = town.drops / "export.zip"
    write_as("five-files", tmp_path / "spoilt.zip", export, town.district.date_of(1))
    town.arrived(export)
    held = town.sync()
    assert held.outcome is Outcome.HELD
    assert any("school" in sentence for sentence in held.sentences)
