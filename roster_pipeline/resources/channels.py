"""The ways in and out of a workspace, opened on demand."""

from collections.abc import Mapping
from pathlib import Path

from roster_pipeline.receivers.config import Destination
from roster_pipeline.sources.config import Source
from roster_pipeline.transport import Channel
from roster_pipeline.transport.config import open_channel


class Channels:
    """Opens a channel to a source or a destination; whoever asks closes it.

    `base` is what relative paths in the workspace's files are relative to, `environ` where secrets
    that are `{env: NAME}` are found.
    """

    def __init__(self, base: Path, environ: Mapping[str, str]) -> None:
        self._base = base
        self._environ = environ

    def source(self, source: Source) -> Channel:
        """Where a district's drops lie. Raises `CredentialsUnusable`."""
        return open_channel(source.transport, base=self._base, environ=self._environ)

    def destination(self, destination: Destination) -> Channel:
        """Where a destination wants its packages. Raises `CredentialsUnusable`."""
        return open_channel(destination.transport, base=self._base, environ=self._environ)
