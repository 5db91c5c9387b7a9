"""Pages of a collection that changes while they are read."""

import json
from contextlib import suppress
from typing import Any, cast

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.paging import Pages, PullError
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.transport.http import HttpSession
from tests.sources.conftest import rest_source

START = 40
Gap = tuple[bool, tuple[float, ...]]
"""What happens between two requests: whether records come or go, and where in the order."""


class Living:
    """A session with a server of one collection, in the order of its sourcedIds, to which
    something happens before each request."""

    def __init__(self, gaps: list[Gap], clamp: int) -> None:
        self.ids = [float(n) for n in range(START)]
        self.faithful = set(self.ids)
        """Those that are there from the first to the last page."""
        self.requests = 0
        self._gaps = gaps
        self._clamp = clamp

    def request(self, _: str, __: str, params: dict[str, Any]) -> requests.Response:
        self.requests += 1
        if self.requests > 1 and self._gaps:
            self._happen(*self._gaps.pop(0))
        offset, limit = params["offset"], min(params["limit"], self._clamp)
        page = [{"sourcedId": f"{n:09.4f}"} for n in self.ids[offset : offset + limit]]
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps({"users": page}).encode()
        response.headers["X-Total-Count"] = str(len(self.ids))
        return response

    def place(self, _: str) -> str:
        return "https://sis.example/users"

    def _happen(self, come: bool, places: tuple[float, ...]) -> None:
        if come:
            self.ids = sorted({*self.ids, *(place * START for place in places)})
            return
        for place in places:
            if self.ids:
                gone = self.ids.pop(int(place * (len(self.ids) - 1)))
                self.faithful.discard(gone)


def read(server: Living, limit: int) -> set[float]:
    """The sourcedIds that come."""
    rest = rest_source("https://sis.example", limit=limit).rest
    assert rest is not None
    session, blanker = cast(HttpSession, server), Blanker(Secrets())
    pages = Pages(session, rest, "users", blanker, {}, lambda _: None)
    return {float(json.loads(line)["sourcedId"]) for page in pages for line in page.records.lines}


GAPS = st.lists(
    st.tuples(
        st.booleans(), st.lists(st.floats(0, 1).map(lambda x: round(x, 4)), max_size=6).map(tuple)
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=400)
@given(GAPS, st.integers(2, 15), st.integers(2, 15))
def test_who_is_there_all_the_time_comes_or_nothing_is_taken(
    gaps: list[Gap], limit: int, clamp: int
) -> None:
    server = Living(gaps, clamp)
    came: set[float] | None = None
    with suppress(PullError):
        came = read(server, limit)

    assert came is None or server.faithful <= came


def test_without_totals_that_fall_a_hole_would_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "_slipped", lambda *_: iter(()))
    server = Living([(False, (0.0,))], 10)

    assert not server.faithful <= read(server, 10)


def test_what_slips_costs_one_request_more() -> None:
    quiet, lively = Living([], 10), Living([(False, (0.0, 0.1))], 10)
    read(quiet, 10)
    read(lively, 10)

    assert lively.requests == quiet.requests + 1


def test_a_page_may_be_read_by_itself() -> None:
    rest = rest_source("https://sis.example", limit=3).rest
    assert rest is not None
    server = Living([], 10)
    pages = Pages(cast(HttpSession, server), rest, "users", Blanker(Secrets()), {}, lambda _: None)

    first = next(iter(pages))

    assert len(first.records.lines) == 3
    assert (server.requests, pages.received, pages.total) == (1, 3, START)
