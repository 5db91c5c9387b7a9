"""The pages of one collection of a OneRoster server, each once and all of them.

Servers clamp `limit` in silence, send no headers, repeat themselves and change their data while
they are read. The only proof of an end is a page without records; what headers say is a reason to
stop only where the source's file says so, and a reason to doubt everywhere.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

import requests

from roster_pipeline.sources.json_page import Records, records_in
from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.landing import LandingError
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.transport.errors import Busy, Changed
from roster_pipeline.transport.http import HttpSession
from roster_pipeline.transport.http_status import said

# What imsx_codeMinor may be (REST 1.1 and Rostering Binding 1.2). Nothing else that a server says
# of an error is repeated: it may quote a record.
_CODES: Final = (
    "invalid_filter_field",
    "invalid_selection_field",
    "invalid_blank_selection_field",
    "invalid_sort_field",
    "invalid_limit_field",
    "invalid_offset_field",
    "invaliddata",
    "invalid data",
    "unauthorisedrequest",
    "unauthorized",
    "forbidden",
    "server_busy",
    "unknownobject",
    "unknown object",
    "internal_server_error",
)
_TOTAL: Final = "X-Total-Count"


class PullError(LandingError):
    """A server's answers do not make a roster. `code` is "incomplete", "not_json", "no_collection",
    "refused" or "repeated"."""


@dataclass(frozen=True)
class Page:
    """One page that has records."""

    records: Records
    body: bytes


class Pages:
    """The pages of a collection, in order. Raises `PullError` and `TransportError`.

    `steady` is what the headers that a vendor keeps steady have said so far in this pull; `look`
    is given each record, without its secrets.
    """

    def __init__(
        self,
        session: HttpSession,
        rest: Rest,
        collection: str,
        blanker: Blanker,
        steady: dict[str, str],
        look: Callable[[Any], None],
    ) -> None:
        self._session = session
        self._rest = rest
        self._collection = collection
        self._names = (collection, *rest.wrappers.get(collection, ()))
        self._blanker = blanker
        self._look = look
        self._received = 0
        self._sorted = rest.sort
        self._total: int | None = None
        self._ids: list[str] = []
        self._seen: set[bytes] = set()
        self._steady = steady

    def __iter__(self) -> Iterator[Page]:
        link: str | None = None
        while not self._is_known_to_end():
            response = self._ask(link)
            records = self._in(response)
            self._compare(response, len(records.lines))
            if not records.lines:
                break
            self._refuse_repetition(response)
            self._received += len(records.lines)
            yield Page(records, response.content)
            link = self._next(response) if self._rest.paging == "next" else None
        self._compare_with_total()

    def _is_known_to_end(self) -> bool:
        if self._rest.paging != "total" or not self._received:
            return False
        if self._total is None:
            raise PullError(
                "no_collection",
                f"{self._place} sends no {_TOTAL}, and `paging: total` needs it; say "
                "`paging: rows`.",
            )
        return self._received >= self._total

    def _ask(self, link: str | None) -> requests.Response:
        """The next page, by a link or by how many records were received."""
        response = (
            self._session.request("GET", self._collection, params=self._parameters())
            if link is None
            else self._session.request("GET", link)
        )
        refused = response.status_code == requests.codes.bad_request
        if refused and self._sorted and not self._received:
            self._sorted = False
            return self._ask(link)
        return self._judged(response)

    def _parameters(self) -> Mapping[str, str | int]:
        order = {"sort": "sourcedId", "orderBy": "asc"} if self._sorted else {}
        place = {"limit": self._rest.limit, "offset": self._received}
        return {**order, **self._rest.parameters, **place}

    def _judged(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == requests.codes.not_found:
            raise PullError(
                "no_collection",
                f"{self._place} is not there ({said(status)}). Check `base_url` and `version`.",
            )
        if status >= requests.codes.internal_server_error:
            raise Busy(f"{self._place} fails ({said(status)}). Ask the server's owner.")
        if status not in (requests.codes.ok, requests.codes.no_content):
            raise PullError(
                "refused",
                f"{self._place} refuses the request ({said(status)}{_code_in(response)}). Check "
                "`parameters` and `limit`.",
            )
        return response

    def _in(self, response: requests.Response) -> Records:
        """The records of a page."""
        if response.status_code == requests.codes.no_content:
            return Records([], 0)
        self._ids = []
        try:
            records = records_in(response.content, self._names, self._blanker, self._meet)
        except (ValueError, RecursionError):
            raise PullError(
                "not_json",
                f"{self._place} answers with {_kind_of(response)} instead of JSON. Check "
                "`base_url`; a login page, or a wall in front of the server, looks like that.",
            ) from None
        if records is None:
            raise PullError(
                "no_collection",
                f"{self._place} answers without `{self._collection}`{_code_in(response)}. That is "
                "taken for a failure, never for an empty collection. If the vendor calls it "
                f"otherwise, say so: `wrappers: {{{self._collection}: [NAME]}}`.",
            )
        return records

    def _meet(self, record: Any) -> None:
        sourced_id = record.get("sourcedId") if isinstance(record, Mapping) else None
        if sourced_id is not None:
            self._ids.append(str(sourced_id))
        self._look(record)

    def _compare(self, response: requests.Response, count: int) -> None:
        """Refuse pages of two states of the data. `count` is how many records this one has."""
        total = response.headers.get(_TOTAL, "")
        # Nothing, or the number of records on this page, is no total.
        if total.isascii() and total.isdigit() and not (self._received and int(total) == count):
            if self._total not in (None, int(total)):
                raise self._changed(_TOTAL)
            self._total = int(total)
        for name in self._rest.steady:
            value = response.headers.get(name)
            if value is not None and self._steady.setdefault(name, value) != value:
                raise self._changed(name)

    def _changed(self, name: str) -> Changed:
        return Changed(
            f"{self._place} changed while it was being pulled ({name} is no longer what it was). "
            "Run it again."
        )

    def _refuse_repetition(self, response: requests.Response) -> None:
        # Around the same records, and in them, a time or a number may be another each time.
        same = json.dumps(sorted(self._ids)).encode() if self._ids else response.content
        digest = hashlib.sha256(same).digest()
        if digest in self._seen:
            raise PullError(
                "repeated",
                f"{self._place} sends the same page again after {self._received:,} records. Say "
                "`paging: next` or `paging: total` if the server pages in that way; otherwise ask "
                "its owner.",
            )
        self._seen.add(digest)

    def _next(self, response: requests.Response) -> str | None:
        """The link to the next page, which the session follows on its own host only."""
        link = response.links.get("next", {}).get("url")
        return None if link is None else urljoin(str(response.url), link)

    def _compare_with_total(self) -> None:
        if self._total is not None and self._received < self._total:
            raise PullError(
                "incomplete",
                f"{self._place} sent {self._received:,} records and says that it has "
                f"{self._total:,}. Nothing was taken; ask the server's owner.",
            )

    @property
    def _place(self) -> str:
        return self._session.place(self._collection)


def _code_in(response: requests.Response) -> str:
    """The standard's word for what is wrong, where the answer has one."""
    text = response.content[:10_000].decode("utf-8", "replace")
    code = next((code for code in _CODES if code in text), None)
    return "" if code is None else f": {code}"


def _kind_of(response: requests.Response) -> str:
    start = response.content[:1000].lstrip().lower()
    if not start:
        return "nothing"
    return "a web page" if start.startswith((b"<!doctype", b"<html")) else "something"
