"""The first page of a collection, and what can be told from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from roster_pipeline.oneroster.entities import Kind, Required, columns
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.rest_json import property_of
from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.paging import Pages, PullError
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.transport.http import HttpSession

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


def first_page(session: HttpSession, rest: Rest, secrets: Secrets, collection: str) -> FirstPage:
    """The first page of a collection, of all endpoints that hold it together; as in a pull, some of
    several may be missing (404), but none may fail. Raises `PullError` and `TransportError`."""
    pages: list[FirstPage] = []
    missing: list[PullError] = []
    for endpoint in rest.made_of.get(collection, (collection,)):
        try:
            pages.append(_page_of(session, rest, secrets, collection, endpoint))
        except PullError as error:
            if error.code != "no_collection":
                raise
            missing.append(error)
    if not pages:
        raise missing[0]
    totals = [page.total for page in pages if page.total is not None]
    records = [record for page in pages for record in page.records]
    return FirstPage(collection, records, sum(totals) if len(totals) == len(pages) else None)


def is_there(session: HttpSession, rest: Rest, url: str) -> bool:
    """Whether there are orgs below another address of the same host. Raises `TransportError`."""
    try:
        _page_of(session, rest, Secrets(), "orgs", f"{url}/orgs")
    except PullError:
        return False
    return True


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


def _page_of(
    session: HttpSession, rest: Rest, secrets: Secrets, collection: str, endpoint: str
) -> FirstPage:
    asking = rest.model_copy(update={"limit": min(RECORDS, rest.limit)})
    pages = Pages(
        session, asking, collection, Blanker(secrets), {}, lambda _: None, endpoint=endpoint
    )
    first = next(iter(pages), None)
    records = [] if first is None else [json.loads(line) for line in first.records.lines]
    total = pages.total
    # Some servers say there how many records the page has.
    says = total is not None and (total > len(records) or len(records) < RECORDS)
    return FirstPage(collection, records, total if says else None)
