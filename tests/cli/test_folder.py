"""`roster init`: a workspace, made or completed."""

from pathlib import Path

import pytest
import yaml

from roster_pipeline.workspace import Workspace, open_catalogue
from tests.cli.conftest import Roster


def test_a_new_workspace_is_whole_and_private(roster: Roster, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    assert roster("init", folder).code == 0
    workspace = Workspace.load(folder)
    assert not workspace.sources
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / ".dagster" / "dagster.yaml").exists()
    assert (folder / "ledger.sqlite").exists()
    ignored = (folder / ".gitignore").read_text().splitlines()
    assert {"/.dagster/", "/store/", "/secrets/", "/ledger.sqlite*"} <= set(ignored)


def test_the_examples_are_valid_once_they_are_renamed(roster: Roster, tmp_path: Path) -> None:
    roster("init", tmp_path)
    for example in tmp_path.glob("*/*.example"):
        example.rename(example.with_suffix(""))
    workspace = Workspace.load(tmp_path)
    assert list(workspace.sources) == ["springfield"]
    assert workspace.destinations["learning-app"].takes("springfield")
    (product,) = workspace.products_of("springfield")
    assert set(open_catalogue(tmp_path, product).titles) == {"algebra-1", "geometry"}


def test_every_commented_line_of_the_examples_is_valid_too(roster: Roster, tmp_path: Path) -> None:
    roster("init", tmp_path)
    source = tmp_path / "sources" / "springfield.yaml"
    lines = source.with_suffix(".yaml.example").read_text().splitlines()
    options = (
        "# scope:",
        "# expect:",
        "# severities:",
        "# held_rows:",
        "# guards:",
        "#   removed:",
    )
    text = [line.removeprefix("# ") if line.startswith(options) else line for line in lines]
    source.write_text("\n".join(line.replace("#   removed", "  removed") for line in text))
    district = Workspace.load(tmp_path).sources["springfield"]
    assert district.scope.schools == ("school-1", "school-2")
    assert district.expect.rows == {"users": (4000, 9000)}
    assert district.expect.fill == {"users.email": 95}
    assert district.severities == {"reference.kind": "stop"}
    assert district.held_rows is not None


def test_the_commented_rules_of_a_product_are_valid_too(roster: Roster, tmp_path: Path) -> None:
    roster("init", tmp_path)
    for example in tmp_path.glob("*/*.example"):
        example.rename(example.with_suffix(""))
    file = tmp_path / "products" / "maths-path.yaml"
    file.write_text(file.read_text().replace("# - {", "- {"))
    product = Workspace.load(tmp_path).products["maths-path"]
    assert product.courses is not None
    assert [rule.course for rule in product.courses.rules] == [None, "algebra-1", "geometry"]
    assert product.courses.rules[1].title == "algebra (1|i)$"
    open_catalogue(tmp_path, product)


def test_the_pattern_for_dates_in_names_survives_the_template(
    roster: Roster, tmp_path: Path
) -> None:
    roster("init", tmp_path)
    example = (tmp_path / "sources" / "springfield.yaml.example").read_text()
    (line,) = (line for line in example.splitlines() if line.startswith("# date_from:"))
    assert yaml.safe_load(line[2:])["date_from"]["name"] == "_(?P<date>[0-9]{8})[.]zip$"


def test_what_is_there_already_stays_as_it_is(roster: Roster, tmp_path: Path) -> None:
    roster("init", tmp_path)
    file = tmp_path / "roster.yaml"
    file.write_text(file.read_text() + "# ours\n")
    (tmp_path / ".gitignore").unlink()
    again = roster("init", tmp_path)
    assert again.code == 0
    assert file.read_text().endswith("# ours\n")
    assert [line for line in again.err.splitlines() if line.startswith("made")] == [
        f"made {tmp_path / '.gitignore'}"
    ]


def test_postgres_without_its_address_is_told_by_the_variable(
    roster: Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROSTER_POSTGRES_URL", raising=False)
    ended = roster("init", tmp_path, "--storage", "postgres")
    assert ended.code != 0
    assert "ROSTER_POSTGRES_URL" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.postgres
def test_postgres_holds_the_ledger_and_what_dagster_remembers(
    roster: Roster, tmp_path: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTER_POSTGRES_URL", postgres_database)
    assert roster("init", tmp_path, "--storage", "postgres").code == 0
    assert roster("holds", "-w", tmp_path).out == "Nothing is held.\n"
    assert not list(tmp_path.rglob("*.db"))
    assert not (tmp_path / "ledger.sqlite").exists()
    assert postgres_database not in "".join(path.read_text() for path in tmp_path.rglob("*.yaml"))
