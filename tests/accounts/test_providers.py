"""Providers that are not what one would wish, each with a clear sentence or none needed."""

import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from roster_pipeline.accounts.push import BrokenOff
from roster_pipeline.store import AccountState
from roster_pipeline.transport.errors import TransportError
from tests.accounts.world import DAY2, DAY3, NOW, TOKEN, World, changed, school, settings
from tests.transport.scripted import Answer, Asked, json_answer, scripted

MANY = tuple(f"p{n:03}" for n in range(60))
"""More than are looked for one by one."""


def test_a_conflict_is_reported_and_not_tried_twice_and_the_others_go_on(world: World) -> None:
    world.server.faults.taken = frozenset({"ada@example.org"})
    pushed = world.sync(school("ada", "ben"))
    assert pushed.declined == {"conflict": 1}
    assert pushed.counts["create"] == 1
    assert world.server.requests["POST"] == 2
    assert list(world.accounts) == ["ben"]
    world.server.faults.taken = frozenset()
    assert world.sync(school("ada", "ben"), DAY2).counts["create"] == 1


def test_a_new_user_name_that_is_taken_leaves_the_account_as_it_was(world: World) -> None:
    world.sync(school("ada"))
    world.server.add(user_name="new@example.org", external_id="17", active=True)
    before = world.users
    renamed = changed(school("ada"), where=lambda _: True, email="new@example.org")
    assert world.sync(renamed, DAY2).declined == {"conflict": 1}
    assert world.users == before


def test_a_provider_that_compares_user_names_by_case_still_gets_nobody_twice(world: World) -> None:
    world.server.add(user_name="ada@example.org", active=True)
    world.server.faults.exact_case = True
    upper = changed(school("ada"), where=lambda _: True, email="ADA@example.org")
    assert world.sync(upper).counts["adopt"] == 1
    assert [user["userName"] for user in world.server.users] == ["ADA@example.org"]


def test_a_provider_without_patch_is_updated_by_replacing(world: World) -> None:
    world.server.faults.no_patch = True
    there = world.server.add(user_name="ada@example.org", title="Captain", active=True)
    world.sync(school("ada", "ben"))
    ada = world.users["ada@example.org"]
    assert (ada["id"], ada["title"]) == (there, "Captain")
    assert ada["name"]["givenName"] == "Ada"
    world.sync(school("ben"), DAY2)
    assert not world.users["ada@example.org"]["active"]
    assert world.server.requests["PATCH"] == 2  # each sync finds it out once


def test_a_provider_that_cannot_search_by_external_id_is_searched_by_user_name(
    world: World,
) -> None:
    world.server.faults.no_external_id_filter = True
    world.server.add(user_name="ada@example.org", active=True)
    pushed = world.sync(school("ada", "ben"))
    assert (pushed.counts["adopt"], pushed.counts["create"]) == (1, 1)


@pytest.mark.parametrize("page", [None, 7])
def test_many_people_are_found_in_the_provider_list_however_it_is_paged(
    world: World, page: int | None
) -> None:
    for name in MANY[:30]:
        world.server.add(user_name=f"{name}@example.org", active=True)
    world.server.faults.most_per_page = page
    pushed = world.sync(school(*MANY))
    assert (pushed.counts["adopt"], pushed.counts["create"]) == (30, 30)
    assert len(world.server.users) == 60
    assert world.server.requests["GET"] < 15


def test_a_list_that_does_not_hold_all_it_counts_is_not_believed(world: World) -> None:
    for name in MANY[:3]:
        world.server.add(user_name=f"{name}@example.org", active=True)
    world.server.faults.pages_repeat = True
    world.server.faults.most_per_page = 2
    pushed = world.sync(school(*MANY))
    assert (pushed.counts["adopt"], pushed.counts["create"]) == (3, 57)


