"""A SCIM server whose accounts can be put back as they were."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from roster_pipeline.simulator.scim_server import ScimServer


class Provider:
    """The server of one product. Its address stays when it is put back."""

    def __init__(self, folder: Path, token: str) -> None:
        """It runs while the `with` block lasts, and keeps its accounts in the folder."""
        self._folder = folder
        self._token = token
        self._server = self._new(port=0)

    @property
    def server(self) -> ScimServer:
        """The one that runs now."""
        return self._server

    @property
    def url(self) -> str:
        """Where it is."""
        return self._server.url

    @property
    def users(self) -> list[dict[str, Any]]:
        """Every account, by userName, without what changes from run to run."""
        return self._server.users

    def save(self, name: str) -> None:
        """Keep a copy of its accounts under a name."""
        shutil.copy(self._state, self._copy(name))

    def put_back(self, name: str) -> None:
        """Make its accounts those of the copy; its requests are counted from here on."""
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        self._server.__exit__(None, None, None)
        shutil.copy(self._copy(name), self._state)
        self._server = self._new(port).__enter__()

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def _state(self) -> Path:
        return self._folder / "now.jsonl"

    def _copy(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _new(self, port: int) -> ScimServer:
        return ScimServer(self._token, port=port, state=self._state)
