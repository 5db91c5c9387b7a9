"""What was found wrong in a roster: a value with a place, never an exception and never a cell."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT

Lines = npt.NDArray[np.int64]
Texts = pa.LargeStringArray


class Severity(StrEnum):
    """What a finding does to the data it is about, worst first."""

    STOP = "stop"
    """Nothing of this package may go on."""
    HOLD = "hold"
    """The row waits; its last good version, if it has one, stands in."""
    DROP = "drop"
    """The cell is blanked and the row goes on."""
    WARN = "warn"
    """Nothing happens to the data."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at one place. `message` and `fix` hold no cell values."""

    code: str
    severity: Severity
    message: str
    file: str
    line: int | None = None
    column: str | None = None
    fix: str = ""
    entity: str | None = None
    sourced_id: str | None = None
    """Of the row, where it has one that can be read."""
    cause: str | None = None
    """`entity/sourcedId` of the row at fault, where this finding only follows from it."""

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.message} [{self.code}]"


_NO_LINES: Lines = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FindingGroup:
    """The same finding on many lines of one file; no lines means the file (or package) itself."""

    code: str
    severity: Severity
    message: str
    file: str
    column: str | None = None
    fix: str = ""
    lines: Lines = field(default_factory=lambda: _NO_LINES)
    entity: str | None = None
    sourced_ids: Texts | None = None
    """For each line the sourcedId of its row; null, or None for all, where it cannot be read."""
    causes: Texts | None = None
    """For each line the row at fault (see `Finding.cause`); null, or None for all, for roots."""

    def __post_init__(self) -> None:
        for texts in (self.sourced_ids, self.causes):
            if texts is not None and len(texts) != len(self.lines):
                raise ValueError(f"{self.code}: {len(texts)} texts for {len(self.lines)} lines")

    @classmethod
    def one(
        cls,
        code: str,
        severity: Severity,
        message: str,
        file: str,
        *,
        line: int | None = None,
        column: str | None = None,
        fix: str = "",
    ) -> "FindingGroup":
        """A group of a single finding."""
        lines = _NO_LINES if line is None else np.array([line], dtype=np.int64)
        return cls(code, severity, message, file, column, fix, lines)

    @property
    def count(self) -> int:
        """How many findings this is: one for each line, one for a file."""
        return max(1, len(self.lines))

    def with_severity(self, severity: Severity) -> "FindingGroup":
        """The same findings, graver or lighter."""
        return self if severity is self.severity else replace(self, severity=severity)

    def on(self, lines: Lines) -> "FindingGroup":
        """The same findings on other lines, one for each of the old."""
        return replace(self, lines=lines)

    def some(self, at: npt.NDArray[np.bool_]) -> "FindingGroup":
        """Those of the findings for whose lines `at` is true."""
        mask = pa.array(at)
        ids, causes = (
            None if texts is None else texts.filter(mask)
            for texts in (self.sourced_ids, self.causes)
        )
        return replace(self, lines=self.lines[at], sourced_ids=ids, causes=causes)

    def __iter__(self) -> Iterator[Finding]:
        for line, sourced_id, cause in self._rows():
            yield Finding(
                self.code,
                self.severity,
                self.message,
                self.file,
                line,
                self.column,
                self.fix,
                self.entity,
                sourced_id,
                cause,
            )

    def _rows(self) -> Iterator[tuple[int | None, str | None, str | None]]:
        if not len(self.lines):
            yield None, None, None
            return
        none = [None] * len(self.lines)
        ids = none if self.sourced_ids is None else self.sourced_ids.to_pylist()
        causes = none if self.causes is None else self.causes.to_pylist()
        yield from zip(self.lines.tolist(), ids, causes, strict=True)


class Findings:
    """Findings in the order they were made, cheap for millions of rows."""

    def __init__(self, groups: Iterable[FindingGroup] = ()) -> None:
        self.groups: list[FindingGroup] = list(groups)

    def add(self, group: FindingGroup) -> None:
        """Append one group."""
        self.groups.append(group)

    def extend(self, other: "Findings | Iterable[FindingGroup]") -> None:
        """Append all groups of another collection."""
        self.groups.extend(other.groups if isinstance(other, Findings) else other)

    def __iter__(self) -> Iterator[Finding]:
        """Each finding, in the order of the groups."""
        for group in self.groups:
            yield from group

    def __len__(self) -> int:
        return sum(group.count for group in self.groups)

    def __bool__(self) -> bool:
        return bool(self.groups)

    def worst(self) -> Severity | None:
        """The gravest severity present, or None."""
        present = {group.severity for group in self.groups}
        return next((severity for severity in Severity if severity in present), None)

    def of(self, severity: Severity) -> "Findings":
        """Only the findings of one severity."""
        return Findings(group for group in self.groups if group.severity is severity)

    def counts(self) -> dict[str, int]:
        """How many findings each code has, codes in alphabetical order."""
        counter: Counter[str] = Counter()
        for group in self.groups:
            counter[group.code] += group.count
        return dict(sorted(counter.items()))

    def frame(self) -> pd.DataFrame:
        """One row per finding: code, severity, entity, file, line (nullable), column, sourcedId,
        cause, message, fix."""
        sizes = np.array([group.count for group in self.groups], dtype=np.int64)

        def each(values: list[Any]) -> pd.Series:
            return pd.Series(values, dtype=TEXT).repeat(sizes.tolist()).reset_index(drop=True)

        return pd.DataFrame(
            {
                "code": each([g.code for g in self.groups]),
                "severity": each([str(g.severity) for g in self.groups]),
                "entity": each([g.entity for g in self.groups]),
                "file": each([g.file for g in self.groups]),
                "line": _numbered([g.lines for g in self.groups]),
                "column": each([g.column for g in self.groups]),
                "sourcedId": _texts([g.sourced_ids for g in self.groups], sizes),
                "cause": _texts([g.causes for g in self.groups], sizes),
                "message": each([g.message for g in self.groups]),
                "fix": each([g.fix for g in self.groups]),
            }
        )


_NO_LINE: Final = np.array([-1], dtype=np.int64)


def _numbered(lines: list[Lines]) -> pd.arrays.IntegerArray:
    numbers = np.concatenate([_NO_LINES, *(some if len(some) else _NO_LINE for some in lines)])
    return pd.arrays.IntegerArray(numbers, numbers < 0)


def _texts(texts: list[Texts | None], sizes: Lines) -> pd.arrays.ArrowExtensionArray:
    arrays = [
        pa.nulls(size, pa.large_string()) if some is None or len(some) != size else some
        for some, size in zip(texts, sizes.tolist(), strict=True)
    ]
    return pd.arrays.ArrowExtensionArray(pa.chunked_array(arrays, type=pa.large_string()))


def row_at_fault(entity: str, sourced_ids: Texts) -> Texts:
    """The label of each row as a `Finding.cause` writes it: `entity/sourcedId`."""
    label: Texts = pc.binary_join_element_wise(
        pa.scalar(entity, pa.large_string()), sourced_ids, pa.scalar("/", pa.large_string())
    )
    return label
