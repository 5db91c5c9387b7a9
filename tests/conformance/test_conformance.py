"""Every vendor's profile against a server that behaves as that vendor's does."""

import pytest

from roster_pipeline.sources import vendors
from tests.conformance import proofs
from tests.conformance.server import Loopback
from tests.conformance.statement import SERVERS, stated
from tests.conformance.trial import Case, cases

VENDORS = [name for name in vendors.known() if vendors.load(name).rest is not None]
STATED = [name for name in VENDORS if (SERVERS / f"{name}.yaml").is_file()]
CASES = [case for name in STATED for case in cases(name)]
USUAL = [case for case in CASES if case.number == 0 and case == next(cases(case.vendor))]


@pytest.mark.parametrize("vendor", VENDORS)
def test_somebody_said_how_the_vendors_server_behaves(vendor: str) -> None:
    stated(vendor)


def test_nothing_is_said_of_vendors_that_nobody_knows() -> None:
    assert sorted(file.stem for file in SERVERS.glob("*.yaml")) == sorted(VENDORS)


@pytest.mark.parametrize("vendor", STATED)
def test_the_ways_to_log_in_are_the_vendors(vendor: str) -> None:
    proofs.knows_how_to_log_in(vendor)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_district_that_says_little_asks_the_right_addresses(case: Case) -> None:
    proofs.asks_the_right_addresses(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_vendors_limits_are_kept(case: Case) -> None:
    proofs.keeps_the_limits(case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_row_of_the_server_is_in_the_candidate(case: Case, loopback: Loopback) -> None:
    proofs.brings_every_row(case, loopback)
