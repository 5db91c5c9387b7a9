"""Whether a host can be reached, and proves who it is."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roster_pipeline.transport.errors import HostUnknown, TransportError, Unreachable
from roster_pipeline.transport.reach import Place, connected, look_up, shake_hands
from tests.transport.certificates import certificate_in


@contextmanager
def _serving(certificate: Path | None) -> Iterator[Place]:
    """A server that takes one connection, by TLS if it has a certificate, else to hang up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            if certificate is None:
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            try:
                with context.wrap_socket(connection, server_side=True) as wrapped:
                    wrapped.recv(1)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Place("localhost", listener.getsockname()[1])
    finally:
        thread.join()
        listener.close()


def test_a_certificate_that_is_trusted_is_told_with_its_last_day(tmp_path: Path) -> None:
    file = certificate_in(tmp_path)
    last = datetime.now(UTC) + timedelta(days=30)
    with _serving(file) as place:
        said = shake_hands(place, str(file), timeout=10)
    assert said.startswith("TLS")
    assert f"{last:%Y-%m-%d}" in said


@pytest.mark.parametrize(
    ("certificate", "trusted", "why"),
    [
        ({}, False, "`ca_file`"),
        ({"days": -1}, True, "run out"),
        ({"name": "elsewhere.example"}, True, "another name"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(
    tmp_path: Path, certificate: dict[str, str], trusted: bool, why: str
) -> None:
    file = certificate_in(tmp_path, **certificate)  # type: ignore[arg-type]  # some are numbers
    with _serving(file) as place, pytest.raises(TransportError, match=why):
        shake_hands(place, str(file) if trusted else True, timeout=10)


def test_a_server_that_speaks_no_tls_is_told_apart() -> None:
    with _serving(None) as place, pytest.raises(Unreachable, match="does not speak TLS"):
        shake_hands(place, True, timeout=10)


def test_a_closed_port_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="refuses connections"):
        connected(Place("127.0.0.1", port), 5)


def test_a_name_that_nobody_has_is_told() -> None:
    with pytest.raises(HostUnknown, match=r"There is no host sis\.invalid"):
        look_up(Place("sis.invalid", 443))


def test_a_place_is_read_from_an_address() -> None:
    assert Place.of("https://sis.example/path") == Place("sis.example", 443)
    assert str(Place.of("http://[::1]:8700/x")) == "[::1]:8700"
