"""Rosters as files of a receiver's own."""

import csv
import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.columns.writing import write

Written = dict[str, list[dict[str, str]]]
Write = Callable[[Roster, ColumnsFormat | Mapping[str, Any]], Written]


def columns_of(said: Mapping[str, Any]) -> ColumnsFormat:
    """A format as YAML says it."""
    return ColumnsFormat.model_validate(said)


def members(roster: Roster, said: ColumnsFormat | Mapping[str, Any]) -> dict[str, bytes]:
    """The files that a format makes of a roster."""
    format_ = said if isinstance(said, ColumnsFormat) else columns_of(said)
    out = io.BytesIO()
    write(roster, format_, out)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read(content: bytes, **dialect: Any) -> list[list[str]]:
    """The cells of a file, header and all, by Python's own reader."""
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True, **dialect))


APPLE: dict[str, Any] = {"escapechar": "\\", "doublequote": False}
"""How Apple's files are read."""


@pytest.fixture(scope="session")
def written() -> Write:
    """The rows of each file, by column."""

    def _written(roster: Roster, said: ColumnsFormat | Mapping[str, Any]) -> Written:
        escape = said.csv.escape if isinstance(said, ColumnsFormat) else "double"
        dialect = APPLE if escape == "backslash" else {}
        found = {name: read(content, **dialect) for name, content in members(roster, said).items()}
        return {
            name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
            for name, rows in found.items()
        }

    return _written
