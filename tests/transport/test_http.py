"""A session by HTTP: retries, limits, loyalty to one server, and the sentences."""

import gzip
import logging
import socket
import threading
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest

from roster_pipeline.transport import http
from roster_pipeline.transport.config import Secret
from roster_pipeline.transport.errors import (
    Busy,
    CredentialsUnusable,
    Forbidden,
    HostUnknown,
    Interrupted,
    Stopped,
    TransportError,
    Unreachable,
)
from tests.transport.conftest import BEARER, NOW, SECRET, Open, Pauses, Serve, in_turn, oauth2
from tests.transport.scripted import Answer, Asked, json_answer

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


# ---- stopping ------------------------------------------------------------------------------


def test_a_pause_that_a_server_asks_for_ends_when_whoever_asked_has_enough(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(503, headers={"Retry-After": "60"}))
    enough = threading.Event()
    session = open_session(server.url, sleep=time.sleep).until(enough)
    threading.Timer(0.2, enough.set).start()

    began = time.monotonic()
    with pytest.raises(Stopped, match=r"/orgs is not asked any more\.") as error:
        session.request("GET", "/orgs")

    assert time.monotonic() - began < 10
    assert not error.value.transient
    assert len(server.asked) == 1


def test_nothing_is_asked_by_whoever_has_enough_and_others_go_on(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: json_answer({"ok": 1}))
    enough = threading.Event()
    session = open_session(server.url)
    stopped = session.until(enough)
    assert stopped.request("GET", "/x").json() == {"ok": 1}
    enough.set()

    with pytest.raises(Stopped):
        stopped.request("GET", "/x")
    assert session.request("GET", "/x").json() == {"ok": 1}
    assert len(server.asked) == 2


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


def test_a_403_is_told_from_a_401(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(403))

    with pytest.raises(Forbidden, match=r"/demographics knows the credentials.*\(403 Forbidden\)"):
        open_session(server.url).request("GET", "/demographics")
    assert len(server.asked) == 1


def test_no_remark_of_a_library_holds_what_a_query_asks_for(
    serve: Serve, open_session: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = Answer(200, b"{}", {"Connection": "close", "No Header": "at all"}, cut=2)
    session = open_session(serve(in_turn(odd)).url)

    session.request("GET", "Users", params={"filter": 'userName eq "ada.lovelace"'})

    assert "ada.lovelace" not in caplog.text
    assert SECRET not in caplog.text


def test_more_requests_than_the_budget_has_are_not_made(
    serve: Serve, open_session: Open, pauses: Pauses
) -> None:
    server = serve(in_turn(Answer(503), json_answer({})))
    session = open_session(server.url, most_requests=3)
    session.request("GET", "/x")
    session.request("GET", "/x")

    with pytest.raises(
        TransportError, match=r"budget of 3 requests .* used up.*`most_requests`"
    ) as e:
        session.request("GET", "/x")
    assert not e.value.transient
    assert (len(server.asked), pauses.seconds) == (3, [1])


def test_more_headers_go_to_the_servers_host_and_to_no_other(
    serve: Serve, open_session: Open
) -> None:
    token = json_answer({"access_token": "t"})
    server = serve(lambda asked: token if asked.path == "/token" else json_answer({}))
    tokens = serve(lambda _: token)
    headers = {"X-Tenant": "springfield", "X-Api-Key": Secret(env="SECRET")}

    shouted = server.url.replace("127.0.0.1", "LOCALHOST")
    for url, token_url in ((server.url, server.url), (shouted, tokens.url)):
        session = open_session(url, oauth2(token_url), headers=headers)
        session.request("GET", "/orgs", headers={"X-Tenant": "ours"})
        assert SECRET not in repr(session)

    assert server.paths() == ["/token", "/orgs", "/orgs"]
    for asked in server.asked:
        assert (asked.headers["X-Tenant"], asked.headers["X-Api-Key"]) == ("springfield", SECRET)
    assert not {"X-Tenant", "X-Api-Key"} & set(tokens.asked[0].headers)


@pytest.mark.parametrize("value", ["planted\nX-Evil: 1", "planted ", "plantedä"])
def test_a_header_that_cannot_be_sent_is_named_and_not_shown(
    open_session: Open, value: str
) -> None:
    with pytest.raises(CredentialsUnusable, match="The header X-Key has signs") as error:
        open_session(
            "https://sis.example",
            BEARER,
            {"SECRET": "t", "KEY": value},
            headers={"X-Key": Secret(env="KEY")},
        )
    assert "planted" not in str(error.value)
