"""The provider is as the OpenAPI document that it publishes says, whatever it is asked."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jsonschema_rs
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import COLLECTIONS
from roster_pipeline.provider.filters import fields_of
from roster_pipeline.provider.listing import PATHS, RELATED
from roster_pipeline.provider.openapi import DISCOVERY
from roster_pipeline.provider.pages import Pages, Published
from roster_pipeline.provider.query import Op, Query
from roster_pipeline.provider.schemas import component, reference_to
from roster_pipeline.simulator.rest_server import RestServer
from tests.examples import examples
from tests.oneroster.strategies import Frames, rosters, stored
from tests.provider.conftest import BEARER, SECRET, Ask
from tests.provider.described import AS_DESCRIBED, described

NOW: Final = datetime(2026, 8, 22, 6, 0, tzinfo=UTC)
ADDRESSES = [(version, address) for version in Version for address in DISCOVERY[version]]


@pytest.mark.parametrize(("version", "address"), ADDRESSES)
def test_the_document_is_published_to_anybody_and_is_valid(
    server: RestServer, version: Version, address: str
) -> None:
    answer = requests.get(server.url + address, timeout=20)
    assert answer.headers["Content-Type"] == "application/json"
    said = answer.json()
    validate(said)
    assert said["servers"] == [{"url": server.base_url(version)}]
    assert len(said["paths"]) == 2 * len(PATHS) + len(RELATED) == 41
    names = [path["get"]["operationId"] for path in said["paths"].values()]
    assert len(set(names)) == 41
    assert {"getAllGradingPeriods", "getClass", "getStudentsForClassInSchool"} < set(names)


@pytest.mark.parametrize("version", list(Version))
def test_a_client_that_knows_nothing_but_the_document_gets_in_and_reads(
    server: RestServer, version: Version
) -> None:
    said = requests.get(server.url + DISCOVERY[version][0], timeout=20).json()
    flow = said["components"]["securitySchemes"]["OAuth2CC"]["flows"]["clientCredentials"]
    for path in (
        "/users",
        "/users/{sourcedId}",
        "/demographics",
        "/schools/{schoolSourcedId}/terms",
    ):
        (scope,) = said["paths"][path]["get"]["security"][0]["OAuth2CC"]
        assert scope in flow["scopes"]
        form = {"grant_type": "client_credentials", "scope": scope}
        token = requests.post(flow["tokenUrl"], form, auth=("roster", SECRET), timeout=20).json()
        there = path.format(sourcedId="u1", schoolSourcedId="s1")
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        answer = requests.get(said["servers"][0]["url"] + there, headers=headers, timeout=20)
        assert answer.status_code == 200


def test_a_word_of_our_own_is_left_out_of_1_1_and_the_document_says_so() -> None:
    for version, required in ((Version.V1P2, True), (Version.V1P1, False)):
        org = described(version).raw_schema["components"]["schemas"]["Org"]
        assert ("type" in org["required"]) is required
        assert "name" in org["required"]


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("path", ["users", "users/u1", "schools/s1/classes/cl1/students"])
def test_without_a_token_the_answer_is_as_described_too(
    ask: Ask, version: Version, path: str
) -> None:
    assert ask(path, version, token="stale").status_code == 401


def test_a_line_break_in_a_path_is_an_unknown_object_like_others(ask: Ask) -> None:
    assert "unknownobject" in ask("users/u%0A1").text


@settings(max_examples=examples(25))
@given(rosters(max_rows=4))
def test_the_records_of_any_roster_are_as_described(frames: Frames) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pages = Pages(Published(stored(frames, Path(folder) / "roster"), NOW))
        for version in Version:
            for entity in COLLECTIONS:
                page = pages.page(version, "https://sis.example", (entity,), (), Query())
                _validator(entity, version).validate(json.loads(page.body)[entity])


@cache
def _validator(entity: str, version: Version) -> jsonschema_rs.Validator:
    components = described(version).raw_schema["components"]
    schema = {"type": "array", "items": reference_to(component(entity)), "components": components}
    return jsonschema_rs.validator_for(schema, validate_formats=True)


# ---- whatever it is asked ----

IDS = {
    "school": ["s1", "s/2"],
    "class": ["cl1", "cl2"],
    "course": ["co1"],
    "term": ["t1"],
    "user": ["u1", "u4", "u6"],
    "student": ["u1", "u3"],
    "teacher": ["u4"],
    "sourcedId": ["d1", "s1", "s/2", "y1", "t1", "g1", "co1", "cl1", "u1", "u4", "u6", "e1"],
}
OF_ROLES = {
    Version.V1P2: ["roles.role", "roles.beginDate", "roles.org.sourcedId"],
    Version.V1P1: ["role", "orgs.sourcedId"],
}
TEXTS = st.sampled_from(["u1", "s1", "student", "2026-11-02", "true", "", "Zoë"]) | st.text(
    st.characters(codec="utf-8"), max_size=8
)


@st.composite
def filters(draw: st.DrawFn, names: list[str]) -> str:
    """A filter of the standard's grammar."""
    clauses = [
        f"{draw(st.sampled_from(names))}{draw(st.sampled_from(list(Op)))}"
        f"'{draw(TEXTS).replace(chr(39), chr(39) * 2)}'"
        for _ in range(draw(st.integers(1, 2)))
    ]
    return draw(st.sampled_from([" AND ", " OR "])).join(clauses)


def sensible(
    case: Case[Any], version: Version, draw: Callable[[st.SearchStrategy[Any]], Any]
) -> None:
    """Have a request ask for records that are there, by properties that they have, for the most
    part: what is made up is refused before it comes to anything."""
    for name in case.path_parameters:
        if draw(st.integers(0, 3)):
            known = IDS[name.removesuffix("SourcedId") if name != "sourcedId" else name]
            case.path_parameters[name] = quote(draw(st.sampled_from(known)), safe="")
    listed = case.operation.path.rpartition("/")[2]
    if listed not in PATHS:
        return
    entity = PATHS[listed].entity
    names = sorted(fields_of(entity, version, ("metadata.bus",)))
    if entity == "users":
        names += OF_ROLES[version]
    if draw(st.booleans()):
        case.query["filter"] = draw(filters(names))
    if draw(st.booleans()):
        case.query["sort"] = draw(st.sampled_from(names))


@pytest.mark.hypothesis  # of the properties that `make soak` tries more often
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("version", list(Version))
def test_whatever_is_asked_the_answer_is_as_described(
    server: RestServer, version: Version, mode: GenerationMode
) -> None:
    met: set[int] = set()

    @settings(max_examples=examples(40))
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(described(version, whole=False).as_strategy(mode))
        sensible(case, version, data.draw)
        answer = case.call(
            server.base_url(version), session, headers={"Authorization": f"Bearer {BEARER}"}
        )
        met.add(answer.status_code)
        case.validate_response(answer, checks=AS_DESCRIBED)
        if answer.status_code == 200 and "fields" not in case.query:
            operation = described(version).find_operation_by_label(case.operation.label)
            assert operation is not None
            operation.validate_response(answer)

    with requests.Session() as session:
        ask()
    assert {200, 400, 404} <= met
