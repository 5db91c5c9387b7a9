"""What was found wrong in a roster: a value with a place, never an exception and never a cell."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd


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

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.message} [{self.code}]"


_NO_LINES: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FindingGroup:
    """The same finding on many lines of one file; no lines means the file (or package) itself."""

    code: str
    severity: Severity
    message: str
    file: str
    column: str | None = None
    fix: str = ""
    lines: npt.NDArray[np.int64] = field(default_factory=lambda: _NO_LINES)

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

    def __iter__(self) -> Iterator[Finding]:
        lines: Iterable[int | None] = self.lines.tolist() if len(self.lines) else (None,)
        for line in lines:
            yield Finding(
                self.code, self.severity, self.message, self.file, line, self.column, self.fix
            )


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
        """One row per finding: code, severity, file, line (nullable), column, message, fix."""
        return pd.DataFrame(
            {
                "code": [g.code for g in self.groups for _ in range(g.count)],
                "severity": [str(g.severity) for g in self.groups for _ in range(g.count)],
                "file": [g.file for g in self.groups for _ in range(g.count)],
                "line": pd.array(
                    [line for g in self.groups for line in (g.lines.tolist() or [None])],
                    dtype="Int64",
                ),
                "column": [g.column for g in self.groups for _ in range(g.count)],
                "message": [g.message for g in self.groups for _ in range(g.count)],
                "fix": [g.fix for g in self.groups for _ in range(g.count)],
            }
        )
