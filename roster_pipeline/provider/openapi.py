"""The provider's own OpenAPI document: what it serves, where, to whom and in which shape.

1.2 says where to publish it (Rostering Binding 1.2, section on service discovery). Everything in
it comes from `listing`, `access`, `problems` and the columns of the standard.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from roster_pipeline.oneroster.entities import Kind
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_records import SINGULAR, selectable
from roster_pipeline.provider.access import NAMES, scope, scopes_for
from roster_pipeline.provider.filters import fields_of
from roster_pipeline.provider.listing import PATHS, RELATED
from roster_pipeline.provider.problems import Problem, status_of
from roster_pipeline.provider.query import DEFAULT_LIMIT, LARGEST
from roster_pipeline.provider.schemas import GUID, Schema, component, reference_to, schemas

DISCOVERY: Final[Mapping[Version, tuple[str, ...]]] = {
    Version.V1P2: tuple(
        f"/ims/oneroster/rostering/v1p2/discovery/{name}"
        # The binding's text has one name, its conformance guide another.
        for name in (
            "onerosterv1p2rostersservice_openapi3_v1p0.json",
            "imsorv1p2_rostering_openapi3_v1p0.json",
        )
    ),
    # 1.1 has no discovery: this address is our own choice.
    Version.V1P1: ("/openapi/onerosterv1p1_openapi3.json",),
}
"""Where the document of each version is."""

_OAUTH2: Final = "OAuth2CC"
_OAUTH1: Final = "OAuth1"
_LISTS: Final = (Kind.REFERENCES, Kind.STRINGS, Kind.USER_IDS)
_OF_QUERIES: Final = (
    Problem.FILTER,
    Problem.SELECTION,
    Problem.SORT,
    Problem.LIMIT,
    Problem.OFFSET,
)
_OF_ALL: Final = (Problem.UNAUTHORISED, Problem.FORBIDDEN, Problem.INTERNAL)


def document(version: Version, *, server: str, token_url: str) -> Mapping[str, Any]:
    """The OpenAPI 3.0 document of a version's rostering service that begins at `server`."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"OneRoster {version} rostering",
            "version": f"{version}",
            "description": "Read-only. With `fields` an object has the properties named only.",
        },
        "servers": [{"url": server}],
        "tags": [{"name": "OneRoster rostering"}],
        "paths": {path: {"get": operation} for path, operation in _operations(version)},
        "components": {
            "securitySchemes": _schemes(version, token_url),
            "schemas": schemas(version),
        },
    }


def _operations(version: Version) -> Iterator[tuple[str, Schema]]:
    for step, collection in PATHS.items():
        yield f"/{step}", _collection((step,), version)
        one = _answer(collection.entity, SINGULAR[collection.entity], many=False)
        parameters = [_in_path("sourcedId"), _fields(collection.entity, version)]
        problems = (Problem.SELECTION, Problem.UNKNOWN)
        yield (
            f"/{step}/{{sourcedId}}",
            _operation(f"get{_word(step)}", (step, ""), parameters, one, problems, version),
        )
    for steps in RELATED:
        ids = [f"{_singular(step)}SourcedId" for step in steps[:-1]]
        named = [f"{{{name}}}" for name in ids]
        pieces = [p for pair in zip_longest(steps, named) for p in pair if p is not None]
        yield "/" + "/".join(pieces), _collection(steps, version, ids)


def _collection(steps: Sequence[str], version: Version, ids: Sequence[str] = ()) -> Schema:
    """The operation that lists what the last of the steps names."""
    listed, holders = steps[-1], steps[:-1]
    entity = PATHS[listed].entity
    within = "In".join(_word(step) for step in reversed(holders))
    return _operation(
        f"get{_upper(listed)}For{within}" if holders else f"getAll{_upper(listed)}",
        (*steps, *ids),
        [*map(_in_path, ids), *_paging(), *_choosing(entity, version), _fields(entity, version)],
        _answer(entity, entity, many=True),
        (*_OF_QUERIES, *((Problem.UNKNOWN,) if holders else ())),
        version,
    )


