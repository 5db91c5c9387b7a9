"""A session by HTTP with servers that never come to an end, cannot be, or are not trusted."""

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from roster_pipeline.transport.errors import (
    HostUnknown,
    Interrupted,
    Stopped,
    TransportError,
)
from tests.transport.certificates import certificate_in
from tests.transport.conftest import BEARER, Open, Serve, oauth2
from tests.transport.scripted import Answer, Asked, json_answer

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n"
_GZIP = _CHUNKED + b"Content-Encoding: gzip\r\n\r\na\r\n" + zlib.compressobj(wbits=31).compress(b"")
_EMPTY_BLOCK = b"5\r\n\x00\x00\x00\xff\xff\r\n"

# How an answer begins, and what comes then again and again.
DRIPS: dict[str, tuple[bytes, bytes]] = {
    "a header": (_OK + b"X-A: ", b"a"),
    "headers": (_OK, b"X-A: a\r\n"),
    "another answer first": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the size of a chunk": (_CHUNKED + b"\r\n", b"0"),
    "what unpacks to nothing": (_GZIP + b"\r\n", _EMPTY_BLOCK),
    "a body": (_OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "a body until it hangs up": (_OK + b"\r\n", b" "),
}


@contextmanager
def dripping(begin: bytes, drip: bytes, certificate: Path | None = None) -> Iterator[str]:
    """The address of a server that sends a beginning, and then drop by drop for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        with ExitStack() as open_ones:
            line = open_ones.enter_context(listening.accept()[0])
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                line = open_ones.enter_context(context.wrap_socket(line, server_side=True))
            line.recv(4096)
            line.sendall(begin)
            try:
                while not closing.wait(0.03):
                    line.sendall(drip)
            except OSError:
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        host = "127.0.0.1" if certificate is None else "localhost"
        scheme = "http" if certificate is None else "https"
        yield f"{scheme}://{host}:{listening.getsockname()[1]}"
    finally:
        closing.set()
        thread.join()
        listening.close()


# ---- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", DRIPS)
def test_a_server_that_sends_drop_by_drop_is_given_up(open_session: Open, what: str) -> None:
    began = time.monotonic()
    said = pytest.raises(Interrupted, match=r"/x has been sending one answer for more than 1 s\.")
    with dripping(*DRIPS[what]) as url, said:
        open_session(url, timeout=0.1, attempts=1).request("GET", "/x")
    assert time.monotonic() - began < 10


def test_a_server_that_sends_drop_by_drop_encrypted_is_given_up(
    open_session: Open, tmp_path: Path
) -> None:
    certificate = certificate_in(tmp_path)
    with dripping(*DRIPS["a header"], certificate) as url:
        session = open_session(url, timeout=0.3, attempts=1, ca_file=str(certificate))
        with pytest.raises(Interrupted, match=r"for more than 3 s"):
            session.request("GET", "/x")


@pytest.mark.parametrize("limits", [{}, {"per_minute": 10_000}])
def test_a_connection_that_is_used_again_is_watched_again(
    serve: Serve, open_session: Open, limits: dict[str, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            line, _ = listening.accept()
            with line:
                line.recv(4096)
                line.sendall(_OK + b"Content-Length: 2\r\n\r\n{}")
                line.recv(4096)
                try:
                    while True:
                        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                        time.sleep(0.03)
                except OSError:
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        session = open_session(
            f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.1, attempts=1, **limits
        )
        assert session.request("GET", "/x").json() == {}
        with pytest.raises(Interrupted, match="for more than 1 s"):
            session.request("GET", "/x")
        thread.join()


def test_an_answer_under_way_is_cut_when_whoever_asked_has_enough(open_session: Open) -> None:
    enough = threading.Event()
    threading.Timer(0.3, enough.set).start()
    began = time.monotonic()
    with dripping(*DRIPS["a body until it hangs up"]) as url, pytest.raises(Stopped):
        open_session(url).until(enough).request("GET", "/x")
    assert time.monotonic() - began < 10


def test_a_server_that_is_silent_is_left_when_whoever_asked_has_enough(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(body=b"x" * 10, stall=True))
    enough = threading.Event()
    threading.Timer(0.3, enough.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        open_session(server.url, timeout=30.0).until(enough).request("GET", "/x")
    assert time.monotonic() - began < 10


# ---- addresses -----------------------------------------------------------------------------

NO_ADDRESSES = ("http://[bad", "http://127.0.0.1:abc/", "//127.0.0.1:99999/x")


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_a_redirection_to_what_can_be_no_address_is_refused_in_words(
    serve: Serve, open_session: Open, url: str
) -> None:
    server = serve(lambda _: Answer(302, headers={"Location": url}))

    with pytest.raises(TransportError, match=r"points to what can be no address\. Ask the"):
        open_session(server.url).request("GET", "/x")
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_a_link_to_what_can_be_no_address_is_refused_in_words(
    serve: Serve, open_session: Open, url: str
) -> None:
    server = serve(lambda _: json_answer({}))
    session = open_session(server.url)
    for at in (None, f"{server.url}/users?offset=0"):
        with pytest.raises(TransportError, match="points to what can be no address"):
            session.absolute(url, at=at)


def test_a_link_is_read_where_it_stands(serve: Serve, open_session: Open) -> None:
    session = open_session("https://sis.example/v1p2")
    at = "https://sis.example/v1p2/schools/1/users?offset=0"
    assert session.absolute("?offset=5", at=at) == (
        "https://sis.example/v1p2/schools/1/users?offset=5"
    )
    assert session.absolute("/v1p2/users", at=at) == "https://sis.example/v1p2/users"


def test_a_redirection_is_followed_to_the_very_bytes_that_the_server_wrote(
    serve: Serve, open_session: Open
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/moved":
            return Answer(302, headers={"Location": "/caf\xe9?a=%C3%A9"})
        return json_answer({"path": asked.path, **asked.query})

    assert open_session(serve(answer).url).request("GET", "/moved").json() == {
        "path": "/caf%E9",
        "a": "\xe9",
    }


def test_a_redirection_with_far_too_long_a_body_is_refused(
    serve: Serve, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roster_pipeline.transport.http.MOST_BYTES", 1 << 20)
    server = serve(lambda _: Answer(302, b" " * (2 << 20), {"Location": "/x"}))

    with pytest.raises(TransportError, match="more than 1,048,576 bytes in one answer"):
        open_session(server.url).request("GET", "/x")


def test_of_a_link_elsewhere_only_the_host_is_told(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: json_answer({}))
    for url in (
        "https://key:s3cret@evil.example/users/Ada-Lovelace/ada@x.org#s3cret",
        "//evil.example/users/Ada-Lovelace?s3cret",
    ):
        with pytest.raises(TransportError) as error:
            open_session(server.url).request("GET", url)
        assert str(error.value) == (
            f"{server.url.removeprefix('http://')} points to another host (evil.example). Nothing "
            "was sent there; ask the server's owner to mend its links."
        )


@pytest.mark.parametrize(
    "host", [".example", "*.example", "\u2603\u2603.example", "sis..example", f"{'a' * 70}.example"]
)
def test_a_name_that_no_host_can_have_is_refused_in_words(
    serve: Serve, open_session: Open, host: str
) -> None:
    server = serve(lambda _: json_answer({}))
    for url, auth in ((f"https://{host}", BEARER), (server.url, oauth2(f"https://{host}"))):
        with pytest.raises(HostUnknown) as error:
            open_session(url, auth).request("GET", "/orgs")
        assert str(error.value) == f"{host} cannot be the name of a host. Check the address."
    assert server.asked == []


@pytest.mark.parametrize("start", [b"[", b'{"a":'])
def test_an_answer_that_is_nested_without_end_is_no_token(
    serve: Serve, open_session: Open, start: bytes
) -> None:
    server = serve(lambda _: Answer(body=start * 100_000))
    looked_up = {
        "bearer": {"token": {"env": "SECRET"}, "from": f"{server.url}/apps", "application": "x"}
    }
    for auth, sentence in (
        (oauth2(server.url), "nothing like one"),
        (looked_up, "gives no list of applications"),
    ):
        with pytest.raises(TransportError, match=sentence):
            open_session(server.url, auth).log_in()


# ---- trust ---------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_certificates_that_are_configured_go_before_those_of_the_environment(
    open_session: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for folder in (ours, others):
        folder.mkdir()
    certificate, other = certificate_in(ours), certificate_in(others)
    answer = _OK + b"Content-Length: 2\r\n\r\n{}"

    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(other))
    with dripping(answer, b"", certificate) as url:
        assert open_session(url, ca_file=str(certificate)).request("GET", "/x").json() == {}

    monkeypatch.setenv(variable, str(certificate))
    with dripping(answer, b"", certificate) as url:
        assert open_session(url).request("GET", "/x").json() == {}
