"""Reads a receiver's processing report into one form, whatever it was written in."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, BinaryIO, Final, get_args

import pandas as pd

from roster_pipeline.receivers.processing.config import (
    FIELDS,
    CsvReport,
    Grade,
    JsonReport,
    ReportFormat,
)
from roster_pipeline.receivers.processing.expressions import extracted, found_in
from roster_pipeline.tables.archive import ArchiveError, ZipReader
from roster_pipeline.tables.text import TEXT

MOST: Final = 64 << 20
"""Bytes of a report, inflated."""

MOST_ROWS: Final = 1_000_000

Told = Mapping[str, str | None]


class ReportUnreadable(Exception):  # noqa: N818 - it says what is wrong
    """A report that is not as its `read` says; the message is for people and holds none of it."""


@dataclass(frozen=True)
class Report:
    """What a receiver says of a package."""

    rows: pd.DataFrame
    """What it says of rows: the columns FIELDS, all TEXT; `grade` is never missing."""
    rejected: bool
    """Whether it says that nothing was taken."""

    def counts(self) -> dict[Grade, int]:
        """How many rows it gives each grade."""
        found = Counter(self.rows["grade"].tolist())
        return {grade: found.get(grade, 0) for grade in get_args(Grade)}


def read_report(file: BinaryIO, form: ReportFormat) -> Report:
    """Read a report. Raises `ReportUnreadable`."""
    text = _decoded(_content(file, form.inside), form.encoding)
    if form.finished is not None and not found_in(text, form.finished):
        raise ReportUnreadable(
            "The report does not have what `finished` names; it may still be written."
        )
    told = _told(text, form)
    return Report(
        told.assign(grade=_grades(told["grade"], form)),
        form.rejected is not None and found_in(text, form.rejected),
    )


def _content(file: BinaryIO, inside: str | None) -> bytes:
    if inside is None:
        content = file.read(MOST + 1)
    else:
        try:
            with ZipReader(file) as archive:
                names = [name for name in archive.names if fnmatchcase(name, inside)]
                if len(names) != 1:
                    raise ReportUnreadable(
                        f"{len(names)} files in the report's zip match `inside: {inside}`, and one "
                        f"should; there are {len(archive.names)} files in all. Correct the pattern."
                    )
                with archive.open(names[0]) as member:
                    content = member.read(MOST + 1)
        except ArchiveError as error:
            raise ReportUnreadable(f"The report's zip cannot be used: {error}") from None
    if len(content) > MOST:
        raise ReportUnreadable(f"The report has more than {MOST >> 20} MiB.")
    return content


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeError:
        raise ReportUnreadable(
            f"The report is not in {encoding}. Say what it is in: `encoding: cp1252`."
        ) from None


def _told(text: str, form: ReportFormat) -> pd.DataFrame:
    if form.text is not None:
        cells = extracted(text.splitlines(), form.text.lines)
        return cells.reindex(columns=list(FIELDS)).astype(TEXT)
    made = _of_csv(text, form.csv) if form.csv is not None else _of_json(text, form.json_rows)
    rows = list(islice(made, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise ReportUnreadable(f"The report speaks of more than {MOST_ROWS:,} rows.")
    return pd.DataFrame(rows, columns=list(FIELDS)).astype(TEXT)


def _of_csv(text: str, form: CsvReport) -> Iterator[Told]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=form.delimiter)
    wanted = form.fields.model_dump(exclude_none=True)
    try:
        there = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error:
        raise ReportUnreadable("The first line of the report is no header.") from None
    for field, name in wanted.items():
        if name not in there:
            # Of a report without a header the first line is somebody's: it is not told.
            raise ReportUnreadable(
                f"The report has no column {name}, which `fields.{field}` names. Compare with its "
                f"first line, in which there are {len(there):,} names."
            )
    reader.fieldnames = there
    try:
        for row in reader:
            yield {field: _cell(row.get(name)) for field, name in wanted.items()}
    except csv.Error:
        raise ReportUnreadable(
            f"Line {reader.line_num} of the report is no line of a CSV file."
        ) from None


def _of_json(text: str, form: JsonReport | None) -> Iterator[Told]:
    assert form is not None  # noqa: S101 - the model's validator leaves one of three
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ReportUnreadable("The report is no JSON document.") from None
    rows = _at(document, form.rows)
    if not isinstance(rows, list):
        raise ReportUnreadable(f"The report has no list at {form.rows}, which `rows` names.")
    wanted = form.fields.model_dump(exclude_none=True)
    for row in rows:
        yield {field: _cell(_at(row, path)) for field, path in wanted.items()}


def _at(held: Any, path: str) -> Any:
    for name in path.split("."):
        held = held.get(name) if isinstance(held, dict) else None
    return held


def _cell(said: Any) -> str | None:
    """What was said, as text; nothing for what is empty or no single value."""
    if isinstance(said, bool | dict | list) or said is None:
        return None
    # JSON may have half a letter, which no text has.
    return str(said).encode(errors="replace").decode().strip() or None


def _grades(said: "pd.Series[Any]", form: ReportFormat) -> "pd.Series[Any]":
    known = {word.strip().casefold(): grade for word, grade in form.grades.items()}
    known = {grade: grade for grade in get_args(Grade)} | known
    words = [known.get(word.casefold()) if isinstance(word, str) else None for word in said]
    return pd.Series([word or form.otherwise for word in words], dtype=TEXT, index=said.index)
