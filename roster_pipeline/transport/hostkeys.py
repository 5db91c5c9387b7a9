"""Which host key a server may show; there is no trust on first use."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncssh

from roster_pipeline.transport.errors import CredentialsUnusable, HostKeyMismatch
from roster_pipeline.transport.login import Fingerprint, HostKey, KnownHosts, SftpAddress

# ssh-rsa (SHA-1) is the only one that some hosted student information systems have. It needs no
# `algorithms: legacy`: `algorithms.py` says why.
_FAMILIES: Final = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
)
_ANY_FAMILY: Final = tuple(name for family in _FAMILIES for name in family)


class Verifier(asyncssh.SSHClient):
    """Remembers the host key that was shown; trusts it only if it is the pinned one.

    Keys from known_hosts are trusted by asyncssh before it asks here.
    """

    def __init__(self, pinned: str | None) -> None:
        self._pinned = pinned
        self.shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Whether a key that is not in known_hosts will do."""
        self.shown = key
        return self._pinned is not None and key.get_fingerprint() == self._pinned


@dataclass(frozen=True)
class Trust:
    """What is known about one server's host keys."""

    address: SftpAddress
    host_key: HostKey
    known_hosts: Any
    """As asyncssh takes it; never None, which would trust every key."""

    @classmethod
    def load(cls, host_key: HostKey, address: SftpAddress) -> "Trust":
        """Reads the known_hosts file, if that is what is trusted; raises CredentialsUnusable."""
        if isinstance(host_key, Fingerprint):
            return cls(address, host_key, ([], [], []))
        return cls(address, host_key, partial(_of_host, _read(host_key)))

    def verifier(self) -> Verifier:
        """A new one, for one connection."""
        return Verifier(self.host_key.sha256 if isinstance(self.host_key, Fingerprint) else None)

    def offers(self) -> tuple[tuple[str, ...], ...]:
        """The key types to ask the server for, on one connection after the other.

        A server shows one key only, and a fingerprint does not say its key's type: if the first
        key shown is not the pinned one, each other type is asked for in turn.
        """
        if isinstance(self.host_key, Fingerprint):
            return (_ANY_FAMILY, *_FAMILIES)
        keys, authorities = self._listed()
        if authorities or not keys:
            return ((),)  # asyncssh's own choice, which has certificates in it
        known = [name.decode("ascii") for key in keys for name in key.sig_algorithms]
        return (tuple(dict.fromkeys([*known, *_ANY_FAMILY])),)

    def mismatch(self, shown: list[asyncssh.SSHKey]) -> HostKeyMismatch:
        """Says that none of the keys shown is trusted, and what to do."""
        keys = ", ".join(map(described, shown))
        return HostKeyMismatch(self._mistrust(shown, keys), keys, self.address.role)

    def _mistrust(self, shown: list[asyncssh.SSHKey], keys: str) -> str:
        if isinstance(self.host_key, Fingerprint):
            return (
                f"{self.address} shows another host key than the pinned one: {keys}, not "
                f"{self.host_key.sha256}. Nothing was sent. Ask the server's owner by another way "
                "whether the key was changed; if so, put the new fingerprint into `fingerprint`."
            )
        path = self.host_key.path
        if any(self._listed()):
            return (
                f"{self.address} shows another host key than {path} has for it: {keys}. "
                "Nothing was sent. Ask the server's owner by another way whether the key was "
                "changed; if so, replace the host's line in that file."
            )
        host = (
            self.address.host if self._port() is None else f"[{self.address.host}]:{self._port()}"
        )
        line = shown[0].export_public_key("openssh").decode("ascii").split()
        return (
            f"{self.address} is not in {path}; it shows the host key {keys}. Nothing was sent. "
            "If the server's owner confirms that fingerprint by another way, add this line to the "
            f"file: {host} {line[0]} {line[1]}"
        )

    def _listed(self) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """The keys, and the authorities' keys, that known_hosts has for the host."""
        keys, authorities, *_ = asyncssh.match_known_hosts(
            self.known_hosts, self.address.host, "", self._port()
        )
        return list(keys), list(authorities)

    def _port(self) -> int | None:
        return None if self.address.port == 22 else self.address.port


def described(key: asyncssh.SSHKey) -> str:
    """A host key as people compare it: its type, and its fingerprint as `ssh-keygen -l` has it."""
    return f"{key.algorithm.decode('ascii')} {key.get_fingerprint()}"


def _of_host(
    known: asyncssh.SSHKnownHosts, host: str, addr: str, port: int | None
) -> tuple[Any, Any, Any]:
    """The keys and authorities trusted for a host, and the keys revoked for it or its address.

    asyncssh would also trust what is known of the address that was reached: of a proxy's, or of
    another server's to which somebody leads the name.
    """
    keys, authorities, *_ = asyncssh.match_known_hosts(known, host, "", port)
    revoked = asyncssh.match_known_hosts(known, host, addr, port)[2]
    return keys, authorities, revoked


def _read(file: KnownHosts) -> asyncssh.SSHKnownHosts:
    try:
        # The object, not the text: asyncssh takes an empty text for "use ~/.ssh/known_hosts".
        return asyncssh.import_known_hosts(file.path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it has a line that is none"
        raise CredentialsUnusable(
            f"The known_hosts file {file.path} cannot be read: {why}. Make one with the "
            "server's line as its owner gives it to you."
        ) from None
