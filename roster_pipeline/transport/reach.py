"""Whether a host can be reached at all, before anybody says who they are."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from roster_pipeline.transport.config import SftpConfig
from roster_pipeline.transport.errors import HostUnknown, TransportError, Unreachable

_PORTS: Final = {"https": 443, "http": 80}
_BEYOND_OUR_ASKING: Final = "Ask the server's owner."

# X509_V_ERR_… of OpenSSL (x509_vfy.h): what is wrong with a certificate, and what to do.
_CERTIFICATES: Final[Mapping[int, str]] = {
    9: "it is not valid yet. Check this machine's clock, or ask the server's owner.",
    10: "it has run out. Ask the server's owner to renew it.",
    18: "nobody but the server itself vouches for it. Ask the server's owner for its certificate "
    "and name that as `ca_file`.",
    19: "a certificate authority vouches for it that this machine does not know. Ask the server's "
    "owner for the authority's certificate and name that as `ca_file`.",
    20: "the server does not send who vouches for it, or that is an authority that this machine "
    "does not know. Ask the server's owner to send the whole chain, or name the authority's "
    "certificate as `ca_file`.",
    62: "it is for another name. Check the address.",
}


@dataclass(frozen=True)
class Place:
    """Where a server listens."""

    host: str
    port: int
    encrypted: bool = True

    @classmethod
    def of(cls, url: str) -> "Place":
        """The server of an http address."""
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        return cls(host, parts.port or _PORTS[scheme], scheme == "https")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def look_up(place: Place) -> tuple[str, ...]:
    """The addresses of a host, in the system's order. Raises `HostUnknown` or `Unreachable`."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        for_now = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        kind = Unreachable if for_now else HostUnknown
        raise kind(
            f"There is no host {place.host}, or its name cannot be looked up now. Check the "
            "address and this machine's network."
        ) from None
    return tuple(dict.fromkeys(str(address[4][0]) for address in found))


def shake_hands(place: Place, trusted: bool | str, *, timeout: float) -> str:
    """How a connection is encrypted, in words, after the server has proved who it is.

    `trusted` is a file or folder of certificates, or True for the usual ones. Raises
    `Unreachable`, or `TransportError` with what is wrong with the certificate.
    """
    with connected(place, timeout) as plain:
        if not place.encrypted:
            return "not encrypted, as this is the machine itself"
        try:
            with _context(trusted).wrap_socket(plain, server_hostname=place.host) as wrapped:
                return f"{wrapped.version()}{_until(wrapped.getpeercert() or {})}"
        except ssl.SSLCertVerificationError as error:
            why = _CERTIFICATES.get(
                error.verify_code, f"{error.verify_message}. {_BEYOND_OUR_ASKING}"
            )
            raise TransportError(
                f"The certificate of {place} is not one to trust: {why} Nothing was sent."
            ) from None
        except (ssl.SSLError, OSError):
            raise Unreachable(
                f"{place} does not speak TLS as this machine does, or hung up. Check the address "
                "and its port; something between here and there may look into connections."
            ) from None


def connected(place: Place, timeout: float) -> socket.socket:
    """A connection. Raises `Unreachable`."""
    try:
        return socket.create_connection((place.host, place.port), timeout)
    except ConnectionRefusedError:
        text = f"{place} refuses connections. Check the address, and that the server runs."
    except TimeoutError:
        text = (
            f"{place} did not answer within {timeout:g} s. Check the address, and whether a "
            "firewall lets this machine through."
        )
    except OSError:
        text = f"{place} cannot be reached. Check the address and this machine's network."
    raise Unreachable(text)


def first_place(sftp: SftpConfig) -> Place:
    """What a connection to an SFTP server goes to first: its proxy, its jump host, or itself."""
    first = sftp.proxy or sftp.jump_host or sftp
    return Place(first.host, first.port)


def trusted_by(url: str, ca_file: Path | None) -> bool | str:
    """The certificates that requests to an address are judged by, as `shake_hands` takes them."""
    import requests

    if ca_file is not None:
        return str(ca_file)
    settings = requests.Session().merge_environment_settings(url, {}, True, None, None)
    return settings["verify"] if isinstance(settings["verify"], str) else True


def goes_by_proxy(url: str) -> bool:
    """Whether requests to an address go through a proxy, which then looks up its name."""
    import requests

    return bool(
        requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url, no_proxy=None))
    )


def _context(trusted: bool | str) -> ssl.SSLContext:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    where = trusted if isinstance(trusted, str) else str(DEFAULT_CA_BUNDLE_PATH)
    if Path(where).is_dir():
        return ssl.create_default_context(capath=where)
    return ssl.create_default_context(cafile=where)


def _until(certificate: Mapping[str, Any]) -> str:
    ends = certificate.get("notAfter")
    if not isinstance(ends, str):
        return ""
    last = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    return f", certificate good until {last:%Y-%m-%d}"
