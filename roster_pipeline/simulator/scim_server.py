"""A real SCIM 2.0 service provider on loopback, with accidents that can be asked for by name.

In a program: `with ScimServer("token", state=Path("scim.jsonl")) as server:`, then `server.url`. It
is scim2-server, which comes with the extra `demo`. With `state` every write is appended to that
file, so that the next server over it has the same accounts, however this one ended.
"""

import asyncio
import hashlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Final, Self

import uvicorn
from scim2_models import (
    EnterpriseUser,
    InvalidFilterException,
    NotFoundException,
    Resource,
    ResourceType,
    ScimProvider,
    SearchRequest,
    UnauthorizedException,
    UniquenessException,
    User,
)
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage, InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.storage import SearchPage
from scim2_server.utils import load_default_service_provider_config

HOST: Final = "127.0.0.1"
_PERSON: Final = User[EnterpriseUser]
_WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
_START_SECONDS: Final = 20


@dataclass
class Faults:
    """What goes wrong; may be changed while the server runs."""

    unavailable_after: int | None = None
    """After so many writes everything is answered with 503 …"""
    retry_after: int = 0
    """… that asks to be left alone for so many seconds."""
    broken_after: int | None = None
    """After so many writes every write is answered with 500."""
    lost_answers: int = 0
    """So many writes are done and answered with 502, as by a proxy that lost the answer."""
    refused_writes: int = 0
    """So many writes are answered with 502 and not done …"""
    broken_writes: int = 0
    """… and so many are done and answered with 500."""
    ignores_filters: bool = False
    """A search finds every account, whatever it asks for."""
    taken: frozenset[str] = frozenset()
    """userNames that are refused with 409 though nobody seems to have them."""
    exact_case: bool = False
    """Filters compare with regard to case."""
    no_patch: bool = False
    """PATCH is not known (501)."""
    no_external_id_filter: bool = False
    """A filter on externalId is refused (400)."""
    most_per_page: int | None = None
    """Lists have no more than so many accounts in one answer."""
    pages_repeat: bool = False
    """Every page of a list is the first one."""
    after_write: Callable[[int], None] = field(default=lambda _: None)
    """Called with the number of writes done, before each is answered."""


class ScimServer:
    """The server in a thread of its own, from entering to leaving the context.

    `token` is the bearer token that it takes; `port` 0 is any that is free.
    """

    def __init__(
        self,
        token: str,
        *,
        port: int = 0,
        state: Path | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.requests: Counter[str] = Counter()
        """Requests taken, by method."""
        self._storage = _Storage(self.faults, state)
        self._application = _Application(self._storage, token, self.faults, self.requests)
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address in front of /Users."""
        return f"http://{HOST}:{self._port}/v2"

    @property
    def users(self) -> list[dict[str, Any]]:
        """Every account, by userName, without what changes from run to run (`meta`)."""
        dumped = [resource.model_dump(exclude={"meta"}) for resource in self._storage.resources]
        return sorted(dumped, key=lambda user: str(user["userName"]))

    @property
    def writes(self) -> int:
        """Writes asked for since it started."""
        return sum(self.requests[method] for method in _WRITES)

    def add(self, **attributes: Any) -> str:
        """Put an account there, as its administrator would; comes back with its id."""
        made = self._storage.create(
            self._application.person_type, _PERSON.model_validate(attributes)
        )
        return str(made.id)

    def remove(self, account: str) -> None:
        """Remove an account, as its administrator would."""
        self._storage.delete(self._application.person_type, account)

    def clear(self) -> None:
        """Let it be as it was when it was new: no accounts, no faults, nothing counted."""
        for user in self.users:
            self.remove(user["id"])
        vars(self.faults).update(vars(Faults()))
        self.requests.clear()
        self._application.done = 0

    def __enter__(self) -> Self:
        config = uvicorn.Config(
            self._application, host=HOST, port=self._port, log_config=None, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        listener = config.bind_socket()
        # asyncio sets it for sockets that name their protocol only, and uvicorn's does not; without
        # it every answer waits 40 ms for the other side's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        started = threading.Event()
        server = self._server

        async def serve() -> None:
            serving = asyncio.create_task(server.serve([listener]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            started.set()
            await serving

        self._thread = threading.Thread(
            target=lambda: asyncio.run(serve()), name="scim-server", daemon=True
        )
        self._thread.start()
        if not started.wait(_START_SECONDS) or not server.started:
            raise RuntimeError("the SCIM server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()
        self._storage.close()

    def stop(self) -> None:
        """Take no more connections; what is under way is answered. May be called by a fault."""
        if self._server is not None:
            self._server.should_exit = True


class _Application(ASGIApplication):
    """scim2-server's application, with a token in front of it and accidents on the way."""

    def __init__(
        self, storage: "_Storage", token: str, faults: Faults, requests: Counter[str]
    ) -> None:
        self.person_type = ResourceType.from_resource(_PERSON)
        config = load_default_service_provider_config()
        provider = ScimProvider(
            models=[User, EnterpriseUser], resource_types=[self.person_type], config=config
        )
        super().__init__(AsyncInMemoryStorage(storage), provider)
        self._token = token
        self._faults = faults
        self._requests = requests
        self.done = 0
        """Writes that were carried out."""

    def check_auth(self, request: ScimRequest) -> None:
        if request.header("Authorization") != f"Bearer {self._token}":
            raise UnauthorizedException

    async def dispatch_request(self, request: ScimRequest) -> ScimResponse:
        self._requests[request.method] += 1
        writes = request.method in _WRITES
        if (refused := self._refused(request.method, writes=writes)) is not None:
            return refused
        response = await super().dispatch_request(request)
        if writes and response.status < HTTPStatus.BAD_REQUEST:
            self.done += 1
            self._faults.after_write(self.done)
            return self._spoiled() or response
        return response

    def _refused(self, method: str, *, writes: bool) -> ScimResponse | None:
        """What is said instead of doing anything."""
        faults = self._faults
        if faults.unavailable_after is not None and self.done >= faults.unavailable_after:
            refused = _failure(HTTPStatus.SERVICE_UNAVAILABLE)
            refused.headers["Retry-After"] = str(faults.retry_after)
            return refused
        if writes and faults.broken_after is not None and self.done >= faults.broken_after:
            return _failure(HTTPStatus.INTERNAL_SERVER_ERROR)
        if faults.no_patch and method == "PATCH":
            return _failure(HTTPStatus.NOT_IMPLEMENTED)
        if writes and faults.refused_writes > 0:
            faults.refused_writes -= 1
            return _failure(HTTPStatus.BAD_GATEWAY)
        return None

    def _spoiled(self) -> ScimResponse | None:
        """What is said of a write that was done."""
        faults = self._faults
        if faults.lost_answers > 0:
            faults.lost_answers -= 1
            return _failure(HTTPStatus.BAD_GATEWAY)
        if faults.broken_writes > 0:
            faults.broken_writes -= 1
            return _failure(HTTPStatus.INTERNAL_SERVER_ERROR)
        return None


def _failure(status: HTTPStatus) -> ScimResponse:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(int(status)),
        "detail": status.phrase,
    }
    return ScimResponse(status, body)


