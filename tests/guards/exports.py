"""Rosters as they are after a package was read, and after an accident befell it."""

import io
from collections.abc import Callable
from pathlib import Path

from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.simulator.accidents import apply_accident
from roster_pipeline.simulator.district import Day
from tests.small import Row, packed

Files = dict[str, list[Row]]
Read = Callable[[Files | bytes], Roster]


def read(package: Files | bytes, folder: Path) -> Roster:
    """The roster of a package, or of the rows of one, compared with nothing."""
    content = package if isinstance(package, bytes) else packed(package)
    with open_package(io.BytesIO(content)) as opened:
        roster = build_candidate(opened, None, folder).roster
    assert roster is not None
    return roster


def exported(day: Day, version: str) -> bytes:
    """The package of a day."""
    out = io.BytesIO()
    day.write_package(out, version)
    return out.getvalue()


def spoilt(name: str, package: bytes) -> bytes:
    """A copy of the package that an accident befell."""
    out = io.BytesIO()
    apply_accident(name, io.BytesIO(package), out)
    return out.getvalue()
