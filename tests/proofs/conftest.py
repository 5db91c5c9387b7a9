"""What the proofs share: commands that start at once."""

from collections.abc import Iterator

import pytest

from tests.proofs.forking import Commands


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """`roster`, in a process for each command."""
    with Commands(tmp_path_factory.mktemp("outputs")) as running:
        yield running
