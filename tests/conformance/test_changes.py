"""A district that asks for changes only has the same rows as one that asks for all."""

import pytest
from pydantic import ValidationError

from tests.conformance.server import Loopback
from tests.conformance.test_conformance import USUAL
from tests.conformance.trial import Case, connected, district, expected, visited

TELLING = [case for case in USUAL if case.statement.tells_changes]
SILENT = [case for case in USUAL if not case.statement.tells_changes]


@pytest.mark.parametrize("case", USUAL, ids=str)
def test_changes_make_the_roster_that_the_server_has(case: Case, loopback: Loopback) -> None:
    # A district may know better than the profile what its server tells.
    source = connected(case, delta={}, changes=True)
    with visited(case, loopback) as visit:
        first, how = visit.landed(source)
        assert how == "full"
        visit.server.change()
        second, how = visit.landed(source, first, days=1)
        got = visit.got(second)

    assert got.rows == expected(visit.server)
    assert got.grave == []
    # Where a server says no total, nothing proves that changes were all.
    proved = case.statement.totals and case.statement.tells_changes
    assert how == ("changes" if proved else "full")


@pytest.mark.parametrize("case", SILENT, ids=str)
def test_changes_are_not_asked_for_where_the_vendor_does_not_tell_them(case: Case) -> None:
    with pytest.raises(ValidationError, match="do not tell reliably what changed"):
        district(case, delta={})


@pytest.mark.parametrize("case", TELLING, ids=str)
def test_changes_may_be_asked_for_where_the_vendor_tells_them(case: Case) -> None:
    source = district(case, delta={})

    assert source.rest is not None
    assert source.rest.delta is not None
