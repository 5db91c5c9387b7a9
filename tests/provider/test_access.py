"""Who is let in: tokens and signatures."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests
from oauthlib.oauth1 import Client as Signer
from requests_oauthlib import OAuth1  # type: ignore[import-untyped]  # it has no stubs

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.provider.access import (
    CORE,
    DEMOGRAPHICS,
    ROSTER,
    SCOPES,
    SIGNATURES,
    Access,
    Asking,
    Client,
    TokenRefusedError,
    Tokens,
)
from roster_pipeline.provider.problems import Problem, RefusedError
from roster_pipeline.simulator.rest_server import RestServer
from tests.provider.conftest import SECRET, Ask

PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
GRANT = {"grant_type": "client_credentials"}


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(CLIENTS, clock, timedelta(hours=1))


CLIENTS = {"roster": Client(SECRET), "narrow": Client("x", frozenset({PREFIX + CORE}))}


def access_of(tokens: Tokens, clock: Clock, signatures: tuple[str, ...] = SIGNATURES) -> Access:
    return Access(CLIENTS, tokens, {}, signatures, clock)


def bearer(text: str) -> Asking:
    return Asking("GET", "http://sis/users", {"authorization": f"Bearer {text}"})


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.parametrize(
    ("form", "authorization"),
    [
        (GRANT, basic("roster", SECRET)),
        ({**GRANT, "client_id": "roster", "client_secret": SECRET}, None),
    ],
)
def test_a_client_may_name_itself_in_the_header_or_in_the_form(
    tokens: Tokens, form: Mapping[str, str], authorization: str | None
) -> None:
    assert tokens.give(form, authorization).scopes == SCOPES


@pytest.mark.parametrize(
    ("form", "authorization", "code"),
    [
        (GRANT, basic("roster", "wrong"), "invalid_client"),
        (GRANT, basic("nobody", SECRET), "invalid_client"),
        (GRANT, "Basic ????", "invalid_client"),
        (GRANT, None, "invalid_client"),
        ({"grant_type": "password"}, basic("roster", SECRET), "unsupported_grant_type"),
        ({**GRANT, "scope": "https://elsewhere/all"}, basic("roster", SECRET), "invalid_scope"),
    ],
)
def test_a_token_is_refused_in_the_words_of_rfc_6749(
    tokens: Tokens, form: Mapping[str, str], authorization: str | None, code: str
) -> None:
    with pytest.raises(TokenRefusedError, match=code):
        tokens.give(form, authorization)


def test_a_token_has_the_scopes_asked_for_that_the_client_may_have(tokens: Tokens) -> None:
    asked = {**GRANT, "scope": f"{PREFIX}{CORE} {PREFIX}{DEMOGRAPHICS}"}
    assert tokens.give(asked, basic("narrow", "x")).scopes == {PREFIX + CORE}


def test_a_token_ends_when_its_time_is_over_or_it_is_taken_back(
    tokens: Tokens, clock: Clock
) -> None:
    token = tokens.give(GRANT, basic("roster", SECRET))
    assert tokens.scopes(token.text) == SCOPES
    clock.time += timedelta(hours=1)
    assert tokens.scopes(token.text) is None
    again = tokens.give(GRANT, basic("roster", SECRET))
    tokens.revoke()
    assert tokens.scopes(again.text) is None


def test_each_scope_opens_what_it_is_for_and_no_more(tokens: Tokens, clock: Clock) -> None:
    token = tokens.give(GRANT, basic("narrow", "x"))
    access = access_of(tokens, clock)
    access.require(bearer(token.text), Version.V1P2, (CORE, ROSTER))
    for version, scope in ((Version.V1P2, DEMOGRAPHICS), (Version.V1P1, CORE)):
        with pytest.raises(RefusedError) as refused:
            access.require(bearer(token.text), version, (scope,))
        assert refused.value.problem is Problem.FORBIDDEN


def signed(url: str, method: str = "HMAC-SHA256", secret: str = SECRET, **more: str) -> Asking:
    stamp = more.get("timestamp", str(int(NOW.timestamp())))
    signer = Signer(
        "roster", secret, signature_method=method, timestamp=stamp, nonce=more.get("nonce")
    )
    _, headers, _ = signer.sign(url)
    return Asking("GET", url, {"authorization": headers["Authorization"]})


URL = "http://sis/ims/oneroster/v1p1/users?filter=familyName%3D%27O%27%27Neill%27&limit=10"


@pytest.mark.parametrize("method", SIGNATURES)
def test_a_signature_of_the_consumer_is_let_in(tokens: Tokens, clock: Clock, method: str) -> None:
    access_of(tokens, clock).require(signed(URL, method), Version.V1P1, (CORE,))


@pytest.mark.parametrize(
    ("asking", "version"),
    [
        (signed(URL, secret="wrong"), Version.V1P1),
        (signed(URL, "PLAINTEXT"), Version.V1P1),
        (signed(URL, timestamp=str(int(NOW.timestamp()) - 601)), Version.V1P1),
        (signed(URL, timestamp="soon"), Version.V1P1),
        (Asking("GET", URL + "0", signed(URL).headers), Version.V1P1),
        (Asking("GET", URL, {"authorization": 'OAuth oauth_signature="x"'}), Version.V1P1),
        (Asking("GET", URL, {}), Version.V1P1),
        (signed(URL), Version.V1P2),
    ],
)
def test_no_other_signature_is(
    tokens: Tokens, clock: Clock, asking: Asking, version: Version
) -> None:
    with pytest.raises(RefusedError) as refused:
        access_of(tokens, clock).require(asking, version, (CORE,))
    assert refused.value.problem is Problem.UNAUTHORISED


def test_a_signature_is_believed_once(tokens: Tokens, clock: Clock) -> None:
    access, asking = access_of(tokens, clock), signed(URL, nonce="once")
    access.require(asking, Version.V1P1, (CORE,))
    with pytest.raises(RefusedError):
        access.require(asking, Version.V1P1, (CORE,))


def test_a_method_of_signing_may_be_left_out(tokens: Tokens, clock: Clock) -> None:
    access = access_of(tokens, clock, ("HMAC-SHA256",))
    with pytest.raises(RefusedError):
        access.require(signed(URL, "HMAC-SHA1"), Version.V1P1, (CORE,))


def test_secrets_are_not_printed(tokens: Tokens) -> None:
    token = tokens.give(GRANT, basic("roster", SECRET))
    assert SECRET not in repr(CLIENTS)
    assert token.text not in repr(token)


# ---- over loopback ----


@pytest.mark.parametrize("place", ["params", "data"])
def test_the_token_endpoint_gives_a_token_that_opens(
    server: RestServer, ask: Ask, place: str
) -> None:
    form = {**GRANT, "client_id": "roster", "client_secret": SECRET}
    answer = requests.post(server.token_url, timeout=20, **{place: form})  # type: ignore[arg-type]
    assert answer.json()["token_type"] == "Bearer"
    assert ask("users", token=answer.json()["access_token"]).status_code == 200


def test_a_wrong_secret_is_answered_401(server: RestServer) -> None:
    answer = requests.post(server.token_url, GRANT, auth=("roster", "wrong"), timeout=20)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_a_request_without_a_valid_token_is_answered_401(ask: Ask) -> None:
    for version, word in ((Version.V1P1, "unauthorized"), (Version.V1P2, "unauthorisedrequest")):
        answer = ask("users", version, token="stale")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert word in answer.text


@pytest.mark.parametrize("method", SIGNATURES)
def test_oauth_1_signs_a_filter_with_quotes_and_letters(server: RestServer, method: str) -> None:
    answer = requests.get(
        f"{server.base_url(Version.V1P1)}/users",
        {"filter": "givenName='Zoë' OR familyName='O''Neill'", "fields": "sourcedId"},
        auth=OAuth1("roster", SECRET, signature_method=method),
        timeout=20,
    )
    assert answer.json() == {"users": [{"sourcedId": "u2"}, {"sourcedId": "u3"}]}
