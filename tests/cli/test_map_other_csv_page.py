"""docs/map-other-csv.md: what it shows is read as it says."""

import re
from pathlib import Path

import pytest
import yaml

from roster_pipeline.oneroster.entities import ENTITIES, Required, columns
from roster_pipeline.workspace import Workspace
from tests.cli.conftest import Roster

PAGE = (Path(__file__).parents[2] / "docs" / "map-other-csv.md").read_text(encoding="utf-8")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The page's example files, in a folder."""
    folder = tmp_path / "export"
    folder.mkdir()
    (shown,) = re.findall(r"```\n(sections\.csv .*?)```", PAGE, re.DOTALL)
    for name, lines in re.findall(r"^(\w+\.csv)((?:(?!^\w).)+)", shown, re.DOTALL | re.MULTILINE):
        rows = [line.strip() for line in lines.strip().splitlines()]
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def shown_mapping() -> str:
    """The mapping that the page has somebody write."""
    (found,) = re.findall(r"```yaml\n(mapping:.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_mapping_that_the_page_shows_reads_the_files_that_it_shows(
    roster: Roster, workspace: Path, export: Path
) -> None:
    words = ("--timezone", "America/Chicago", "--folder-path", "drops", "--files", "*.csv")
    assert roster("-w", workspace, "source", "new", "pine", *words).code == 0
    with (workspace / "sources" / "pine.yaml").open("a", encoding="utf-8") as file:
        file.write(shown_mapping())

    ended = roster("-w", workspace, "check", export, "--source", "pine")

    assert ended.code == 0, ended.out + ended.err
    assert "No findings" in ended.out
    assert Workspace.load(workspace).source("pine").csv_mapping is not None


def test_the_page_names_each_column_that_must_be_filled_and_the_words_for_it() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
    for entity in set(ENTITIES) - {"userProfiles"}:
        said = rows[entity]
        must = [column for column in columns(entity) if column.required is Required.ALWAYS]
        for column in must:
            words = column.words if column.name in ("role", "type", "roleType", "classType") else ()
            assert all(re.search(rf"\b{text}\b", said) for text in (column.name, *words)), column


def test_what_is_said_to_have_to_be_made_is_what_a_mapping_cannot_be_without(
    roster: Roster, workspace: Path
) -> None:
    path = workspace / "sources" / "springfield.yaml"
    plain = yaml.safe_load(path.read_text())
    said = yaml.safe_load(shown_mapping())["mapping"]
    said["tables"] = {"orgs": said["tables"]["orgs"]}
    path.write_text(yaml.safe_dump({**plain, "mapping": said}))
    wrong = roster("-w", workspace, "workspace", "check").out
    for entity in ENTITIES:
        needed = entity not in {"orgs", "demographics", "userProfiles"}
        assert (f"{entity}" in wrong) is needed, entity
