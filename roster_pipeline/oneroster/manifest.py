"""manifest.csv: the version of a package and how each of its files is meant.

Source: CSV Binding 1.2, the manifest and its table; 1.1 differs in the files it names.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import FILES_1P1, FILES_1P2
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.text_faults import text_findings
from roster_pipeline.tables.csv_blocks import HELD, Anomaly, CsvBlocks, CsvError

FILE: Final = "manifest.csv"
HEADER: Final = ("propertyName", "value")


class Version(StrEnum):
    """A version of OneRoster that has a manifest."""

    V1P1 = "1.1"
    V1P2 = "1.2"


class Mode(StrEnum):
    """How one file is meant."""

    ABSENT = "absent"
    BULK = "bulk"
    DELTA = "delta"


FILES: Final[Mapping[Version, tuple[str, ...]]] = {
    Version.V1P1: FILES_1P1,
    Version.V1P2: FILES_1P2,
}

# 1.2.1 is a correction of the text, not a version of packages; some write it all the same.
_VERSIONS: Final = {
    "1.1": Version.V1P1,
    "1.1.1": Version.V1P1,
    "1.2": Version.V1P2,
    "1.2.1": Version.V1P2,
}
_SOURCE: Final = ("source.systemName", "source.systemCode")
_MODES: Final = {mode.value for mode in Mode}
_MISSPELT_AT_LEAST = 0.8
# Some thirty properties, of at most 36 letters; whatever is far longer is no manifest.
_LONGEST_NAME: Final = 100
_MOST_LINES: Final = 1000


@dataclass(frozen=True)
class Manifest:
    """What a manifest says. A file that it does not name is not in `modes`."""

    version: Version | None
    modes: Mapping[str, Mode]
    findings: Findings


def read_manifest(stream: BinaryIO, file: str = FILE) -> Manifest:
    """Read a manifest leniently: order, quoting, a missing header, near misses in property names.

    An unknown version is a STOP finding and leaves `version` None.
    """
    findings = Findings()
    try:
        blocks = CsvBlocks(stream)
        if len(blocks.header) < len(HEADER):
            message = "the lines are not a name, a comma and a value"
            findings.add(RULES["manifest.unreadable"].at(file, line=1, message=message))
            return Manifest(None, {}, findings)
        pairs = list(_pairs(blocks, findings, file))
    except CsvError as error:
        findings.add(RULES["manifest.unreadable"].at(file, line=error.line, message=str(error)))
        return Manifest(None, {}, findings)
    properties = _properties(pairs, findings, file)
    findings.extend(text_findings(blocks, file))
    version = _version(properties, findings, file)
    modes = _modes(properties, version, findings, file) if version else {}
    return Manifest(version, modes, findings)


def _properties(
    pairs: Sequence[tuple[str, str, int]], findings: Findings, file: str
) -> dict[str, tuple[str, int]]:
    """Each property's value and line. What is spelt right is never overruled by a near miss."""
    known = ["manifest.version", "oneroster.version", *_SOURCE]
    known += [f"file.{name}" for name in FILES_1P2]
    spelt_right = {name for name, _, _ in pairs if name in known}
    missing = [name for name in known if name not in spelt_right]
    properties: dict[str, tuple[str, int]] = {}
    for written, value, line in pairs:
        name = written
        if written not in spelt_right:
            name = _property(written, missing, findings, file, line)
        if name in known and properties.get(name, (value, 0))[0] != value:
            message = f"{name} is said twice, and not the same"
            findings.add(RULES["manifest.contradiction"].at(file, line=line, message=message))
        properties[name] = (value, line)
    return properties


def _pairs(blocks: CsvBlocks, findings: Findings, file: str) -> Iterable[tuple[str, str, int]]:
    header = [cell.strip() for cell in blocks.header]
    if [cell.casefold() for cell in header[:2]] != [cell.casefold() for cell in HEADER]:
        findings.add(RULES["manifest.header"].at(file, line=1))
        yield header[0], header[1], 1
    elif tuple(blocks.header[:2]) != HEADER:
        message = "propertyName,value in the first line is misspelt: letters count as they stand"
        findings.add(RULES["manifest.header"].at(file, line=1, message=message))
    for block in blocks:
        if len(block.lines) > _MOST_LINES:
            raise CsvError("too_long", f"A manifest has no more than {_MOST_LINES:,} lines.")
        for anomaly in block.anomalies:
            findings.add(RULES[_of_manifest(anomaly)].at(file, line=anomaly.line))
        cells = block.frame.iloc[:, :2]
        for line in block.lines[np.array(_padded(cells), dtype=bool)].tolist():
            message = "blanks stand around the property or its value"
            findings.add(RULES["manifest.row"].at(file, line=line, message=message))
        for line, name, value in zip(block.lines.tolist(), *_texts(cells), strict=True):
            if name:
                yield name, value, line


