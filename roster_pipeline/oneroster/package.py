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
import pyarrow as pa

from roster_pipeline.oneroster.container import Container, locate, open_container
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
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity, Texts
from roster_pipeline.oneroster.header import METADATA, Header, match_header
from roster_pipeline.oneroster.manifest import FILE, Mode, Version, read_manifest
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.spelling import may_be_padded, readable, respell
from roster_pipeline.tables.archive import ArchiveError, Limits
from roster_pipeline.tables.csv_blocks import HELD, Anomaly, Block, CsvBlocks, CsvError
from roster_pipeline.tables.text import TEXT

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


class CsvPackage:
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
            self.findings.add(RULES["manifest.missing"].at(FILE))
            return
        with self._container.open(self._members["manifest"]) as stream:
            manifest = read_manifest(stream, self._members["manifest"])
        self.findings.extend(manifest.findings)
        self.version = manifest.version
        if manifest.version is None:
            return
        for name in tables(manifest.version):
            declared = manifest.modes.get(name)
            if name in self._members:
                self.modes[name] = self._mode(name, declared)
            elif declared in (Mode.BULK, Mode.DELTA):
                self._declared_but_missing(name, required=name in required_files(manifest.version))
        self.absent = tuple(name for name in tables(manifest.version) if name not in self.modes)

    def _mode(self, name: str, declared: Mode | None) -> Mode:
        """A file's mode; where the manifest does not say, its first rows do (section 2.2)."""
        if declared in (Mode.BULK, Mode.DELTA):
            return declared
        message = f"file.{name} is not declared, yet {name}.csv is there; it was read"
        self.findings.add(RULES["manifest.present_but_absent"].at(FILE, message=message))
        first = next(self.blocks(name, findings=Findings()), None)
        if first is None or first.frame.empty:
            return Mode.BULK
        return Mode.DELTA if bool(first.frame["status"].notna().all()) else Mode.BULK

    def _declared_but_missing(self, name: str, *, required: bool) -> None:
        message = f"the manifest declares {name}.csv, and it is not in the package"
        severity = Severity.STOP if required else None
        self.findings.add(
            RULES["package.missing_file"].at(FILE, severity=severity, message=message)
        )

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
                for block in reader:
                    yield _block(entity, file, header, tables(self.version)[entity], block)
                findings.extend(_text_findings(reader, file, entity))
        except (CsvError, ArchiveError) as error:
            findings.add(_unreadable(error, file, entity))


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


def _block(
    entity: str, file: str, header: Header, table: Sequence[Column], block: Block
) -> PackageBlock:
    frame = _as_read(block.frame, header)
    frame = _ordered(frame, [column.name for column in table])
    padded = may_be_padded(block.raw) or any(
        anomaly.kind == "line_break_in_cell" for anomaly in block.anomalies
    )
    frame, findings = respell(frame, table, block.lines, file, entity, padded=padded)
    broken = tuple(a for a in block.anomalies if a.kind in HELD)
    key_cell = header.read_as.index("sourcedId")
    findings.extend(_anomaly_findings(block.anomalies, file, entity, key_cell))
    return PackageBlock(entity, file, frame, block.lines, broken, key_cell, findings)


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


def _anomaly_findings(
    anomalies: Sequence[Anomaly], file: str, entity: str, key_cell: int
) -> Iterator[FindingGroup]:
    by_kind: dict[str, list[Anomaly]] = {}
    for anomaly in anomalies:
        by_kind.setdefault(anomaly.kind, []).append(anomaly)
    for kind, found in by_kind.items():
        lines = np.array([anomaly.line for anomaly in found], dtype=np.int64)
        ids = _first_cells(found) if kind in HELD and key_cell == 0 else None
        yield RULES[f"row.{kind}"].at(file, None, lines, entity=entity, sourced_ids=ids)


def _first_cells(broken: Sequence[Anomaly]) -> Texts:
    """The sourcedIds of broken rows where it is the first column; null where it cannot be read."""
    cells = (anomaly.values[0].strip() if anomaly.values else None for anomaly in broken)
    return readable(pa.array(cells, pa.large_string()))


_SAID: Final = {"duplicate_header": "header.duplicate"}


def _unreadable(error: CsvError | ArchiveError, file: str, entity: str) -> FindingGroup:
    """What keeps a file from being read to its end."""
    if isinstance(error, ArchiveError):
        return RULES[f"package.{error.code}"].at(file, message=str(error), entity=entity)
    rule = RULES[_SAID.get(error.code, f"file.{error.code}")]
    return rule.at(file, line=error.line, message=str(error), entity=entity)


def _text_findings(reader: CsvBlocks, file: str, entity: str) -> Iterator[FindingGroup]:
    """What is odd about the file as text, known once it has been read to its end."""
    if reader.encoding == "cp1252":
        yield RULES["file.encoding"].at(file, line=reader.first_cp1252_line, entity=entity)
    if {"\n", "\r\n"} <= reader.line_endings:
        yield RULES["file.line_endings"].at(file, entity=entity)
