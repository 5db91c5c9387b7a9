"""The make-believe district in forms that are not OneRoster 1.1 or 1.2, as vendors send them.

Each is written from a OneRoster package, so that whatever happens to packages (days, accidents)
happens to it too. Apart from the product's own mappings on purpose: each tests the other.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.simulator.formats.five_files import five_files
from roster_pipeline.simulator.formats.microsoft_sds import microsoft_sds
from roster_pipeline.simulator.formats.oneroster_1p0 import oneroster_1p0
from roster_pipeline.simulator.formats.sheets import Sheets
from roster_pipeline.simulator.formats.student_per_row import student_per_row
from roster_pipeline.simulator.packages import Target, opened
from roster_pipeline.simulator.rewriting import Source
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.csv_write import write_csv


@dataclass(frozen=True)
class Format:
    """A form in which a district's rows can be written."""

    version: Version
    """Of the OneRoster package that it is written from."""
    files: Callable[[Sheets, date], Mapping[str, pd.DataFrame]]
    """Name of each file → its rows, as they are on a date."""


FORMATS: Final[Mapping[str, Format]] = {
    "five-files": Format(Version.V1P2, five_files),
    "microsoft-sds-2.1": Format(Version.V1P2, microsoft_sds),
    "oneroster-1.0": Format(Version.V1P1, oneroster_1p0),
    "student-per-row": Format(Version.V1P2, student_per_row),
}
"""By the names of the vendor profiles that read them."""


def write_as(name: str, source: Source, target: Target, on: date) -> dict[str, int]:
    """Write a OneRoster package (zip) in a format; give the rows of each file.

    `target` is a zip, or a folder where its name does not end in `.zip`. Raises KeyError for a
    format that is not in `FORMATS`, and ValueError for a district that it cannot hold.
    """
    files = FORMATS[name].files(Sheets(source), on)
    if isinstance(target, str | os.PathLike) and not os.fspath(target).lower().endswith(".zip"):
        return {file: _write_file(Path(target, file), frame) for file, frame in files.items()}
    counts = {}
    with opened(target) as out, ZipWriter(out) as archive:
        for file, frame in files.items():
            with archive.open(file) as member:
                counts[file] = write_csv(member, list(frame.columns), [frame])
    return counts


def _write_file(path: Path, frame: pd.DataFrame) -> int:
    with opened(path) as out:
        return write_csv(out, list(frame.columns), [frame])
