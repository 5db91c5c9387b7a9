"""Where to log in over SSH, as whom, and how the server proves who it is."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """A user's door on a server. `str()` of it is what sentences name."""

    host: str
    port: int
    username: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Password:
    """A password; its text is never shown."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in any format that OpenSSH or OpenSSL write, and what unlocks it."""

    text: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Trust the keys that a known_hosts file (OpenSSH's format) has for the host."""

    path: Path


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Trust the one key with this fingerprint, written as `ssh-keygen -l` does: `SHA256:…`."""

    sha256: str


Credentials = Password | PrivateKey
HostKey = KnownHosts | Fingerprint
