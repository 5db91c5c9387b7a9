"""A package, read leniently: OneRoster CSV, zip or folder, 1.1 or 1.2, bulk or delta per file; or
what was pulled by REST and kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.container import Container, locate, open_container
from roster_pipeline.oneroster.contents import against_manifest, no_manifest, unmet_needs
from roster_pipeline.oneroster.entities import (
    ENTITIES,
    ENTITIES_1P1,
    FILES_1P2,
    REQUIRED_1P1,
    REQUIRED_1P2,
    Column,
    columns,
    columns_1p1,
)
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.oneroster.header import METADATA, Header, match_header
from roster_pipeline.oneroster.manifest import Mode, Version, read_manifest
from roster_pipeline.oneroster.origins import unmarked
from roster_pipeline.oneroster.other_files import OTHER_FILES
from roster_pipeline.oneroster.spelling import may_be_padded, respell
from roster_pipeline.oneroster.text_faults import row_findings, text_findings, unreadable
from roster_pipeline.tables.archive import ArchiveError, Limits
from roster_pipeline.tables.csv_blocks import HELD, Anomaly, Block, CsvBlocks, CsvError
from roster_pipeline.tables.text import TEXT, arrow

PULL: Final = "pull.json"
"""The file that makes a zip a pull rather than a CSV package."""


def tables(version: Version) -> Mapping[str, tuple[Column, ...]]:
    """The rostering tables of a version: file name (without `.csv`) to its columns in order."""
    if version is Version.V1P1:
        return {entity: columns_1p1(entity) for entity in ENTITIES_1P1}
    return {entity: columns(entity) for entity in ENTITIES}


def required_files(version: Version) -> tuple[str, ...]:
    """The files without which a package of a version is no roster."""
    return REQUIRED_1P1 if version is Version.V1P1 else REQUIRED_1P2


@dataclass(frozen=True)
class PackageBlock:
    """Some rows of one file, columns named and ordered as the file's version has them."""

    entity: str
    file: str
    frame: pd.DataFrame
    """All columns of the table in order, then metadata columns sorted by name; TEXT cells."""
    lines: npt.NDArray[np.int64]
    """The line of the file on which each row begins."""
    broken: tuple[Anomaly, ...]
    """Rows that have not as many cells as the header, with what could be read of them."""
    key_cell: int
    """Where in a broken row's cells the sourcedId should stand."""
    findings: Findings
    status_cell: int | None = None
    """Where the status should stand; None where the file has none."""
    bulk_or_delta: bool = True
    """Whether a status says which of the two a file is, as in CSV of OneRoster. Elsewhere it means
    what it says, and may be left out."""


class Package(Protocol):
    """An open package, CSV or pulled by REST."""

    findings: Findings
    """About the package and its headers. A STOP among them means that no row may be used."""
    version: Version | None
    modes: dict[str, Mode]
    """How each rostering file that is present is meant."""
    absent: tuple[str, ...]
    """Rostering files of the version that are not in the package."""

    def file(self, entity: str) -> str:
        """The member that holds an entity, as it is called in the package."""
        ...

    def blocks(
        self, entity: str, *, findings: Findings | None = None, block_bytes: int = 32 << 20
    ) -> Iterator[PackageBlock]:
        """The rows of one entity, read once from the front; nothing where it is absent.

        What is wrong with the file as a whole (header, encoding, a cut archive) is added to
        `findings`, or to the package's own; after a STOP no further block comes.
        """
        ...

    def without_rows(self, entity: str) -> tuple[str, ...]:
        """Of files whose rows make an entity together, those that are not there, or empty: shell
        patterns for their names, in small letters. Known when the entity has been read."""
        ...

    def without_columns(self, entity: str) -> Mapping[int, tuple[str, str]]:
        """Of the ways in which rows of an entity are made (see `origins`), those that can make none
        as a column is not there by which they choose rows: its file and its name. Known when the
        entity has been read."""
        ...

    def located(self, findings: Findings) -> Findings:
        """Findings about its rows with files, lines and columns as whoever made them knows them."""
        ...


class OneFileEach:
    """What is so of every package that is of OneRoster itself; see `Package`."""

    def without_rows(self, entity: str) -> tuple[str, ...]:
        """None: an entity is one file."""
        return ()

    def without_columns(self, entity: str) -> Mapping[int, tuple[str, str]]:
        """None: a row is a row."""
        return {}

    def located(self, findings: Findings) -> Findings:
        """See `Package.located`."""
        return unmarked(findings)


