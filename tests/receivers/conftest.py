"""Rosters to be delivered, and a database to deliver them to."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_pipeline.oneroster.roster import Roster
from tests.oneroster.strategies import frame_of, stored
from tests.small import Row, district

Rows = dict[str, list[Row]]
Make = Callable[..., Roster]
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Store the small district as a roster; `change` edits its rows first."""
    made = iter(range(100))

    def _make(change: Callable[[Rows], object] = lambda _: None, *, block: int = 1000) -> Roster:
        rows = district()
        change(rows)
        frames = {
            entity: frame_of(entity, listed, _metadata(listed)) for entity, listed in rows.items()
        }
        return stored(frames, tmp_path / f"roster-{next(made)}", block=block)

    return _make


def _metadata(rows: list[Row]) -> list[str]:
    return sorted({name for row in rows for name in row if name.startswith("metadata.")})


@pytest.fixture
def warehouse(postgres_database: str) -> str:
    """The address of a new database, as people write it."""
    return postgres_database.replace("postgresql+psycopg2://", "postgresql://")


@pytest.fixture
def ask(warehouse: str) -> Iterator[Ask]:
    """What another session sees."""
    connection = psycopg2.connect(warehouse)
    connection.autocommit = True

    def _ask(query: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall()) if cursor.description else []

    yield _ask
    connection.close()
