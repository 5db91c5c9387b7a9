"""The pages of one collection of a OneRoster server, each once and all of them.

Servers clamp `limit` in silence, send no headers, repeat themselves and change their data while
they are read; what headers say is a reason to stop only where the source's file says so, and a
reason to doubt everywhere.

Where pages are asked for by their offset, each is asked for from the last record on that the page
before it brought. A record that came already and stands there again proves, without any total,
that nothing slipped away between the two pages: all that follows it in the server's order follows
it on this page or later. So does the end: a page that holds that one record and nothing more. If
records before it went, a page further back is asked for; what cannot be joined to what came is no
roster. A page without records is then no end but a hole.

While a page is read, the next one is asked for already, as if this one were as long as the one
before it; if it is not, that answer is thrown away. No more than one is asked for at a time.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import gcd
from typing import Any, Final
from urllib.parse import urljoin

import numpy as np
import numpy.typing as npt
import requests

from roster_pipeline.sources.early import Early
from roster_pipeline.sources.json_page import PageReader, Records
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
_IDLE: Final = 2
"""So many pages in a row may bring nothing new, as after records were deleted."""
_EMPTY: Final = 100
"""So many links in a row may lead to pages without records."""
_BEYOND: Final = 10
"""So many times what there should be is too much."""


class PullError(LandingError):
    """A server's answers do not make a roster.

    `code` is "empty" (a collection that every roster has is), "few" (it has fewer records than the
    source expects), "incomplete" (fewer than the server says, or pages that do not fit together),
    "endless", "failure" (an error with status 200), "roles" (users come without what they are),
    "no_collection" (not there), "no_list" (a page without it), "no_total", "not_json", "refused"
    or "repeated".
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
    """Those that did not come on an earlier page."""
    body: bytes


@dataclass(frozen=True)
class _Window:
    """What the server has from an offset on."""

    start: int
    records: Records
    names: Sequence[str]
    """What each record is known by."""
    body: bytes
    link: str | None
    """To what follows, as the server says."""

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.start + len(self.names)


