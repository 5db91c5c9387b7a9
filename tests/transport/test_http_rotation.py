"""Credentials that end while others begin: two at once, and a token that somebody else renews."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from roster_pipeline.transport.errors import (
    AuthenticationRefused,
    Changed,
    CredentialsUnusable,
    Forbidden,
    TransportError,
)
from tests.transport.conftest import BEARER, SECRET, Open, Serve, oauth2
from tests.transport.scripted import Answer, Asked, json_answer


def two_at(server_url: str) -> list[dict[str, Any]]:
    """An old and a new id with their secrets."""
    return [oauth2(server_url, client_id=name) for name in ("old", "new")]


def tokens_for(
    *clients: str, serves: str = "", error: str = "invalid_client"
) -> Callable[[Asked], Answer]:
    """A server that gives tokens to these clients, and takes those of `serves` only, if any."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            client = asked.client
            if client in clients:
                return json_answer({"access_token": client})
            return json_answer({"error": error}, 401)
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        return json_answer({"ok": 1}) if token == (serves or token) else Answer(401)

    return answer


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "anything"])
def test_the_second_credential_serves_once_the_first_gets_no_token(
    serve: Serve, open_session: Open, error: str
) -> None:
    server = serve(tokens_for("new", error=error))
    session = open_session(server.url, two_at(server.url))

    assert not session.remarks
    for _ in range(2):
        assert session.request("GET", "/orgs").json() == {"ok": 1}

    assert [asked.client for asked in server.asked if asked.path == "/token"] == ["old", "new"]
    (remark,) = session.remarks
    assert remark.startswith("The second credential is in use, not the first. ")
    assert f"{server.url}/token gives no token (401): " in remark
    assert remark.endswith(" Take the first out of `auth`, or correct it.")


def test_the_second_credential_serves_once_the_firsts_token_is_refused_twice(
    serve: Serve, open_session: Open
) -> None:
    server = serve(tokens_for("old", "new", serves="new"))
    session = open_session(server.url, two_at(server.url))

    for _ in range(2):
        assert session.request("GET", "/orgs").json() == {"ok": 1}

    clients = [asked.client for asked in server.asked if asked.path == "/token"]
    assert clients == ["old", "old", "new"]
    assert server.paths()[-2:] == ["/orgs", "/orgs"]
    assert "is in use, not the first. Its proof is refused (401" in session.remarks[0]


def test_the_first_credential_alone_is_used_while_it_is_taken(
    serve: Serve, open_session: Open
) -> None:
    server = serve(tokens_for("old", "new"))
    session = open_session(server.url, two_at(server.url))

    session.request("GET", "/orgs")

    assert [asked.client for asked in server.asked if asked.path == "/token"] == ["old"]
    assert session.remarks == ()


def test_where_neither_credential_gets_a_token_both_are_named(
    serve: Serve, open_session: Open
) -> None:
    server = serve(tokens_for())

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, two_at(server.url)).request("GET", "/orgs")
    said = str(error.value)
    assert said.startswith("No credential is taken. The first credential: ")
    assert " The second credential: " in said
    assert SECRET not in said
    assert server.paths() == ["/token", "/token"]


def test_where_neither_credential_is_taken_both_are_named(serve: Serve, open_session: Open) -> None:
    server = serve(lambda _: Answer(401))
    kinds = [
        {"oauth1": {"key": "us", "secret": {"env": "SECRET"}}},
        {"bearer": {"token": {"env": "SECRET"}}},
    ]

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, kinds).request("GET", "/orgs")
    assert str(error.value) == (
        f"{server.url}/orgs does not take the first credential, nor the second credential (401 "
        "Unauthorized). Check `consumer_key`, `consumer_secret` and `signature` of the first "
        "credential; `token` of the second credential."
    )
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [Answer(404), json_answer({"error": "invalid_request"}, 400)])
def test_what_is_no_refusal_of_a_credential_does_not_lead_to_the_next(
    serve: Serve, open_session: Open, answer: Answer
) -> None:
    server = serve(lambda _: answer)

    with pytest.raises(TransportError):
        open_session(server.url, two_at(server.url)).request("GET", "/orgs")
    assert server.paths() == ["/token"]


def test_a_403_does_not_lead_to_the_next_credential(serve: Serve, open_session: Open) -> None:
    def answer(asked: Asked) -> Answer:
        return json_answer({"access_token": "t"}) if asked.path == "/token" else Answer(403)

    server = serve(answer)

    with pytest.raises(Forbidden):
        open_session(server.url, two_at(server.url)).request("GET", "/orgs")
    assert server.paths() == ["/token", "/orgs"]


def test_a_static_token_is_read_again_when_it_is_refused(serve: Serve, open_session: Open) -> None:
    kept = {"SECRET": "one"}
    good = ["one"]

    def answer(asked: Asked) -> Answer:
        return Answer(200 if asked.headers["Authorization"] == f"Bearer {good[0]}" else 401)

    server = serve(answer)
    session = open_session(server.url, BEARER, kept)
    session.request("GET", "/orgs")
    good[0] = kept["SECRET"] = "two"

    assert session.request("GET", "/orgs").status_code == 200
    assert len(server.asked) == 3


