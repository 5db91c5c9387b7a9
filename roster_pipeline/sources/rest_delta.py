"""Completes what changed on a server since its last pull into a whole roster, or says why not.

The changed records are laid over those of the last pull, and what the server says is deleted is
left out. Some of what is known already is asked for again, and has to come; and the server must
have as many records of each collection as there are in the result. Without this proof, and where
anything else is strange, all is to be asked for again.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedRandom
from itertools import islice
from typing import Any, BinaryIO, Final

import numpy as np

from roster_pipeline.oneroster.package import PULL
from roster_pipeline.oneroster.pulled import member
from roster_pipeline.oneroster.rest_json import utc_text
from roster_pipeline.sources.collecting import Collection, Collector
from roster_pipeline.sources.moments import Newest, moment
from roster_pipeline.sources.paging import PullError
from roster_pipeline.sources.rest_config import Delta, Rest
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.archive import ArchiveError, ZipReader
from roster_pipeline.transport.errors import AuthenticationRefused, Busy, Changed

_DELETED: Final = "tobedeleted"
_MOST_BYTES: Final = 64 << 20
"""More changes than these are not worth keeping in memory."""
_FEW: Final = 1000
_AT_A_TIME: Final = 1000
# A nightly sync is not on time to the minute.
_EARLIER: Final = timedelta(hours=12)
_LEAST_OVERLAP: Final = timedelta(hours=1)
"""What changes while a collection is pulled, behind the page that is read, is older than the newest
of it. Where clocks differ, the moment at which the pull began does not make up for that."""


class NotWhole(Exception):  # noqa: N818 - it says what the changes do not make
    """Changes alone do not do, and why, in words that complete a sentence."""


@dataclass(frozen=True)
class Known:
    """What a pull says of itself for a later one, in its `pull.json`."""

    settings: str
    """A hash of all settings that decide what is asked for and kept."""
    full_at: datetime
    """When all was asked for."""
    asked_at: datetime
    """When the pull began."""
    newest: Mapping[str, str | None]
    """Collection → the latest dateLastModified in it; None where it is not known of all."""

    def said(self) -> dict[str, Any]:
        """For `pull.json`."""
        return {
            "settings": self.settings,
            "full_at": self.full_at.isoformat(),
            "asked_at": self.asked_at.isoformat(),
            "newest": dict(self.newest),
        }


def settings_of(rest: Rest, secrets: Secrets) -> str:
    """A hash of what decides what is asked for and kept."""
    names = {"base_url", "version", "parameters", "made_of", "wrappers", "demographics"}
    decisive = [rest.model_dump(mode="json", include=names), secrets.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


class LastPull:
    """The last pull of a source, open. Raises `NotWhole` if no changes can be laid over it."""

    def __init__(self, file: BinaryIO | None, settings: str, delta: Delta, now: datetime) -> None:
        if file is None:
            raise NotWhole("there is no earlier pull whose roster was accepted")
        try:
            self._zip = ZipReader(file)
            with self._zip.open(PULL) as stream:
                said = json.load(stream)
            self.records: Mapping[str, int] = dict(said["collections"])
            self.known = Known(
                said["settings"],
                datetime.fromisoformat(said["full_at"]),
                datetime.fromisoformat(said["asked_at"]),
                dict(said["newest"]),
            )
        except (ArchiveError, KeyError, ValueError, TypeError):
            raise NotWhole("the last pull does not say what a later one needs") from None
        self._overlap = max(timedelta(hours=delta.overlap_hours), _LEAST_OVERLAP)
        if self.known.settings != settings:
            raise NotWhole("settings of the source have changed since the last pull")
        if now < max(self.known.full_at, self.known.asked_at):
            raise NotWhole("by the clock of this machine the last pull is yet to come")
        if now - self.known.full_at >= timedelta(days=delta.full_every_days) - _EARLIER:
            raise NotWhole(f"the last full pull is of {self.known.full_at:%Y-%m-%d}")

    def since(self, name: str) -> datetime:
        """The moment from which on changes of a collection are asked for. A clock of the server
        that was wrong must not hide all changes to come."""
        newest = moment(self.known.newest.get(name))
        if newest is None and self.records[name]:
            raise NotWhole(f"not all {name} say when they were last modified, with an offset")
        try:
            since = min(newest or self.known.asked_at, self.known.asked_at) - self._overlap
        except OverflowError:
            raise NotWhole(f"no {name} say truly when they were last modified") from None
        # A question has no finer moments.
        return since.replace(microsecond=since.microsecond // 1000 * 1000)

    def each(self, name: str) -> Iterator[tuple[str, Any]]:
        """The records of a collection, as JSON and as objects. Raises `NotWhole`."""
        try:
            with self._zip.open(member(name)) as stream:
                for line in stream:
                    text = line.decode("utf-8", "surrogatepass").rstrip("\n")
                    yield text, json.loads(text)
        except (ArchiveError, KeyError, ValueError, OSError):
            raise NotWhole("the last pull cannot be read") from None


class _Recent:
    """Whether a record was last modified since a moment, so that the server has to send it, or
    that it is deleted, where it is asked for all since then."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._last: Any = None
        self._was = False

    def __call__(self, record: Any) -> bool:
        said = record.get("dateLastModified") if isinstance(record, Mapping) else None
        if said != self._last:  # many were loaded at one moment
            modified = moment(said)
            self._last, self._was = said, modified is not None and modified >= self._since
        return self._was


