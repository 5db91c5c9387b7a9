"""`python -m roster_pipeline.simulator`, for benchmarks and for trying things by hand."""

from pathlib import Path

import pytest

from roster_pipeline.simulator.__main__ import main
from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.district import District

DISTRICT = District(students=60, seed=3)
SETTINGS = ["--students", "60", "--seed", "3"]


def test_it_writes_the_package_of_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, wanted = tmp_path / "new" / "out.zip", tmp_path / "wanted.zip"
    counts = DISTRICT.write_package(wanted, day=2, version="1.1")

    code = main([*SETTINGS, "--day", "2", "--version", "1.1", "--out", str(out)])

    assert code == 0
    assert out.read_bytes() == wanted.read_bytes()
    assert f"{sum(counts.values()):,} rows" in capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["out.zip"]


def test_it_writes_a_delta(tmp_path: Path) -> None:
    out, wanted = tmp_path / "out.zip", tmp_path / "wanted.zip"
    DISTRICT.write_delta(wanted, 1, 9)

    assert main([*SETTINGS, "--since", "1", "--day", "9", "--out", str(out)]) == 0
    assert out.read_bytes() == wanted.read_bytes()


def test_it_lets_an_accident_happen_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, whole, wanted = (tmp_path / name for name in ("out.zip", "whole.zip", "wanted.zip"))
    DISTRICT.write_package(whole)
    apply_accident("one-cell-too-many", whole, wanted)

    code = main([*SETTINGS, "--accident", "one-cell-too-many", "--out", str(out)])

    assert code == 0
    assert out.read_bytes() == wanted.read_bytes()
    assert "classes.csv, line 3: too_many_cells" in capsys.readouterr().out


def test_an_old_file_is_the_one_of_a_week_before(tmp_path: Path) -> None:
    out, wanted = tmp_path / "out.zip", tmp_path / "wanted.zip"
    DISTRICT.write_package(wanted, day=2)

    code = main([*SETTINGS, "--day", "9", "--accident", "old-file-again", "--out", str(out)])

    assert code == 0
    assert out.read_bytes() == wanted.read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--students", "0"],
        ["--day", "-1"],
        ["--since", "5", "--day", "1"],
        ["--accident", "old-file-again"],
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SETTINGS, *wrong, "--out", str(tmp_path / "out.zip")]) == 1

    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
