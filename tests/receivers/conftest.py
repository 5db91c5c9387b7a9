"""Rosters to be delivered, and a database to deliver them to."""

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.district import District
from tests.oneroster.strategies import frame_of, stored
from tests.small import Row, district

Rows = dict[str, list[Row]]
Make = Callable[..., Roster]
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def district_roster(tmp_path_factory: pytest.TempPathFactory) -> Roster:
    """An accepted roster of a make-believe district, the same each time: what goldens are of."""
    package = io.BytesIO()
    District(students=60, seed=11, metadata=True).write_package(package)
    with open_package(package) as opened:
        judged = build_candidate(
            opened, None, tmp_path_factory.mktemp("district") / "roster", today=date(2026, 9, 14)
        )
    assert list(judged.findings) == []
    assert judged.roster is not None
    return judged.roster


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
