import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.sources.config import Source
from roster_pipeline.transport.folder import Folder

NOW = datetime(2026, 8, 26, 20, 0, tzinfo=UTC)
"""Three in the afternoon in Chicago."""


def source(**keys: Any) -> Source:
    """A source whose server is a folder, with keys of its file changed."""
    data: dict[str, Any] = {
        "id": "springfield",
        "name": "Springfield",
        "transport": {"folder": {"path": "."}},
        "timezone": "America/Chicago",
    }
    return Source.model_validate({**data, **keys})


def rest_source(base_url: str, **keys: Any) -> Source:
    """A source with a server, with keys under its `rest` changed."""
    rest = {"base_url": base_url, "auth": {"bearer": {"token": {"env": "TOKEN"}}}, **keys}
    data = {"id": "springfield", "name": "Springfield", "timezone": "America/Chicago", "rest": rest}
    return Source.model_validate(data)


@pytest.fixture
def server(tmp_path: Path) -> Folder:
    """The folder that stands for a district's server."""
    return Folder(tmp_path)


Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Lays a file on the server: name, when it was modified, content."""

    def lay(name: str, modified: datetime, content: bytes = b"PK") -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (modified.timestamp(), modified.timestamp()))

    return lay
