"""A small district served over loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.simulator.rest_server import RestServer
from tests.provider.described import judge
from tests.small import district, packed

SECRET = "sesame"
BEARER = "forever"
Ask = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    files = district()
    files["orgs"] += [{"sourcedId": "s/2", "name": "Annex", "type": "school"}]
    files["academicSessions"] += [
        {"sourcedId": "g1", "title": "Q1", "type": "gradingPeriod", "startDate": "2026-08-20",
         "endDate": "2026-10-20", "parentSourcedId": "t1", "schoolYear": "2027"}
    ]  # fmt: skip
    files["classes"][0]["subjects"] = "Math,Science"
    files["users"][0] |= {"userIds": "{SIS:7},{LDAP:ada}", "metadata.bus": "12"}
    files["roles"] += [
        {"sourcedId": "r6", "userSourcedId": "u5", "roleType": "secondary", "role": "counselor",
         "orgSourcedId": "d1"},
    ]  # fmt: skip
    files["users"] += [
        {"sourcedId": "u6", "enabledUser": "true", "username": "u6", "givenName": "Jo",
         "familyName": "Ek"}
    ]  # fmt: skip
    files["roles"] += [
        {"sourcedId": "r7", "userSourcedId": "u6", "roleType": "primary", "role": "counselor",
         "orgSourcedId": "s1"}
    ]  # fmt: skip
    files["demographics"] = [{"sourcedId": "u1", "sex": "unspecified", "cityOfBirth": "Oslo"}]
    export: Path = tmp_path_factory.mktemp("export") / "export.zip"
    export.write_bytes(packed(files))
    with RestServer(export, clients={"roster": SECRET}, bearers=[BEARER]) as running:
        yield running


@pytest.fixture
def ask(server: RestServer) -> Ask:
    """Ask for a path of a version, with a static token. Every answer must be as described."""

    def get(
        path: str, version: Version = Version.V1P2, token: str = BEARER, **parameters: Any
    ) -> requests.Response:
        answer = requests.get(
            f"{server.base_url(version)}/{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
        )
        judge(answer, path, version)
        return answer

    return get
