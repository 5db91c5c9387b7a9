"""A SCIM 2.0 service provider (RFC 7643, RFC 7644), asked by scim2-client over our own session.

Answers are read leniently: providers depart from the standard in many small ways, and little is
needed of them.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import requests
from scim2_client import BaseSyncSCIMClient, SCIMClientException
from scim2_client.client import BASE_HEADERS
from scim2_models import (
    EnterpriseUser,
    ResourceType,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    User,
)

from roster_pipeline.accounts.config import AccountSettings
from roster_pipeline.accounts.desired import name_key
from roster_pipeline.accounts.fields import (
    ACTIVE,
    EXTERNAL_ID,
    PATHS,
    USER_NAME,
    Content,
    content_of,
    merged,
    operations,
    resource_of,
)
from roster_pipeline.accounts.plan import Remote, Wanted
from roster_pipeline.accounts.target import Declined
from roster_pipeline.transport.errors import Busy, Interrupted, TransportError
from roster_pipeline.transport.http import HttpSession, open_session

_PERSON: Final = User[EnterpriseUser]
_PROVIDER: Final = ScimProvider(
    models=[User, EnterpriseUser, ServiceProviderConfig],
    resource_types=[ResourceType.from_resource(_PERSON)],
    policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore),
)
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_PAGE: Final = 1000
"""Accounts asked for at a time; a provider gives fewer if it likes."""
_ONE_BY_ONE: Final = 50
"""Up to so many people are looked for by a filter each; more, by reading the whole list."""
_NOT_SUPPORTED: Final = (405, 501)


class ScimTarget:
    """The accounts of one product. For several threads; each gets a session of its own.

    Every method raises `TransportError` where the provider cannot be asked, and `Declined` where
    it does not do what it is asked for one person.
    """

    def __init__(self, open_session: Callable[[], HttpSession], fields: Sequence[str]) -> None:
        self._open_session = open_session
        self._fields = tuple(fields)
        self._attributes = ",".join(
            dict.fromkeys((ACTIVE, *(PATHS[name] for name in (USER_NAME, EXTERNAL_ID, *fields))))
        )
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._sessions = ExitStack()
        self._patches: bool | None = None
        self._filters_ids = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sessions.close()

    def find(self, wanted: Sequence[Wanted]) -> list[Remote]:
        """Every account with the externalId or the userName of any of these people."""
        ids = {person.external_id for person in wanted}
        names = {name_key(person.user_name) for person in wanted}

        def is_wanted(remote: Remote) -> bool:
            return remote.external_id in ids or remote.name_key in names

        found: list[Remote] | None = None
        if len(wanted) > _ONE_BY_ONE:
            found = self._listed()
        if found is None:
            found = [remote for person in wanted for remote in self._looked_up(person)]
            if not all(map(is_wanted, found)):
                # It filters otherwise, or not at all: who was not found may be there.
                found += self._listed() or ()
        return list({remote.id: remote for remote in found if is_wanted(remote)}.values())

    def create(self, content: Content) -> str:
        """Make an account; comes back with the provider's id of it.

        Where the answer is lost, it is looked whether the account was made.
        """
        user = _PERSON.model_validate(resource_of(content, active=True))
        lost: Exception | None = None
        while True:
            try:
                if made := _id_of(self._ask(lambda client: client.create(user))):
                    return made
                failure: Exception = self._no_scim()
            except (Interrupted, Busy) as error:
                failure = error
            except Declined as error:
                if lost is None:
                    raise
                # What is taken may be taken by the request whose answer was lost.
                failure = error
            if made := self._same(content):
                return made
            if lost is not None or not isinstance(failure, Interrupted | Busy):
                raise failure
            lost = failure

    def change(self, remote_id: str, content: Content, *, active: bool | None, clear: bool) -> None:
        """Bring an account to a content, and switch it on or off if `active` says so.

        What is not among our fields stays as it is; with `clear`, our fields that are empty are
        emptied there too.
        """
        self._apply(remote_id, list(operations(content, self._fields, active=active, clear=clear)))

    def suspend(self, remote_id: str) -> None:
        """Switch an account off."""
        self._apply(remote_id, [("replace", ACTIVE, False)])

    def _apply(self, remote_id: str, changes: Sequence[tuple[str, str, Any]]) -> None:
        if self._takes_patch():
            try:
                patch = _patch(changes)
                self._ask(lambda client: client.modify(_PERSON, remote_id, patch))
            except Declined as declined:
                if declined.status not in _NOT_SUPPORTED:
                    raise
                self._patches = False
            else:
                return
        user = self._ask(lambda client: client.query(_PERSON, remote_id))
        whole = merged(user, changes)
        self._ask(
            lambda client: client.replace(
                _PERSON,
                whole,
                check_request_payload=False,
                url=f"/Users/{quote(remote_id, safe='')}",
            )
        )

    def _takes_patch(self) -> bool:
        """Whether the provider knows PATCH; one that does not say so is tried."""
        if self._patches is None:
            try:
                config = self._ask(lambda client: client.query(ServiceProviderConfig))
                self._patches = config["patch"]["supported"] is not False
            except (Declined, TransportError, LookupError, TypeError):
                self._patches = True
        return self._patches

    def _same(self, content: Content) -> str | None:
        """The account with a content's externalId; not every provider filters as it is asked."""
        wanted = Wanted(content[EXTERNAL_ID], content[USER_NAME])
        found = {r.id for r in self._looked_up(wanted) if r.external_id == wanted.external_id}
        return found.pop() if len(found) == 1 else None

    def _looked_up(self, person: Wanted) -> Iterator[Remote]:
        yield from self._filtered(EXTERNAL_ID, person.external_id)
        by_name = self._filtered(USER_NAME, person.user_name)
        small = person.user_name.lower()
        if not by_name and small != person.user_name:
            # The standard ignores case here; not every provider does.
            by_name = self._filtered(USER_NAME, small)
        yield from by_name

    def _filtered(self, attribute: str, value: str) -> list[Remote]:
        if attribute == EXTERNAL_ID and not self._filters_ids:
            return []
        quoted = json.dumps(value, ensure_ascii=False)
        try:
            page = self._page({"filter": f"{attribute} eq {quoted}"})
        except Declined as declined:
            if attribute != EXTERNAL_ID or declined.status != requests.codes.bad_request:
                raise self._not_there(declined) from None
            self._filters_ids = False
            return []
        return page[1]

    def _listed(self) -> list[Remote] | None:
        """All accounts, page by page; None where the provider does not give all that it counts."""
        found: dict[str, Remote] = {}
        start = 1
        while True:
            try:
                total, page = self._page({"startIndex": start, "count": _PAGE})
            except Declined as declined:
                raise self._not_there(declined) from None
            before = len(found)
            found |= {remote.id: remote for remote in page}
            if len(found) >= total:
                return list(found.values())
            if len(found) == before:
                return None
            start += len(page)

    def _page(self, asked: Mapping[str, str | int]) -> tuple[int, list[Remote]]:
        query = {**asked, "attributes": self._attributes}
        answer = self._ask(
            lambda client: client.query(
                _PERSON, query_parameters=query, check_request_payload=False
            )
        )
        resources = answer.get("Resources", []) if isinstance(answer, dict) else None
        total = answer.get("totalResults") if isinstance(answer, dict) else None
        if not isinstance(resources, list) or not isinstance(total, int):
            raise self._no_scim()
        return total, [remote for user in resources if (remote := _remote(user))]

    def _ask(self, ask: "Callable[[_Client], Any]") -> Any:
        """The answer's JSON."""
        client = self._client()
        client.status = 0
        try:
            answer = ask(client)
        except SCIMException:
            # What we send is checked before it goes; a person's value broke a rule of SCIM's.
            raise Declined(requests.codes.bad_request) from None
        except SCIMClientException:
            if client.status < requests.codes.bad_request:
                raise self._no_scim() from None
            answer = None
        if client.status >= requests.codes.bad_request:
            raise Declined(client.status)
        return answer

    def _client(self) -> "_Client":
        if not hasattr(self._mine, "client"):
            session = self._open_session()
            with self._lock:
                self._sessions.enter_context(session)
            self._mine.client = _Client(session)
        client: _Client = self._mine.client
        return client

    def _no_scim(self) -> TransportError:
        base = self._client().session.base_url
        return TransportError(
            f"What answers at {base} does not speak SCIM 2.0. Check `base_url` under `scim`; it is"
            " the address in front of /Users."
        )

    def _not_there(self, declined: Declined) -> TransportError:
        base = self._client().session.base_url
        return TransportError(
            f"{base}/Users cannot be searched (status {declined.status}). Check `base_url` under"
            " `scim`, and that the credentials may read users."
        )


