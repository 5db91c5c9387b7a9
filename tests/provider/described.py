"""The provider's answers beside the OpenAPI document that it publishes."""

import json
from functools import cache
from typing import Any, Final

import requests
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.provider.app import BASES
from roster_pipeline.provider.openapi import document

# What is asked for by mistake is refused in other tests: here an unknown parameter may be ignored.
AS_DESCRIBED: Final[list[CheckFunction]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@cache
def described(version: Version, *, whole: bool = True) -> OpenApiSchema:
    """The document of a version; where not `whole`, objects may lack what they must have, as they
    do if `fields` names something else."""
    server = f"https://sis.example{BASES[version]}"
    text = json.dumps(document(version, server=server, token_url="https://sis.example/token"))
    made: dict[str, Any] = json.loads(text)
    if not whole:
        for name, schema in made["components"]["schemas"].items():
            if name != "Refusal":
                schema.pop("required", None)
    return from_dict(made)


def judge(response: requests.Response, path: str, version: Version) -> None:
    """Fail unless an answer is as the document says. `path` is what follows the base, encoded."""
    whole = "fields=" not in (response.request.url or "")
    operation = described(version, whole=whole).find_operation_by_path("GET", f"/{path}")
    if operation is None:
        assert response.status_code == 404
        return
    steps = zip(operation.path.strip("/").split("/"), path.split("/"), strict=True)
    ids = {step.strip("{}"): said for step, said in steps if step.startswith("{")}
    operation.Case(path_parameters=ids).validate_response(response, checks=AS_DESCRIBED)
