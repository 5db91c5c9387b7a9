from collections.abc import Iterator

import pytest

from tests.conformance import server
from tests.conformance.server import Loopback


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    """The port at which vendors' servers stand."""
    with server.loopback() as running:
        yield running