def _padded(cells: pd.DataFrame) -> list[bool]:
    """For each row whether blanks stand at the ends of a cell."""
    columns = [cells.iloc[:, n].fillna("").astype(str).tolist() for n in range(2)]
    return [any(cell != cell.strip() for cell in row) for row in zip(*columns, strict=True)]


def _of_manifest(anomaly: Anomaly) -> str:
    return "manifest.row" if anomaly.kind in HELD else f"row.{anomaly.kind}"


def _texts(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    columns = [cells.iloc[:, n].fillna("").astype(str).str.strip().tolist() for n in range(2)]
    return columns[0], columns[1]


def _property(name: str, missing: list[str], findings: Findings, file: str, line: int) -> str:
    """The missing property that a name can mean, else the name."""
    folded = {k.casefold(): k for k in missing}
    wanted = name.casefold() if len(name) <= _LONGEST_NAME else ""
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=_MISSPELT_AT_LEAST)
    if not near:
        findings.add(RULES["manifest.unknown_property"].at(file, line=line))
        return name
    right = folded[near[0]]
    message = f"the property is spelt {right}"
    findings.add(RULES["manifest.property"].at(file, line=line, message=message))
    return right


def _version(
    properties: Mapping[str, tuple[str, int]], findings: Findings, file: str
) -> Version | None:
    written, line = properties.get("manifest.version", (None, 0))
    if written is None:
        message = "manifest.version is missing"
        findings.add(RULES["manifest.missing_property"].at(file, message=message))
    elif written != "1.0":
        code = "excel.version" if written == "1" else "manifest.version"
        findings.add(RULES[code].at(file, line=line))
    for name in _SOURCE:
        if name not in properties:
            message = f"{name} is missing"
            findings.add(RULES["manifest.missing_source"].at(file, message=message))
    value, line = properties.get("oneroster.version", ("", 0))
    version = _VERSIONS.get(value)
    if version is None:
        said = "names a version that is not known" if value else "is missing"
        message = f"oneroster.version {said}; 1.1 and 1.2 can be read"
        findings.add(RULES["manifest.unknown_version"].at(file, line=line or None, message=message))
    elif value != version:
        message = f"oneroster.version should be {version}"
        findings.add(RULES["manifest.corrected_version"].at(file, line=line, message=message))
    return version


def _modes(
    properties: Mapping[str, tuple[str, int]], version: Version, findings: Findings, file: str
) -> dict[str, Mode]:
    modes = {}
    for name in FILES_1P2:
        value, line = properties.get(f"file.{name}", (None, 0))
        if name not in FILES[version] and value not in (None, Mode.ABSENT.value):
            message = f"OneRoster {version} has no file {name}.csv"
            findings.add(RULES["manifest.unknown_property"].at(file, line=line, message=message))
    for name in FILES[version]:
        value, line = properties.get(f"file.{name}", (None, 0))
        if value is None:
            message = f"file.{name} is missing"
            findings.add(RULES["manifest.missing_property"].at(file, message=message))
        elif value.casefold() in _MODES:
            modes[name] = Mode(value.casefold())
            if value not in _MODES:
                message = "modes are written in lower case"
                findings.add(RULES["manifest.mode"].at(file, line=line, message=message))
        else:
            message = f"file.{name} must be absent, bulk or delta"
            findings.add(RULES["manifest.mode"].at(file, line=line, message=message))
    return modes


def manifest_rows(
    version: Version,
    modes: Mapping[str, Mode],
    system_name: str | None = None,
    system_code: str | None = None,
) -> list[tuple[str, str]]:
    """The rows of a manifest as the standard prints them; files not in `modes` are absent."""
    rows = [("manifest.version", "1.0"), ("oneroster.version", str(version))]
    rows += [(f"file.{name}", str(modes.get(name, Mode.ABSENT))) for name in FILES[version]]
    rows += [("source.systemName", system_name or ""), ("source.systemCode", system_code or "")]
    return rows
