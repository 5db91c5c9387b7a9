"""A roster pulled by REST, as it is kept and as it is read.

It is a zip with one `<collection>.jsonl` for each collection, one record a line as the server sent
it, and `pull.json`, which says what is in it. So a finding's line is the record's number. What the
server sent is a reference list of each collection, as a bulk file is: `status` says something only
where it is not `active`, and `dateLastModified` nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Final, Literal
from zoneinfo import ZoneInfo

from roster_pipeline.oneroster.container import Container
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.package import PULL, OneFileEach, PackageBlock, tables
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.record_lines import (
    LineError,
    Parts,
    Records,
    find_repeated,
    read_records,
    united_records,
)
from roster_pipeline.oneroster.record_rows import RecordRows
from roster_pipeline.oneroster.rest_json import collection_of
from roster_pipeline.oneroster.text_faults import unreadable
from roster_pipeline.tables.archive import ArchiveError, ZipReader, ZipWriter

_FORMAT: Final = 1
_LONGEST_PULL: Final = 1 << 20
# Objects in Python take several times the room of their text.
_DENSITY: Final = 4


@dataclass(frozen=True)
class Reading:
    """How the records of a pull become rows, as its source had it on the day. It is kept with
    them, so that a pull is read again in the same way whatever the source says by then.

    Raises `ValueError`, or `KeyError` for a timezone that is not known.
    """

    merge: Mapping[str, str] = field(default_factory=dict)
    """Collection → how records with one sourcedId become one: `union`."""
    blanks_in_ids: Literal["keep", "underscore"] = "keep"
    """What becomes of blanks within sourcedIds."""
    timezone: str | None = None
    """The district's: in it a moment becomes a day, where a day is meant."""

    def __post_init__(self) -> None:
        if set(self.merge.values()) - {"union"}:
            raise ValueError("merge")
        if self.blanks_in_ids not in ("keep", "underscore"):
            raise ValueError("blanks_in_ids")
        if self.timezone is not None:
            ZoneInfo(self.timezone)


def member(collection: str) -> str:
    """The name of the file that holds a collection."""
    return f"{collection}.jsonl"


# ---- writing ----


class PullWriter:
    """Writes a pull into a stream, page by page. The same records give the same bytes."""

    def __init__(self, out: BinaryIO, version: Version, *, reading: Reading | None = None) -> None:
        self._zip = ZipWriter(out)
        self._version = version
        self._reading = reading or Reading()
        self.records: dict[str, int] = {}
        """How many records each collection has."""
        self.holding = dict.fromkeys(_HOLDS, False)
        """Whether any user has a 1.1 `role`, 1.2 `roles`, or `userProfiles` with credentials."""

    @contextmanager
    def collection(
        self, name: str
    ) -> Iterator[tuple[Callable[[Sequence[str]], None], Callable[[Mapping[str, Any]], None]]]:
        """Two functions for the records of one collection: one writes some of them, each as JSON
        without line breaks, and one has to be shown what each has under the names `looked_at`."""
        self.records[name] = 0
        with self._zip.open(member(name)) as out:

            def write(lines: Sequence[str]) -> None:
                self.records[name] += len(lines)
                # JSON can hold half of a pair of surrogates; it goes in and comes out as it is.
                out.write("\n".join([*lines, ""]).encode("utf-8", "surrogatepass"))

            yield write, self._look_into if name == "users" else _overlook

    def add(self, file: BinaryIO, name: str, records: int, holding: Mapping[str, bool]) -> None:
        """Take a collection over from another finished pull in `file`, as it lies there; how many
        records it has and what it is `holding` is taken from the other's writer or words."""
        with ZipReader(file) as reader:
            self._zip.copy(reader, member(name))
        self.records[name] = records
        for held in self.holding:
            self.holding[held] = self.holding[held] or holding.get(held, False)

    def finish(self, more: Mapping[str, Any] | None = None) -> None:
        """Say what is there, and `more` of it; without this it is no pull."""
        said = {
            **(more or {}),
            "format": _FORMAT,
            "version": str(self._version),
            "collections": self.records,
            "holding": self.holding,
            "reading": asdict(self._reading),
        }
        with self._zip.open(PULL) as file:
            file.write(json.dumps(said, indent=1).encode() + b"\n")
        self._zip.close()

    def _look_into(self, user: Any) -> None:
        if not isinstance(user, dict):
            return
        for name, holds in _HOLDS.items():
            if not self.holding[name] and holds(user):
                self.holding[name] = True


