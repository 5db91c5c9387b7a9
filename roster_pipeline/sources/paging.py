"""The pages of one collection of a OneRoster server, each once and all of them.

Servers clamp `limit` in silence, send no headers, repeat themselves and change their data while
they are read. The only proof of an end is a page without records; what headers say is a reason to
stop only where the source's file says so, and a reason to doubt everywhere. A total may move while
a school works; in the end there must be as many different records as it says then.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urljoin

import numpy as np
import numpy.typing as npt
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
    """A server's answers do not make a roster.

    `code` is "empty" (a collection that every roster has is), "few" (it has fewer records than the
    source expects), "incomplete" (fewer than the server says), "roles" (users come without what
    they are), "no_collection" (not there, or a page without it), "no_total", "not_json",
    "refused" or "repeated".
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        collection: str | None = None,
        *,
        may_pass: bool = False,
    ) -> None:
        super().__init__(code, sentence)
        self.collection = collection
        self.may_pass = may_pass
        """Whether the collection, read again from its beginning, may well come whole."""


class ServerFails(Busy):
    """The server answers in the middle of a collection with an error of its own."""


@dataclass(frozen=True)
class Page:
    """One page that has records."""

    records: Records
    body: bytes


class Pages:
    """The pages of a collection, in order. Raises `PullError` and `TransportError`.

    `steady` is what the headers that a vendor keeps steady have said so far in this pull; `look`
    is given each record, without its secrets. `endpoint` is where the records are asked for, if
    not at the collection's own, and `parameters` are more of them for each request. `before` is
    what earlier readings of it brought, which then asked for more records at a time: each one's
    `ids`, and how large its pages were.
    """

    def __init__(
        self,
        session: HttpSession,
        rest: Rest,
        collection: str,
        blanker: Blanker,
        steady: dict[str, str],
        look: Callable[[Any], None],
        *,
        endpoint: str | None = None,
        parameters: Mapping[str, str] | None = None,
        before: dict[bytes, int] | None = None,
    ) -> None:
        self._session = session
        self._rest = rest
        self._collection = collection
        self._endpoint = endpoint or collection
        self._names = rest.names_of(collection, self._endpoint)
        self._more = {**rest.parameters, **(parameters or {})}
        self._before = {} if before is None else before
        # Smaller pages end elsewhere: what is on the wrong side of an end now will not be then.
        smaller = (most - max(1, most // 10) for most in self._before.values())
        self._limit = max(1, min([rest.limit, *smaller]))
        self._blanker = blanker
        self._look = look
        self.received = 0
        """How many records came so far, in their order."""
        self.largest = 0
        """How many there were on the largest page."""
        self.total: int | None = None
        """How many there are, as the server said last; None where it does not."""
        self._sorted = rest.sort
        self._met = _Met()
        self._ids: list[str] = []
        self._seen: set[bytes] = set()
        self._steady = steady

    def __iter__(self) -> Iterator[Page]:
        link: str | None = None
        while not self._is_known_to_end():
            response = self._ask(link)
            records = self._in(response)
            gone, begun = self._compare(response, len(records.lines)), self.received
            if records.lines:
                self._refuse_repetition(response)
                self._remember(records.lines)
                yield Page(records, response.content)
            if gone:
                yield from self._slipped(gone, begun)
            if not records.lines:
                break
            link = self._next(response) if self._rest.paging == "next" else None
        self._compare_with_total()

    def _is_known_to_end(self) -> bool:
        if self._rest.paging != "total" or not self.received:
            return False
        if self.total is None:
            raise PullError(
                "no_total",
                f"{self._place} sends no {_TOTAL}, and `paging: total` needs it; say "
                "`paging: rows`.",
                self._collection,
            )
        return self.received >= self.total

    def _slipped(self, gone: int, begun: int) -> Iterator[Page]:
        """What slipped onto pages that were read already, when so many records before the page
        that began after `begun` were deleted. Those that came before are not given again."""
        start = max(0, begun - gone)
        place = {"limit": gone, "offset": start}
        parameters = {**self._parameters(), **place}
        response = self._judged(self._session.request("GET", self._endpoint, params=parameters))
        records = self._in(response)
        names, count, total = self._names_of(records.lines), len(records.lines), self.total or 0
        self._compare(response, count)
        missing = count < min(begun - start, max(0, total - start))
        if missing or self.total != total or len(names) != count:
            raise self._error(
                "incomplete",
                f"changes faster than it can be pulled ({gone:,} records went between two pages). "
                "Nothing was taken; run it again later.",
            )
        new = np.flatnonzero(~np.isin(_hashes(names), self._met.hashes)).tolist()
        if new:
            self._met.add([names[place] for place in new], len(new))
            lines = [records.lines[place] for place in new]
            yield Page(replace(records, lines=lines), response.content)

    def _ask(self, link: str | None) -> requests.Response:
        """The next page, by a link or by how many records were received."""
        response = (
            self._session.request("GET", self._endpoint, params=self._parameters())
            if link is None
            else self._session.request("GET", link)
        )
        refused = response.status_code == requests.codes.bad_request
        if refused and self._sorted and not self.received:
            self._sorted = False
            return self._ask(link)
        return self._judged(response)

    def _parameters(self) -> Mapping[str, str | int]:
        order = {"sort": "sourcedId", "orderBy": "asc"} if self._sorted else {}
        return {**order, **self._more, "limit": self._limit, "offset": self.received}

    def _judged(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == requests.codes.not_found:
            raise self._error(
                "no_collection",
                f"is not there ({said(status)}). Check `base_url` and `version`.",
            )
        if status >= requests.codes.internal_server_error:
            kind = ServerFails if self.received else Busy
            raise kind(f"{self._place} fails ({said(status)}). Ask the server's owner.")
        if status not in (requests.codes.ok, requests.codes.no_content):
            raise PullError(
                "refused",
                f"{self._place} refuses the request ({said(status)}{_code_in(response)}). Check "
                "`parameters` and `limit`.",
                self._collection,
            )
        return response

    def _error(self, code: str, sentence: str) -> PullError:
        """What is wrong with an answer; in the middle of a collection it may pass."""
        return PullError(
            code, f"{self._place} {sentence}", self._collection, may_pass=self.received > 0
        )

    def _in(self, response: requests.Response) -> Records:
        """The records of a page."""
        if response.status_code == requests.codes.no_content:
            return Records([], 0)
        self._ids = []
        try:
            records = records_in(response.content, self._names, self._blanker, self._meet)
        except (ValueError, RecursionError):
            raise self._error(
                "not_json",
                f"answers with {_kind_of(response)} instead of JSON. Check `base_url`; a login "
                "page, or a wall in front of the server, looks like that.",
            ) from None
        if records is None:
            raise self._error(
                "no_collection",
                f"answers without `{self._collection}`{_code_in(response)}. That is taken for a "
                "failure, never for an empty collection. If the vendor calls it otherwise, say "
                f"so: `wrappers: {{{self._collection}: [NAME]}}`.",
            )
        return records

    def _meet(self, record: Any) -> None:
        sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
        if sourced_id is not None:
            self._ids.append(str(sourced_id))
        self._look(record)

    def _compare(self, response: requests.Response, count: int) -> int:
        """Note the total, and refuse pages of two revisions of the data. `count` is how many
        records this page has; by how much the total fell."""
        total, before = response.headers.get(_TOTAL, ""), self.total
        # Nothing, or the number of records on this page, is no total.
        if total.isascii() and total.isdigit() and not (self.received and int(total) == count):
            self.total = int(total)
        for name in self._rest.steady:
            value = response.headers.get(name)
            if value is not None and self._steady.setdefault(name, value) != value:
                raise Changed(
                    f"{self._place} changed while it was being pulled ({name} is no longer what it "
                    "was). Run it again."
                )
        return max(0, (before or 0) - (self.total or 0))

    def _refuse_repetition(self, response: requests.Response) -> None:
        # Around the same records, and in them, a time or a number may be another each time.
        same = json.dumps(sorted(self._ids)).encode() if self._ids else response.content
        digest = hashlib.sha256(same).digest()
        if digest in self._seen:
            raise self._error(
                "repeated",
                f"sends the same page again after {self.received:,} records. Say `paging: next` "
                "or `paging: total` if the server pages in that way; otherwise ask its owner.",
            )
        self._seen.add(digest)

    def _remember(self, lines: Sequence[str]) -> None:
        self.received += len(lines)
        self.largest = max(self.largest, len(lines))
        self._met.add(self._names_of(lines), len(lines))

    def _names_of(self, lines: Sequence[str]) -> Sequence[str]:
        # Records of one sourcedId that are meant to be merged are told apart by all that they say.
        return lines if self._collection in self._rest.merge else self._ids

    def _next(self, response: requests.Response) -> str | None:
        """The link to the next page, which the session follows on its own host only."""
        link = response.links.get("next", {}).get("url")
        return None if link is None else urljoin(str(response.url), link)

    def _compare_with_total(self) -> None:
        if self.total is None or self._met.different >= self.total:
            return
        enough = self.received >= self.total
        # The server has records twice if it says the very same in pages of another size.
        if enough and self._before.setdefault(self.ids, self.largest) != self.largest:
            return
        again = self.received - self._met.different
        twice = f", {again:,} of them twice," if again else ""
        raise PullError(
            "incomplete",
            f"{self._place} sent {self.received:,} records{twice} and says that it has "
            f"{self.total:,}. Nothing was taken; ask the server's owner.",
            self._collection,
            may_pass=True,
        )

    @property
    def ids(self) -> bytes:
        """Which records came, in short: equal for the same, whatever their order."""
        return hashlib.sha256(np.unique(self._met.hashes).tobytes()).digest()

    @property
    def _place(self) -> str:
        return self._session.place(self._endpoint)


class _Met:
    """Which records came so far, by 64 bits of each; eight bytes of memory a record."""

    def __init__(self) -> None:
        self._pages: list[npt.NDArray[np.int64]] = []
        self._twice_on_a_page = 0

    def add(self, names: Sequence[str], count: int) -> None:
        """Remember a page of so many records, those of them that have names."""
        page = np.unique(_hashes(names))
        # No insertion elsewhere moves a record onto its own page again: the server has it twice.
        self._twice_on_a_page += count - len(page)
        self._pages.append(page)

    @property
    def hashes(self) -> npt.NDArray[np.int64]:
        """Of all that came."""
        return np.concatenate([np.zeros(0, np.int64), *self._pages])

    @property
    def different(self) -> int:
        """How many records came, those that came again on another page counted once."""
        return len(np.unique(self.hashes)) + self._twice_on_a_page


def _hashes(names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.fromiter(map(hash, names), np.int64, len(names))


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
