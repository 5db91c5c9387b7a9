"""docs/troubleshooting.md quotes what the product says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("A server (REST)", "SFTP", "The workspace")


def _quotes() -> list[str]:
    """What a reader may have seen, by the page."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    parts = [part for part in text.split("\n## ") if part.startswith(PARTS)]
    assert len(parts) == len(PARTS)
    cells = [line.split(" | ")[0][2:] for part in parts for line in part.splitlines()[4:]]
    return [cell.strip("` ") if "``" not in cell else cell[3:-3] for cell in cells if cell]


@cache
def _said() -> str:
    """All texts of the product's code, line by line; a value within one ends it."""
    return "\n".join(
        node.value
        for file in (ROOT / "roster_pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("quote", _quotes())
def test_every_error_of_the_page_is_one_that_is_told(quote: str) -> None:
    for piece in re.split(r"\s*…\s*", quote):
        assert piece in _said(), "the product does not say this any more; see docs/"
