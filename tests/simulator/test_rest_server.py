"""The REST server of the simulator: a whole district, and each accent."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from roster_pipeline.oneroster.entities import BULK_BLANK, ENTITIES
from roster_pipeline.oneroster.layout import RosterError
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.rest_json import COLLECTIONS, collection_of, rows_of
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.provider.access import DEMOGRAPHICS
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.district import Day
from roster_pipeline.simulator.rest_server import Accents, RestServer
from tests.small import district, packed

SECRET = "sesame"
BEARER = {"Authorization": "Bearer forever"}


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "small.zip"
    path.write_bytes(packed(district()))
    return path


@pytest.fixture
def accents() -> Accents:
    return Accents()


@pytest.fixture
def server(export: Path, accents: Accents) -> Iterator[RestServer]:
    with RestServer(export, accents, clients={"roster": SECRET}, bearers=["forever"]) as running:
        yield running


def get(server: RestServer, path: str = "users", **parameters: Any) -> requests.Response:
    url = f"{server.base_url()}/{path}"
    return requests.get(url, parameters, headers=BEARER, timeout=5)


def names(answer: requests.Response) -> list[str]:
    return [record["sourcedId"] for record in next(iter(answer.json().values()))]


def pulled(server: RestServer, collection: str, version: Version, limit: int) -> list[Any]:
    found: list[Any] = []
    with requests.Session() as session:
        session.headers.update(BEARER)
        url = f"{server.base_url(version)}/{collection}"
        while True:
            page = session.get(url, params={"limit": limit, "offset": len(found)}, timeout=20)
            some = page.json()[collection]
            if not some:
                return found
            found += some


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Filled columns but for those that differ between a file and a server, in one order."""
    kept = frame.drop(columns=[name for name in BULK_BLANK if name in frame.columns])
    kept = kept.drop(columns=[name for name in kept.columns if kept[name].isna().all()])
    return kept.sort_values(list(kept.columns), ignore_index=True)


def test_a_whole_district_comes_over_rest_as_it_is_in_its_package(
    first_day: Day, tmp_path: Path
) -> None:
    export = tmp_path / "export.zip"
    first_day.write_package(export)
    with open_package(export) as package:
        candidate = build_candidate(package, None, tmp_path / "roster")
    assert isinstance(candidate.roster, Roster)
    with RestServer(export, clients={}, bearers=["forever"]) as server:
        records = {name: pulled(server, name, Version.V1P2, 777) for name in COLLECTIONS}
    for entity in ENTITIES:
        read = rows_of(records[collection_of(entity)], entity, Version.V1P2).frame
        expected = candidate.roster.frame(entity)
        if entity == "roles":
            read, expected = read.drop(columns="sourcedId"), expected.drop(columns="sourcedId")
        pd.testing.assert_frame_equal(cells(read), cells(expected))


