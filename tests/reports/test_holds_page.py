"""docs/holds.md says what holds: its numbers, codes and examples are those of the program."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from roster_pipeline.guards.calendar import ROLLOVER, Calendar
from roster_pipeline.guards.judge import GUARDS
from roster_pipeline.guards.settings import Cumulative, GuardSettings, Limit, SchoolLimits
from roster_pipeline.workspace.district import District

PAGE = (Path(__file__).parents[2] / "docs" / "holds.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def limits(settings: GuardSettings | SchoolLimits | Cumulative) -> Iterator[tuple[str, Limit]]:
    """Every limit of some settings by its key in a file."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Limit):
            yield name, value
        elif isinstance(value, (SchoolLimits, Cumulative)):
            yield from ((f"{name}.{key}", limit) for key, limit in limits(value))


def rows(header: str) -> dict[str, list[str]]:
    """A table of the page: the code in its first column, and the other columns."""
    lines = PAGE.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


def test_the_table_of_limits_has_each_default() -> None:
    usual, rollover = GuardSettings(), GuardSettings().overlaid_by(ROLLOVER)
    in_summer = dict(limits(rollover))
    expected = {
        key: [said(limit), str(limit.floor), said(in_summer[key])] for key, limit in limits(usual)
    }
    table = rows("| under `guards:`")
    assert {key: cells[1:] for key, cells in table.items()} == expected
    assert f"`overlap: {usual.overlap:g}`" in PAGE


def said(limit: Limit) -> str:
    assert limit.count is None
    return "no limit" if limit.percent is None else f"{limit.percent:g} %"


def test_the_table_of_reasons_has_each_code_in_the_order_of_the_guards() -> None:
    assert list(rows("| code |")) == list(GUARDS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_used_as_it_stands(example: str) -> None:
    given: dict[str, Any] = yaml.safe_load(example)
    for key, value in given.items():
        if key == "guards":
            GuardSettings.model_validate(value)
        elif key == "calendar":
            Calendar.model_validate(value)
        else:
            assert key in District.model_fields, f"{key} is no key of a source's file"


def test_there_are_examples_of_limits_windows_and_policy() -> None:
    assert {"guards", "calendar", "header_only"} <= {
        key for example in EXAMPLES for key in yaml.safe_load(example)
    }