class CsvPackage(OneFileEach):
    """A package of CSV files; see `Package`."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._members, self.findings = locate(container.names, ("manifest", *FILES_1P2))
        self.version: Version | None = None
        self.modes: dict[str, Mode] = {}
        self.absent: tuple[str, ...] = ()
        self._read_manifest()

    def _read_manifest(self) -> None:
        if "manifest" not in self._members:
            self.findings.add(no_manifest(self._members))
            return
        with self._container.open(self._members["manifest"]) as stream:
            manifest = read_manifest(stream, self._members["manifest"])
        self.findings.extend(manifest.findings)
        self.version = version = manifest.version
        if version is None:
            return
        required = required_files(version)
        said = (version, manifest.modes, required)
        self.findings.extend(against_manifest(self._members, *said))
        self.findings.extend(unmet_needs(self._members, *said))
        for name in tables(version):
            if name in self._members:
                self.modes[name] = self._mode(name, manifest.modes.get(name, Mode.ABSENT))
        self.absent = tuple(name for name in tables(version) if name not in self.modes)
        for name in OTHER_FILES[version]:
            if name in self._members:
                self.findings.extend(self._other_header(name, OTHER_FILES[version][name]))

    def _mode(self, name: str, declared: Mode) -> Mode:
        """A file's mode; where the manifest does not say, its first rows do."""
        if declared is not Mode.ABSENT:
            return declared
        first = next(self.blocks(name, findings=Findings()), None)
        if first is None or first.frame.empty:
            return Mode.BULK
        return Mode.DELTA if bool(first.frame["status"].notna().all()) else Mode.BULK

    def _other_header(self, name: str, table: Sequence[Column]) -> Iterator[FindingGroup]:
        """What is wrong with the header of a file whose rows are not read: none of it stops."""
        file = self._members[name]
        try:
            with self._container.open(file) as stream:
                reader = CsvBlocks(stream)
            groups = match_header(reader.header, table, file).findings.groups
            groups += text_findings(reader, file)
        except (CsvError, ArchiveError) as error:
            groups = [unreadable(error, file)]
        for group in groups:
            yield group.with_severity(Severity.WARN)

    def file(self, entity: str) -> str:
        """See `Package.file`."""
        return self._members.get(entity, f"{entity}.csv")

    def blocks(
        self, entity: str, *, findings: Findings | None = None, block_bytes: int = 32 << 20
    ) -> Iterator[PackageBlock]:
        """See `Package.blocks`."""
        findings = self.findings if findings is None else findings
        if entity not in self._members or self.version is None:
            return
        file = self.file(entity)
        try:
            with self._container.open(self._members[entity]) as stream:
                reader = CsvBlocks(stream, block_bytes=block_bytes)
                header = match_header(reader.header, tables(self.version)[entity], file, entity)
                findings.extend(header.findings)
                if header.findings.worst() is Severity.STOP:
                    return
                read = _Reading(entity, file, header, tables(self.version)[entity])
                yield from map(read.block, reader)
                breaks = read.breaks_in_cells
                findings.extend(text_findings(reader, file, entity, breaks_in_cells=breaks))
        except (CsvError, ArchiveError) as error:
            findings.add(unreadable(error, file, entity))


@contextmanager
def open_package(where: Path | BinaryIO, limits: Limits | None = None) -> Iterator[Package]:
    """Open a zip (path or seekable file) or a folder as a OneRoster package, or as a pull.

    Raises `ArchiveError` for an archive that is cut or cannot be trusted, `FileNotFoundError`
    where nothing is. Anything else wrong is a finding of the package.
    """
    with open_container(where, limits) as container:
        if PULL not in container.names:
            yield CsvPackage(container)
            return
        # It makes the same blocks as this module, and stands upon it.
        from roster_pipeline.oneroster.pulled import Pull

        yield Pull(container)


@dataclass
class _Reading:
    """How the blocks of one file are read."""

    entity: str
    file: str
    header: Header
    table: Sequence[Column]
    breaks_in_cells: bool = False
    """Whether any cell so far held a line break."""

    def block(self, block: Block) -> PackageBlock:
        breaks = any(anomaly.kind == "line_break_in_cell" for anomaly in block.anomalies)
        self.breaks_in_cells |= breaks
        frame = _as_read(block.frame, self.header)
        frame = _ordered(frame, [column.name for column in self.table])
        padded = breaks or may_be_padded(block.raw)
        file, entity, lines = self.file, self.entity, block.lines
        frame, findings = respell(frame, self.table, lines, file, entity, padded=padded)
        broken = tuple(a for a in block.anomalies if a.kind in HELD)
        key_cell = self.header.read_as.index("sourcedId")
        ids = arrow(frame["sourcedId"])
        findings.extend(
            row_findings(block.anomalies, file, entity, lines=lines, ids=ids, key_cell=key_cell)
        )
        named = self.header.read_as
        status_cell = named.index("status") if "status" in named else None
        return PackageBlock(entity, file, frame, lines, broken, key_cell, findings, status_cell)


def _as_read(frame: pd.DataFrame, header: Header) -> pd.DataFrame:
    kept = [index for index, name in enumerate(header.read_as) if name is not None]
    if len(kept) < len(header.read_as):
        frame = frame.iloc[:, kept]
    return frame.set_axis([header.read_as[index] for index in kept], axis="columns")


def _ordered(frame: pd.DataFrame, expected: list[str]) -> pd.DataFrame:
    metadata = sorted(name for name in frame.columns if name.startswith(METADATA))
    wanted = expected + metadata
    if list(frame.columns) == wanted:
        return frame
    empty = pd.Series([None] * len(frame), dtype=TEXT, index=frame.index)
    return pd.DataFrame(
        {name: frame[name] if name in frame.columns else empty for name in wanted},
        index=frame.index,
    )
