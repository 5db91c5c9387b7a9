"""Tokens of OAuth 2: scopes that a server refuses, the forms of its answers, its cookies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from roster_pipeline.transport.errors import AuthenticationRefused, TransportError
from roster_pipeline.transport.http_token import fewer_and_fewer
from tests.transport.conftest import NOW, SECRET, Open, Serve, oauth2
from tests.transport.scripted import Answer, Asked, Scripted, json_answer

_SCOPE = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
CORE, ROSTER, PEOPLE = (
    _SCOPE + name
    for name in ("roster-core.readonly", "roster.readonly", "roster-demographics.readonly")
)


def knows(*known: str, refusal: str = "invalid_scope") -> Callable[[Asked], Answer]:
    """A server that gives tokens for these scopes (`none`: without any), and else an error."""

    def answer(asked: Asked) -> Answer:
        if asked.path != "/token":
            return json_answer({"ok": 1})
        if set(asked.form.get("scope", "none").split()) <= set(known):
            return json_answer({"access_token": "t", "expires_in": 100})
        return json_answer({"error": refusal if "scope" in asked.form else "invalid_request"}, 400)

    return answer


def scopes_asked(server: Scripted) -> list[str]:
    asked = [one.form.get("scope", "") for one in server.asked if one.path == "/token"]
    return [text.replace(_SCOPE, "").replace(".readonly", "") for text in asked]


TRIES = ["roster-core roster-demographics", "roster-core", "roster", ""]


@pytest.mark.parametrize(
    ("known", "tries"), [([CORE, PEOPLE], 1), ([CORE], 2), ([ROSTER], 3), (["none"], 4)]
)
def test_where_scopes_are_refused_fewer_are_asked_for_and_what_worked_is_remembered(
    serve: Serve, open_session: Open, now: list[datetime], known: list[str], tries: int
) -> None:
    server = serve(knows(*known))
    session = open_session(server.url, oauth2(server.url, scopes=[CORE, PEOPLE]))

    session.request("GET", "/orgs")
    assert scopes_asked(server) == TRIES[:tries]
    now[0] = NOW + timedelta(seconds=100)
    session.request("GET", "/orgs")
    assert scopes_asked(server) == [*TRIES[:tries], TRIES[tries - 1]]


def test_a_scope_that_is_not_granted_is_remarked_upon(serve: Serve, open_session: Open) -> None:
    refuses = serve(knows(CORE))
    grants = json_answer({"access_token": "t", "scope": CORE})
    says_so = serve(lambda asked: grants if asked.path == "/token" else json_answer({}))

    for server in (refuses, says_so):
        session = open_session(server.url, oauth2(server.url, scopes=[CORE, PEOPLE]))
        session.request("GET", "/orgs")
        (remark,) = session.remarks
        assert "gives a token without the scopes roster-demographics.readonly." in remark
        assert "ask the server's owner to grant" in remark
    assert len(says_so.asked) == 2


@pytest.mark.parametrize("said", [f"{PEOPLE} {CORE}", [CORE, PEOPLE], "", None, 7])
def test_scopes_that_are_granted_are_not_remarked_upon(
    serve: Serve, open_session: Open, said: Any
) -> None:
    token = json_answer({"access_token": "t", "scope": said})
    server = serve(lambda asked: token if asked.path == "/token" else json_answer({}))
    session = open_session(server.url, oauth2(server.url, scopes=[CORE, PEOPLE]))

    session.request("GET", "/orgs")

    assert session.remarks == ()


def test_where_no_scope_is_granted_all_that_were_tried_are_named(
    serve: Serve, open_session: Open
) -> None:
    server = serve(knows())

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, oauth2(server.url, scopes=[CORE])).request("GET", "/orgs")
    assert "(tried: roster-core.readonly; roster.readonly; none). Check `scopes`" in str(
        error.value
    )


def test_another_error_than_a_refused_scope_is_said_at_once(
    serve: Serve, open_session: Open
) -> None:
    server = serve(knows(refusal="invalid_client"))

    with pytest.raises(AuthenticationRefused, match="does not take `client_id`"):
        open_session(server.url, oauth2(server.url, scopes=[CORE])).request("GET", "/orgs")
    assert len(server.asked) == 1


def test_fewer_scopes_are_of_the_version_asked_for_and_of_others_there_are_none() -> None:
    old = CORE.replace("v1p2", "v1p1").replace("https", "http")
    assert fewer_and_fewer([old]) == ((old,), (old.replace("-core", ""),), ())
    assert fewer_and_fewer([PEOPLE]) == ((PEOPLE,), (CORE,), (ROSTER,), ())
    assert fewer_and_fewer(["read", "write"]) == (("read", "write"), ())
    assert fewer_and_fewer([]) == ((),)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"error": "invalid_client"}, "does not take `client_id`"),
        ({"error": "invalid_client", "access_token": None}, "does not take `client_id`"),
        ({"error": "access_denied", "access_token": ""}, "Check `token_url`"),
        ({"access_token": ["t"]}, "Check `token_url`"),
    ],
)
def test_an_error_that_comes_with_status_200_is_one(
    serve: Serve, open_session: Open, answer: Any, sentence: str
) -> None:
    server = serve(lambda _: json_answer(answer))

    with pytest.raises(TransportError, match=sentence):
        open_session(server.url, oauth2(server.url)).request("GET", "/orgs")
    assert server.paths() == ["/token"]


def test_a_token_that_was_made_is_one(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: json_answer({"access_token": "t"}, 201))

    assert open_session(server.url, oauth2(server.url)).request("GET", "/orgs").status_code == 201


def test_the_cookie_of_a_tokens_answer_is_sent_on_and_to_no_other_host(
    serve: Serve, open_session: Open
) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            given = {"access_token": "t"}
            return json_answer(given, Set_Cookie="node=7; Path=/; HttpOnly")
        return Answer(200 if asked.headers.get("Cookie") == "node=7" else 401)

    server = serve(answer)
    session = open_session(server.url, oauth2(server.url))
    assert session.request("GET", "/orgs").status_code == 200

    elsewhere = server.url.replace("127.0.0.1", "localhost")
    session = open_session(elsewhere, oauth2(server.url))
    with pytest.raises(AuthenticationRefused):
        session.request("GET", "/orgs")
    assert "Cookie" not in server.asked[-1].headers


def test_several_threads_share_one_token_and_its_renewal(serve: Serve, open_session: Open) -> None:
    given: list[str] = []
    together = Barrier(4)

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            given.append(f"t{len(given)}")
            return json_answer({"access_token": given[-1]})
        if asked.headers["Authorization"] == "Bearer t0":
            together.wait(20)  # all have the token that is refused
            return Answer(401)
        return Answer(200 if asked.headers["Authorization"] == f"Bearer {given[-1]}" else 401)

    server = serve(answer)
    session = open_session(server.url, oauth2(server.url))
    got: list[int] = []
    threads = [
        Thread(target=lambda: got.append(session.request("GET", "/orgs").status_code))
        for _ in range(together.parties)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [200] * together.parties
    assert given == ["t0", "t1"]


def test_nothing_of_a_refused_token_request_shows_a_secret(
    serve: Serve, open_session: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    server = serve(lambda _: json_answer({"error": SECRET, "error_description": SECRET}, 400))

    with pytest.raises(TransportError) as error:
        open_session(server.url, oauth2(server.url)).request("GET", "/orgs")
    assert SECRET not in str(error.value)
    assert SECRET not in caplog.text