def test_a_provider_that_fails_on_everybody_stops_the_push(world: World) -> None:
    world.batch = 10
    world.server.faults.broken_after = 20
    with pytest.raises(BrokenOff, match="fails on every account"):
        world.sync(school(*MANY))
    states = Counter(account.state for account in world.accounts.values())
    assert len(world.server.users) == states[AccountState.ACTIVE] == 20
    # Whether those that it failed on were made is not known.
    assert states[AccountState.PENDING] == 10
    world.server.faults.broken_after = None
    assert world.sync(school(*MANY)).without == 0
    assert len(world.server.users) == len(world.accounts) == 60


def test_an_account_made_by_a_request_that_failed_is_known_to_be_ours(world: World) -> None:
    world.server.faults.broken_writes = 1
    assert world.sync(school("ada", "ben")).declined == {"failed": 1}
    assert len(world.server.users) == 2
    assert world.sync(school(), DAY2).counts["suspend"] == 2
    assert not any(user["active"] for user in world.server.users)


def test_a_provider_that_filters_nothing_gives_nobody_another_ones_account(world: World) -> None:
    theirs = world.server.add(user_name="headmaster", external_id="17", active=True)
    world.server.faults.ignores_filters = True
    world.server.faults.refused_writes = 1
    world.sync(school("ada"))
    assert world.accounts["ada"].remote_id != theirs
    assert set(world.users) == {"headmaster", "ada@example.org"}


@pytest.mark.parametrize("there", [0, 150])
def test_a_provider_that_filters_nothing_is_read_whole(world: World, there: int) -> None:
    for n in range(there):
        world.server.add(user_name=f"a{n:03}")
    world.server.add(user_name="ada@example.org")
    world.server.faults.ignores_filters = True
    world.server.faults.most_per_page = 100
    assert world.sync(school("ada")).counts["adopt"] == 1


def test_a_provider_that_answers_with_an_account_that_is_there_shares_it_with_nobody(
    world: World,
) -> None:
    def answer(asked: Asked) -> Answer:
        nothing = {"totalResults": 0, "Resources": []}
        return json_answer({"id": "always-the-same"} if asked.method == "POST" else nothing)

    with scripted(answer) as server:
        pushed = world.sync(school("ada", "ben"), scim={"base_url": server.url})
        assert (pushed.counts["create"], pushed.declined) == (1, {"shared": 1})
        again = world.sync(school("ada", "ben", "cyd"), DAY2, scim={"base_url": server.url})
        assert again.declined == {"shared": 2}
    owners = [a for a in world.accounts.values() if a.remote_id == "always-the-same"]
    assert len(owners) == 1


def test_an_account_with_one_persons_id_and_anothers_name_is_the_first_ones(world: World) -> None:
    world.server.add(user_name="ben@example.org", external_id="springfield:ada", active=True)
    pushed = world.sync(school("ada", "ben"), adopt="any")
    assert pushed.blocked == {"taken_there": 1}
    assert world.accounts["ada"].remote_id == world.users["ada@example.org"]["id"]


def test_an_account_that_has_another_id_since_a_restore_is_suspended_all_the_same(
    world: World,
) -> None:
    world.sync(school("ada", "ben"))
    with world.ledger.lease("springfield", lambda: NOW) as lease:
        lost = [replace(a, remote_id=f"old-{a.sourced_id}") for a in world.accounts.values()]
        world.ledger.record_accounts(lost, lease)
    assert world.sync(school("ben"), DAY2).counts["suspend"] == 1
    assert not world.users["ada@example.org"]["active"]
    assert world.accounts["ada"].state is AccountState.SUSPENDED
    renamed = changed(school("ben"), where=lambda _: True, familyName="Roe")
    assert world.sync(renamed, DAY2).declined == {"removed": 1}
    assert world.sync(renamed, DAY3).counts["adopt"] == 1
    assert len(world.server.users) == 2


