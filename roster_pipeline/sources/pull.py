"""Pulls a roster from a OneRoster server into one file, whole or not at all."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedRandom
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.pulled import PullWriter, Reading, member
from roster_pipeline.sources.collecting import TIMES, Collection, Collector, Enough
from roster_pipeline.sources.landing import LandedBytes, nameless
from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.rest_config import Rest
from roster_pipeline.sources.rest_delta import Known, LastPull, NotWhole, completed, settings_of
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.transport.errors import Changed, Forbidden, Stopped, TransportError
from roster_pipeline.transport.http import HttpSession

_ANY_NUMBER: Final[Mapping[str, tuple[int, int]]] = {}


@dataclass(frozen=True)
class Pulled(LandedBytes):
    """A whole roster, and how it came."""

    how: Literal["full", "changes"] = "full"
    """Whether all was asked for, or only what changed since the last pull."""
    notice: str | None = None
    """Why all was asked for where only changes were wanted, in a sentence."""
    remarks: tuple[str, ...] = ()
    """What people should know of what came, in sentences."""


@contextmanager
def pull(
    session: HttpSession,
    rest: Rest,
    *,
    source: str,
    secrets: Secrets,
    scratch: Path | None = None,
    progress: Callable[[int], None] | None = None,
    timezone: str | None = None,
    expect: Mapping[str, tuple[int, int]] = _ANY_NUMBER,
    last: BinaryIO | None = None,
    now: datetime | None = None,
) -> Iterator[Pulled]:
    """Ask a server for every collection of a roster, for the time of a `with` block.

    The file (see `oneroster.pulled`) holds no secret, and equal records give equal bytes, in
    whatever order they were asked for; the original hash is of all pages as they came. Memory
    holds three pages of each collection that is pulled at the time, and eight bytes a record.
    `source` is for sentences; `progress` gets the size of each page; `scratch` is a folder on a
    disk with room for the pull twice. `timezone` is the district's, and `expect` says of entities
    the fewest and the most records that they should have.

    Where the source wants changes only (`delta`), `last` is its last pull and `now` the time, and
    what changed is completed into a whole roster (see `rest_delta`); if that cannot be, all is
    asked for. When it was asked is then kept in the file as well.

    What is read wrong is read again from its beginning, three times in all: the collection, or,
    where a header that should be steady changed, all of them. A collection that a roster needs
    and that is empty or not there makes the pull incomplete: then, as after any other failure,
    nothing is given. Raises `PullError` and `TransportError`.
    """

    def begin() -> Collector:
        talk = progress or (lambda _: None)
        return Collector(session, rest, secrets, expected=expect, progress=talk)

    with nameless(scratch) as file, ExitStack() as files:
        parts = {name: files.enter_context(nameless(scratch)) for name in rest.collections}
        asked = _Asked(rest, secrets, last, now)
        collections = asked.changes(begin, parts) or _all(begin, source, parts, rest.at_once)
        writer = PullWriter(file, Version(rest.version), reading=reading_of(rest, timezone))
        original = hashlib.sha256()
        for each in collections:
            writer.add(each.file, each.name, each.records, each.holding)
            original.update(each.original)
        writer.finish(asked.said(collections))
        file.seek(0)
        blanked = {member(each.name): each.blanked for each in collections if each.blanked}
        remarks = tuple(_remark(source, each) for each in collections if each.missing)
        yield Pulled(file, original.hexdigest(), blanked, asked.how, asked.notice, remarks)


class _Asked:
    """What is asked for: changes, or all."""

    def __init__(
        self, rest: Rest, secrets: Secrets, last: BinaryIO | None, now: datetime | None
    ) -> None:
        self._delta = rest.delta
        self._settings = settings_of(rest, secrets)
        self._last = last
        self._now = now
        self._full_at = now
        self.how: Literal["full", "changes"] = "full"
        self.notice: str | None = None

    def changes(
        self, begin: Callable[[], Collector], files: Mapping[str, BufferedRandom]
    ) -> list[Collection] | None:
        """A whole roster by what changed; None where that is not wanted or not to be had."""
        if self._delta is None or self._now is None:
            return None
        try:
            last = LastPull(self._last, self._settings, self._delta, self._now)
            found = completed(begin(), last, files)
        except NotWhole as why:
            self.notice = f"All was asked for instead of changes only: {why}."
            return None
        self.how = "changes"
        self._full_at = last.known.full_at
        return found

    def said(self, collections: Sequence[Collection]) -> dict[str, Any]:
        """For `pull.json`."""
        said: dict[str, Any] = {"pulled": self.how}
        if self._delta is not None and self._now is not None and self._full_at is not None:
            newest = {each.name: each.newest for each in collections}
            said |= Known(self._settings, self._full_at, self._now, newest).said()
        return said


def reading_of(rest: Rest, timezone: str | None) -> Reading:
    """How records become rows, as the source has it."""
    return Reading(merge=rest.merge, blanks_in_ids=rest.blanks_in_ids, timezone=timezone)


def _remark(source: str, collection: Collection) -> str:
    missing = ", ".join(f"`{endpoint}`" for endpoint in collection.missing)
    return (
        f"{source}: {collection.name} came without {missing}: the server does not have that (404). "
        "If it never will, take it out of `made_of`."
    )


def _all(
    begin: Callable[[], Collector], source: str, files: Mapping[str, BinaryIO], at_once: int
) -> list[Collection]:
    """All collections of one revision of the data."""
    for time in range(1, TIMES + 1):
        try:
            return _side_by_side(begin(), source, files, at_once)
        except Changed:
            if time == TIMES:
                raise
    raise AssertionError


def _side_by_side(
    collector: Collector, source: str, files: Mapping[str, BinaryIO], at_once: int
) -> list[Collection]:
    """The collections, so many at a time; after the first failure no page more is asked for, and
    nobody waits for a busy server any longer."""

    def collect(name: str) -> Collection:
        if collector.enough.is_set():
            raise Enough
        try:
            with _named(source, name):
                return collector.collect(name, files[name])
        except BaseException:
            collector.enough.set()
            raise

    with ThreadPoolExecutor(at_once, thread_name_prefix="pull") as threads:
        running = [threads.submit(collect, name) for name in files]
        try:
            wait(running)
        finally:
            collector.enough.set()
    failed = [error for each in running if (error := each.exception()) is not None]
    for error in failed:
        if not isinstance(error, Enough | Stopped):
            raise error
    return [each.result() for each in running]


@contextmanager
def _named(source: str, collection: str) -> Iterator[None]:
    """Say of every failure whose it is, and what was being pulled."""
    step = f"{source}: pulling {collection}"
    try:
        yield
    except PullError as error:
        raise PullError(error.code, f"{step}: {error}", collection) from None
    except Forbidden as error:
        hint = ""
        if collection == "demographics":
            hint = " Or leave them out: `demographics: false`."
        raise Forbidden(f"{step}: {error}{hint}") from None
    except TransportError as error:
        raise type(error)(f"{step}: {error}") from None