def _operation(
    name: str,
    steps: Sequence[str],
    parameters: Sequence[Schema],
    answer: Schema,
    problems: Sequence[Problem],
    version: Version,
) -> Schema:
    refused = {status_of(problem, version) for problem in (*problems, *_OF_ALL)}
    needed = [scope(version, each) for each in scopes_for(steps)]
    security: list[dict[str, list[str]]] = [{_OAUTH2: [each]} for each in needed]
    if version is Version.V1P1:
        security.append({_OAUTH1: []})
    return {
        "operationId": name,
        "tags": ["OneRoster rostering"],
        "parameters": list(parameters),
        "responses": {"200": answer, **{str(status): _REFUSED for status in sorted(refused)}},
        "security": security,
    }


# ---- parameters ----


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": GUID}


def _paging() -> list[Schema]:
    return [
        _in_query(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": DEFAULT_LIMIT},
            "The most records of a page. A page may have fewer.",
        ),
        _in_query(
            "offset",
            {"type": "integer", "minimum": 0, "maximum": LARGEST, "default": 0},
            "How many records to leave out at the beginning.",
        ),
    ]


def _choosing(entity: str, version: Version) -> list[Schema]:
    fields = fields_of(entity, version, ())
    sortable = sorted(name for name, column in fields.items() if column.kind not in _LISTS)
    return [
        _in_query("sort", {"type": "string"}, f"One of {', '.join(sortable)}, metadata.NAME."),
        _in_query("orderBy", {"type": "string", "enum": ["asc", "desc"], "default": "asc"}),
        _in_query(
            "filter",
            {"type": "string"},
            "NAME OPERATOR 'VALUE', at most two of them joined by AND or OR. Operators are = != > "
            ">= < <= ~ (contains); a quote in a value is doubled.",
        ),
    ]


def _fields(entity: str, version: Version) -> Schema:
    names = {"type": "string", "enum": list(selectable(entity, version))}
    wanted = {"type": "array", "items": names, "minItems": 1}
    said = _in_query("fields", wanted, "The properties wanted, separated by commas.")
    return {**said, "style": "form", "explode": False}


def _in_query(name: str, schema: Schema, description: str = "") -> Schema:
    said = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": False, **said, "schema": schema}


# ---- answers ----


def _answer(entity: str, wrapper: str, *, many: bool) -> Schema:
    found = reference_to(component(entity))
    inside = {"type": "array", "items": found} if many else found
    schema = {
        "type": "object",
        "properties": {wrapper: inside},
        "required": [wrapper],
        "additionalProperties": False,
    }
    return {
        "description": "A page of records." if many else "The record.",
        **({"headers": _HEADERS} if many else {}),
        "content": {"application/json": {"schema": schema}},
    }


_HEADERS: Final[Schema] = {
    "X-Total-Count": {
        "description": "How many records there are on all pages.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Link": {
        "description": "The first, last, next and previous page (RFC 8288).",
        "required": True,
        "schema": {"type": "string"},
    },
}
_REFUSED: Final[Schema] = {
    "description": "Why there is no answer.",
    "content": {"application/json": {"schema": reference_to("Refusal")}},
}


# ---- who may ask ----


def _schemes(version: Version, token_url: str) -> Schema:
    scopes = {scope(version, name): f"Read what {name} opens." for name in NAMES}
    flow = {"tokenUrl": token_url, "scopes": scopes}
    oauth2 = {_OAUTH2: {"type": "oauth2", "flows": {"clientCredentials": flow}}}
    if version is Version.V1P2:
        return oauth2
    signed = "OAuth 1.0a without a token: each request is signed (RFC 5849)."
    return {**oauth2, _OAUTH1: {"type": "http", "scheme": "OAuth", "description": signed}}


# ---- words ----


def _singular(step: str) -> str:
    return SINGULAR.get(step, step.removesuffix("s"))


def _word(step: str) -> str:
    return _upper(_singular(step))


def _upper(word: str) -> str:
    return word[0].upper() + word[1:]
