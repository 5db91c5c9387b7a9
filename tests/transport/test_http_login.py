"""Proving by HTTP who one is: tokens and signatures."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    CredentialsUnusable,
    TransportError,
)
from tests.transport.conftest import BEARER, NOW, SECRET, Open, Pauses, Serve, oauth2
from tests.transport.scripted import Answer, Asked, Scripted, json_answer


def token_server(serve: Serve, *, good: Callable[[str], bool], tokens: list[Any]) -> Scripted:
    """A server that gives out tokens in turn and takes the good ones."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            given = tokens.pop(0) if len(tokens) > 1 else tokens[0]
            return given if isinstance(given, Answer) else json_answer(given)
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        return json_answer({"ok": 1}) if good(token) else Answer(401)

    return serve(answer)


def test_one_token_serves_until_shortly_before_it_runs_out(
    serve: Serve, open_session: Open, now: list[datetime]
) -> None:
    # PowerSchool says the seconds as text.
    tokens = [{"access_token": f"t{n}", "expires_in": "100"} for n in (1, 2)]
    server = token_server(serve, good=lambda _: True, tokens=tokens)
    session = open_session(server.url, oauth2(server.url, scopes=["a", "b"]))

    for seconds in (0, 60, 71, 80):
        now[0] = NOW + timedelta(seconds=seconds)
        session.request("GET", "/orgs")

    assert server.paths() == ["/token", "/orgs", "/orgs", "/token", "/orgs", "/orgs"]
    asked = server.asked[0]
    assert asked.form == {"grant_type": "client_credentials", "scope": "a b"}
    assert asked.headers["Authorization"].startswith("Basic ")
    assert server.asked[-1].headers["Authorization"] == "Bearer t2"


@pytest.mark.parametrize("lasts", [None, "soon", -5, "", [], 10**400, True])
def test_a_token_of_unknown_life_is_used_for_a_few_minutes(
    serve: Serve, open_session: Open, now: list[datetime], lasts: Any
) -> None:
    token = {"access_token": "t"} | ({} if lasts is None else {"expires_in": lasts})
    server = token_server(serve, good=lambda _: True, tokens=[token])
    session = open_session(server.url, oauth2(server.url))

    session.request("GET", "/orgs")
    now[0] = NOW + timedelta(hours=1)
    session.request("GET", "/orgs")

    assert server.paths().count("/token") == 2


def test_a_token_revoked_early_is_fetched_anew_once(serve: Serve, open_session: Open) -> None:
    tokens: list[Any] = [{"access_token": "old"}, {"access_token": "new"}]
    server = token_server(serve, good=lambda token: token == "new", tokens=tokens)

    assert open_session(server.url, oauth2(server.url)).request("GET", "/orgs").json() == {"ok": 1}
    assert server.paths() == ["/token", "/orgs", "/token", "/orgs"]


def test_a_token_that_is_never_taken_is_fetched_anew_only_once(
    serve: Serve, open_session: Open
) -> None:
    server = token_server(serve, good=lambda _: False, tokens=[{"access_token": "t"}])

    with pytest.raises(AuthenticationRefused, match=r"/orgs does not take the credentials \(401"):
        open_session(server.url, oauth2(server.url)).request("GET", "/orgs")
    assert server.paths() == ["/token", "/orgs", "/token", "/orgs"]


@pytest.mark.parametrize("way", ["basic", "body", "query"])
def test_the_token_request_takes_the_form_that_the_vendor_wants(
    serve: Serve, open_session: Open, way: str
) -> None:
    server = token_server(serve, good=lambda _: True, tokens=[{"access_token": "t"}])
    auth = oauth2(server.url, token_url=f"{server.url}/token?appName=us", scopes=["a"])
    auth["oauth2"]["in"] = way

    open_session(server.url, auth).request("GET", "/orgs")

    asked = server.asked[0]
    grant = {"grant_type": "client_credentials", "scope": "a"}
    assert asked.query == {"appName": "us", **(grant if way == "query" else {})}
    assert SECRET not in asked.url
    if way == "body":
        assert asked.form == {**grant, "client_id": "us", "client_secret": SECRET}
        assert "Authorization" not in asked.headers
    else:
        assert asked.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (json_answer({"error": "invalid_client"}, 401), "does not take `client_id`"),
        (Answer(401, b""), "does not take `client_id`"),
        (json_answer({"error": "invalid_scope"}, 400), "does not give out the scopes"),
        (json_answer({"error": "invalid_request"}, 400), "try another `in`"),
    ],
)
def test_a_refused_token_request_says_which_key_to_check(
    serve: Serve, open_session: Open, answer: Answer, sentence: str
) -> None:
    server = serve(lambda _: answer)

    with pytest.raises(AuthenticationRefused, match=sentence) as error:
        open_session(server.url, oauth2(server.url)).request("GET", "/orgs")
    assert f"{server.url}/token" in str(error.value)
    assert SECRET not in str(error.value)
    assert server.paths() == ["/token"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b"<html>"),
        Answer(200, b"<html>login</html>", {"Content-Type": "text/html"}),
        json_answer(["t"]),
        json_answer({"token": "t"}),
        Answer(302, headers={"Location": "/login"}),
    ],
)
def test_a_wrong_token_address_is_recognised(
    serve: Serve, open_session: Open, answer: Answer
) -> None:
    server = serve(lambda _: answer)

    with pytest.raises(TransportError, match=r"/token gives no token: .*Check `token_url`"):
        open_session(server.url, oauth2(server.url)).request("GET", "/orgs")


