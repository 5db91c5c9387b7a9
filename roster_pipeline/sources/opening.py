"""What came from a source, opened as a package of OneRoster, whatever it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from roster_pipeline.oneroster.container import Container, open_container
from roster_pipeline.oneroster.contents import is_1p0
from roster_pipeline.oneroster.findings import Severity
from roster_pipeline.oneroster.package import PULL, CsvPackage, Package
from roster_pipeline.oneroster.pulled import Pull
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.sources import vendors
from roster_pipeline.sources.config import Source
from roster_pipeline.sources.mapping.config import CsvMapping
from roster_pipeline.sources.mapping.package import MappedPackage
from roster_pipeline.sources.repairs import repaired
from roster_pipeline.sources.repairs_config import Mending
from roster_pipeline.tables.archive import Limits

ONEROSTER_1P0: Final = "oneroster-1.0"
"""The vendor profile whose mapping reads OneRoster 1.0."""


@contextmanager
def open_source(
    where: Path | BinaryIO, source: Source, limits: Limits | None = None
) -> Iterator[Package]:
    """Open what landed of a source: a pull, files that its mapping or its vendor's makes OneRoster
    of, or OneRoster CSV; its cells mended as the source says.

    Raises `ArchiveError` and `FileNotFoundError`, as `open_package` does.
    """
    with open_mapped(where, source.csv_mapping, source.mending, limits) as package:
        yield package


@contextmanager
def open_mapped(
    where: Path | BinaryIO,
    mapping: CsvMapping | None = None,
    mending: Mending | None = None,
    limits: Limits | None = None,
) -> Iterator[Package]:
    """Open a zip (path or seekable file) or a folder as a pull, by a mapping, or where there is
    none as OneRoster; files of OneRoster 1.0 by the mapping that comes with it."""
    with open_container(where, limits) as container:
        yield repaired(_opened(container, mapping), mending or Mending())


def _opened(container: Container, mapping: CsvMapping | None) -> Package:
    if PULL in container.names:
        return Pull(container)
    if mapping is not None:
        return MappedPackage(container, mapping)
    if is_1p0(container) and (known := _mapping_of_1p0()) is not None:
        package = MappedPackage(container, known)
        package.findings.add(
            RULES["manifest.missing"].at(
                "manifest.csv",
                severity=Severity.WARN,
                message="there is no manifest.csv, and the files are those of OneRoster 1.0; they "
                "were read as such. That has no schoolYear: it is taken from the end dates, and "
                "those from September on count for the year after",
                fix="export OneRoster 1.1 or 1.2; until then compare the schoolYear of the "
                "academicSessions with their titles",
            )
        )
        return package
    return CsvPackage(container)


def _mapping_of_1p0() -> CsvMapping | None:
    return vendors.load(ONEROSTER_1P0).mapping if ONEROSTER_1P0 in vendors.known() else None
