"""What is wrong with a file of a package as text: its encoding, its line ends, its rows."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from roster_pipeline.oneroster.checks import GUID
from roster_pipeline.oneroster.findings import FindingGroup, Lines, Texts
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.arrow import pc
from roster_pipeline.tables.csv_blocks import HELD, Anomaly, CsvBlocks, CsvError

# Whose rule has another code than `file.<code of the CsvError>`.
_SAID: Final = {"duplicate_header": "header.duplicate"}


def unreadable(
    error: CsvError | ArchiveError, file: str, entity: str | None = None
) -> FindingGroup:
    """What keeps a file, or the archive, from being read to its end."""
    if isinstance(error, ArchiveError):
        return RULES[f"package.{error.code}"].at(file, message=str(error), entity=entity)
    rule = RULES[_SAID.get(error.code, f"file.{error.code}")]
    return rule.at(file, line=error.line, message=str(error), entity=entity)


def text_findings(
    reader: CsvBlocks, file: str, entity: str | None = None, *, breaks_in_cells: bool = False
) -> Iterator[FindingGroup]:
    """What is odd about a file as far as it has been read.

    Line breaks in cells count as the reader's line ends: with `breaks_in_cells` nothing is said of
    those.
    """
    if reader.bom:
        yield RULES["file.bom"].at(file, line=1, entity=entity)
    if reader.encoding == "cp1252":
        yield RULES["file.encoding"].at(file, line=reader.first_cp1252_line, entity=entity)
    if {"\n", "\r\n"} <= reader.line_endings and not breaks_in_cells:
        yield RULES["file.line_endings"].at(file, entity=entity)


def row_findings(
    anomalies: Sequence[Anomaly],
    file: str,
    entity: str,
    *,
    lines: Lines,
    ids: Texts,
    key_cell: int,
) -> Iterator[FindingGroup]:
    """What is odd about single rows. `lines` and `ids` are those of the rows that were read."""
    by_kind: dict[str, list[Anomaly]] = {}
    for anomaly in anomalies:
        by_kind.setdefault(anomaly.kind, []).append(anomaly)
    for kind, found in by_kind.items():
        at = np.array([anomaly.line for anomaly in found], dtype=np.int64)
        of_rows: Texts | None = None
        if kind not in HELD:
            of_rows = _ids_at(at, lines, ids)
        elif key_cell == 0:
            of_rows = _first_cells(found)
        yield RULES[f"row.{kind}"].at(file, None, at, entity=entity, sourced_ids=of_rows)


def readable(ids: Texts) -> Texts:
    """The ids, null where one is no sourcedId."""
    known: Texts = pc.if_else(
        pc.match_substring_regex(ids, GUID), ids, pa.scalar(None, pa.large_string())
    )
    return known


def _first_cells(broken: Sequence[Anomaly]) -> Texts:
    """The sourcedIds of broken rows where it is the first column."""
    cells = [anomaly.values[0].strip() if anomaly.values else None for anomaly in broken]
    return readable(pa.array(cells, pa.large_string()))


def _ids_at(wanted: Lines, lines: Lines, ids: Texts) -> Texts:
    """The sourcedIds of the rows that begin on these lines; null where none does."""
    places: pa.Int64Array = pa.array(
        np.searchsorted(lines, wanted), pa.int64(), mask=~np.isin(wanted, lines)
    )
    return readable(ids.take(places))
