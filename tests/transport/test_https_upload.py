"""Uploads by HTTPS: one whole request or none, the way that the server says, and read back."""

import email
import io
import os
from collections.abc import Callable
from email.policy import HTTP
from typing import Any

import pytest

from roster_pipeline.transport import https_upload
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Interrupted,
    NotFound,
    TransportError,
)
from roster_pipeline.transport.https_upload import Form, HttpsUpload
from tests.transport.conftest import SECRET, Open, Serve, in_turn
from tests.transport.scripted import Answer, Asked

SOME = os.urandom(300_000)


def shelf(*, ranges: bool = True) -> tuple[dict[str, bytes], Callable[[Asked], Answer]]:
    """A server that keeps what is put there, and gives it back."""
    kept: dict[str, bytes] = {}

    def answer(asked: Asked) -> Answer:
        if asked.method == "PUT":
            kept[asked.path] = asked.body
            return Answer(201, b"")
        if asked.path not in kept:
            return Answer(404, b"")
        if asked.method == "HEAD":
            return Answer(200, kept[asked.path], {"Last-Modified": "Tue, 01 Sep 2026 12:00:00 GMT"})
        if not ranges:
            return Answer(200, kept[asked.path])
        first, last = map(int, asked.headers["Range"].removeprefix("bytes=").split("-"))
        piece = kept[asked.path][first : last + 1]
        return Answer(206, piece) if piece else Answer(416, b"")

    return kept, answer


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_is_put_to_its_path_and_read_back(
    serve: Serve, open_session: Open, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    monkeypatch.setattr(https_upload, "PIECE", 150_000)
    kept, answer = shelf(ranges=ranges)
    server = serve(answer)
    outlet = HttpsUpload(open_session(f"{server.url}/drop"), reads_back=True)

    assert outlet.stat("/in/a b.zip") is None
    outlet.upload("/in/a b.zip", io.BytesIO(SOME), len(SOME))

    assert kept == {"/drop/in/a%20b.zip": SOME}
    put = server.asked[1]
    assert put.headers["Content-Length"] == str(len(SOME))
    assert put.headers["Authorization"] == f"Bearer {SECRET}"
    assert put.headers["Content-Type"] == "application/zip"
    there = outlet.stat("/in/a b.zip")
    assert there is not None
    assert (there.size, there.modified.hour) == (len(SOME), 12)
    assert b"".join(outlet.read("/in/a b.zip")) == SOME
    with pytest.raises(NotFound):
        list(outlet.read("/in/missing.zip"))


def test_a_form_has_its_fields_and_the_file_under_its_own_name(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(200))
    form = Form("roster", {"district": "4711", "kind": "bülk"})
    session = open_session(f"{server.url}/api", auth=[], headers={"X-Api-Key": "planted"})
    outlet = HttpsUpload(session, form=form)
    assert not outlet.reads_back
    outlet.upload("uploads/springfield.zip", io.BytesIO(SOME), len(SOME))

    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/uploads")
    assert asked.headers["X-Api-Key"] == "planted"
    assert "Authorization" not in asked.headers
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = email.message_from_bytes(head + asked.body, policy=HTTP).get_payload()
    said = [
        (part.get_param("name", header="content-disposition"), part.get_filename())
        for part in parts
    ]
    assert said == [("district", None), ("kind", None), ("roster", "springfield.zip")]
    texts = [part.get_payload(decode=True) for part in parts]
    assert texts == [b"4711", "bülk".encode(), SOME]


def test_an_upload_is_sent_whole_again_where_the_server_was_busy_or_the_token_old(
    serve: Serve, open_session: Open
) -> None:
    server = serve(in_turn(Answer(503), Answer(201)))
    content = io.BytesIO(b"behind" + SOME)
    content.seek(6)
    HttpsUpload(open_session(server.url)).upload("a.zip", content, len(SOME))
    assert [asked.body for asked in server.asked] == [SOME, SOME]


def test_a_form_that_may_have_been_taken_is_not_sent_again(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(200, b"taken", cut=2))
    outlet = HttpsUpload(open_session(server.url), form=Form())
    with pytest.raises(Interrupted, match="is not known"):
        outlet.upload("a.zip", io.BytesIO(SOME), len(SOME))
    assert len(server.asked) == 1


@pytest.mark.parametrize("found", [99_999, 100_001])
def test_content_that_is_not_as_long_as_announced_is_no_whole_request(
    serve: Serve, open_session: Open, found: int
) -> None:
    kept, answer = shelf()

    def whole(asked: Asked) -> Answer:
        if len(asked.body) < int(asked.headers["Content-Length"]):
            return Answer(400)  # as every server sees that the rest is missing
        return answer(asked)

    outlet = HttpsUpload(open_session(serve(whole).url))
    with pytest.raises(TransportError, match="Nothing was put in place"):
        outlet.upload("a.zip", io.BytesIO(bytes(found)), 100_000)
    assert kept == {}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "Check `base_url` and `path`"),
        (405, "Ask whether it wants PUT, or a form"),
        (413, "how large a package may be"),
        (500, "500 Internal Server Error"),
    ],
)
def test_a_server_that_takes_no_file_is_explained(
    serve: Serve, open_session: Open, status: int, sentence: str
) -> None:
    outlet = HttpsUpload(open_session(serve(lambda _: Answer(status)).url))
    with pytest.raises(TransportError, match=sentence):
        outlet.upload("a.zip", io.BytesIO(b"x"), 1)


def test_a_missing_login_is_said(serve: Serve, open_session: Open) -> None:
    outlet = HttpsUpload(open_session(serve(lambda _: Answer(401)).url, auth=[]))
    with pytest.raises(AuthenticationRefused, match="`headers` and `auth`"):
        outlet.upload("a.zip", io.BytesIO(b"x"), 1)
