"""A ledger in SQLite and one in PostgreSQL, a store on a disk and one of objects: every test of
either runs on both."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
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


@pytest.fixture(params=["disk", "objects"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return f"{tmp_path}/store" if request.param == "disk" else f"memory://{tmp_path}/store"


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    fsspec.filesystem("memory").store.clear()
