"""Uploads by HTTPS to a server that takes files, and may let them be read back.

A file is put to its own address (PUT), or sent as a form with a file in it (POST). Both say how
long it is before it comes: a server that got less has no whole request, and keeps nothing of it.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from io import SEEK_SET
from typing import Any, BinaryIO, Final, Self
from urllib.parse import quote

import requests

from roster_pipeline.crashpoints import reached
from roster_pipeline.transport.channel import BLOCK, RemoteFile, mark_half_sent, size_sentence
from roster_pipeline.transport.errors import NotFound, TransportError
from roster_pipeline.transport.http import HttpSession
from roster_pipeline.transport.http_status import said

PIECE: Final = 8 << 20
"""Bytes of one request for a part of what was put there."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTENT_TYPE: Final = "application/zip"
# What a server says that has no such address.
_MISSING: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True)
class Form:
    """A form (multipart/form-data, RFC 7578) with a file in it."""

    file: str = "file"
    """The name of the field that the file is in."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The other fields, which come first."""


class HttpsUpload:
    """An `Outlet` by HTTP. A `form` is posted to the folder of a path below the base address, with
    the path's last part as the file's name; without one a file is put to its path.

    `reads_back` says that the server answers HEAD and GET at the path with what was put there.
    """

    def __init__(
        self, session: HttpSession, *, form: Form | None = None, reads_back: bool = False
    ) -> None:
        self._session = session
        self._form = form
        self.reads_back = reads_back

    def __repr__(self) -> str:
        return f"HttpsUpload({self._session.base_url})"

    def upload(self, path: str, content: BinaryIO, size: int) -> None:
        """See `Outlet.upload`; a form is not sent again where it may have been taken."""
        if self._form is None:
            method, address, body = "PUT", _address(path), _Body(content, size, path)
            headers = {"Content-Type": _CONTENT_TYPE}
        else:
            folder, _, name = path.rpartition("/")
            boundary = secrets.token_hex(16)
            before, after = _around(self._form, name, boundary)
            method, address = "POST", _address(folder)
            body = _Body(content, size, path, before, after)
            headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        streamed: Any = body
        answer = self._session.request(method, address, data=streamed, headers=headers)
        self._require(answer, address, "takes")
        reached("upload.after-rename")

    def stat(self, path: str) -> RemoteFile | None:
        """See `Outlet.stat`."""
        answer = self._asked("HEAD", path)
        if answer.status_code in _MISSING:
            return None
        self._require(answer, path, "shows")
        length = answer.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise TransportError(
                f"{self._session.place(path)} does not say how long the file is that lies there. "
                "Leave out `read_back`, and take its answer to the upload as the receipt."
            )
        return RemoteFile(path, int(length), _modified(answer.headers.get("Last-Modified")))

    def read(self, path: str) -> Iterator[bytes]:
        """See `Outlet.read`; piece by piece where the server can."""
        done = 0
        while True:
            last = done + PIECE - 1
            answer = self._asked("GET", path, {"Range": f"bytes={done}-{last}"})
            if answer.status_code in _MISSING:
                raise NotFound(f"{self._session.place(path)} has no such file. Check the path.")
            if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            self._require(answer, path, "gives back")
            yield answer.content
            done += len(answer.content)
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT or len(answer.content) < PIECE:
                return

    def close(self) -> None:
        """See `Outlet.close`."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        # Packed on the way, a file would have another length than it has.
        plain = {"Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
        return self._session.request(method, _address(path), headers=plain)

    def _require(self, answer: requests.Response, path: str, what: str) -> None:
        status = answer.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        advice = _ADVICE.get(status, "Ask the receiver what that means.")
        raise TransportError(
            f"{self._session.place(path)} {what} no file: it answers {said(status)}. {advice}"
        )


_ADVICE: Final[Mapping[int, str]] = {
    HTTPStatus.NOT_FOUND: "Check `base_url` and `path`.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Ask whether it wants PUT, or a form (`form`).",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Ask the receiver how large a package may be.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Ask whether it wants PUT, or a form (`form`).",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Ask which fields its form has.",
    HTTPStatus.BAD_REQUEST: "Ask which fields its form has.",
}


class _Body:
    """A file to be sent, from its start each time that it is sent, with what stands around it.

    Raises `TransportError` where the content is not as long as announced: the request then ends
    before its own announced length, and no server can take it for whole.
    """

    def __init__(
        self, content: BinaryIO, size: int, path: str, before: bytes = b"", after: bytes = b""
    ) -> None:
        self._content = content
        self._start = content.tell()
        self._size = size
        self._path = path
        self._before = before
        self._after = after

    def __len__(self) -> int:
        return len(self._before) + self._size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        if self._before:
            yield self._before
        self._content.seek(self._start, SEEK_SET)
        sent = 0
        while block := self._content.read(BLOCK):
            if sent + len(block) > self._size:
                raise TransportError(size_sentence(self._path, "more", self._size))
            yield block
            mark_half_sent(sent, sent + len(block), self._size)
            sent += len(block)
        if sent < self._size:
            raise TransportError(size_sentence(self._path, f"{sent:,}", self._size))
        if self._after:
            yield self._after


def _around(form: Form, name: str, boundary: str) -> tuple[bytes, bytes]:
    """What stands before a file in a form, and behind it."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(key)}"\r\n\r\n{text}\r\n'
        for key, text in form.fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(form.file)}"; '
        f'filename="{_quoted(name)}"\r\nContent-Type: {_CONTENT_TYPE}\r\n\r\n'
    )
    return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()


def _quoted(text: str) -> str:
    """A name as browsers write it into a form (HTML Living Standard, multipart/form-data)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _address(path: str) -> str:
    return quote(path.strip("/"))


def _modified(header: str | None) -> datetime:
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return _EPOCH
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
