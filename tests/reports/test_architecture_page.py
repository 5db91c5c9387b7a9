"""docs/architecture.md draws the house as it is."""

import re
import tomllib
from pathlib import Path

from roster_pipeline.store.migrations import versions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# What stands on a line of the drawing before it is said what it is.
ROOMS = re.compile(r"(\w+(/|\.py)(\s+|$))+")


def test_the_floors_are_those_that_imports_are_held_to() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (held,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    floors = [
        sorted(room.strip().removeprefix("roster_pipeline.") for room in layer.split("|"))
        for layer in held
    ]
    drawn = PAGE.partition("```\n")[2].partition("```")[0].splitlines()
    rooms = [line for line in map(ROOMS.match, drawn) if line]
    assert [sorted(re.findall(r"\w+(?=/|\.py)", line.group())) for line in rooms] == floors


def test_each_migration_of_the_ledger_is_told() -> None:
    (folder,) = versions.__path__
    there = sorted(file.name[1:5] for file in Path(folder).glob("v*.py"))
    assert re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE) == there


def test_each_module_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:\w+/)+\w*(?:\.py)?)`", PAGE)) - {"sources/", "store/"}
    for name in named:
        place = ROOT / "roster_pipeline" / name
        assert place.exists() or (ROOT / name).exists(), name
