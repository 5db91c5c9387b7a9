from collections.abc import Iterator
from pathlib import Path

import pytest

from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store.ledger import Ledger
from tests.accounts.world import TOKEN, World


@pytest.fixture(scope="session")
def running() -> Iterator[ScimServer]:
    """A SCIM server; one for all tests, as it takes a moment to start."""
    with ScimServer(TOKEN) as server:
        yield server


@pytest.fixture
def server(running: ScimServer) -> ScimServer:
    """A SCIM server without accounts."""
    running.clear()
    return running


@pytest.fixture
def world(tmp_path: Path, server: ScimServer) -> Iterator[World]:
    """Nothing happened yet."""
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        yield World(tmp_path, ledger, server)
