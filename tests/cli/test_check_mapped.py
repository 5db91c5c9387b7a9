"""`roster check` on files that are not OneRoster."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Roster
from tests.sources.mapping.school import files, said, zipped

SOURCE = "springfield"


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A drop in which a student has no e-mail address."""
    tables = files()
    tables["students_2026.csv"][1]["Email"] = ""
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(tables).getvalue())
    return path


@pytest.fixture
def mapped(workspace: Path) -> Path:
    """The workspace, whose source says what its files mean."""
    path = workspace / "sources" / f"{SOURCE}.yaml"
    source: dict[str, Any] = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**source, "mapping": said()}))
    return workspace


def test_a_zip_is_read_as_a_source_of_the_workspace_is(
    roster: Roster, drop: Path, mapped: Path
) -> None:
    ended = roster("check", drop, "--source", SOURCE, "-w", mapped)
    assert ended.code == 1
    assert "students_2026.csv:3:Email (student-2)" in ended.out


def test_cells_of_files_that_are_not_oneroster_are_shown_masked(
    roster: Roster, drop: Path, mapped: Path, tmp_path: Path
) -> None:
    tables = files()
    tables["sections.csv"][0]["Start"] = "Monday"
    path = tmp_path / "other.zip"
    path.write_bytes(zipped(tables).getvalue())
    words = ("check", path, "--source", SOURCE, "-w", mapped)
    assert "Xxxxxx" in roster(*words, "--values").out
    assert "Monday" in roster(*words, "--show-values").out


def test_a_zip_is_read_as_the_files_of_a_vendor(roster: Roster, drop: Path) -> None:
    ended = roster("check", drop, "--vendor", "five-files")
    assert ended.code == 1
    assert "enrollments.csv" in ended.out
    assert "OneRoster 1.2" in ended.out


def test_files_of_which_nothing_is_said_are_told_what_to_say(roster: Roster, drop: Path) -> None:
    ended = roster("check", drop)
    assert ended.code == 1
    assert "--vendor" in ended.out
    assert "roster vendor list" in ended.out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--vendor", "nobody"], "no vendor profile is called 'nobody'"),
        (["--vendor", "five-file"], "Did you mean five-files?"),
        (["--source", "nobody"], "no source called so"),
        (["--source", SOURCE, "--vendor", "five-files"], "Say --source or --vendor"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    options: list[str], sentence: str, roster: Roster, drop: Path, mapped: Path
) -> None:
    ended = roster("check", drop, *options, "-w", mapped)
    assert ended.code == 2
    assert sentence in ended.err


def test_a_source_whose_file_has_errors_is_not_called_unknown(
    roster: Roster, drop: Path, mapped: Path
) -> None:
    file = mapped / "sources" / f"{SOURCE}.yaml"
    file.write_text(file.read_text().replace("timezone:", "timezon:"))
    for words in (("check", drop, "--source", SOURCE), ("check", SOURCE)):
        ended = roster("-w", mapped, *words)
        assert ended.code == 2
        assert ended.err.splitlines()[-1].endswith("did you mean `timezone`?"), ended.err
        assert "no source called so" not in ended.err


def test_a_source_needs_no_word_on_how_it_is_read(roster: Roster, mapped: Path) -> None:
    ended = roster("check", SOURCE, "--vendor", "five-files")
    assert ended.code == 2
    assert "There is no file or folder" in ended.err