class _Storage(InMemoryStorage):
    """Accounts in memory, and each write in a file; an account's id follows from its userName."""

    def __init__(self, faults: Faults, state: Path | None) -> None:
        super().__init__()
        self._faults = faults
        self._journal: IO[str] | None = None
        if state is not None:
            self.resources = _read(state)
            state.parent.mkdir(parents=True, exist_ok=True)
            # Written anew, as a last line that was cut off would spoil the next.
            draft = state.with_name(f".{state.name}.draft")
            lines = [json.dumps(resource.model_dump()) + "\n" for resource in self.resources]
            draft.write_text("".join(lines), encoding="utf-8")
            draft.replace(state)
            self._journal = state.open("a", encoding="utf-8")

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()

    def generate_id(self, resource_type: ResourceType, resource: Resource[Any]) -> str:
        made = str(getattr(resource, "user_name", "")).casefold()
        while True:
            made = hashlib.sha256(made.encode()).hexdigest()[:24]
            try:
                self.get(resource_type, made)
            except NotFoundException:
                return made
            # Somebody who was renamed since has it.

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if getattr(resource, "user_name", None) in self._faults.taken:
            raise UniquenessException
        return self._kept(super().create(resource_type, resource))

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        return self._kept(
            super().update(resource_type, resource, expected_version=expected_version)
        )

    def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        super().delete(resource_type, resource_id, expected_version=expected_version)
        self._write({"id": resource_id, "deleted": True})

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        asked = str(search_request.filter or "")
        if self._faults.no_external_id_filter and "externalId" in asked:
            raise InvalidFilterException
        if self._faults.ignores_filters:
            search_request.filter = None
        if self._faults.most_per_page is not None and search_request.count:
            search_request.count = min(search_request.count, self._faults.most_per_page)
        if self._faults.pages_repeat:
            search_request.start_index = 1
        page = super().search(resource_types, search_request, position=position)
        if self._faults.exact_case and "userName" in asked:
            page.resources = [r for r in page.resources if getattr(r, "user_name", "") in asked]
            page.total = len(page.resources)
        return page

    def _kept(self, resource: Resource[Any]) -> Resource[Any]:
        self._write(resource.model_dump())
        return resource

    def _write(self, entry: dict[str, Any]) -> None:
        if self._journal is not None:
            self._journal.write(json.dumps(entry) + "\n")
            self._journal.flush()


def _read(state: Path) -> list[Resource[Any]]:
    """The accounts after all writes of a file; a last line that was cut off is left out."""
    accounts: dict[str, dict[str, Any]] = {}
    if not state.exists():
        return []
    for line in state.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        accounts.pop(entry["id"], None)
        if not entry.get("deleted"):
            accounts[entry["id"]] = entry
    return [_PERSON.model_validate(entry) for entry in accounts.values()]
