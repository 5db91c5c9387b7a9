"""One collection of a OneRoster server, whole, in a file of its own.

A collection that was read wrong is read again from its beginning, and nothing of the first time is
left in the file.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from roster_pipeline.oneroster import pulled
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import required_files
from roster_pipeline.oneroster.pulled import PullWriter
from roster_pipeline.sources.json_redaction import Blanker
from roster_pipeline.sources.moments import LOOKED_AT, Newest
from roster_pipeline.sources.paging import Page, Pages, PullError, ServerFails
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.ahead import ahead
from roster_pipeline.transport.http import HttpSession

TIMES: Final = 3
"""How often a collection, or a pull, is begun before it is given up."""

# Where a user's roles stand in each version, and what to say of a server that has them elsewhere.
_ROLES: Final = {Version.V1P1: "role", Version.V1P2: "roles"}


class Enough(Exception):  # noqa: N818 - it says what to do
    """Another collection failed, and with it the pull."""


@dataclass(frozen=True)
class Collection:
    """What was collected."""

    name: str
    file: BinaryIO
    """A finished pull of this collection alone."""
    records: int
    holding: Mapping[str, bool]
    """As `PullWriter.holding`."""
    newest: str | None
    """The latest dateLastModified of its records; None if it was not looked for, or one of them
    does not say a moment."""
    original: bytes
    """A hash of all pages as they came."""
    blanked: int
    """How many records are not as they came."""
    missing: Sequence[str] = ()
    """The endpoints that are not there, where others have records."""


class Collector:
    """Collects from one server, one collection or several at the same time.

    `progress` gets the size of each page. `steady` is what the headers that a vendor keeps steady
    said. Memory holds three pages of each collection, and some bytes for each record.
    """

    def __init__(
        self,
        session: HttpSession,
        rest: Rest,
        secrets: Secrets,
        *,
        expected: Mapping[str, tuple[int, int]],
        progress: Callable[[int], None],
    ) -> None:
        self.enough = threading.Event()
        """Set it, and whatever is collected still ends with `Enough`, or `Stopped` where the server
        makes it wait."""
        self._session = session.until(self.enough)
        self._rest = rest
        self._version = Version(rest.version)
        self._secrets = secrets
        self._expected = expected
        self._progress = progress
        self._talking = threading.Lock()
        self.steady: dict[str, str] = {}

    def collect(self, name: str, file: BinaryIO) -> Collection:
        """A collection of a whole roster, in `file`. Raises `PullError`, `TransportError`."""
        before: dict[str, dict[bytes, int]] = {}
        for time in range(1, TIMES + 1):
            file.seek(0)
            file.truncate()
            try:
                collected = _Reading(self, name, before).into(file)
            except PullError as error:
                if time == TIMES or not error.may_pass:
                    raise
            except ServerFails:
                if time == TIMES:
                    raise
            else:
                self.require(collected)
                return collected
        raise AssertionError

    def require(self, collected: Collection) -> None:
        """Refuse what cannot be a whole roster's, by `PullError`."""
        name, records = collected.name, collected.records
        if not records and name in required_files(self._version):
            raise PullError(
                "empty",
                f"{self.place(name)} has no records, and no roster is without {name}. Nothing was "
                "taken. A login without the right to see them gets such an empty list: ask the "
                "server's owner for that right.",
                name,
            )
        fewest, _ = self._expected.get(name, (0, 0))
        if records < fewest:
            raise PullError(
                "few",
                f"{self.place(name)} has {records:,} records, and `expect` says at least "
                f"{fewest:,} {name}. Nothing was taken: the answer is not complete, or the login "
                "may not see all. If there are so few by now, change `expect`.",
                name,
            )
        if name == "users":
            self._require_roles(collected)

    def _require_roles(self, users: Collection) -> None:
        """That the users are of the version asked for, and came with what they are."""
        ours = _ROLES[self._version]
        if users.holding[ours]:
            return
        (other,) = (version for version in _ROLES if version is not self._version)
        hint = (
            f'They are of {other}: say `version: "{other}"`.'
            if users.holding[_ROLES[other]]
            else "Nothing was taken; ask the server's owner."
        )
        raise PullError(
            "roles", f"{self.place('users')} has users and not one `{ours}`. {hint}", "users"
        )

    def endpoints(self, name: str) -> Sequence[str]:
        """Where the records of a collection are asked for, one after the other."""
        return self._rest.made_of.get(name, (name,))

    def place(self, name: str) -> str:
        """What sentences call a collection's address."""
        return ", ".join(self._session.place(endpoint) for endpoint in self.endpoints(name))

    def arrived(self, size: int) -> None:
        """A page came. Raises `Enough` if no more is wanted."""
        with self._talking:
            self._progress(size)
        if self.enough.is_set():
            raise Enough

    def writer(self, file: BinaryIO) -> PullWriter:
        """For one collection."""
        return PullWriter(file, self._version)

    def blanker(self) -> Blanker:
        """For one collection."""
        return Blanker(self._secrets)

    def pages(
        self,
        name: str,
        endpoint: str,
        blanker: Blanker,
        look: Callable[[Mapping[str, Any]], None],
        **more: Any,
    ) -> Pages:
        """Of one endpoint."""
        looked_at = [*pulled.looked_at(name), *(() if self._rest.delta is None else (LOOKED_AT,))]
        _, most = self._expected.get(name, (0, None))
        return Pages(
            self._session,
            self._rest,
            name,
            blanker,
            self.steady,
            look,
            looked_at,
            endpoint=endpoint,
            most=most,
            **more,
        )

    def total(self, name: str, endpoint: str) -> int | None:
        """How many records an endpoint has, as the server says. Raises as `Pages` does."""
        one = self._rest.model_copy(update={"limit": 1})
        blanker, steady = self.blanker(), self.steady
        pages = Pages(self._session, one, name, blanker, steady, lambda _: None, endpoint=endpoint)
        next(iter(pages), None)
        return pages.total

    def newest(self) -> Newest | None:
        """For one collection, where a later pull will ask for changes."""
        return Newest() if self._rest.delta is not None else None


