from collections.abc import Iterator
from pathlib import Path

import pytest

from roster_pipeline.simulator.scim_server import ScimServer
from roster_pipeline.store.ledger import Ledger
from tests.accounts.world import TOKEN, World


@pytest.fixture
def server() -> Iterator[ScimServer]:
    """A SCIM server without accounts."""
    with ScimServer(TOKEN) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, server: ScimServer) -> Iterator[World]:
    """Nothing happened yet."""
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        yield World(tmp_path, ledger, server)
