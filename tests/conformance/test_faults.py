"""What happens to any server while it is asked: each ends with all rows, and with little ado."""

from collections import Counter

import pytest

from tests.conformance import proofs
from tests.conformance.server import WAIT, Fault, Loopback
from tests.conformance.test_conformance import CASES, USUAL
from tests.conformance.trial import Case, expected, pulled

FAULTS: tuple[Fault, ...] = ("busy", "broken", "cut")
# A signature is made anew for each request: there is nothing that could be taken back.
WITH_TOKENS = [case for case in CASES if case.at.login != "oauth1"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", USUAL, ids=str)
def test_what_mends_itself_costs_one_request(case: Case, fault: Fault, loopback: Loopback) -> None:
    got = pulled(case, loopback, fault=fault)

    assert got.rows == expected(got.server)
    assert len(got.waited) == 1
    if fault == "busy":
        assert got.waited == [WAIT]
    again = Counter(got.server.asked)
    # An answer that was cut was given; the others were not.
    assert sum(again.values()) - len(again) == (1 if fault == "cut" else 0)


@pytest.mark.parametrize("case", WITH_TOKENS, ids=str)
def test_a_token_that_is_taken_back_is_got_anew(case: Case, loopback: Loopback) -> None:
    got = pulled(case, loopback, fault="revoked")

    assert got.rows == expected(got.server)
    assert max(Counter(got.server.asked).values()) == 1


@pytest.mark.parametrize("case", [c for c in USUAL if c.statement.revision], ids=str)
def test_pages_of_two_revisions_are_not_mixed(case: Case, loopback: Loopback) -> None:
    proofs.survives_a_change(case, loopback)


@pytest.mark.parametrize("case", [c for c in USUAL if c.statement.most_at_once], ids=str)
def test_no_district_asks_more_at_a_time_than_the_vendor_wants(
    case: Case, loopback: Loopback
) -> None:
    proofs.never_asks_more_at_once(case, loopback)