def _overlook(_: Any) -> None:
    """Of the other collections nothing has to be known."""


def looked_at(collection: str) -> Sequence[str]:
    """The names under which `PullWriter` has to be shown what the records of a collection have."""
    return tuple(_HOLDS) if collection == "users" else ()


def _has(record: Any, name: str) -> bool:
    return isinstance(record, dict) and bool(record.get(name))


def _has_credentials(user: Mapping[str, Any]) -> bool:
    profiles = user.get("userProfiles")
    return isinstance(profiles, list) and any(_has(each, "credentials") for each in profiles)


_HOLDS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "role": lambda user: bool(user.get("role")),
    "roles": lambda user: bool(user.get("roles")),
    "userProfiles": _has_credentials,
}


# ---- reading ----


class Pull(OneFileEach):
    """An open pull, read like a package. Its `findings` are about the pull as a whole."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.findings = Findings()
        self.version: Version | None = None
        self.modes: dict[str, Mode] = {}
        """Bulk, for each entity that is there."""
        self.absent: tuple[str, ...] = ()
        """Entities of the version that are not."""
        self.reading = Reading()
        """How its records become rows. A pull of older days does not say."""
        self._repeated: dict[str, Parts | None] = {}
        try:
            self._read_contents()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.version = None
            self.findings.add(RULES["pull.unreadable"].at(PULL))

    def _read_contents(self) -> None:
        with self._container.open(PULL) as file:
            said = json.loads(file.read(_LONGEST_PULL))
        if said["format"] != _FORMAT:
            raise ValueError("format")
        self.version = Version(said["version"])
        self.reading = Reading(**said.get("reading", {}))
        collections, holding = dict(said["collections"]), dict(said["holding"])
        for entity in tables(self.version):
            collection = collection_of(entity)
            held = collections.get(collection) if entity == collection else holding.get(entity)
            if held and member(collection) in self._container.names:
                self.modes[entity] = Mode.BULK
        self.absent = tuple(name for name in tables(self.version) if name not in self.modes)

    def file(self, entity: str) -> str:
        """The file that holds an entity."""
        return member(collection_of(entity))

    def blocks(
        self, entity: str, *, findings: Findings | None = None, block_bytes: int = 32 << 20
    ) -> Iterator[PackageBlock]:
        """The rows of an entity, read once from the front; nothing where it is absent.

        A line that is no JSON stops the pull and is added to `findings`, or to the pull's own.
        """
        findings = self.findings if findings is None else findings
        if entity not in self.modes or self.version is None:
            return
        file, reading = self.file(entity), self.reading
        made = RecordRows(
            entity,
            file,
            self.version,
            underscores=reading.blanks_in_ids == "underscore",
            timezone=reading.timezone,
        )
        try:
            for some in self._records(collection_of(entity), block_bytes // _DENSITY):
                yield made.block(some)
            findings.extend(made.findings())
        except LineError as error:
            findings.add(RULES["pull.line"].at(file, line=error.line, entity=entity))
        except ArchiveError as error:
            findings.add(unreadable(error, file, entity))

    def _records(self, collection: str, most_bytes: int) -> Iterator[Records]:
        """The records of a collection, those of one sourcedId put together if that is wanted."""

        def open_file() -> BinaryIO:
            return self._container.open(member(collection))

        if collection in self.reading.merge:
            if collection not in self._repeated:
                self._repeated[collection] = find_repeated(open_file)
            if (parts := self._repeated[collection]) is not None:
                return united_records(open_file, most_bytes, parts)
        return read_records(open_file, most_bytes)