class Pages:
    """The pages of a collection, in order. Raises `PullError` and `TransportError`.

    `steady` is what the headers that a vendor keeps steady have said so far in this pull; `look`
    is given each record, without its secrets, as often as it is on a page. `endpoint` is where the
    records are asked for, if not at the collection's own, and `parameters` are more of them for
    each request; `most` is how many are expected at most. `before` is what earlier readings of it
    brought, which then asked for more records at a time: each one's `ids`, and how large its pages
    were.
    """

    def __init__(
        self,
        session: HttpSession,
        rest: Rest,
        collection: str,
        blanker: Blanker,
        steady: dict[str, str],
        look: Callable[[Mapping[str, Any]], None],
        looked_at: Sequence[str] = (),
        *,
        endpoint: str | None = None,
        parameters: Mapping[str, str] | None = None,
        most: int | None = None,
        before: dict[bytes, int] | None = None,
    ) -> None:
        self._session = session
        self._rest = rest
        self._collection = collection
        self._endpoint = endpoint or collection
        names = rest.names_of(collection, self._endpoint)
        self._reader = PageReader(names, blanker, look, looked_at)
        self._more = {**rest.parameters, **(parameters or {})}
        self._before = {} if before is None else before
        # Smaller pages end elsewhere: what is on the wrong side of an end now will not be then.
        smaller = (_smaller(size) for size in self._before.values())
        self._limit = max(1, min([rest.limit, *smaller]))
        self._most = most
        self.received = 0
        """How many records came so far, in their order."""
        self._size = 0
        self._alike = 0
        self.largest = 0
        """How many there were on the largest page."""
        self.total: int | None = None
        """How many there are, as the server said last; None where it does not."""
        self._sorted = rest.sort
        self._met = _Met()
        self._plainly = False
        self._uneven = False
        self._idle = 0
        self._seen: set[bytes] = set()
        self._steady = steady
        self._early = Early(self._request)

    def __iter__(self) -> Iterator[Page]:
        windows = self._linked() if self._rest.paging == "next" else self._joined()
        with closing(self._early):
            for window, new in windows:
                if new.lines:
                    yield Page(new, window.body)
            self._compare_with_total()

    # ---- by offsets ----

    def _joined(self) -> Iterator[tuple[_Window, Records]]:
        """Windows, each with what is new in it."""
        last = self._window(0)
        if not last.names:
            self._refuse_link(last)
            return
        yield last, self._all_of(last)
        while not self._is_known_to_end(last):
            joined = self._after(last)
            if joined is None:
                return
            self._idle = 0 if joined[1].lines else self._idle + 1
            if self._idle > _IDLE:
                raise self._changing()
            yield joined
            last = joined[0]

    def _after(self, last: _Window) -> tuple[_Window, Records] | None:
        """The window that follows on another; None at the end."""
        # Of a server that sends one record a page, the record tells nothing of what follows it.
        if self._plainly or self.largest == 1:
            return self._next_plain(last)
        window = self._window(last.end - 1)
        if not last.start and window.names == last.names:
            return self._after_the_same(last)
        return self._joined_to(last, window)

    def _after_the_same(self, last: _Window) -> tuple[_Window, Records] | None:
        """What follows on the first window, which came twice: some servers take an offset for that
        of the whole page it lies in, and some for nothing at all."""
        says_all = self.total == last.end
        if says_all and self._rest.paging == "total":
            return None
        plain = self._window(last.end)
        if plain.names == last.names:
            if says_all:
                return None
            raise self._repeated()
        # While the first window is there as it was, nothing slipped from the second one onto it.
        window = self._window(last.end - 1)
        self._plainly = window.names == last.names
        return self._next_plain(last, plain) if self._plainly else self._joined_to(last, window)

    def _joined_to(self, last: _Window, window: _Window) -> tuple[_Window, Records] | None:
        """A window that was asked for from the last record of another on."""
        if window.names[:1] != last.names[-1:]:
            return self._found_again(last, window)
        if len(window.names) > 1:
            return window, self._all_of(window, 1)
        lacks = self.total is not None and self._met.different < self.total
        return self._next_plain(window) if lacks or self._uneven else None

    def _found_again(self, last: _Window, window: _Window) -> tuple[_Window, Records]:
        """A window that something known is in: this one, or one a page further back."""
        for found in (window, None):
            tried = found or self._window(max(0, last.end - self.largest))
            came, in_order = self._met.came(tried.names)
            # A total tells of a server without an order in the end; nothing else does.
            if any(came) and (in_order or self.total is not None):
                new = [place for place, known in enumerate(came) if not known]
                names = [tried.names[place] for place in new]
                self._remember(tried, names, len(names) - self._met.unknown(names))
                return tried, tried.records.at(new)
        raise self._changing()

    def _next_plain(
        self, last: _Window, window: _Window | None = None
    ) -> tuple[_Window, Records] | None:
        """What begins where a window ended; None where nothing does."""
        before = self.total
        window = window or self._window(last.end)
        if not window.names and self.total is None and self.received > self.largest:
            window = self._window(last.end)
        if not window.names:
            self._refuse_link(window)
            return None
        if self.total is not None and before is not None and self.total < before:
            raise self._changing()
        if self._plainly and last.start and window.names == last.names:
            # An offset within a short last page, or at its end, is that page's.
            short = len(last.names) < self.largest
            if self.total == last.end if self.total is not None else short:
                return None
        return window, self._all_of(window)

    def _is_known_to_end(self, last: _Window) -> bool:
        if self._rest.paging != "total":
            return False
        if self.total is None or self.total < last.end:
            that = "" if self.total is None else " that counts its records"
            raise PullError(
                "no_total",
                f"{self._place} sends no {_TOTAL}{that}, and `paging: total` needs it; say "
                "`paging: rows`.",
                self._collection,
            )
        # As many as are on the first page may be what that page has, instead of all there are.
        return self.total == last.end and (last.start > 0 or self.total == 1)

    def _refuse_link(self, window: _Window) -> None:
        if window.link is not None:
            raise PullError(
                "incomplete",
                f"{self._place} answers with no records and names a next page. Say `paging: next`.",
                self._collection,
                may_pass=True,
            )

    # ---- by links ----

    def _linked(self) -> Iterator[tuple[_Window, Records]]:
        """Windows, as their links lead on; after the last link until there is nothing more."""
        link: str | None = None
        ever, empty = False, 0
        while True:
            before = self.total
            window = self._window(self.received, link)
            if window.names:
                if self.total is not None and before is not None and self.total < before:
                    raise self._changing()
                yield window, self._all_of(window)
                link, empty = window.link, 0
            else:
                # An answer without records may be a slip, where nothing else says that it is last.
                doubtful = link is not None or (self.total is None and not ever)
                several = self.received > self.largest or link is not None
                empty += 1
                if window.link is None and (empty > 1 or not (doubtful and several)):
                    return
                if empty > _EMPTY:
                    raise self._repeated()
                link = window.link or link
            ever = ever or link is not None

    # ---- one window ----

    def _window(self, start: int, link: str | None = None) -> _Window:
        response = self._ask(start, link)
        if link is None and self._rest.paging != "next":
            self._ask_early(start)
        records = self._in(response)
        self._compare(response, len(records.lines))
        return _Window(
            start, records, self._names_of(records), response.content, self._next(response)
        )

    def _all_of(self, window: _Window, known: int = 0) -> Records:
        """What is in a window but for so many records at its beginning, from now on known."""
        self._refuse_repetition(window)
        # No insertion elsewhere moves a record onto its own page again: the server has it twice.
        twice = len(window.names) - len(set(window.names))
        self._remember(window, window.names[known:], twice)
        return window.records.after(known)

    def _remember(self, window: _Window, names: Sequence[str], twice: int) -> None:
        self._met.add(names, twice)
        self.received += len(names)
        # Who sends a shorter page in the middle may send one of a single record, too.
        self._uneven = self._uneven or (0 < self._size < self.largest and len(names) > 0)
        alike = 1 < len(window.names) == self.largest
        self._alike = self._alike + 1 if alike else 0
        self._size = len(window.names)
        self.largest = max(self.largest, self._size)
        self._refuse_endless()

    def _refuse_endless(self) -> None:
        if self._most is not None:
            enough = max(self._most, self.total or 0, self._limit)
        elif self.total:
            enough = self.total * self._limit
        else:
            return
        if self.received > _BEYOND * enough:
            raise PullError(
                "endless",
                f"{self._place} has sent {self.received:,} different records and goes on, far "
                "beyond what it says it has and what `expect` says. Nothing was taken; ask the "
                "server's owner.",
                self._collection,
            )

    def _changing(self) -> PullError:
        return PullError(
            "incomplete",
            f"{self._place} changes faster than it can be pulled: after {self.received:,} records "
            "its pages do not fit together. Nothing was taken; run it again later.",
            self._collection,
            may_pass=True,
        )

    def _ask(self, start: int, link: str | None) -> requests.Response:
        """A page, by a link or by its offset."""
        response = self._early.take(start) if link is None else self._session.request("GET", link)
        refused = response.status_code == requests.codes.bad_request
        if refused and self._sorted and not self.received:
            self._sorted = False
            return self._ask(start, link)
        return self._judged(response)

    def _ask_early(self, start: int) -> None:
        """Ask for what follows on the window that begins there, if that can be known."""
        last = self.total is not None and start + self.largest >= self.total
        if self._alike > 1 and start >= self.received - 1 and not last:
            self._early.begin(start + self.largest - (0 if self._plainly else 1))

    def _request(self, start: int) -> requests.Response:
        return self._session.request("GET", self._endpoint, params=self._parameters(start))

    def _parameters(self, start: int) -> Mapping[str, str | int]:
        order = {"sort": "sourcedId", "orderBy": "asc"} if self._sorted else {}
        return {**order, **self._more, "limit": self._limit, "offset": start}

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
            return Records([], [])
        try:
            records = self._reader.read(response.content)
        except (ValueError, RecursionError):
            raise self._error(
                "not_json",
                f"answers with {_kind_of(response)} instead of JSON. Check `base_url`; a login "
                "page, or a wall in front of the server, looks like that.",
            ) from None
        if records is None:
            raise self._error(
                "no_list",
                f"answers without `{self._collection}`{_code_in(response)}. That is taken for a "
                "failure, never for an empty collection. If the vendor calls it otherwise, say "
                f"so: `wrappers: {{{self._collection}: [NAME]}}`.",
            )
        if records.failed:
            raise PullError(
                "failure",
                f"{self._place} says beside its records that it failed{_code_in(response)}. "
                "Nothing was taken; run it again later, and ask the server's owner if it goes on.",
                self._collection,
                may_pass=True,
            )
        return records

    def _compare(self, response: requests.Response, count: int) -> None:
        """Note the total, and refuse pages of two revisions of the data. `count` is how many
        records this page has."""
        total = response.headers.get(_TOTAL, "")
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

    def _refuse_repetition(self, window: _Window) -> None:
        if not window.names:
            return
        # Around the same records, and in them, a time or a number may be another each time.
        digest = hashlib.sha256(json.dumps(sorted(window.names)).encode()).digest()
        if digest in self._seen:
            raise self._repeated()
        self._seen.add(digest)

    def _repeated(self) -> PullError:
        return self._error(
            "repeated",
            f"sends the same page again after {self.received:,} records. Say `paging: next` "
            "or `paging: total` if the server pages in that way; otherwise ask its owner.",
        )

    def _names_of(self, records: Records) -> Sequence[str]:
        # Records of one sourcedId that are meant to be merged are told apart by all that they say.
        if self._collection in self._rest.merge:
            return records.lines
        named = zip(records.ids, records.lines, strict=True)
        return [line if each is None else each for each, line in named]

    def _next(self, response: requests.Response) -> str | None:
        """The link to the next page, which the session follows on its own host only."""
        link = response.links.get("next", {}).get("url")
        try:
            return None if link is None else urljoin(str(response.url), link)
        except ValueError:
            return link  # which the session refuses in words

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
        self._twice = 0

    def add(self, names: Sequence[str], twice: int) -> None:
        """Remember records, of which so many are the server's second ones."""
        self._twice += twice
        self._pages.append(_hashes(names))

    def came(self, names: Sequence[str]) -> tuple[list[bool], bool]:
        """Of each record whether it came already, as often as it stands here so far; and whether
        those that did are in the order in which they came."""
        met, asked = self.hashes, _hashes(names)
        order = np.argsort(met, kind="stable")
        end = np.searchsorted(met[order], asked, "right")
        left = dict(zip(names, end - np.searchsorted(met[order], asked, "left"), strict=True))
        last = order[end[end > np.searchsorted(met[order], asked, "left")] - 1]
        came = []
        for name in names:
            came.append(bool(left[name] > 0))
            left[name] -= 1
        return came, bool((np.diff(last) >= 0).all())

    def unknown(self, names: Sequence[str]) -> int:
        """How many different ones of these never came."""
        return int((~np.isin(np.unique(_hashes(names)), self.hashes)).sum())

    @property
    def hashes(self) -> npt.NDArray[np.int64]:
        """Of all that came, in that order."""
        return np.concatenate([np.zeros(0, np.int64), *self._pages])

    @property
    def different(self) -> int:
        """How many records came, those that came again on another page counted once."""
        return len(np.unique(self.hashes)) + self._twice


def _smaller(size: int) -> int:
    """A size of pages whose ends are elsewhere."""
    less = max(1, size - size // 10 - 1)
    while gcd(less, size) > 1:
        less -= 1
    return less


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
