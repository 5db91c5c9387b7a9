"""What the next vendor may do otherwise, and the key of a profile that it needs.

Invented vendors, each in two YAML files as a new user would write them.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from roster_pipeline.sources import vendors
from roster_pipeline.sources.landing import LandingError
from roster_pipeline.sources.vendors import Vendor
from roster_pipeline.transport.errors import TransportError
from tests.conformance import proofs, statement
from tests.conformance.server import Loopback
from tests.conformance.statement import Installation

HOST = "https://acme.springfield.example"
PLAIN = {
    "district": {"base_url": HOST},
    "collections": {"1.2": f"{HOST}/ims/oneroster/rostering/v1p2"},
}
TOKENS = {"url": f"{HOST}/token"}
OAUTH2 = {**PLAIN, "credentials": {"token_url": f"{HOST}/token"}, "oauth2": TOKENS}

WORDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"most_asked": 20}, {"limit": 20}),
    ({"totals": True, "rounds": True, "beyond": "fails"}, {"paging": "total"}),
    ({"links": "only"}, {"paging": "next"}),
    ({"sorts": "fails"}, {"sort": False}),
    ({"demands": {"year": "2027"}}, {"parameters": {"year": "2027"}}),
    ({"instead_of_users": True}, {"made_of": {"users": ["students", "teachers"]}}),
    ({"people": "once a school"}, {"merge": {"users": "union"}}),
    ({"blanks_in_ids": True}, {"blanks_in_ids": "underscore"}),
    ({"side_by_side": 2}, {"at_once": 2}),
    ({"tells_changes": False}, {"changes": False}),
    ({"a_minute": 30}, {"per_minute": 30}),
    ({"totals": True, "revision": "x-state"}, {"steady": ["x-state"]}),
    (
        {"installations": [{**OAUTH2, "names": {"orgs": "institutions"}}]},
        {"wrappers": {"orgs": ["institutions"]}},
    ),
    ({"installations": [{**OAUTH2, "names": {"*": "data"}}]}, {"wrappers": {"*": ["data"]}}),
    (
        {
            "installations": [
                {
                    **OAUTH2,
                    "district": {"base_url": HOST, "demographics": True},
                    "names": {"demographics": "births"},
                }
            ]
        },
        {"wrappers": {"demographics": ["births"]}},
    ),
    (
        {"instead_of_users": True, "installations": [{**OAUTH2, "names": {"users": "people"}}]},
        {"made_of": {"users": ["students", "teachers"]}, "wrappers": {"users": ["people"]}},
    ),
    ({"installations": [{**OAUTH2, "oauth2": {**TOKENS, "secret": "body"}}]}, {"sent_in": "body"}),
    ({"installations": [{**OAUTH2, "oauth2": {**TOKENS, "grant": "query"}}]}, {"sent_in": "query"}),
    (
        {"installations": [{**OAUTH2, "oauth2": {**TOKENS, "scope": "acme:read"}}]},
        {"scopes": {"1.2": ["acme:read"]}},
    ),
    ({"installations": [{**OAUTH2, "credentials": {}}]}, {"token_path": "/token"}),
    ({"installations": [{**OAUTH2, "credentials": {}}]}, {"token_url": f"{HOST}/token"}),
    ({"installations": [{**OAUTH2, "district": {}}]}, {"host": HOST}),
    (
        {"installations": [{**PLAIN, "oauth1": {"method": "HMAC-SHA1"}}]},
        {"signature": "HMAC-SHA1", "login": ["oauth1"]},
    ),
    (
        {
            "installations": [
                {**OAUTH2, "collections": {"1.1": f"{HOST}/x"}},
                {**OAUTH2, "collections": {"1.1": f"{HOST}/y"}},
            ]
        },
        {"version": "1.1", "paths": {"1.1": "/x"}, "other_paths": {"1.1": ["/y"]}},
    ),
]


def _id(key: dict[str, Any]) -> str:
    (name, value), *_ = key.items()
    return f"{name}-{value}" if isinstance(value, str) else name


@pytest.mark.parametrize(
    ("said", "key"), [pytest.param(said, key, id=_id(key)) for said, key in WORDS]
)
def test_what_a_server_does_needs_its_key_in_the_profile(
    said: dict[str, Any],
    key: dict[str, Any],
    tmp_path: Path,
    loopback: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = {"installations": [OAUTH2], **said}
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(server))
    monkeypatch.setattr(statement, "SERVERS", tmp_path)

    _invent(monkeypatch, key)
    _prove(loopback)
    for taken_away in key:
        _invent(monkeypatch, {name: held for name, held in key.items() if name != taken_away})
        with pytest.raises((AssertionError, ValidationError, LandingError, TransportError)):
            _prove(loopback)


def _prove(loopback: Loopback) -> None:
    for proof in proofs.all_of("acme"):
        proof(loopback)


def _invent(monkeypatch: pytest.MonkeyPatch, rest: dict[str, Any]) -> None:
    profile = Vendor.model_validate({"title": "Acme", "rest": rest})
    monkeypatch.setattr(vendors, "known", lambda: ("acme",))
    monkeypatch.setattr(vendors, "load", {"acme": profile}.__getitem__)


def test_a_vendor_without_a_statement_is_told_what_to_write() -> None:
    with pytest.raises(AssertionError, match=r"Write tests/conformance/servers/acme\.yaml"):
        proofs.all_of("acme")


def test_a_statement_about_a_collection_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"no collection is called pupils; there are orgs,"):
        Installation.model_validate({**OAUTH2, "names": {"pupils": "data", "orgs": "orgs"}})
