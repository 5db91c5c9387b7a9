"""manifest.csv: the version of a package and how each of its files is meant.

Source: CSV Binding 1.2, section 2.4 and the manifest table; 1.1 differs in the files it names.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

import pandas as pd

from roster_pipeline.oneroster.entities import FILES_1P1, FILES_1P2
from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.tables.csv_blocks import CsvBlocks, CsvError

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
            _stop(findings, file, "manifest.unreadable",
                  "the lines are not a name, a comma and a value", line=1)  # fmt: skip
            return Manifest(None, {}, findings)
        pairs = list(_pairs(blocks, findings, file))
    except CsvError as error:
        _stop(findings, file, "manifest.unreadable", str(error), line=error.line)
        return Manifest(None, {}, findings)
    properties = _properties(pairs, findings, file)
    version = _version(properties, findings, file)
    modes = _modes(properties, version, findings, file) if version else {}
    return Manifest(version, modes, findings)


def _properties(
    pairs: Sequence[tuple[str, str, int]], findings: Findings, file: str
) -> dict[str, tuple[str, int]]:
    """Each property's value and line. What is spelt right is never overruled by a near miss."""
    known = ["manifest.version", "oneroster.version", "source.systemName", "source.systemCode"]
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
            _stop(findings, file, "manifest.contradiction", message, line=line)
        properties[name] = (value, line)
    return properties


def _pairs(blocks: CsvBlocks, findings: Findings, file: str) -> Iterable[tuple[str, str, int]]:
    header = [cell.strip() for cell in blocks.header]
    if [cell.casefold() for cell in header[:2]] != [cell.casefold() for cell in HEADER]:
        _warn(findings, file, "manifest.header", "the first line should be propertyName,value", 1)
        yield header[0], header[1], 1
    for block in blocks:
        if len(block.lines) > _MOST_LINES:
            raise CsvError("too_long", f"A manifest has no more than {_MOST_LINES:,} lines.")
        for anomaly in block.anomalies:
            _warn(findings, file, "manifest.row", "the line does not have two cells", anomaly.line)
        cells = block.frame.iloc[:, :2]
        for line, name, value in zip(block.lines.tolist(), *_texts(cells), strict=True):
            if name:
                yield name, value, line


def _texts(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    columns = [cells.iloc[:, n].fillna("").astype(str).str.strip().tolist() for n in range(2)]
    return columns[0], columns[1]


def _property(name: str, missing: list[str], findings: Findings, file: str, line: int) -> str:
    """The missing property that a name can mean, else the name."""
    folded = {k.casefold(): k for k in missing}
    wanted = name.casefold() if len(name) <= _LONGEST_NAME else ""
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=_MISSPELT_AT_LEAST)
    if not near:
        _warn(
            findings, file, "manifest.unknown_property", "the standard has no such property", line
        )
        return name
    right = folded[near[0]]
    _warn(findings, file, "manifest.property", f"the property is spelt {right}", line)
    return right


def _version(
    properties: Mapping[str, tuple[str, int]], findings: Findings, file: str
) -> Version | None:
    manifest_version, line = properties.get("manifest.version", ("", 0))
    if manifest_version != "1.0":
        _warn(findings, file, "manifest.version", "manifest.version should be 1.0", line or None)
    value, line = properties.get("oneroster.version", ("", 0))
    version = _VERSIONS.get(value)
    if version is None:
        said = "names a version that is not known" if value else "is missing"
        _stop(
            findings,
            file,
            "manifest.unknown_version",
            f"oneroster.version {said}; 1.1 and 1.2 can be read",
            line=line or None,
        )
    elif value != version:
        _warn(findings, file, "manifest.version", f"oneroster.version should be {version}", line)
    return version


def _modes(
    properties: Mapping[str, tuple[str, int]], version: Version, findings: Findings, file: str
) -> dict[str, Mode]:
    modes = {}
    for name in FILES[version]:
        value, line = properties.get(f"file.{name}", (None, 0))
        if value is None:
            _warn(findings, file, "manifest.missing_property", f"file.{name} is missing", None)
        elif value.casefold() in {mode.value for mode in Mode}:
            modes[name] = Mode(value.casefold())
            if value not in {mode.value for mode in Mode}:
                _warn(findings, file, "manifest.mode", "modes are written in lower case", line)
        else:
            _warn(
                findings, file, "manifest.mode", f"file.{name} must be absent, bulk or delta", line
            )
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


def _warn(findings: Findings, file: str, code: str, message: str, line: int | None) -> None:
    findings.add(
        FindingGroup.one(code, Severity.WARN, message, file, line=line, fix="mend the manifest")
    )


def _stop(findings: Findings, file: str, code: str, message: str, *, line: int | None) -> None:
    fix = "ask the sender for a OneRoster 1.1 or 1.2 package"
    findings.add(FindingGroup.one(code, Severity.STOP, message, file, line=line, fix=fix))