def open_target(
    settings: AccountSettings,
    *,
    base: Path,
    environ: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> ScimTarget:
    """The accounts at the provider that a product's settings name; nothing is asked yet.

    `base` is what relative paths in the YAML are relative to. The first request raises
    `CredentialsUnusable` if a secret is not where it is said to be.
    """

    def one_more() -> HttpSession:
        return open_session(settings.scim, base=base, environ=environ, sleep=sleep)

    return ScimTarget(one_more, settings.fields)


class _Client(BaseSyncSCIMClient):
    """scim2-client over our session: it keeps what it was answered for whoever judges it."""

    def __init__(self, session: HttpSession) -> None:
        super().__init__(
            provider=_PROVIDER,
            check_response_payload=False,
            check_response_status_codes=False,
            raise_scim_errors=False,
        )
        self.session = session
        self.status = 0

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        # A PATCH of ours sets values: doing it again changes nothing.
        repeatable = None if method == "POST" else True
        headers = {**BASE_HEADERS, **kwargs.pop("headers", {})}
        response = self.session.request(
            method, url, headers=headers, repeatable=repeatable, **kwargs
        )
        self.status = response.status_code
        return response


def _patch(changes: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    asked = [{"op": op, "path": path, "value": value} for op, path, value in changes]
    made = [{k: v for k, v in op.items() if v is not None} for op in asked]
    return {"schemas": [_PATCH], "Operations": made}


def _remote(user: Any) -> Remote | None:
    """An account, if it has an id. One that does not say whether it is active is."""
    if (remote_id := _id_of(user)) is None:
        return None
    return Remote(remote_id, user.get(ACTIVE) is not False, content_of(user))


def _id_of(user: Any) -> str | None:
    """The provider's id of an account; some say it as a number."""
    found = user.get("id") if isinstance(user, Mapping) else None
    return str(found) if isinstance(found, str | int) and str(found) else None
