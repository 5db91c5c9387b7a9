"""Which column of a file is which column of the standard."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roster_pipeline.oneroster.entities import Column, Required
from roster_pipeline.oneroster.findings import Findings
from roster_pipeline.oneroster.reading_rules import RULES

METADATA = "metadata."
_MISSPELT_AT_LEAST = 0.8
# The standard's longest name has 36 letters; of a whole file on one line none is looked at.
_LONGEST_NAME = 100
# 1.2 demanded it and 1.2.1 took it back; it says nothing about a roster.
_FORMER: Final = {"users": ("resourceSourcedIds",)}
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Header:
    """How the columns of a file are read."""

    source: tuple[str, ...]
    """The header as written."""
    read_as: tuple[str | None, ...]
    """For each written column the standard's name or `metadata.<name>`; None is not read."""
    findings: Findings


def match_header(
    written: Sequence[str], columns: Sequence[Column], file: str, entity: str | None = None
) -> Header:
    """Match a written header to the columns of a table.

    No name stands in a header twice, and order does not matter. A name that is wrong only in case,
    blanks or a few letters is taken for the one missing column that it can mean. A column without
    which no row can be judged, when missing, stops the package; one that may be empty only warns.
    A first line that is no header stops it too, and no name is told: they may be cells of a
    person's row.
    """
    expected = {column.name: column for column in columns}
    findings = Findings()
    if not _is_header(written, expected):
        message, fix = _instead_of_a_header(written, expected)
        findings.add(RULES["header.none"].at(file, line=1, message=message, fix=fix, entity=entity))
        return Header(tuple(written), (None,) * len(written), findings)
    read_as = _read_as(written, expected)
    for code, name, said in _faults(written, read_as, expected, entity):
        findings.add(RULES[code].at(file, name, line=1, message=said, entity=entity))
    return Header(tuple(written), tuple(read_as), findings)


def _read_as(written: Sequence[str], expected: Collection[str]) -> list[str | None]:
    read_as: list[str | None] = [
        name if name in expected or _is_metadata(name) else None for name in written
    ]
    open_names = [name for name in expected if name not in read_as]
    for alike in (_same_letters, nearest):
        for index, name in enumerate(written):
            if read_as[index] is None and (right := alike(name, open_names)):
                read_as[index] = right
                open_names.remove(right)
    return read_as


def _faults(
    written: Sequence[str],
    read_as: Sequence[str | None],
    expected: Mapping[str, Column],
    entity: str | None,
) -> Iterator[tuple[str, str | None, str | None]]:
    """The code of each fault, its column and, where the rule's own words do not do, a message."""
    for name, right in zip(written, read_as, strict=True):
        if right is None and name not in _FORMER.get(entity or "", ()):
            yield "header.unknown_column", name, None
        elif right is not None and right != name:
            yield "header.misspelt", name, f"the column is spelt {right}"
    present = [name for name in read_as if name is not None]
    for name, column in expected.items():
        if name not in present:
            needed = column.required is Required.ALWAYS
            yield "header.missing_column" if needed else "header.missing_optional", name, None
    in_order = [name for name in expected if name in present]
    if [name for name in present if name in expected] != in_order:
        yield "header.order", None, None
    elif not _metadata_last(present):
        yield "header.order", None, "a metadata column stands before a column of the table"


def _is_header(written: Sequence[str], expected: Collection[str]) -> bool:
    """Whether a first line names columns, rather than being a row, a title or an empty line."""
    known = {_fold(name) for name in expected} & {_fold(name) for name in written}
    return _fold("sourcedId") in known or len(known) > 1


def _instead_of_a_header(written: Sequence[str], expected: Collection[str]) -> tuple[str, str]:
    for separator, name in _SEPARATORS.items():
        if _is_header(",".join(written).split(separator), expected):
            return f"the columns are separated by {name}", "separate them by commas"
    return "the first line is not a header", "name the columns of the table in the first line"


def _is_metadata(name: str) -> bool:
    return name.startswith(METADATA) and len(name) > len(METADATA)


def _metadata_last(names: list[str]) -> bool:
    flags = [_is_metadata(name) for name in names]
    return flags == sorted(flags)


def _fold(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _same_letters(name: str, candidates: Collection[str]) -> str | None:
    """The candidate that a name is, but for case, blanks and signs."""
    return {_fold(candidate): candidate for candidate in candidates}.get(_fold(name))


def nearest(name: str, candidates: Collection[str]) -> str | None:
    """The one candidate that a name can mean, if it is clear which."""
    if exact := _same_letters(name, candidates):
        return exact
    if not candidates or len(name) > _LONGEST_NAME:
        return None
    folded = {_fold(candidate): candidate for candidate in candidates}
    near = difflib.get_close_matches(_fold(name), folded, n=2, cutoff=_MISSPELT_AT_LEAST)
    if not near:
        return None
    if len(near) > 1:
        first, second = (difflib.SequenceMatcher(None, _fold(name), n).ratio() for n in near)
        if first - second < 0.05:
            return None
    return folded[near[0]]