def test_a_busy_token_server_is_asked_again_also_for_a_writing_request(
    serve: Serve, open_session: Open, pauses: Pauses
) -> None:
    busy = Answer(502, headers={"Retry-After": "4"})
    cut = Answer(body=b"x" * 50, cut=5)
    server = token_server(serve, good=lambda _: True, tokens=[busy, cut, {"access_token": "t"}])

    open_session(server.url, oauth2(server.url)).request("POST", "/Users", json={})

    assert pauses.seconds == [4, 2]


class Consumers(RequestValidator):
    """oauthlib's own server side: one consumer, and every nonce once."""

    enforce_ssl = False
    client_key_length = (2, 40)
    nonce_length = (8, 60)

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == "us"

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return SECRET

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        fresh = nonce not in self.seen
        self.seen.add(nonce)
        return fresh

    @property
    def dummy_client(self) -> str:
        return "nobody"


@pytest.mark.parametrize("signature", ["HMAC-SHA256", "HMAC-SHA1"])
def test_every_attempt_is_signed_anew_and_oauthlibs_server_side_takes_it(
    serve: Serve, open_session: Open, signature: str
) -> None:
    endpoint = SignatureOnlyEndpoint(Consumers())
    busy = [True]

    def answer(asked: Asked) -> Answer:
        good, request = endpoint.validate_request(asked.url, asked.method, None, asked.headers)
        if not good:
            return Answer(401)
        assert request.signature_method == signature
        return Answer(503) if busy and busy.pop() else json_answer({"ok": 1})

    server = serve(answer)
    auth = {
        "oauth1": {
            "consumer_key": {"env": "KEY"},
            "consumer_secret": {"env": "SECRET"},
            "signature": signature,
        }
    }
    session = open_session(server.url, auth, {"KEY": "us", "SECRET": SECRET})

    for filter_ in ("status='active'", "dateLastModified>'2026-01-01T00:00:00.000Z' AND a='ü & b'"):
        params: dict[str, str | int] = {"filter": filter_, "limit": 5, "sort": "sourcedId"}
        assert session.request("GET", "/orgs", params=params).json() == {"ok": 1}
    assert len(server.asked) == 3


def test_a_wrong_signature_is_refused_with_the_keys_to_check(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(401))
    auth = {"oauth1": {"consumer_key": "us", "consumer_secret": {"env": "SECRET"}}}

    with pytest.raises(AuthenticationRefused, match="`consumer_secret` and `signature`"):
        open_session(server.url, auth).request("GET", "/orgs")
    assert len(server.asked) == 1


@pytest.mark.parametrize("token", ["a b", "a\nb", "ä"])
def test_a_token_that_no_header_can_carry_is_refused(open_session: Open, token: str) -> None:
    with pytest.raises(CredentialsUnusable, match="holds signs that no token has"):
        open_session("https://sis.example", BEARER, {"SECRET": token})


def test_a_missing_secret_is_named_by_its_reference(open_session: Open) -> None:
    with pytest.raises(CredentialsUnusable, match="environment variable SECRET is not set"):
        open_session("https://sis.example", BEARER, {"OTHER": "x"})
    with pytest.raises(CredentialsUnusable, match="which `ca_file` names"):
        open_session("https://sis.example", ca_file="nowhere.pem")


def test_nothing_shows_a_secret(serve: Serve, open_session: Open) -> None:
    server = token_server(serve, good=lambda _: True, tokens=[{"access_token": "t0ken"}])
    session = open_session(server.url, oauth2(server.url))
    session.request("GET", "/orgs")

    for thing in (session, session._login, vars(session)):
        assert SECRET not in repr(thing)
        assert "t0ken" not in repr(thing)
