"""No quirk of a profile can be taken away without a proof that fails.

The table is made of the profiles themselves: each key under `rest`, each item of a mapping and
each of a list. A new quirk that nothing proves fails here.
"""

import copy
from collections.abc import Iterator
from functools import cache, reduce
from importlib.resources import files
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from roster_pipeline.sources import vendors
from roster_pipeline.sources.landing import LandingError
from roster_pipeline.sources.vendors import Vendor
from roster_pipeline.transport.errors import TransportError
from tests.conformance import proofs
from tests.conformance.server import Loopback
from tests.conformance.test_conformance import STATED

Path = tuple[str | int, ...]
_HERE = files(vendors)


def _rest(vendor: str) -> Any:
    return yaml.safe_load((_HERE / f"{vendor}.yaml").read_text("utf-8"))["rest"]


def _places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where something could be taken away."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in inside:
        yield (*at, key)
        if isinstance(held, dict | list):
            yield from _places(held, (*at, key))


def _without(rest: Any, place: Path) -> Any:
    """The same without what stands there, and without what is empty then."""
    rest = copy.deepcopy(rest)
    *way, last = place
    holder = reduce(lambda held, key: held[key], way, rest)
    del holder[last]
    return rest if holder or not way else _without(rest, tuple(way))


QUIRKS = [
    pytest.param(
        vendor,
        place,
        id=".".join(map(str, (vendor, *place))),
    )
    for vendor in STATED
    for place in _places(_rest(vendor))
]


@pytest.mark.parametrize(("vendor", "place"), QUIRKS)
def test_a_quirk_cannot_be_taken_away_unnoticed(
    vendor: str, place: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not _passes(vendor, loopback):
        pytest.skip(f"the whole profile {vendor} fails already; mend that first")
    whole = vendors.load(vendor)
    rest = _without(_rest(vendor), place)
    poorer = Vendor.model_validate({**whole.model_dump(exclude={"rest"}), "rest": rest})
    monkeypatch.setattr(vendors, "load", {**_all(), vendor: poorer}.__getitem__)

    if not any(_fails(proof, loopback) for proof in proofs.all_of(vendor)):
        pytest.fail(
            f"Without {'.'.join(map(str, place))} the profile {vendor} passes as well. Say in "
            f"tests/conformance/servers/{vendor}.yaml what the server does that needs it, or leave "
            "it out."
        )


@cache
def _passes(vendor: str, loopback: Loopback) -> bool:
    """Whether the whole profile does: a proof that fails anyway says nothing of a part of it. The
    other tests tell which one fails."""
    return not any(_fails(proof, loopback) for proof in proofs.all_of(vendor))


def _all() -> dict[str, Vendor]:
    return {name: vendors.load(name) for name in vendors.known()}


def _fails(proof: proofs.Proof, loopback: Loopback) -> bool:
    try:
        proof(loopback)
    except (AssertionError, ValidationError, LandingError, TransportError):
        return True
    return False
