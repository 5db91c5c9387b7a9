"""CSV files that people write: cells without blanks around them, and every fault with its line."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Severity
from roster_pipeline.tables.csv_blocks import Anomaly, CsvBlocks, CsvError
from roster_pipeline.tables.csv_patient import HELD
from roster_pipeline.tables.text import TEXT

Lines = npt.NDArray[np.int64]
_SHOWN: Final = 20
_ANOMALIES: Final[Mapping[str, str]] = {
    "too_many_cells": "the line has more cells than the header",
    "too_few_cells": "the line has fewer cells than the header",
    "unclosed_quote": "a quote is opened and not closed",
}


class FileError(Exception):
    """A file that cannot be used; its findings say why, with file and line."""

    def __init__(self, findings: Findings) -> None:
        said = sorted(findings, key=lambda finding: finding.line or 0)
        super().__init__("\n".join(f"{finding} {finding.fix}".rstrip() for finding in said))
        self.findings = findings


@dataclass(frozen=True)
class Layout:
    """What a kind of file has for columns."""

    kind: str
    """The first word of its findings' codes."""
    columns: Mapping[str, str]
    """Our name of each column to its header; capitals do not matter."""
    required: Collection[str]
    """Ours of those that must be there."""
    hint: str = "Rename the columns."
    """What to do if one is not."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The filled rows of a file."""

    frame: pd.DataFrame
    """Every column of the layout; TEXT, a RangeIndex. A column that the file lacks is empty."""
    lines: Lines
    """Where each row stands."""
    findings: Findings = field(default_factory=Findings)
    """What does not matter much."""


def read_cells(path: Path, shown: str, layout: Layout) -> Cells:
    """The rows of a CSV file, all of them or none; `shown` is what findings call it.

    UTF-8, or else cp1252 with a warning. Raises `FileError`.
    """
    try:
        with path.open("rb") as stream:
            cells = _read(stream, shown, layout)
    except CsvError as error:
        message = str(error).removeprefix(f"Line {error.line}: ")
        raise unusable(f"{layout.kind}.{error.code}", message, shown, error.line) from None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}."
        raise unusable(f"{layout.kind}.unreadable", message, shown) from None
    refuse(cells.findings)
    return cells


def refuse(findings: Findings) -> None:
    """Raise `FileError` if any of the findings stops."""
    if grave := findings.of(Severity.STOP):
        raise FileError(grave)


def unusable(
    code: str, message: str, file: str, line: int | None = None, fix: str = ""
) -> FileError:
    """The error of one finding."""
    group = FindingGroup.one(code, Severity.STOP, message, file, line=line, fix=fix)
    return FileError(Findings([group]))


def _read(stream: BinaryIO, shown: str, layout: Layout) -> Cells:
    blocks = CsvBlocks(stream)
    named = _named(blocks.header, shown, layout)
    frames = [pd.DataFrame({name: pd.Series([], dtype=TEXT) for name in layout.columns})]
    lines = [np.empty(0, dtype=np.int64)]
    anomalies: list[Anomaly] = []
    for block in blocks:
        frames.append(_trimmed(block.frame, named, layout))
        lines.append(block.lines)
        anomalies += block.anomalies
    findings = Findings(_anomalous(anomalies, shown, layout))
    if blocks.first_cp1252_line is not None:
        findings.add(
            FindingGroup.one(
                f"{layout.kind}.encoding",
                Severity.WARN,
                "this line is not UTF-8 text; it was read as Windows-1252.",
                shown,
                line=blocks.first_cp1252_line,
                fix="Save the file as UTF-8.",
            )
        )
    whole = pd.concat(frames, ignore_index=True)
    filled = whole.notna().any(axis=1).to_numpy(dtype=bool)
    return Cells(whole[filled].reset_index(drop=True), np.concatenate(lines)[filled], findings)


def _named(header: Sequence[str], shown: str, layout: Layout) -> Mapping[str, str]:
    """The file's own header of each column that it has. Raises `FileError`."""
    there = {name.strip().casefold(): name for name in header}
    named = {name: there.get(title.casefold()) for name, title in layout.columns.items()}
    missing = [layout.columns[name] for name in layout.required if named[name] is None]
    if missing:
        lacks = " and ".join(f"no column `{name}`" for name in missing)
        has = ", ".join(f"`{name}`" for name in header[:_SHOWN])
        one = len(header) == 1 and (";" in header[0] or "\t" in header[0])
        raise unusable(
            f"{layout.kind}.missing_column",
            f"there is {lacks}; there are: {has}.",
            shown,
            1,
            "Separate the columns by commas." if one else layout.hint,
        )
    return {name: found for name, found in named.items() if found is not None}


def _trimmed(frame: pd.DataFrame, named: Mapping[str, str], layout: Layout) -> pd.DataFrame:
    nothing = pd.Series([None] * len(frame), dtype=TEXT)
    return pd.DataFrame(
        {
            name: _stripped(frame[named[name]]) if name in named else nothing
            for name in layout.columns
        }
    )


def _stripped(cells: "pd.Series[str]") -> "pd.Series[str]":
    stripped = cells.str.strip()
    return stripped.where(stripped != "", None).astype(TEXT)


def _anomalous(anomalies: Sequence[Anomaly], shown: str, layout: Layout) -> Iterator[FindingGroup]:
    for kind in sorted({anomaly.kind for anomaly in anomalies} & HELD):
        yield FindingGroup(
            f"{layout.kind}.{kind}",
            Severity.STOP,
            f"{_ANOMALIES[kind]}.",
            shown,
            fix="Put cells with commas into quotes.",
            lines=np.array([a.line for a in anomalies if a.kind == kind], dtype=np.int64),
        )
