"""What may be sent of a person, and where SCIM keeps it.

A person's `Content` is flat: our names of fields to text, an empty one left out. SCIM's shape of
the same is made and read here only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Content = Mapping[str, str]

USER_NAME: Final = "userName"
EXTERNAL_ID: Final = "externalId"
ACTIVE: Final = "active"

_ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
_EMAILS: Final = "emails"

# RFC 7643, sections 4.1 and 4.3. No password and no telephone number is among them.
FIELDS: Final[Mapping[str, str]] = {
    "givenName": "name.givenName",
    "familyName": "name.familyName",
    "middleName": "name.middleName",
    "preferredGivenName": "nickName",
    "displayName": "displayName",
    "email": _EMAILS,
    "role": "userType",
    "identifier": f"{_ENTERPRISE}:employeeNumber",
    "school": f"{_ENTERPRISE}:organization",
}
"""Field → SCIM attribute. Most are columns of users; `role` is the product's role, `displayName`
the given and the family name, `school` the name of the org where the person has that role."""

PATHS: Final = {USER_NAME: USER_NAME, EXTERNAL_ID: EXTERNAL_ID, **FIELDS}


def content_hash(content: Content) -> str:
    """SHA-256 of a person's content; equal for equal content in any order."""
    text = json.dumps(dict(content), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resource_of(content: Content, *, active: bool) -> dict[str, Any]:
    """A person as a SCIM User."""
    user: dict[str, Any] = {"schemas": [_USER], ACTIVE: active}
    for name, value in content.items():
        holder, key = _holder(user, PATHS[name])
        holder[key] = _value(name, value)
    if _ENTERPRISE in user:
        user["schemas"].append(_ENTERPRISE)
    return user


def content_of(user: Mapping[str, Any]) -> dict[str, str]:
    """What a provider's User says, as far as it is ours to send. Never raises on odd values."""
    found = {name: _text(_read(user, path)) for name, path in PATHS.items()}
    return {name: text for name, text in found.items() if text}


def operations(
    content: Content, fields: Sequence[str], *, active: bool | None, clear: bool
) -> Iterator[tuple[str, str, Any]]:
    """The PATCH operations (op, path, value) that bring an account to a content.

    Attributes that are not among `fields` stay as the provider has them; with `clear`, those that
    are and have no value are removed.
    """
    for name in (USER_NAME, EXTERNAL_ID, *fields):
        if name in content:
            yield "replace", PATHS[name], _value(name, content[name])
        elif clear:
            yield "remove", PATHS[name], None
    if active is not None:
        yield "replace", ACTIVE, active


def merged(user: Mapping[str, Any], changes: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    """A User after some operations, for a provider that takes no PATCH."""
    result: dict[str, Any] = json.loads(json.dumps(user))
    for op, path, value in changes:
        holder, key = _holder(result, path)
        if op == "remove":
            holder.pop(key, None)
        else:
            holder[key] = value
    return result


def _value(name: str, text: str) -> Any:
    if PATHS[name] == _EMAILS:
        return [{"value": text, "type": "work", "primary": True}]
    return text


def _holder(user: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object in which a path's last name lies, made where there is none, and that name."""
    if path.startswith(_ENTERPRISE):
        return user.setdefault(_ENTERPRISE, {}), path.removeprefix(f"{_ENTERPRISE}:")
    outer, dot, inner = path.partition(".")
    return (user.setdefault(outer, {}), inner) if dot else (user, outer)


def _read(user: Mapping[str, Any], path: str) -> Any:
    if path == _EMAILS:
        return _email(user.get(_EMAILS))
    if path.startswith(_ENTERPRISE):
        outer, inner = _ENTERPRISE, path.removeprefix(f"{_ENTERPRISE}:")
    else:
        outer, _, inner = path.partition(".")
    value = user.get(outer)
    if not inner:
        return value
    return value.get(inner) if isinstance(value, Mapping) else None


def _email(emails: Any) -> Any:
    """The primary address, else the first of type work, else the first."""
    if not isinstance(emails, list):
        return None
    known = [email for email in emails if isinstance(email, Mapping)]
    order = sorted(known, key=lambda e: (e.get("primary") is not True, e.get("type") != "work"))
    return order[0].get("value") if order else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
