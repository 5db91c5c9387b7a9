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
from tests.examples import examples
from tests.sources.conftest import rest_source

START = 40
Gap = tuple[tuple[float, ...], tuple[float, ...]]
"""What happens between two requests: where in the order records go, and where others come."""


class Living:
    """A session with a server of one collection, in the order of its sourcedIds, to which
    something happens before each request."""

    def __init__(
        self, gaps: list[Gap], clamp: int, *, totals: bool = True, rounds: bool = False
    ) -> None:
        self.ids = [float(n) for n in range(START)]
        self.faithful = set(self.ids)
        """Those that are there from the first to the last page."""
        self.requests = 0
        self._gaps = gaps
        self._clamp = clamp
        self._totals = totals
        self._rounds = rounds

    def request(self, _: str, __: str, params: dict[str, Any]) -> requests.Response:
        self.requests += 1
        if self.requests > 1 and self._gaps:
            self.happen(*self._gaps.pop(0))
        offset, limit = params["offset"], min(params["limit"], self._clamp)
        if self._rounds:
            offset -= offset % limit if offset < len(self.ids) else 0
        page = [{"sourcedId": f"{n:09.4f}"} for n in self.ids[offset : offset + limit]]
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps({"users": page}).encode()
        if self._totals:
            response.headers["X-Total-Count"] = str(len(self.ids))
        return response

    def place(self, _: str) -> str:
        return "https://sis.example/users"

    def happen(self, gone: tuple[float, ...], come: tuple[float, ...]) -> None:
        for place in gone:
            if self.ids:
                self.faithful.discard(self.ids.pop(int(place * (len(self.ids) - 1))))
        self.ids = sorted({*self.ids, *(place * START for place in come)})


def read(server: Living, limit: int, **keys: Any) -> set[float]:
    """The sourcedIds that come."""
    rest = rest_source("https://sis.example", limit=limit, **keys).rest
    assert rest is not None
    session, blanker = cast(HttpSession, server), Blanker(Secrets())
    pages = Pages(session, rest, "users", blanker, {}, lambda _: None)
    return {float(json.loads(line)["sourcedId"]) for page in pages for line in page.records.lines}


PLACE = st.floats(0, 1).map(lambda x: round(x, 4))  # or two would have one sourcedId
PLACES = st.lists(PLACE, max_size=6).map(tuple)
AS_MANY = st.lists(st.tuples(PLACE, PLACE), max_size=6).map(
    lambda pairs: (tuple(gone for gone, _ in pairs), tuple(come for _, come in pairs))
)
GAPS = st.lists(st.tuples(PLACES, PLACES) | AS_MANY, max_size=16)


@settings(deadline=None, max_examples=examples(60))
@given(
    GAPS,
    st.integers(2, 15),
    st.integers(2, 15),
    st.sampled_from([("rows", True), ("rows", False), ("total", True)]),
)
def test_who_is_there_all_the_time_comes_or_nothing_is_taken(
    gaps: list[Gap], limit: int, clamp: int, said: tuple[str, bool]
) -> None:
    paging, totals = said
    server = Living(gaps, clamp, totals=totals)
    came: set[float] | None = None
    with suppress(PullError):
        came = read(server, limit, paging=paging)

    assert came is None or server.faithful <= came


FIRST, TENTH, LAST = 0.0, 0.25, 1.0


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("come", [(), (LAST,), (TENTH,), (FIRST, LAST)])
def test_what_slips_onto_a_page_that_was_read_comes(come: tuple[float, ...], totals: bool) -> None:
    server = Living([((FIRST, FIRST, FIRST), come)], 10, totals=totals)

    assert server.faithful <= read(server, 10)


def test_what_comes_and_goes_costs_few_requests_more() -> None:
    quiet = Living([], 10)
    read(quiet, 10)
    for gap, more in (((FIRST, TENTH / 2), ()), 2), (((), (FIRST, TENTH / 2)), 1):
        lively = Living([gap], 10, totals=False)
        assert lively.faithful <= read(lively, 10)
        # One more may have been asked for early, and thrown away.
        assert lively.requests <= quiet.requests + more + 1


@pytest.mark.parametrize("count", [1, 2, 9, 10])
def test_a_single_page_costs_two_requests(count: int) -> None:
    server = Living([], 10, totals=False)
    del server.ids[count:]

    assert len(read(server, 10)) == count
    assert server.requests == 2


def test_a_page_may_be_read_by_itself() -> None:
    rest = rest_source("https://sis.example", limit=3).rest
    assert rest is not None
    server = Living([], 10)
    pages = Pages(cast(HttpSession, server), rest, "users", Blanker(Secrets()), {}, lambda _: None)

    first = next(iter(pages))

    assert len(first.records.lines) == 3
    assert (server.requests, pages.received, pages.total) == (1, 3, START)


@pytest.mark.parametrize("count", [20, 31, 39])
@pytest.mark.parametrize("paging", ["rows", "total"])
@pytest.mark.parametrize("totals", [True, False])
def test_a_server_that_takes_offsets_for_whole_pages_gives_all(
    totals: bool, paging: str, count: int
) -> None:
    server = Living([], 10, totals=totals or paging == "total", rounds=True)
    del server.ids[count:]

    assert read(server, 10, paging=paging) == set(server.ids)


def test_totals_that_count_a_page_or_nothing_are_no_end() -> None:
    for total in ("0", "5", "10"):
        server = Living([], 10)
        answer = server.request

        def said(*asked: Any, total: str = total, answer: Any = answer, **keys: Any) -> Any:
            response = answer(*asked, **keys)
            response.headers["X-Total-Count"] = total
            return response

        server.request = said  # type: ignore[method-assign]
        with pytest.raises(PullError, match="that counts its records, and `paging: total` needs"):
            read(server, 10, paging="total")


def test_pages_without_an_end_are_given_up() -> None:
    server = Living([], 10)
    server.ids = [float(n) for n in range(9000)]
    rest = rest_source("https://sis.example", limit=10).rest
    assert rest is not None
    pages = Pages(
        cast(HttpSession, server), rest, "users", Blanker(Secrets()), {}, lambda _: None, most=40
    )
    server._totals = False

    with pytest.raises(PullError, match="goes on, far beyond"):
        list(pages)
    assert server.requests < 50
