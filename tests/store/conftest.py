"""A ledger in SQLite and one in PostgreSQL: every test of the ledger runs on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from roster_pipeline.store.ledger import Ledger
from tests.store.scene import Clock, Scene


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a ledger that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger/ledger.db"
    url = sa.make_url(request.getfixturevalue("postgres_database"))
    # For the engines of the tests' own; the ledger's finds its schema by itself.
    url = url.update_query_dict({"options": "-csearch_path=roster"})
    return url.render_as_string(hide_password=False)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(ledger_url) as ledger:
        yield ledger


@pytest.fixture
def scene(ledger: Ledger) -> Iterator[Scene]:
    """A ledger with the lease of Springfield taken."""
    clock = Clock()
    with ledger.lease("springfield", clock) as lease:
        yield Scene(ledger, clock, lease)
