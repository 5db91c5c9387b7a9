"""What the provider's objects look like, as JSON Schema, out of the columns of the standard.

Only what is always true is promised: an object has what its table must have, and no word that is
not of its vocabulary. Where the binding asks for more than the tables do (`courseCode`), it is
there if the district's system gave it.
"""

from collections.abc import Mapping
from typing import Any, Final

from roster_pipeline.oneroster.entities import (
    BULK_BLANK,
    DATETIME,
    EXTENSION,
    SECRET,
    YEAR,
    Column,
    Kind,
    Required,
)
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.rest_json import COLLECTIONS, property_of
from roster_pipeline.oneroster.rest_records import SINGULAR
from roster_pipeline.provider.problems import Problem

Schema = dict[str, Any]

GUID: Final[Schema] = {"type": "string", "pattern": "^[0-9A-Za-z._/@-]{1,255}$"}
_STRING: Final[Schema] = {"type": "string", "minLength": 1}
_URI: Final[Schema] = {"type": "string", "format": "uri"}
_PLAIN: Final[Mapping[Kind, Schema]] = {
    Kind.GUID: GUID,
    Kind.STRING: _STRING,
    Kind.STRINGS: {"type": "array", "items": {"type": "string"}},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time", "pattern": DATETIME},
    Kind.YEAR: {"type": "string", "pattern": YEAR},
}
_BASE: Final = ("sourcedId", *BULK_BLANK)
# What an object within a user does not say again, or says in its own way.
_NOT_WITHIN: Final = (*_BASE, "userSourcedId", "userProfileSourcedId", *SECRET)
_CREDENTIAL: Final = ("credentialType", "username")


def component(entity: str) -> str:
    """What the schema of an entity's objects is called: `AcademicSession`."""
    word = SINGULAR[entity]
    return word[0].upper() + word[1:]


def reference_to(name: str) -> Schema:
    """A schema that is another one, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(version: Version) -> dict[str, Schema]:
    """All schemas of a version by name: of objects, of references to them, of a refusal."""
    found = {component(entity): _record(entity, version) for entity in COLLECTIONS}
    found |= {f"{component(entity)}Ref": _reference(entity) for entity in COLLECTIONS}
    found["UserId"] = _closed({"type": _STRING, "identifier": _STRING}, ("type", "identifier"))
    found["Metadata"] = {"type": "object", "additionalProperties": _STRING}
    if version is Version.V1P2:
        found |= {"Role": _role(), "UserProfile": _profile()}
    found["Refusal"] = _REFUSALS[version]()
    return found


def _record(entity: str, version: Version) -> Schema:
    columns = [column for column in tables(version)[entity] if column.name not in SECRET]
    properties = {property_of(column): _property(column) for column in columns}
    required = [
        property_of(column)
        for column in columns
        if column.name in BULK_BLANK or _is_always_there(column, entity, version)
    ]
    if entity == "users" and version is Version.V1P2:
        properties |= {name: _list_of(reference_to(name_of)) for name, name_of in _WITHIN.items()}
        required.append("roles")
    return _closed({**properties, "metadata": reference_to("Metadata")}, required)


_WITHIN: Final = {"roles": "Role", "userProfiles": "UserProfile"}


def _is_always_there(column: Column, entity: str, version: Version) -> bool:
    if column.required is not Required.ALWAYS:
        return False
    # 1.1 has no word for what a roster of 1.2 may say in words of its own.
    newer = {c.name: c for c in tables(Version.V1P2)[entity]}.get(column.name, column)
    return version is Version.V1P2 or not newer.extensible


def _property(column: Column) -> Schema:
    if column.words:
        return _words(column)
    if column.kind is Kind.USER_IDS:
        return _list_of(reference_to("UserId"))
    if column.kind in (Kind.REFERENCE, Kind.REFERENCES) and column.name != "sourcedId":
        found = reference_to(f"{component(column.target or '')}Ref")
        return found if column.kind is Kind.REFERENCE else _list_of(found)
    return GUID if column.kind is Kind.REFERENCE else _PLAIN[column.kind]


def _words(column: Column) -> Schema:
    known = {"type": "string", "enum": list(column.words)}
    if not column.extensible:
        return known
    return {"anyOf": [known, {"type": "string", "pattern": f"^{EXTENSION}$"}]}


def _reference(entity: str) -> Schema:
    kind = {"type": "string", "enum": [SINGULAR[entity]]}
    return _closed({"href": _URI, "sourcedId": GUID, "type": kind}, ("href", "sourcedId", "type"))


def _role() -> Schema:
    return _within("roles", {"userProfile": _URI})


def _profile() -> Schema:
    columns = {column.name: column for column in tables(Version.V1P2)["userProfiles"]}
    login = {property_of(columns[name]): _STRING for name in _CREDENTIAL}
    credentials = {**_list_of(_closed(login, tuple(login))), "minItems": 1}
    return _within(
        "userProfiles",
        {"profileId": _URI, "credentials": credentials},
        but=_CREDENTIAL,
        required=("profileId", "credentials"),
    )


def _within(
    entity: str,
    more: Mapping[str, Schema],
    *,
    but: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
) -> Schema:
    """The schema of an object within a user: the columns of its table, and what is its own."""
    left_out = (*_NOT_WITHIN, *but)
    columns = [c for c in tables(Version.V1P2)[entity] if c.name not in left_out]
    always = [property_of(c) for c in columns if c.required is Required.ALWAYS]
    own = {property_of(column): _property(column) for column in columns}
    return _closed({**own, **more}, (*always, *required))


def _refusal_1p2() -> Schema:
    said = sorted({problem.value.v1p2 for problem in Problem})
    field = _closed(
        {
            "imsx_codeMinorFieldName": _STRING,
            "imsx_codeMinorFieldValue": {"type": "string", "enum": said},
        },
        ("imsx_codeMinorFieldName", "imsx_codeMinorFieldValue"),
    )
    fields = {**_list_of(field), "minItems": 1}
    minor = _closed({"imsx_codeMinorField": fields}, ("imsx_codeMinorField",))
    return _closed({**_FAILED, "imsx_CodeMinor": minor}, (*_FAILED, "imsx_CodeMinor"))


def _refusal_1p1() -> Schema:
    said = sorted({problem.value.v1p1 for problem in Problem})
    properties = {
        **_FAILED,
        "imsx_messageRefIdentifier": {"type": "string", "format": "uuid"},
        "imsx_codeMinor": {"type": "string", "enum": said},
    }
    entries = {**_list_of(_closed(properties, tuple(properties))), "minItems": 1}
    return _closed({"statusInfoSet": entries}, ("statusInfoSet",))


_FAILED: Final[Mapping[str, Schema]] = {
    "imsx_codeMajor": {"type": "string", "enum": ["failure"]},
    "imsx_severity": {"type": "string", "enum": ["error"]},
    "imsx_description": _STRING,
}
_REFUSALS: Final = {Version.V1P2: _refusal_1p2, Version.V1P1: _refusal_1p1}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _closed(properties: Mapping[str, Schema], required: tuple[str, ...] | list[str]) -> Schema:
    """An object with no other properties than these."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
