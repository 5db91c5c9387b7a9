"""Regular expressions over what others wrote: in the time of one look at it, whatever it is.

Arrow's are those of RE2, which never go back. What only others can do is refused by `require`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.text import TEXT, series

# An escaped sign, a class of signs, or the beginning of a group without a name.
_PARTS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)", re.DOTALL)


class ExpressionError(Exception):
    """An expression that is none of RE2's."""


def require(pattern: str) -> None:
    """Raise `ExpressionError` unless such expressions can be looked for."""
    try:
        found_in("", pattern)
    except pa.ArrowInvalid as error:
        raise ExpressionError(str(error)) from None


def found_in(text: str, pattern: str) -> bool:
    """Whether an expression is found somewhere in a text."""
    found = pc.match_substring_regex(pa.array([text], pa.large_string()), pattern=pattern)
    return bool(found[0].as_py())


def extracted(lines: Sequence[str], patterns: Sequence[str]) -> pd.DataFrame:
    """What the named groups of the first expression that is found in a line have there: a column
    for each name, all TEXT, without the blanks around. Lines in which none is found are left out.
    """
    left = pa.array(lines, pa.large_string())
    places = pa.array(range(len(lines)), pa.int64())
    parts: list[pd.DataFrame] = []
    for pattern in patterns:
        found = pc.extract_regex(left, pattern=_PARTS.sub(_without_number, pattern))
        there = found.is_valid()
        parts.append(_frame(found.filter(there), places.filter(there)))
        rest = pc.invert(there)
        left, places = left.filter(rest), places.filter(rest)
    return pd.concat(parts).sort_index().reset_index(drop=True)


def _without_number(part: re.Match[str]) -> str:
    return "(?:" if part[0] == "(" else part[0]


def _frame(found: Any, places: "pa.Array[Any]") -> pd.DataFrame:
    index = pd.Index(places.to_numpy())
    cells = {}
    for field in found.type:
        said = pc.utf8_trim_whitespace(found.field(field.name))
        filled = pc.if_else(pc.equal(said, ""), pa.scalar(None, said.type), said)
        cells[field.name] = series(filled.cast(pa.large_string()), index=index).astype(TEXT)
    return pd.DataFrame(cells, index=index)
