"""A roster in a receiver's format, as one file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import Emptied, Form, write_bulk, write_delta
from roster_pipeline.receivers.columns.config import ColumnsFormat
from roster_pipeline.receivers.columns.writing import write
from roster_pipeline.receivers.profiles import OneRosterFormat, Profile
from roster_pipeline.receivers.staying import sent


class RenderingError(Exception):
    """A package that its receiver would not take; the message is for people."""


@dataclass(frozen=True)
class Rendered:
    """A package ready to be sent."""

    file: Path
    size: int
    """Bytes."""
    sha256: str
    rows: Mapping[str, int]
    """Rows per file in the package."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Accepted rows that the receiver does not get, by entity."""


def recipe(profile: Profile, *, system_name: str | None, system_code: str | None) -> str:
    """SHA-256, in hex, of all that a package depends on beside the roster, this program's version
    included: by the same recipe one roster need not be rendered again."""
    said = [
        profile.model_dump(
            mode="json", exclude={"title", "about", "host", "ask", "checks", "variants"}
        ),
        system_name,
        system_code,
        version("roster-pipeline"),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def render(
    roster: Roster,
    profile: Profile,
    file: Path,
    *,
    system_name: str | None = None,
    system_code: str | None = None,
    delta: Delta | None = None,
    emptied: Roster | None = None,
    modified: datetime | None = None,
    left_out: Mapping[str, int] | None = None,
) -> Rendered:
    """Write an outgoing roster into `file` as its receiver wants it: the whole of it, or a `delta`
    between it and another. Rows of `emptied` are told as deleted beside the whole, where it has
    none of their entity. What has a status is said to be `modified` then (demanded with these two).

    The same rows give the same bytes. `left_out` is noted as it is. Raises `RenderingError` for a
    package that is larger than the receiver allows.
    """
    named = {"system_name": system_name, "system_code": system_code}
    with file.open("wb") as out:
        if isinstance(profile.columns, ColumnsFormat):
            rows = write(roster, profile.columns, out)
        else:
            rows = _write_oneroster(roster, profile, out, named, delta, emptied, modified)
    size = file.stat().st_size
    most = profile.archive.most_bytes
    if most is not None and size > most:
        raise RenderingError(
            f"The package has {size:,} bytes, and {profile.title} takes {most:,} at most. Send "
            "fewer schools, or fewer kinds of people, to it."
        )
    with file.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return Rendered(file, size, digest, rows, dict(left_out or {}))


def _write_oneroster(
    roster: Roster,
    profile: Profile,
    out: BinaryIO,
    named: Mapping[str, str | None],
    delta: Delta | None,
    emptied: Roster | None,
    modified: datetime | None,
) -> dict[str, int]:
    assert profile.oneroster is not None  # noqa: S101 - a profile has one format
    said = {"version": Version(profile.oneroster.version), "form": form_of(profile.oneroster)}
    if delta is None and emptied is None:
        return write_bulk(roster, out, **said, **named)  # type: ignore[arg-type]
    if modified is None:
        raise ValueError("a delta needs the moment of its changes")
    if delta is None:
        gone = Emptied(emptied or Roster.empty(), modified)
        return write_bulk(roster, out, **said, **named, emptied=gone)  # type: ignore[arg-type]
    return write_delta(delta, out, modified=modified, **said, **named)  # type: ignore[arg-type]


def form_of(format_: OneRosterFormat) -> Form:
    """How the files of a format are written."""
    return Form(
        entities=None if format_.files is None else sent(format_),
        manifest=format_.manifest,
        spelling=format_.spelling,
        resource_ids=format_.resource_ids,
        newline="\n" if format_.newline == "lf" else "\r\n",
        byte_order_mark=format_.byte_order_mark,
    )