def test_a_1_1_export_is_served_in_both_versions(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    export.write_bytes(packed(district("1.1"), version="1.1"))
    with RestServer(export, clients={}, bearers=["forever"]) as server:
        older = pulled(server, "users", Version.V1P1, 2)
        newer = pulled(server, "users", Version.V1P2, 2)
    assert [user["role"] for user in older] == [
        "student", "student", "student", "teacher", "administrator"
    ]  # fmt: skip
    assert [user["roles"][0]["role"] for user in newer] == [
        "student", "student", "student", "teacher", "siteAdministrator"
    ]  # fmt: skip


def test_a_new_export_is_seen_by_the_next_request(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    files = district()
    export.write_bytes(packed(files))
    with RestServer(export, clients={}, bearers=["forever"]) as server:
        assert len(names(get(server))) == 5
        files["users"].append({**files["users"][0], "sourcedId": "u9", "username": "u9"})
        (tmp_path / "next.zip").write_bytes(packed(files))
        (tmp_path / "next.zip").replace(export)
        assert len(names(get(server))) == 6
        export.write_bytes(b"half a zip")
        assert get(server).status_code == 500


def test_a_server_may_wait_for_its_export(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    with RestServer(export, clients={}, bearers=["forever"]) as server:
        assert get(server).status_code == 503
        export.write_bytes(packed(district()))
        assert len(names(get(server))) == 5


def test_an_export_that_is_no_roster_is_refused_at_the_start(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    export.write_bytes(packed({"orgs": district()["orgs"]}))
    with pytest.raises(RosterError, match=r"export\.zip cannot be served: .*no_file"):
        RestServer(export, clients={}).start()


@pytest.mark.parametrize("accents", [Accents(clamp=2)])
def test_clamped_pages_are_shorter_than_asked_for(server: RestServer) -> None:
    assert names(get(server, limit=1000)) == ["u1", "u2"]
    assert get(server, limit=1000).links["next"]["url"].endswith("limit=2&offset=2")


def test_headers_and_links_may_be_missing_or_lead_elsewhere(
    server: RestServer, accents: Accents
) -> None:
    assert get(server, limit=2).links["next"]["url"].startswith(server.url)
    accents.no_next = True
    assert set(get(server, limit=2).links) == {"first", "last"}
    accents.next_host = True
    assert get(server, limit=2).links["next"]["url"].startswith("http://192.0.2.1/ims/")
    accents.no_headers = True
    headers = get(server, limit=2).headers
    assert "Link" not in headers
    assert "X-Total-Count" not in headers


def test_a_collection_may_be_missing_empty_or_a_web_page(
    server: RestServer, accents: Accents
) -> None:
    accents.missing, accents.empty, accents.html = "orgs", "users", "courses"
    assert get(server, "orgs").status_code == 404
    assert get(server).json() == {"users": []}
    page = get(server, "courses")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert names(get(server, "classes")) == ["cl1", "cl2"]


def test_a_page_may_come_for_ever(server: RestServer, accents: Accents) -> None:
    accents.repeated = "users"
    assert [names(get(server, limit=2, offset=offset)) for offset in (0, 2, 90)] == [
        ["u1", "u2"]
    ] * 3


def test_records_may_stand_under_another_key(server: RestServer, accents: Accents) -> None:
    accents.wrapper = "items"
    assert list(get(server, "orgs").json()) == ["items"]


@pytest.mark.parametrize("accents", [Accents(forbidden=DEMOGRAPHICS)])
def test_one_scope_may_be_refused(server: RestServer) -> None:
    assert get(server, "demographics").status_code == 403
    assert get(server).status_code == 200


def test_every_so_manieth_request_may_fail_and_then_no_more(
    server: RestServer, accents: Accents
) -> None:
    accents.busy_every, accents.retry_after, accents.times = 2, "0", 2
    answers = [get(server) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 429, 200, 429, 200, 200]
    assert answers[1].headers["Retry-After"] == "0"
    accents.busy_every, accents.broken_every, accents.times = None, 1, 1
    assert [get(server).status_code for _ in range(2)] == [502, 200]


def test_an_answer_may_be_cut_within_its_body(server: RestServer, accents: Accents) -> None:
    accents.cut_every, accents.times = 1, 1
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(server)
    assert get(server).status_code == 200


def test_a_server_may_hang(server: RestServer, accents: Accents) -> None:
    accents.hang_every = 1
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{server.base_url()}/users", headers=BEARER, timeout=(5, 0.2))


def test_tokens_may_be_taken_back_early(server: RestServer, accents: Accents) -> None:
    form = {"grant_type": "client_credentials"}
    token = requests.post(server.token_url, form, auth=("roster", SECRET), timeout=5).json()
    header = {"Authorization": f"Bearer {token['access_token']}"}
    accents.revoke_every = 2
    url = f"{server.base_url()}/users"
    codes = [requests.get(url, headers=header, timeout=5).status_code for _ in range(2)]
    assert codes == [200, 401]


def test_it_keeps_what_was_asked_for(server: RestServer) -> None:
    get(server, limit=2)
    assert server.requests[-1] == "/ims/oneroster/rostering/v1p2/users?limit=2"


def test_it_can_be_started_as_a_program(export: Path) -> None:
    command = [sys.executable, "-m", "roster_pipeline.simulator.rest_server"]
    with subprocess.Popen(
        [*command, "--export", str(export), "--clamp", "2"],
        stdout=subprocess.PIPE,
        env={**os.environ, "ROSTER_REST_SECRET": SECRET},
    ) as program:
        assert program.stdout is not None
        place = json.loads(program.stdout.readline())
        form = {"grant_type": "client_credentials"}
        token = requests.post(place["token_url"], form, auth=("roster", SECRET), timeout=5).json()
        header = {"Authorization": f"Bearer {token['access_token']}"}
        url = f"{place['url']}/ims/oneroster/v1p1/users"
        assert names(requests.get(url, headers=header, timeout=5)) == ["u1", "u2"]
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
