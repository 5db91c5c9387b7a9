"""The make-believe district in forms that are not OneRoster 1.1 or 1.2."""

import zipfile
from pathlib import Path

import pytest

from roster_pipeline.simulator.__main__ import main
from roster_pipeline.simulator.accidents import ACCIDENTS
from roster_pipeline.simulator.deviations import DEVIATIONS
from roster_pipeline.simulator.formats import FORMATS
from roster_pipeline.tables.archive import ArchiveError, ZipReader

SETTINGS = ("--students", "60", "--seed", "3")


def _write(out: Path, name: str, *more: str) -> Path:
    assert main([*SETTINGS, "--format", name, *more, "--out", str(out)]) == 0
    return out


def _lines(path: Path, file: str) -> int:
    with zipfile.ZipFile(path) as archive:
        return archive.read(file).count(b"\r\n")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_district_and_day_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, again = (_write(tmp_path / f"{n}.zip", name, "--day", "2") for n in ("a", "b"))
    assert first.read_bytes() == again.read_bytes()
    assert _write(tmp_path / "c.zip", name, "--day", "40").read_bytes() != first.read_bytes()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_folder_has_the_files_of_the_zip(name: str, tmp_path: Path) -> None:
    folder = _write(tmp_path / "folder", name)
    with zipfile.ZipFile(_write(tmp_path / "drop.zip", name)) as archive:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            file: archive.read(file) for file in archive.namelist()
        }


def test_a_row_for_each_student_is_one_for_each(tmp_path: Path) -> None:
    assert _lines(_write(tmp_path / "a.zip", "student-per-row"), "students.csv") == 61


def test_accidents_happen_to_formats_too(tmp_path: Path) -> None:
    whole = _write(tmp_path / "whole.zip", "five-files")
    less = _write(tmp_path / "less.zip", "five-files", "--accident", "school-missing")
    assert _lines(less, "schools.csv") == _lines(whole, "schools.csv") - 1
    assert _lines(less, "students.csv") < _lines(whole, "students.csv")


@pytest.mark.parametrize("accident", sorted(ACCIDENTS.keys() - DEVIATIONS.keys()))
def test_every_accident_to_a_roster_can_be_written(accident: str, tmp_path: Path) -> None:
    out = _write(tmp_path / "a.zip", "microsoft-sds-2.1", "--day", "1", "--accident", accident)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    if accident == "cut-at-90-percent":
        with pytest.raises(ArchiveError), out.open("rb") as file:
            ZipReader(file).__enter__()


@pytest.mark.parametrize(
    "wrong", [("--since", "0", "--day", "1"), ("--accident", "one-cell-too-many")]
)
def test_what_no_format_has_is_refused_with_a_sentence(
    wrong: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.zip"
    assert main([*SETTINGS, "--format", "five-files", *wrong, "--out", str(out)]) == 1
    assert "--format" in capsys.readouterr().err
    assert not out.exists()
