"""Which columns are personal, and what may be shown of a cell.

A masked cell keeps its shape: every letter is `x` or `X` and every digit `9`, in any script; signs
and blanks stay. So a wrong date, a missing `@` or a blank too many can be seen, and no name.
"""

from typing import Final

import pyarrow as pa

from roster_pipeline.oneroster.entities import GUIDS, SECRET, Kind, columns, columns_1p1
from roster_pipeline.oneroster.findings import Texts
from roster_pipeline.sources.redaction import is_secret
from roster_pipeline.sources.vendors import Secrets
from roster_pipeline.tables.arrow import pc

_PEOPLE: Final = ("users", "userProfiles", "demographics")
_FREE: Final = (Kind.STRING, Kind.USER_IDS)
_IDS: Final = (Kind.GUID, Kind.REFERENCE, Kind.REFERENCES)
_SHAPES: Final = (
    (r"\p{Lu}", "X"),
    (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}]", "x"),
    (r"\p{N}", "9"),
)
_LONGEST: Final = 120
_EMAIL: Final = r"[^\s@]@[^\s@]"


def is_never_shown(column: str) -> bool:
    """Whether a column holds secrets."""
    return column in SECRET or is_secret(column, Secrets())


def is_personal(entity: str, column: str) -> bool:
    """Whether a column says who a person is, or could: names, usernames, e-mail addresses,
    telephone numbers, identifiers, all of demographics, and what the standard does not know."""
    kind = _kind(entity, column)
    if kind is None:
        return True
    if entity == "demographics":
        return kind not in _IDS and column not in ("status", "dateLastModified")
    return entity in _PEOPLE and kind in _FREE


def shown(cells: Texts, entity: str, column: str) -> Texts:
    """Cells of a column as they may be shown to anybody: masked where they are personal.

    An id is shown where it has the form of one, and an e-mail address in no other column.
    """
    if is_personal(entity, column):
        return masked(cells)
    if _kind(entity, column) in _IDS:
        return _where(pc.match_substring_regex(cells, GUIDS), cells, masked(cells))
    return _where(pc.match_substring_regex(cells, _EMAIL), masked(cells), cells)


def masked(cells: Texts) -> Texts:
    """The shape of each cell."""
    for pattern, sign in _SHAPES:
        cells = pc.replace_substring_regex(cells, pattern, sign)
    return cells


def clipped(cells: Texts) -> Texts:
    """The beginning of each cell, with `…` where there is more."""
    start = pc.utf8_slice_codeunits(cells, 0, _LONGEST)
    dots = pc.binary_join_element_wise(
        start, pa.scalar("…", pa.large_string()), pa.scalar("", pa.large_string())
    )
    return _where(pc.greater(pc.utf8_length(cells), _LONGEST), dots, start)


def _where(condition: "pa.BooleanArray", then: Texts, otherwise: Texts) -> Texts:
    chosen: Texts = pc.if_else(condition, then, otherwise)
    return chosen


def _kind(entity: str, column: str) -> Kind | None:
    try:
        known = (*columns(entity), *columns_1p1(entity))
    except KeyError:
        return None
    return next((one.kind for one in known if one.name == column), None)
