"""A session by HTTP: retries, limits, loyalty to one server, and the sentences."""

import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from roster_pipeline.transport import http
from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Busy,
    CredentialsUnusable,
    Forbidden,
    HostUnknown,
    Interrupted,
    TransportError,
    Unreachable,
)
from roster_pipeline.transport.http import HttpSession, open_http
from roster_pipeline.transport.http_config import HttpAuth
from tests.transport.conftest import Pauses
from tests.transport.scripted import Answer, Asked, Scripted, json_answer, scripted

SECRET = "planted-s3cret+/="
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
BEARER = {"bearer": {"token": {"env": "SECRET"}}}

Serve = Callable[[Callable[[Asked], Answer]], Scripted]
Open = Callable[..., HttpSession]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers and stops them at the end."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(scripted(answer))


@pytest.fixture
def now() -> list[datetime]:
    """The clock's time, which a test may change."""
    return [NOW]


@pytest.fixture
def open_session(pauses: Pauses, now: list[datetime], tmp_path: Path) -> Iterator[Open]:
    """Opens sessions and closes them at the end."""
    with ExitStack() as stack:

        def opened(
            url: str,
            auth: Mapping[str, Any] = BEARER,
            environ: Mapping[str, str] | None = None,
            **options: Any,
        ) -> HttpSession:
            session = open_http(
                url,
                HttpAuth.model_validate(auth),
                base=tmp_path,
                environ=environ or {"SECRET": SECRET},
                sleep=pauses,
                clock=lambda: now[0],
                **{"timeout": 10.0, **options},
            )
            return stack.enter_context(session)

        yield opened


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """Each answer once, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def oauth2(server_url: str, **keys: Any) -> dict[str, Any]:
    return {
        "oauth2": {
            "client_id": "us",
            "client_secret": {"env": "SECRET"},
            "token_url": f"{server_url}/token",
            **keys,
        }
    }


TOKEN = json_answer({"access_token": "t1", "token_type": "Bearer", "expires_in": 3600})


# ---- one answer ----------------------------------------------------------------------------


def test_a_path_is_added_to_the_base_address_and_a_static_token_is_sent(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: json_answer({"orgs": []}))
    session = open_session(f"{server.url}/ims/v1p2/")

    answer = session.request("get", "/orgs", params={"limit": 5, "filter": "status='active'"})

    assert answer.json() == {"orgs": []}
    (asked,) = server.asked
    assert (asked.path, asked.query) == (
        "/ims/v1p2/orgs",
        {"limit": "5", "filter": "status='active'"},
    )
    assert asked.headers["Authorization"] == f"Bearer {SECRET}"


def test_a_packed_answer_is_unpacked(serve: Serve, open_session: Open) -> None:
    body = gzip.compress(b'{"a": 1}')
    server = serve(lambda _: Answer(body=body, headers={"Content-Encoding": "gzip"}))

    assert open_session(server.url).request("GET", "/x").json() == {"a": 1}


def test_a_packed_answer_that_unpacks_to_far_too_much_is_refused(
    serve: Serve, open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1 << 20)
    body = gzip.compress(b" " * (4 << 20))
    server = serve(lambda _: Answer(body=body, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(TransportError, match="more than 1,048,576 bytes in one answer"):
        open_session(server.url).request("GET", "/x")


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422, 500])
def test_other_statuses_are_the_callers_to_judge(
    serve: Serve, open_session: Open, pauses: Pauses, status: int
) -> None:
    server = serve(lambda _: json_answer({"detail": "x"}, status))

    assert open_session(server.url).request("POST", "/Users", json={}).status_code == status
    assert pauses.seconds == []


# ---- trying again --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_with_growing_pauses(
    serve: Serve, open_session: Open, pauses: Pauses, status: int
) -> None:
    busy = Answer(status)
    server = serve(in_turn(busy, busy, json_answer({"ok": 1})))

    assert open_session(server.url).request("GET", "/x").json() == {"ok": 1}
    assert pauses.seconds == [1, 2]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("soon", 1),
        ("nan", 1),
    ],
)
def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    serve: Serve, open_session: Open, pauses: Pauses, value: str, seconds: float
) -> None:
    server = serve(in_turn(Answer(429, headers={"Retry-After": value}), json_answer({})))

    open_session(server.url).request("GET", "/x")

    assert pauses.seconds == [seconds]


def test_a_server_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for(
    serve: Serve, open_session: Open, pauses: Pauses
) -> None:
    server = serve(lambda _: Answer(429, headers={"Retry-After": "3600"}))

    with pytest.raises(Busy, match=r"429 Too Many Requests.*left alone for 3,600 s"):
        open_session(server.url).request("GET", "/x")
    assert (pauses.seconds, len(server.asked)) == ([], 1)


def test_a_server_that_stays_busy_is_given_up_and_may_be_tried_later(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(503))

    with pytest.raises(Busy, match=r"/x cannot answer now \(503 .*Gave up after 3 attempts") as e:
        open_session(server.url, attempts=3).request("GET", "/x")
    assert e.value.transient
    assert len(server.asked) == 3


def test_an_answer_cut_in_the_middle_is_asked_for_again(
    serve: Serve, open_session: Open, pauses: Pauses
) -> None:
    whole = json_answer({"records": ["x" * 100] * 100})
    server = serve(in_turn(Answer(body=whole.body, cut=5000), whole))

    assert len(open_session(server.url).request("GET", "/x").json()["records"]) == 100
    assert pauses.seconds == [1]


def test_what_may_have_been_done_is_not_done_twice(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(body=b"x" * 1000, cut=10))

    with pytest.raises(Interrupted, match="Whether it did what it was asked to do is not known"):
        open_session(server.url).request("POST", "/Users", json={})
    assert len(server.asked) == 1


def test_what_was_surely_not_done_is_tried_again_even_if_it_writes(
    serve: Serve, open_session: Open
) -> None:
    server = serve(in_turn(Answer(503), Answer(429), json_answer({"id": "1"}, 201)))

    assert open_session(server.url).request("POST", "/Users", json={}).status_code == 201


def test_a_writing_request_that_its_caller_calls_repeatable_is_repeated(
    serve: Serve, open_session: Open
) -> None:
    server = serve(in_turn(Answer(body=b"x" * 1000, cut=10), json_answer({})))

    answer = open_session(server.url).request("PATCH", "/Users/1", json={}, repeatable=True)

    assert answer.status_code == 200


def test_a_hung_server_is_given_up(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(body=b"x" * 10, stall=True))

    with pytest.raises(Interrupted, match=r"/orgs was silent for 0.2 s. Gave up after 2 attempts"):
        open_session(server.url, timeout=0.2, attempts=2).request("GET", "/orgs")


def test_a_server_that_trickles_is_given_up(open_session: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        session = open_session(
            f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.15, attempts=1
        )

        def trickle() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"x")
                        time.sleep(0.05)
                except OSError:
                    pass

        thread = threading.Thread(target=trickle)
        thread.start()
        with pytest.raises(Interrupted, match=r"sending one answer for more than 1\.5 s"):
            session.request("GET", "/x")
        session.close()
        thread.join()


def test_a_server_that_is_not_there_is_named(open_session: Open, pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(Unreachable, match=rf"127.0.0.1:{port} refuses connections.*3 attempts"):
        open_session(f"http://127.0.0.1:{port}", attempts=3).request("POST", "/x")
    assert pauses.seconds == [1, 2]


def test_a_host_that_does_not_exist_is_not_waited_for(open_session: Open, pauses: Pauses) -> None:
    with pytest.raises(HostUnknown, match=r"There is no host sis\.invalid"):
        open_session("https://sis.invalid/x").request("GET", "/orgs")
    assert pauses.seconds == []


def test_a_server_that_does_not_speak_tls_is_not_trusted(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: json_answer({}))
    url = server.url.replace("http://", "https://")

    with pytest.raises(TransportError, match=r"does not prove to be the right server") as error:
        open_session(url).request("GET", "/x")
    assert not error.value.transient
    assert server.asked == []


def test_requests_are_not_made_faster_than_allowed(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: json_answer({}))
    session = open_session(server.url, per_minute=10_000)

    for _ in range(3):
        session.request("GET", "/x")
    assert len(server.asked) == 3


# ---- one server only -----------------------------------------------------------------------


def test_a_link_to_another_host_is_not_followed(serve: Serve, open_session: Open) -> None:
    other = serve(lambda _: json_answer({}))
    server = serve(lambda _: json_answer({}))
    session = open_session(server.url)

    for url in (f"{other.url}/x?token=1", "//evil.example/x", "https://evil.example", "ftp://a/b"):
        with pytest.raises(TransportError, match="points to another host") as error:
            session.request("GET", url)
        assert "token=1" not in str(error.value)
    assert (server.asked, other.asked) == ([], [])


def test_a_link_on_the_same_host_is_followed_and_one_that_forgets_tls_is_mended(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: json_answer({}))
    open_session(f"{server.url}/v1p2").request("GET", f"{server.url}/v1p2/orgs?offset=5")
    assert server.asked[0].query == {"offset": "5"}

    session = open_session("https://sis.example/v1p2")
    assert session.absolute("http://sis.example/v1p2/orgs?offset=5") == (
        "https://sis.example/v1p2/orgs?offset=5"
    )
    assert session.absolute("https://SIS.example:443/a") == "https://sis.example/a"
    with pytest.raises(TransportError, match="another host"):
        session.absolute("https://sis.example:8443/a")


def test_a_redirection_is_followed_within_the_server_only(serve: Serve, open_session: Open) -> None:
    other = serve(lambda _: json_answer({}))

    def answer(asked: Asked) -> Answer:
        if asked.path == "/moved":
            return Answer(301, headers={"Location": "/here?x=1"})
        if asked.path == "/away":
            return Answer(302, headers={"Location": f"{other.url}/x"})
        if asked.path == "/round":
            return Answer(302, headers={"Location": "/round"})
        return json_answer(asked.query)

    server = serve(answer)
    session = open_session(server.url)

    assert session.request("GET", "/moved").json() == {"x": "1"}
    with pytest.raises(TransportError, match="points to another host"):
        session.request("GET", "/away")
    with pytest.raises(TransportError, match="redirects elsewhere instead of answering"):
        session.request("GET", "/round")
    with pytest.raises(TransportError, match="redirects elsewhere instead of answering"):
        session.request("POST", "/moved", json={})
    assert other.asked == []


def test_no_sentence_holds_a_query_or_the_id_of_anybody(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(503))

    with pytest.raises(Busy) as error:
        open_session(f"{server.url}/scim", attempts=1).request(
            "GET", "/Users/zoe-4711", params={"filter": 'userName eq "zoe"'}
        )
    assert f"{server.url}/scim/Users cannot answer" in str(error.value)
    assert "zoe" not in str(error.value)


# ---- logging in ----------------------------------------------------------------------------


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


def test_a_403_is_told_from_a_401(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(403))

    with pytest.raises(Forbidden, match=r"/demographics knows the credentials.*\(403 Forbidden\)"):
        open_session(server.url).request("GET", "/demographics")
    assert len(server.asked) == 1


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


def test_no_remark_of_a_library_holds_what_a_query_asks_for(
    serve: Serve, open_session: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = Answer(200, b"{}", {"Connection": "close", "No Header": "at all"}, cut=2)
    session = open_session(serve(in_turn(odd)).url)

    session.request("GET", "Users", params={"filter": 'userName eq "ada.lovelace"'})

    assert "ada.lovelace" not in caplog.text
    assert SECRET not in caplog.text
