"""The ways in and out of a workspace, opened on demand."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from roster_pipeline.receivers.config import SHORTEST_KEY, Destination, TablesConfig
from roster_pipeline.receivers.tables import Tables
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.landing import Keys
from roster_pipeline.sources.pgp import PgpKeys
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport import Channel
from roster_pipeline.transport.config import Secret, TransportConfig, open_channel
from roster_pipeline.transport.errors import CredentialsUnusable
from roster_pipeline.transport.outlet import Outlet
from roster_pipeline.transport.outlet_config import OutletConfig, open_outlet

if TYPE_CHECKING:
    from roster_pipeline.transport.http import HttpSession


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
        transport = cast(TransportConfig, source.transport)  # it has this or rest
        return open_channel(transport, base=self._base, environ=self._environ)

    def keys(self, source: Source) -> Keys:
        """What opens a district's drops. Raises `CredentialsUnusable`."""
        said = source.encryption
        if said is None:
            return Keys()
        if said.pgp is None:
            return Keys(password=self._revealed(said.password))
        signer = said.pgp.signed_by
        private = said.pgp.private_key.reveal(self._environ, self._base)
        return Keys(
            pgp=PgpKeys(private, self._revealed(said.pgp.passphrase), self._revealed(signer))
        )

    def clearing(self, source: Source) -> Channel | None:
        """Where a district's drops are moved away or removed after they were read; None where they
        stay. Raises `CredentialsUnusable`."""
        return None if source.transport is None or source.keeps_drops else self.source(source)

    def server(self, rest: Rest) -> "HttpSession":
        """A OneRoster server that a roster is pulled from. Raises `CredentialsUnusable`."""
        from roster_pipeline.transport.http import open_session

        return open_session(rest, base=self._base, environ=self._environ)

    def destination(self, destination: Destination) -> Outlet:
        """Where a destination wants its packages. Raises `CredentialsUnusable`."""
        transport = cast(OutletConfig, destination.transport)  # it has this or tables
        return open_outlet(transport, base=self._base, environ=self._environ)

    def reports(self, destination: Destination) -> Channel:
        """Where a receiver puts its processing reports. Raises `CredentialsUnusable`."""
        transport = cast(TransportConfig, destination.reports_from)  # it has `reports`
        return open_channel(transport, base=self._base, environ=self._environ)

    def mask_key(self, destination: Destination) -> bytes | None:
        """What the hashes of a destination's mask are made with; None where it has none. Raises
        `CredentialsUnusable`, also where hashes could be undone by trying all keys."""
        key = self._revealed(destination.mask_key)
        if key is not None and len(key) < SHORTEST_KEY:
            raise CredentialsUnusable(
                f"The `mask_key` of {destination.id}, {destination.mask_key}, has fewer than "
                f"{SHORTEST_KEY} characters, so that its hashes could be undone by trying keys. "
                "Make a longer one, such as with `openssl rand -hex 32`."
            )
        return None if key is None else key.encode()

    def tables(self, destination: Destination) -> Tables:
        """Where a destination wants its rows. Raises `TablesError`."""
        from roster_pipeline.receivers.postgresql import open_tables

        tables = cast(TablesConfig, destination.tables)  # it has these or a transport
        return open_tables(destination.id, tables, base=self._base, environ=self._environ)

    def _revealed(self, secret: Secret | None) -> str | None:
        return None if secret is None else secret.reveal(self._environ, self._base)
