"""Where to log in over SSH, as whom, how the server proves who it is, and the way there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """A user's door on a server. `str()` of it is what sentences name."""

    host: str
    port: int
    username: str
    role: str = ""
    """What the server is on the way to another one; empty for the last."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}{self.role and f' ({self.role})'}"


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
ProxyKind: TypeAlias = Literal["socks5", "http"]
HostKey = KnownHosts | Fingerprint


@dataclass(frozen=True, slots=True)
class Login:
    """Everything that one server is logged in to with."""

    address: SftpAddress
    credentials: Credentials
    host_key: HostKey
    legacy: bool = False
    """Whether outdated algorithms may be agreed on (see `algorithms.py`)."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A SOCKS 5 or an HTTP proxy (by CONNECT). `str()` of it is what sentences name."""

    kind: ProxyKind
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """What lies between here and a server: first the proxy, then the jump host."""

    proxy: Proxy | None = None
    jump_host: Login | None = None


STRAIGHT: Final = Route()