def test_a_static_token_that_did_not_change_is_not_tried_twice(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(401))

    with pytest.raises(AuthenticationRefused, match="Check `token`"):
        open_session(server.url).request("GET", "/orgs")
    assert len(server.asked) == 1


def test_a_static_token_is_read_again_from_its_file(
    serve: Serve, open_session: Open, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    server = serve(lambda asked: Answer(200 if asked.headers["Authorization"][-1] == "2" else 401))
    session = open_session(server.url, {"bearer": {"token": {"file": "token"}}})
    file.write_text("two2\n")

    assert session.request("GET", "/orgs").status_code == 200


@pytest.mark.parametrize("there", [0, 1])
def test_a_secret_that_is_not_there_yet_or_no_more_does_not_matter_while_the_other_is_taken(
    serve: Serve, open_session: Open, there: int
) -> None:
    server = serve(tokens_for("old", "new"))
    auth = two_at(server.url)
    auth[1 - there]["oauth2"]["client_secret"] = {"env": "GONE"}
    session = open_session(server.url, auth)

    assert session.request("GET", "/orgs").json() == {"ok": 1}
    assert server.asked[0].client == ("old", "new")[there]
    assert "environment variable GONE is not set" in " ".join(session.remarks)


def test_where_no_secret_is_there_it_is_said_before_anything_is_asked(open_session: Open) -> None:
    with pytest.raises(CredentialsUnusable, match="environment variable SECRET is not set"):
        open_session("https://sis.example", [BEARER, BEARER], {"OTHER": "x"})


def test_the_first_credential_is_refused_and_the_seconds_secret_is_not_there(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda _: Answer(401))

    with pytest.raises(AuthenticationRefused) as error:
        open_session(server.url, [BEARER, {"bearer": {"token": {"env": "GONE"}}}]).request(
            "GET", "/orgs"
        )
    assert str(error.value) == (
        "No credential is taken. The first credential: Its proof is refused (401 Unauthorized). "
        "The second credential: The environment variable GONE is not set or empty; set it to the "
        "secret that {env: GONE} refers to."
    )


def signed(key: str) -> dict[str, Any]:
    """A credential that signs every request."""
    return {"oauth1": {"consumer_key": key, "consumer_secret": {"env": "SECRET"}}}


def is_of(asked: Asked, key: str) -> bool:
    return f'oauth_consumer_key="{key}"' in asked.headers.get("Authorization", "")


def test_threads_whose_proof_is_refused_at_once_all_go_on_to_the_second_credential(
    serve: Serve, open_session: Open
) -> None:
    threads = 6
    all_there = threading.Barrier(threads, timeout=20)

    def answer(asked: Asked) -> Answer:
        if is_of(asked, "old"):
            all_there.wait()
            return Answer(401)
        return json_answer({"ok": 1})

    session = open_session(serve(answer).url, [signed("old"), signed("new")])
    with ThreadPoolExecutor(threads) as pool:
        asking = [pool.submit(session.request, "GET", "/orgs") for _ in range(threads)]

    assert [one.result().json() for one in asking] == [{"ok": 1}] * threads
    assert session.remarks[0].startswith("The second credential is in use, not the first. ")


def test_a_credential_that_ends_in_the_middle_of_one_reading_has_it_begin_anew(
    serve: Serve, open_session: Open
) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(401) if is_of(asked, "old") and asked.query else json_answer({"ok": 1})

    session = open_session(serve(answer).url, [signed("old"), signed("new")])
    reading = session.until(threading.Event())
    reading.request("GET", "/orgs")

    with pytest.raises(Changed, match=r"/orgs takes another credential than it took before") as e:
        reading.request("GET", "/orgs", params={"offset": 10})
    assert e.value.transient
    again = session.until(threading.Event())
    for parameters in ({}, {"offset": 10}):
        assert again.request("GET", "/orgs", params=parameters).json() == {"ok": 1}


def test_a_credential_that_is_refused_from_the_start_disturbs_no_reading(
    serve: Serve, open_session: Open
) -> None:
    server = serve(lambda asked: Answer(401) if is_of(asked, "old") else json_answer({"ok": 1}))
    reading = open_session(server.url, [signed("old"), signed("new")]).until(threading.Event())

    for _ in range(2):
        assert reading.request("GET", "/orgs").json() == {"ok": 1}


def test_what_is_no_reading_goes_on_under_the_second_credential(
    serve: Serve, open_session: Open
) -> None:
    server = serve(
        lambda asked: Answer(401) if is_of(asked, "old") and asked.query else json_answer({"ok": 1})
    )
    session = open_session(server.url, [signed("old"), signed("new")])

    for parameters in ({}, {"offset": 10}):
        assert session.request("GET", "/orgs", params=parameters).json() == {"ok": 1}
