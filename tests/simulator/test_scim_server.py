"""The loopback SCIM server: it is one, and it keeps what it has."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from scim2_client import BaseSyncSCIMClient
from scim2_client.client import BASE_HEADERS
from scim2_tester import Status, check_server

from roster_pipeline.simulator.scim_server import Faults, ScimServer

TOKEN = "a-token"


class Client(BaseSyncSCIMClient):
    """A client over plain requests, for the tester."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        headers = {**BASE_HEADERS, **kwargs.pop("headers", {}), "Authorization": f"Bearer {TOKEN}"}
        return requests.request(method, f"{self.url}{url}", headers=headers, timeout=20, **kwargs)


def test_it_passes_the_tests_of_service_providers() -> None:
    with ScimServer(TOKEN) as server:
        client = Client(server.url)
        client.discover()
        results = check_server(client)
    failed = [
        (result.title, result.reason)
        for result in results
        if result.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert results
    assert failed == []


def test_it_takes_no_other_token() -> None:
    with ScimServer(TOKEN) as server:
        wrong = requests.get(
            f"{server.url}/Users", headers={"Authorization": "Bearer no"}, timeout=20
        )
        assert wrong.status_code == 401


def test_another_server_over_the_same_file_has_the_same_accounts(tmp_path: Path) -> None:
    state = tmp_path / "state" / "scim.jsonl"
    with ScimServer(TOKEN, state=state) as server:
        kept = server.add(user_name="ada@example.org", display_name="Ada")
        gone = server.add(user_name="ben@example.org")
        server.remove(gone)
        before = server.users
    with state.open("a") as file:
        file.write('{"id": "cut off in the mid')
    with ScimServer(TOKEN, state=state) as server:
        assert server.users == before
        assert [user["id"] for user in server.users] == [kept]
        server.add(user_name="cyd@example.org")
        after = server.users
    with ScimServer(TOKEN, state=state) as server:
        assert server.users == after
    assert len(after) == 2


def test_an_account_has_the_same_id_wherever_it_is_made() -> None:
    ids = set()
    for _ in range(2):
        with ScimServer(TOKEN) as server:
            ids.add(server.add(user_name="ada@example.org"))
    assert len(ids) == 1


def test_a_port_can_be_taken_again_at_once(tmp_path: Path) -> None:
    with ScimServer(TOKEN) as server:
        port = int(server.url.split(":")[2].partition("/")[0])
    with ScimServer(TOKEN, port=port) as server:
        assert f":{port}/" in server.url


@pytest.mark.parametrize(
    ("faults", "status"),
    [(Faults(unavailable_after=0, retry_after=7), 503), (Faults(broken_after=0), 500)],
)
def test_what_is_to_go_wrong_goes_wrong(faults: Faults, status: int) -> None:
    with ScimServer(TOKEN, faults=faults) as server:
        answer = requests.post(
            f"{server.url}/Users",
            data=json.dumps({"userName": "ada"}),
            headers={**BASE_HEADERS, "Authorization": f"Bearer {TOKEN}"},
            timeout=20,
        )
        assert answer.status_code == status
        assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)
        assert server.users == []


def test_a_name_that_became_free_makes_an_account_of_its_own() -> None:
    with ScimServer(TOKEN) as server:
        first = server.add(user_name="ada@example.org")
        url = f"{server.url}/Users/{first}"
        patch = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userName", "value": "al@example.org"}],
        }
        headers = {**BASE_HEADERS, "Authorization": f"Bearer {TOKEN}"}
        assert requests.patch(url, json=patch, headers=headers, timeout=20).ok
        second = server.add(user_name="ada@example.org")
        assert {user["id"]: user["userName"] for user in server.users} == {
            first: "al@example.org",
            second: "ada@example.org",
        }