class _Reading:
    """One time that a collection is read from its beginning."""

    def __init__(
        self, collector: Collector, name: str, before: dict[str, dict[bytes, int]]
    ) -> None:
        self._collector = collector
        self._name = name
        self._before = before
        self._blanker = collector.blanker()
        self._original = hashlib.sha256()
        self._blanked = 0
        self._newest = collector.newest()
        self._missing: list[str] = []

    def into(self, file: BinaryIO) -> Collection:
        writer = self._collector.writer(file)
        with writer.collection(self._name) as (write, look):
            for lines in self._lines(look if self._newest is None else self._newest.beside(look)):
                write(lines)
        writer.finish()
        return Collection(
            self._name,
            file,
            writer.records[self._name],
            writer.holding,
            None if self._newest is None else self._newest.text,
            self._original.digest(),
            self._blanked,
            self._missing,
        )

    def _lines(self, look: Callable[[Mapping[str, Any]], None]) -> Iterator[Sequence[str]]:
        """The records of all endpoints that are there, page by page. One that several of them have,
        to the last sign, is given once."""
        endpoints = self._collector.endpoints(self._name)
        known: set[bytes] = set()
        missing: list[PullError] = []
        found = False
        for endpoint in endpoints:
            new: set[bytes] = set()
            try:
                for page in self._pages(endpoint, look):
                    found = True
                    if len(endpoints) == 1:
                        yield page.records.lines
                        continue
                    digests = [_digest(line) for line in page.records.lines]
                    new.update(digests)
                    lines = zip(page.records.lines, digests, strict=True)
                    yield [line for line, digest in lines if digest not in known]
            except PullError as error:
                if error.code != "no_collection" or error.may_pass:
                    raise
                missing.append(error)
                self._missing.append(endpoint)
            known |= new
        if missing and not found:
            raise missing[0]

    def _pages(self, endpoint: str, look: Callable[[Mapping[str, Any]], None]) -> Iterator[Page]:
        before = self._before.setdefault(endpoint, {})
        pages = self._collector.pages(self._name, endpoint, self._blanker, look, before=before)
        # The next page is asked for while this one is written.
        with closing(ahead(iter(pages))) as arriving:
            for page in arriving:
                self._original.update(page.body)
                self._blanked += page.records.blanked
                self._collector.arrived(len(page.body))
                yield page


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).digest()
