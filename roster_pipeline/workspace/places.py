"""Where destinations write: two at one place would undo each other's work.

Nothing is asked of a server, so two logins of one server that end in one folder are not seen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from roster_pipeline.receivers.config import Destination
from roster_pipeline.transport.outlet_config import OutletConfig

# What a part of a package's name looks like that is known when it is sent.
_LATER: Final[Mapping[str, re.Pattern[str]]] = {
    "{date}": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "{number}": re.compile("[0-9]{6,}"),
}


@dataclass(frozen=True)
class Clash:
    """Two destinations that would write to one place."""

    first: str
    second: str
    key: str
    """Of the second one's file: where it says so."""
    said: str


def clashes(
    destinations: Mapping[str, Destination], districts: Iterable[str], base: Path
) -> Iterator[Clash]:
    """Each destination that would write where one before it does, once. `base` is what relative
    paths are relative to."""
    sources = tuple(districts)
    taken: dict[tuple[str, str], str] = {}
    might_be: dict[tuple[str, str], str] = {}
    for name, destination in destinations.items():
        found = None
        for server, path in _places(destination, sources, base):
            patterns = [(server, pattern) for pattern in _patterns(path)]
            others = (taken.get((server, path)), might_be.get((server, path)))
            for other in (*others, *map(taken.get, patterns)):
                found = found or (other if other != name else None)
            taken.setdefault((server, path), name)
            might_be.update(dict.fromkeys(patterns, name))
        if found is not None:
            yield _clash(found, name, destinations)


def _places(
    destination: Destination, districts: tuple[str, ...], base: Path
) -> Iterator[tuple[str, str]]:
    """Server and path of each package, where capitals do not count, as on many servers; schema and
    source of rows."""
    everyone = destination.sources == "all"
    listed = (*districts, "{source}") if everyone else destination.sources
    for source in listed:
        if (tables := destination.tables) is not None:
            yield f"tables {tables.url} {tables.schema_name}", source
            continue
        if destination.transport is None:
            return
        server, path = _place(destination.transport, destination.path_for(source), base)
        yield server, path.casefold()


def _place(transport: OutletConfig, path: str, base: Path) -> tuple[str, str]:
    if transport.folder is not None:
        return "folder", str((base / transport.folder.path / path).resolve())
    inside = str(PurePosixPath("/") / path)
    if (sftp := transport.sftp) is not None:
        # Behind another proxy or jump host the same name may be another server.
        ways = (way for way in (sftp.proxy, sftp.jump_host) if way is not None)
        hops = "".join(f"{way.host.lower()}:{way.port} " for way in ways)
        return f"sftp {hops}{sftp.username}@{sftp.host.lower()}:{sftp.port}", inside
    if (s3 := transport.s3) is not None:
        return f"s3 {s3.endpoint_url} {s3.bucket}", str(
            PurePosixPath("/", s3.prefix) / path.lstrip("/")
        )
    if (https := transport.https) is not None:
        # What a form is about may stand in its fields alone.
        fields = {} if https.form is None else https.form.fields
        form = sorted((key, str(value)) for key, value in fields.items())
        return f"https {form}", f"{https.base_url}{inside}"
    return "", inside


def _patterns(path: str) -> set[str]:
    """The paths with `{date}` or `{number}` in them that a path may come out of."""
    found = {path}
    for name, digits in _LATER.items():
        found |= {digits.sub(name, one) for one in found}
    return found - {path}


def _clash(first: str, second: str, destinations: Mapping[str, Destination]) -> Clash:
    this = destinations[second]
    if this.tables is not None:
        said = (
            "writes rows of the same source to the same database and schema; one would overwrite "
            "the other"
        )
        return Clash(first, second, "tables", said)
    wanted = this.format.archive.name
    said = "writes to the same path; one would overwrite the other"
    if wanted is not None and destinations[first].format.archive.name == wanted:
        said += f" before it is fetched. Both have to be called {wanted}: give each its own folder"
    return Clash(first, second, "path", said)
