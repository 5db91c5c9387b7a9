"""A roster in a receiver's format, as one file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.writing import write_bulk
from roster_pipeline.receivers.profiles import Profile


@dataclass(frozen=True)
class Rendered:
    """A package ready to be sent."""

    file: Path
    size: int
    """Bytes."""
    sha256: str
    rows: Mapping[str, int]
    """Rows per file in the package."""


def recipe(profile: Profile, *, system_name: str | None, system_code: str | None) -> str:
    """SHA-256, in hex, of all that a package depends on beside the roster, this program's version
    included: by the same recipe one roster need not be rendered again."""
    said = [
        profile.model_dump(mode="json", exclude={"title", "ask", "variants"}),
        system_name,
        system_code,
        version("roster-pipeline"),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def render(
    roster: Roster,
    profile: Profile,
    file: Path,
    *,
    system_name: str | None = None,
    system_code: str | None = None,
) -> Rendered:
    """Write a roster into `file` as its receiver wants it. The same roster gives the same bytes."""
    assert profile.oneroster is not None  # noqa: S101 - a profile has one format
    with file.open("wb") as out:
        rows = write_bulk(
            roster,
            out,
            version=Version(profile.oneroster.version),
            system_name=system_name,
            system_code=system_code,
        )
    with file.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return Rendered(file, file.stat().st_size, digest, rows)