def test_a_provider_that_is_not_found_has_not_lost_its_accounts(world: World) -> None:
    world.sync(school("ada", "ben"))
    with pytest.raises(BrokenOff, match="cannot be searched"):
        world.sync(school("ben"), DAY2, scim={"base_url": f"{world.server.url}/nothing"})
    assert world.accounts["ada"].state is AccountState.ACTIVE
    assert world.sync(school("ben"), DAY2).counts["suspend"] == 1


def test_a_lost_answer_makes_no_second_account_where_external_ids_cannot_be_searched(
    world: World,
) -> None:
    world.server.faults.no_external_id_filter = True
    world.server.faults.lost_answers = 1
    pushed = world.sync(school("ada"))
    assert (pushed.counts["create"], pushed.without) == (1, 0)
    assert world.server.requests["POST"] == 1


@pytest.mark.parametrize("theirs", ["7#1", "7/../8", "7?x=1", "ü 7", 7])
def test_an_id_is_the_same_account_in_every_request(world: World, theirs: str | int) -> None:
    user: dict[str, Any] = {"id": theirs, "userName": "ada@example.org", "active": True}

    def answer(asked: Asked) -> Answer:
        if asked.method == "GET" and asked.path.endswith("/Users"):
            return json_answer({"totalResults": 1, "Resources": [user]})
        return Answer(501) if asked.method == "PATCH" else json_answer(user)

    with scripted(answer) as server:
        pushed = world.sync(school("ada"), scim={"base_url": server.url})
    assert pushed.counts["adopt"] == 1
    asked = {one.method: one.path for one in server.asked if not one.path.endswith("Config")}
    assert unquote(asked["PUT"]) == unquote(asked["PATCH"]) == f"/Users/{theirs}"
    assert asked["PUT"].count("/") == 2


def test_a_wrong_token_is_a_sentence_without_the_token(world: World) -> None:
    chosen = settings(world.server, scim={"auth": {"bearer": {"token": {"env": "OTHER"}}}})
    roster = world.roster(school("ada"))
    world.environ["OTHER"] = "not-the-right-one"
    with pytest.raises(TransportError, match=r"does not take the credentials \(401") as refused:
        world.plan(roster, scim=chosen.scim.model_dump(include={"auth"}))
    assert "not-the-right-one" not in str(refused.value)


def test_a_token_that_is_not_there_is_named_by_its_variable(world: World) -> None:
    with pytest.raises(TransportError, match="environment variable NOWHERE is not set"):
        world.plan(school("ada"), scim={"auth": {"bearer": {"token": {"env": "NOWHERE"}}}})


def test_an_address_that_is_not_scim_is_said_to_be_none(world: World) -> None:
    with web_page() as url, pytest.raises(TransportError, match=r"does not speak SCIM 2\.0"):
        world.plan(school("ada"), scim={"base_url": url})


def test_a_wrong_path_is_said_to_be_one(world: World) -> None:
    wrong = {"base_url": f"{world.server.url}/nothing"}
    with pytest.raises(TransportError, match=r"cannot be searched \(status 404\)"):
        world.plan(school("ada"), scim=wrong)


def test_a_provider_that_is_not_there_is_said_to_be_none_and_nothing_is_remembered(
    world: World,
) -> None:
    with pytest.raises(TransportError, match="refuses connections"):
        world.sync(school("ada"), scim={"base_url": "http://127.0.0.1:9/v2"})
    assert world.accounts == {}


def test_a_server_that_asks_for_patience_is_given_it(world: World) -> None:
    world.server.faults.unavailable_after = 1
    world.server.faults.retry_after = 3
    with pytest.raises(BrokenOff):
        world.sync(school("ada", "ben"))
    assert 3 in world.slept


def test_no_text_of_ours_holds_a_name_or_a_token(world: World) -> None:
    plan = world.plan(school("ada"))
    for text in (repr(plan), repr(plan.actions), str(plan.counts()), repr(settings(world.server))):
        assert "ada" not in text.casefold()
        assert TOKEN not in text


@contextmanager
def web_page() -> Iterator[str]:
    """A web server that answers everything with a page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>Welcome</html>")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
