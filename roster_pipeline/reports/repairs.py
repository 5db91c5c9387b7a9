"""Cells that were mended as a source's file says, in numbers."""

from collections.abc import Mapping

Repaired = Mapping[str, Mapping[str, int]]
"""`entity.column` → the key of the source's file that says so → cells."""


def repaired_sentence(cells: Repaired) -> str:
    """How many cells of each column were mended, and by which keys."""
    listed = "; ".join(f"{column} {_by_key(of)}" for column, of in cells.items())
    return f"Repaired cells: {listed}."


def _by_key(of: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} ({key})" for key, number in of.items())