def completed(
    collector: Collector, last: LastPull, files: Mapping[str, BufferedRandom]
) -> list[Collection]:
    """The collections of a whole roster, each in its file. Raises `NotWhole`, `TransportError`."""
    found = []
    for name, file in files.items():
        try:
            made = _Completing(collector, last, name).into(file)
            collector.require(made)
        except PullError as error:
            raise NotWhole(f"asked for changes of {name} the server fails ({error.code})") from None
        except AuthenticationRefused:
            raise NotWhole(f"the server does not let us ask for changes of {name}") from None
        except (Busy, Changed):
            raise NotWhole(f"asked for changes of {name} the server fails") from None
        found.append(made)
    return found


class _Completing:
    """One collection."""

    def __init__(self, collector: Collector, last: LastPull, name: str) -> None:
        if name not in last.records:
            raise NotWhole(f"the last pull has no {name}")
        self._collector = collector
        self._last = last
        self._name = name
        self._blanker = collector.blanker()
        self._newest = Newest()
        self._blanked = 0

    def into(self, file: BufferedRandom) -> Collection:
        name, last = self._name, self._last
        since = last.since(name)
        changes = self._changes(since)
        file.seek(0)
        file.truncate()
        writer = self._collector.writer(file)
        with writer.collection(name) as (write, look):
            lines = _laid_over(last.each(name), changes, _Recent(since), name, look)
            while some := list(islice(lines, _AT_A_TIME)):
                write(some)
        writer.finish()
        self._require_all(writer.records[name])
        file.seek(0)
        return Collection(
            name,
            file,
            writer.records[name],
            writer.holding,
            _later(last.known.newest.get(name), self._newest.text),
            hashlib.file_digest(file, "sha256").digest(),
            self._blanked,
        )

    def _changes(self, since: datetime) -> dict[str, str | None]:
        """What changed: sourcedId → its record, None for one that is deleted."""
        asked = {"filter": f"dateLastModified>='{utc_text(since)}'"}
        most = max(_FEW, self._last.records[self._name] // 2)
        changes: dict[str, str | None] = {}
        size = 0
        for endpoint in self._collector.endpoints(self._name):
            met = _Changed(since, self._name, self._newest)
            pages = self._collector.pages(
                self._name, endpoint, self._blanker, lambda _: None, parameters=asked
            )
            for page in pages:
                self._collector.arrived(len(page.body))
                self._blanked += page.records.blanked
                for line in page.records.lines:
                    key, gone = met.look(json.loads(line))
                    new = None if gone else line
                    if changes.setdefault(key, new) != new:
                        raise NotWhole(f"a record of {self._name} came twice and differs")
                    size += len(line)
                if len(changes) > most or size > _MOST_BYTES:
                    raise NotWhole(f"most {self._name} changed, or the server does not filter them")
        return changes

    def _require_all(self, records: int) -> None:
        """That the server has as many records as there are now."""
        total = 0
        for endpoint in self._collector.endpoints(self._name):
            of_one = self._collector.total(self._name, endpoint)
            if of_one is None:
                raise NotWhole(f"the server does not say how many {self._name} it has")
            total += of_one
        if total != records:
            raise NotWhole(
                f"the server has {total:,} {self._name}, and with the changes there would be "
                f"{records:,}"
            )


class _Changed:
    """What has to be known of the changed records of an endpoint."""

    def __init__(self, since: datetime, name: str, newest: Newest) -> None:
        self._since = since
        self._name = name
        self._newest = newest

    def look(self, record: Any) -> tuple[str, bool]:
        """Of one record the sourcedId, and whether it is deleted."""
        said = record if isinstance(record, Mapping) else {}
        modified, key = moment(said.get("dateLastModified")), said.get("sourcedId")
        if key is None or modified is None:
            raise NotWhole(f"a changed record of {self._name} has no sourcedId or no moment")
        if modified < self._since:
            raise NotWhole(f"the server passes over the filter for {self._name}")
        self._newest.look(said)
        return str(key), said.get("status") == _DELETED


def _laid_over(
    records: Iterator[tuple[str, Any]],
    changes: dict[str, str | None],
    recent: _Recent,
    name: str,
    look: Callable[[Any], None],
) -> Iterator[str]:
    """Records with what changed of them; `changes` are used up, and `look` sees each that stays."""
    keys = array("q")
    for line, record in records:
        key = str(record.get("sourcedId")) if isinstance(record, Mapping) else ""
        keys.append(hash(key))
        new = changes.pop(key, line)
        if new is line and recent(record):
            raise NotWhole(f"asked for changes of {name} the server leaves out what it has to send")
        if new is not None:
            look(record if new is line else json.loads(new))
            yield new
    for new in changes.values():
        if new is not None:
            look(json.loads(new))
            yield new
    if len(np.unique(np.frombuffer(keys, np.int64))) < len(keys):
        raise NotWhole(f"{name} of the last pull share a sourcedId")


def _later(before: str | None, now: str | None) -> str | None:
    known = [found for text in (before, now) if (found := moment(text)) is not None]
    return max(known).isoformat() if known else None
