"""All findings one by one, as JSON or as CSV, made line by line as they are written out."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Final

from roster_pipeline.oneroster.findings import FindingGroup, Findings, Texts
from roster_pipeline.reports.causes import Values

COLUMNS: Final = (
    "code",
    "severity",
    "entity",
    "file",
    "line",
    "column",
    "sourcedId",
    "cause",
    "message",
    "fix",
)
"""Of the CSV; `value` comes last where cells were asked for."""

_SOME: Final = 8192
# What a spreadsheet takes for a formula, or for the way into one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def json_lines(findings: Findings, values: Values | None = None) -> Iterator[str]:
    """Each finding as a JSON object on one line, without what stands between them."""
    for number, group in enumerate(findings.groups):
        head = _object(code=group.code, severity=group.severity, entity=group.entity,
                       file=group.file)  # fmt: skip
        column = _object(column=group.column)
        tail = _object(message=group.message, fix=group.fix)
        cells = None if values is None else values[number]
        for line, sourced_id, cause, value in _rows(group, cells):
            place = "null" if line is None else line
            end = "" if values is None else f', "value": {_json(value)}'
            yield (
                f'{{{head}, "line": {place}, {column}, "sourcedId": {_json(sourced_id)}, '
                f'"cause": {_json(cause)}, {tail}{end}}}'
            )


def csv_lines(findings: Findings, values: Values | None = None) -> Iterator[str]:
    """A header and each finding as text of a CSV file (RFC 4180), some lines at a time.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    yield _csv([COLUMNS if values is None else (*COLUMNS, "value")])
    for number, group in enumerate(findings.groups):
        cells = None if values is None else values[number]
        head = [_defused(text) for text in (group.code, group.severity, group.entity, group.file)]
        column, message, fix = map(_defused, (group.column, group.message, group.fix))
        rows = (
            [*head, line, column, _defused(sourced_id), _defused(cause), message, fix]
            + ([] if values is None else [_defused(value)])
            for line, sourced_id, cause, value in _rows(group, cells)
        )
        while some := list(islice(rows, _SOME)):
            yield _csv(some)


_Row = tuple[int | None, str | None, str | None, str | None]


def _rows(group: FindingGroup, values: Sequence[str | None] | None) -> Iterator[_Row]:
    """Line, sourcedId, cause and value of each finding of a group."""
    if not len(group.lines):
        yield None, None, None, None
        return
    for start in range(0, len(group.lines), _SOME):
        some = slice(start, start + _SOME)
        lines = group.lines[some].tolist()
        yield from zip(
            lines,
            _each(group.sourced_ids, start, len(lines)),
            _each(group.causes, start, len(lines)),
            repeat(None, len(lines)) if values is None else values[some],
            strict=True,
        )


def _each(texts: Texts | None, start: int, count: int) -> Iterable[str | None]:
    return repeat(None, count) if texts is None else texts.slice(start, count).to_pylist()


def _json(text: str | None) -> str:
    return "null" if text is None else json.dumps(text, ensure_ascii=False)


def _object(**members: str | None) -> str:
    return ", ".join(f'"{name}": {_json(text)}' for name, text in members.items())


def _csv(rows: Iterable[Iterable[str | int | None]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _defused(text: str | None) -> str | None:
    return f"'{text}" if text and text.startswith(_FORMULA) else text
