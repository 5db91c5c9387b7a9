"""An SSH connection to a server, logged in: straight, through a proxy, over a jump host.

What is switched off here on purpose: the user's own ~/.ssh/config, agent and keys (a run must not
depend on who started it), X.509 and trust on first use.
"""

import logging
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncssh

from roster_pipeline.transport.algorithms import offered
from roster_pipeline.transport.errors import CredentialsUnusable, TransportError, Unreachable
from roster_pipeline.transport.explain import FAILURES, Explainer, printable
from roster_pipeline.transport.hostkeys import Trust
from roster_pipeline.transport.login import Login, Password, Route
from roster_pipeline.transport.proxy import through

# At INFO asyncssh names users and files; who wants that sets the level before.
if not logging.getLogger("asyncssh").level:
    logging.getLogger("asyncssh").setLevel(logging.WARNING)

# For asyncssh's makers; nobody who runs this can do anything about what a server agrees on.
warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", module="asyncssh")

_Hop: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
"""The way to a server, opened anew for each connection: keyword arguments of `asyncssh.connect`."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A login that is up, and the one at the jump host that carries it."""

    server: asyncssh.SSHClientConnection
    jump_host: asyncssh.SSHClientConnection | None = None

    @property
    def both(self) -> tuple[asyncssh.SSHClientConnection, ...]:
        """The server's first: it is to be closed before what carries it."""
        return (self.server,) if self.jump_host is None else (self.server, self.jump_host)

    def abort(self) -> None:
        """Drop what is lost or cannot be relied upon."""
        for each in self.both:
            each.abort()


async def connect(login: Login, route: Route, timeout: float) -> Connection:
    """Connect, check host keys, log in.

    Raises a TransportError about what lies on the way, and HostKeyMismatch, CredentialsUnusable and
    what asyncssh raises about the server itself.
    """
    first = route.jump_host or login

    async def to_the_first() -> dict[str, Any]:
        if route.proxy is None:
            return {}
        return {"sock": await through(route.proxy, first.address, timeout)}

    if route.jump_host is None:
        return Connection(await _log_in(login, to_the_first, timeout))
    jump_host = await _to_jump_host(route.jump_host, to_the_first, timeout)

    async def from_there() -> dict[str, Any]:
        return {"tunnel": jump_host}

    try:
        return Connection(await _log_in(login, from_there, timeout), jump_host)
    except asyncssh.ChannelOpenError as error:
        jump_host.abort()
        raise _no_further(route.jump_host, login, error) from None
    except BaseException:
        jump_host.abort()
        raise


async def _to_jump_host(login: Login, hop: _Hop, timeout: float) -> asyncssh.SSHClientConnection:
    try:
        return await _log_in(login, hop, timeout)
    except (TransportError, ValueError, *FAILURES) as error:
        raise Explainer(login, timeout).connecting(error) from None


def _no_further(jump_host: Login, login: Login, error: asyncssh.ChannelOpenError) -> TransportError:
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return TransportError(
            f"{jump_host.address} does not let user {jump_host.address.username} go on to "
            f"{login.address}. Ask its owner to allow forwarding to that host and port."
        )
    return Unreachable(
        f"{jump_host.address} cannot reach {login.address}; it says: {printable(error.reason)}. "
        "Check that server's `host` and `port`, and that it runs; a jump host looks up names by "
        "its own network."
    )


async def _log_in(login: Login, hop: _Hop, timeout: float) -> asyncssh.SSHClientConnection:
    trust = Trust.load(login.host_key, login.address)
    proof = _proof(login)
    shown: list[asyncssh.SSHKey] = []
    for algorithms in trust.offers():
        if any(key.algorithm.decode("ascii") in algorithms for key in shown):
            continue
        verifier = trust.verifier()
        try:
            return await asyncssh.connect(
                login.address.host,
                login.address.port,
                username=login.address.username,
                client_factory=lambda verifier=verifier: verifier,
                config=None,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
                known_hosts=trust.known_hosts,
                server_host_key_algs=algorithms,
                compression_algs=None,
                connect_timeout=timeout,
                login_timeout=timeout,
                keepalive_interval=timeout / 3,
                **offered(legacy=login.legacy),
                **proof,
                **await hop(),
            )
        except asyncssh.HostKeyNotVerifiable:
            if verifier.shown is None:
                raise
            shown.append(verifier.shown)
        except (asyncssh.KeyExchangeFailed, asyncssh.ConnectionLost, ConnectionError):
            # That is also how a server says that it has no key of the type asked for; but then it
            # has shown one of another type before.
            if not shown:
                raise
    raise trust.mismatch(shown)


def _proof(login: Login) -> dict[str, Any]:
    credentials = login.credentials
    if isinstance(credentials, Password):
        return {
            "password": credentials.text,
            "client_keys": None,
            "preferred_auth": "password,keyboard-interactive",
        }
    try:
        key = asyncssh.import_private_key(credentials.text, credentials.passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        of_whom = f" It is the key for {login.address}." if login.address.role else ""
        raise CredentialsUnusable(_why_unusable(str(error)) + of_whom) from None
    return {"client_keys": [key], "preferred_auth": "publickey"}


_NEEDS_BCRYPT: Final = (
    "The private key is encrypted in OpenSSH's own format, which needs the Python package "
    "bcrypt. Install it, or write the key anew with `ssh-keygen -p -m PKCS8 -f KEY`."
)


def _why_unusable(said: str) -> str:
    if "bcrypt" in said:
        return _NEEDS_BCRYPT
    if "must be specified" in said:
        return (
            "The private key is encrypted and there is no passphrase for it. "
            "Add `passphrase` beside `private_key`."
        )
    if "decrypt" in said or "passphrase" in said.lower():
        return "The passphrase does not open the private key. Check what `passphrase` refers to."
    return (
        "What `private_key` refers to is not a private key in a format that OpenSSH or "
        "OpenSSL write (a public key, or a cut-off copy?)."
    )
