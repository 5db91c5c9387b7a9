"""What every vendor has to pass. Each proof fails with an assertion or as a sync would."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from tests.conformance.server import Loopback
from tests.conformance.statement import stated
from tests.conformance.trial import (
    Case,
    cases,
    connected,
    district,
    expected,
    pulled,
    rest_of,
    token_url,
)

T = TypeVar("T")
Proof = Callable[[Loopback], None]


def knows_how_to_log_in(vendor: str) -> None:
    """The profile names the ways to log in that the vendor's servers know, the usual one first."""
    known = list(dict.fromkeys(at.login for at in stated(vendor).installations))
    accents = district(next(cases(vendor))).profile.rest
    assert accents is not None
    assert list(accents.login) == known


def asks_the_right_addresses(case: Case) -> None:
    """A district says what our documentation has it say, and the vendor's hosts are asked."""
    rest = rest_of(connected(case))
    assert rest.base_url == case.at.collections[case.version]
    assert token_url(rest) == (None if case.at.oauth2 is None else case.at.oauth2.url)


def keeps_the_limits(case: Case) -> None:
    """What the vendor asks for in numbers is set."""
    said, rest = case.statement, rest_of(district(case))
    if said.a_minute is not None:
        assert rest.per_minute is not None
        assert rest.per_minute <= said.a_minute
    if said.side_by_side is not None:
        assert rest.at_once == said.side_by_side
    assert rest.changes == said.tells_changes


def never_asks_more_at_once(case: Case, loopback: Loopback) -> None:
    """A district may have as many collections side by side as the vendor wants, and no more."""
    most = case.statement.most_at_once
    if most is None:
        return
    got = pulled(case, loopback, takes=0.02, at_once=most, demographics=True)
    assert 1 < got.server.most_at_once <= most
    assert f"say {most} or fewer" in _refusal(case, at_once=most + 1)


def _refusal(case: Case, **more: Any) -> str:
    """What is said of a district's file with these keys; nothing where it is taken."""
    try:
        district(case, **more)
    except ValidationError as error:
        return str(error)
    return ""


def brings_every_row(case: Case, loopback: Loopback) -> None:
    """The landed file gives a candidate with all that the server has, and nothing to hold."""
    got = pulled(case, loopback)
    assert got.grave == []
    assert got.rows == expected(got.server)


def survives_a_change(case: Case, loopback: Loopback) -> None:
    """Where the server says that its data changed, pages of before and after are not mixed."""
    if case.statement.revision is not None:
        got = pulled(case, loopback, fault="changed")
        assert got.rows == expected(got.server)


def all_of(vendor: str) -> tuple[Proof, ...]:
    """Every proof of a vendor, the quick ones first."""
    of_vendor = list(cases(vendor))
    quick = [_alone(proof, case) for case in of_vendor for proof in _WITHOUT_SERVER]
    pulls = [partial(brings_every_row, case) for case in of_vendor]
    usual = [partial(proof, of_vendor[0]) for proof in (survives_a_change, never_asks_more_at_once)]
    return (_alone(knows_how_to_log_in, vendor), *quick, *pulls, *usual)


_WITHOUT_SERVER = (asks_the_right_addresses, keeps_the_limits)


def _alone(proof: Callable[[T], None], about: T) -> Proof:
    return lambda _: proof(about)
