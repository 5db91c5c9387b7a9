"""The place of a row as one number: its line, and which of several ways made it of that line.

In a package of OneRoster a row is a line, and its number is the line's. Where other files are
mapped to OneRoster, rows of one entity come from several files, and several rows from one line:
each way in which rows are made has a number from 1 on, which stands above the line's 40 bits.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from roster_pipeline.oneroster.findings import Findings, Lines

_BITS: Final = 40
_LINE: Final = (1 << _BITS) - 1


def marked(lines: Lines, ways: int | npt.NDArray[np.int64]) -> Lines:
    """Lines of a file as the places of rows that were made of them in some ways."""
    return lines | (np.asarray(ways, dtype=np.int64) << _BITS)


def lines_of(places: Lines) -> Lines:
    """The lines of some places."""
    return places & _LINE


def ways_of(places: Lines) -> Lines:
    """For each of some places the way in which its row was made; 0 for a plain line."""
    return places >> _BITS


def unmarked(findings: Findings) -> Findings:
    """The findings with lines for places. (Rows of a package of OneRoster have none that is not a
    line; rows accepted earlier may be from a time when the source sent something else.)"""
    return Findings(
        group.on(lines_of(group.lines)) if (ways_of(group.lines) > 0).any() else group
        for group in findings.groups
    )
