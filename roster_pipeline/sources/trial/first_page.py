"""The first page of a collection, and what can be told from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

from roster_pipeline.oneroster.entities import Kind, Required, columns
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import property_of
from roster_pipeline.sources.json_page import records_in
from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.transport.errors import Busy
from roster_pipeline.transport.http import HttpSession
from roster_pipeline.transport.http_status import said

RECORDS: Final = 5
"""How many are asked for."""

# Where a user's roles stand in each version.
ROLES: Final = {Version.V1P1: "role", Version.V1P2: "roles"}
_REFERENCES: Final = (Kind.REFERENCE, Kind.REFERENCES)
# Required in a CSV file, and optional in an answer (Rostering Binding 1.2).
_MAY_LACK: Final = {"courses": ("org",)}


@dataclass(frozen=True)
class FirstPage:
    """The first records of a collection."""

    collection: str
    records: Sequence[Any]
    total: int | None
    """How many there are in all, as the server says; None where it does not."""


def first_page(session: HttpSession, rest: Rest, collection: str) -> FirstPage:
    """The first page of a collection, of all endpoints that hold it together.

    Raises `PullError` and `TransportError`.
    """
    pages = [
        _page_of(session, rest, collection, endpoint)
        for endpoint in rest.made_of.get(collection, (collection,))
    ]
    totals = [page.total for page in pages if page.total is not None]
    records = [record for page in pages for record in page.records]
    return FirstPage(collection, records, sum(totals) if len(totals) == len(pages) else None)


def is_there(session: HttpSession, url: str) -> bool:
    """Whether there are orgs below another address of the same host."""
    response = session.request("GET", f"{url}/orgs", params={"limit": 1})
    if response.status_code != requests.codes.ok:
        return False
    try:
        return _records(response, ("orgs", "org", "school")) is not None
    except (ValueError, RecursionError):
        return False


def wrong_shape(page: FirstPage, version: Version) -> str | None:
    """What keeps the records of a page from being used, in a sentence; None where nothing does."""
    collection, records = page.collection, page.records
    objects = [record for record in records if isinstance(record, Mapping)]
    if len(objects) < len(records):
        return f"{collection}: not every record is an object."
    if without := sum(not record.get("sourcedId") for record in objects):
        return f"{collection}: {without} of {len(objects)} records have no `sourcedId`."
    if collection == "users" and (wrong := _wrong_roles(objects, version)):
        return wrong
    for name in _needed(collection):
        if objects and not any(record.get(name) for record in objects):
            return f"{collection}: no record has `{name}`, without which it cannot be used."
    return None


def _wrong_roles(users: Sequence[Mapping[str, Any]], version: Version) -> str | None:
    ours = ROLES[version]
    if not users or any(user.get(ours) for user in users):
        return None
    for other, name in ROLES.items():
        if other is not version and any(user.get(name) for user in users):
            return (
                f"users: they have `{name}`, as OneRoster {other} has it, and no `{ours}`. Say "
                f'`version: "{other}"`.'
            )
    return f"users: no record has `{ours}`, so nobody would have a role. Ask the server's owner."


def _needed(collection: str) -> list[str]:
    """The references that every record of a collection has."""
    return [
        property_of(column)
        for column in columns(collection)
        if column.kind in _REFERENCES
        and column.required is Required.ALWAYS
        and property_of(column) not in _MAY_LACK.get(collection, ())
    ]


def _page_of(session: HttpSession, rest: Rest, collection: str, endpoint: str) -> FirstPage:
    parameters: dict[str, str | int] = {
        **rest.parameters,
        "limit": min(RECORDS, rest.limit),
        "offset": 0,
    }
    response = session.request("GET", endpoint, params=parameters)
    place, status = session.place(endpoint), response.status_code
    if status == requests.codes.not_found:
        raise PullError("no_collection", f"{place} is not there ({said(status)}).")
    if status >= requests.codes.internal_server_error:
        raise Busy(f"{place} fails ({said(status)}). Ask the server's owner.")
    if status == requests.codes.no_content:
        return FirstPage(collection, (), 0)
    if status != requests.codes.ok:
        raise PullError(
            "refused",
            f"{place} refuses the request ({said(status)}). Check `parameters` and `limit`.",
        )
    names = (collection, *rest.wrappers.get(collection, ()), endpoint)
    try:
        records = _records(response, names)
    except (ValueError, RecursionError):
        raise PullError(
            "not_json",
            f"{place} answers with something else than JSON. Check `base_url`; a login page, or a "
            "wall in front of the server, looks like that.",
        ) from None
    if records is None:
        raise PullError(
            "no_collection",
            f"{place} answers without `{collection}`. If the vendor calls it otherwise, say so: "
            f"`wrappers: {{{collection}: [NAME]}}`.",
        )
    return FirstPage(collection, records, _total(response, len(records)))


def _records(response: requests.Response, names: Sequence[str]) -> list[Any] | None:
    found = records_in(response.content, names, Blanker(Secrets()), lambda _: None)
    return None if found is None else [json.loads(line) for line in found.lines]


def _total(response: requests.Response, count: int) -> int | None:
    total = response.headers.get("X-Total-Count", "")
    if not (total.isascii() and total.isdigit()) or int(total) < count:
        return None
    # Some servers say there how many records the page has.
    if int(total) == count >= RECORDS:
        return None
    return int(total)
