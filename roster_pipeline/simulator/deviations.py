"""Departures from the standard at single places: harmless ones, bad rows, unreadable files."""

import codecs
import io
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import BinaryIO, Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.entities import Column, Kind, Required
from roster_pipeline.oneroster.manifest import FILE
from roster_pipeline.simulator.packages import Target, opened
from roster_pipeline.simulator.rewriting import (
    Accident,
    Change,
    Planted,
    Source,
    columns_of,
    member,
    members,
    reading,
    rewrite,
)
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.csv_blocks import CsvBlocks
from roster_pipeline.tables.csv_write import write_csv

# Spellings seen in vendors' own guides.
MISSPELT: Final[Mapping[str, Mapping[str, str]]] = {
    "users": {
        "userIds": "userIDs",
        "agentSourcedIds": "agentSourcedIDs",
        "givenName": "given name",
    },
    "demographics": {
        "demographicRaceTwoOrMoreRaces": "demogrphicRaceTwoOrMoreRaces",
        "stateOfBirthAbbreviation": "stateofBirthAbbreviation",
    },
    "enrollments": {"userSourcedId": "userSourceId"},
}
_CHUNK: Final = 1 << 20


def reordered_columns(source: Source, target: Target) -> tuple[()]:
    """Turn the columns of every file round: the last one first."""

    def change(old: BinaryIO, new: BinaryIO) -> None:
        blocks = CsvBlocks(old)
        write_csv(new, blocks.header[::-1], (block.frame for block in blocks))

    rewrite(source, target, dict.fromkeys(members(source), change))
    return ()


def misspelt_header(
    source: Source,
    target: Target,
    *,
    headers: Mapping[str, Mapping[str, str]] = MISSPELT,
) -> tuple[Planted, ...]:
    """Write some column names as vendors misspell them: `headers` is file, right name, wrong."""

    def misspell(wrong: Mapping[str, str]) -> Change:
        def edit(line: str) -> str:
            return ",".join(wrong.get(name, name) for name in line.split(","))

        return _header_line(edit)

    present = {e: wrong for e, wrong in headers.items() if member(e) in members(source)}
    rewrite(source, target, {member(e): misspell(wrong) for e, wrong in present.items()})
    return tuple(
        Planted(member(entity), 1, name, "misspelt_header")
        for entity, wrong in present.items()
        for name in wrong
    )


def missing_column(
    source: Source, target: Target, *, entity: str = "users", column: str = "username"
) -> tuple[Planted, ...]:
    """Leave out one column of a file."""

    def change(old: BinaryIO, new: BinaryIO) -> None:
        blocks = CsvBlocks(old)
        header = [name for name in blocks.header if name != column]
        write_csv(new, header, (block.frame for block in blocks))

    rewrite(source, target, {member(entity): change})
    return (Planted(member(entity), 1, column, "missing_column"),)


def missing_file(source: Source, target: Target, *, entity: str = "classes") -> tuple[()]:
    """Leave out a file that the manifest announces."""
    rewrite(source, target, {member(entity): None})
    return ()


def in_cp1252(source: Source, target: Target) -> tuple[()]:
    """Write every file in Windows-1252, with question marks for what that cannot say."""
    rewrite(source, target, dict.fromkeys(members(source), _transcoded("cp1252")))
    return ()


def in_utf16(source: Source, target: Target, *, entity: str = "users") -> tuple[()]:
    """Write a file in UTF-16, as spreadsheets save "Unicode text"."""
    rewrite(source, target, {member(entity): _transcoded("utf-16")})
    return ()


def with_bom(source: Source, target: Target) -> tuple[()]:
    """Begin every file with a byte order mark."""
    rewrite(source, target, dict.fromkeys(members(source), _transcoded("utf-8-sig")))
    return ()


def _transcoded(encoding: str) -> Change:
    def change(old: BinaryIO, new: BinaryIO) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        encoder = codecs.getincrementalencoder(encoding)("replace")
        while data := old.read(_CHUNK):
            new.write(encoder.encode(decoder.decode(data)))

    return change


def sloppy_manifest(source: Source, target: Target) -> tuple[()]:
    """Write the manifest as some systems do: no header, another order, a misspelt property,
    nothing about files that are not sent, "1" for the version of the manifest."""

    def edit(text: str) -> str:
        lines = [line for line in text.split("\r\n")[1:] if line and not line.endswith(",absent")]
        lines = [line.replace("manifest.version,1.0", "manifest.version,1") for line in lines]
        lines = [line.replace("file.demographics", "fiel.demographics") for line in lines]
        return "".join(f"{line}\n" for line in reversed(lines))

    rewrite(source, target, {FILE: _whole(edit)})
    return ()


def unknown_version(source: Source, target: Target, *, version: str = "3.0") -> tuple[()]:
    """Let the manifest name a version that nobody knows."""

    def edit(text: str) -> str:
        lines = text.split("\r\n")
        named = "oneroster.version,"
        return "\r\n".join(named + version if line.startswith(named) else line for line in lines)

    rewrite(source, target, {FILE: _whole(edit)})
    return ()


def one_cell_too_many(
    source: Source, target: Target, *, entity: str = "classes", lines: Sequence[int] = (3, 7, 20)
) -> tuple[Planted, ...]:
    """Let rows have one cell more than the header; lines that the file does not have are left."""
    hit: list[int] = []

    def change(old: BinaryIO, new: BinaryIO) -> None:
        for number, line in enumerate(old, 1):
            if number in lines:
                hit.append(number)
                new.write(line.removesuffix(b"\r\n") + b",one too many\r\n")
            else:
                new.write(line)

    rewrite(source, target, {member(entity): change})
    return tuple(Planted(member(entity), line, None, "too_many_cells") for line in hit)


def _header_line(edit: Callable[[str], str]) -> Change:
    def change(old: BinaryIO, new: BinaryIO) -> None:
        header = old.readline().decode()
        new.write((edit(header.rstrip("\r\n")) + "\r\n").encode())
        while data := old.read(_CHUNK):
            new.write(data)

    return change


def _whole(edit: Callable[[str], str]) -> Change:
    def change(old: BinaryIO, new: BinaryIO) -> None:
        new.write(edit(old.read().decode()).encode())

    return change


# What a slip makes of a cell, by the kind of column: what it is called, and the text (None blanks
# the cell). None of these can be understood by a lenient reader.
_SLIPS: Final[Mapping[Kind, tuple[str, str | None]]] = {
    Kind.DATE: ("impossible_date", "2026-13-45"),
    Kind.YEAR: ("not_a_year", "next"),
    Kind.BOOLEAN: ("unknown_word", "perhaps"),
    Kind.WORD: ("unknown_word", "perhaps"),
    Kind.REFERENCE: ("dangling_reference", "nobody-and-nothing"),
    Kind.REFERENCES: ("dangling_reference", "nobody-and-nothing"),
    Kind.USER_IDS: ("malformed_user_ids", "4711"),
    Kind.STRING: ("blank_cell", None),
}


def typos(
    source: Source,
    target: Target,
    *,
    rate: float = 0.01,
    seed: int = 0,
    entities: Collection[str] | None = None,
    columns: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
) -> tuple[Planted, ...]:
    """Spoil one filled cell in a share of the rows.

    The kinds are those of `_SLIPS`; a string is only ever blanked where the standard requires it.
    Keys are left alone. `entities`, `columns` and `kinds` narrow what may be spoilt; a row without
    such a cell is not touched. Gives exactly what was planted.
    """
    planted: list[Planted] = []
    changes: dict[str, Change] = {}
    for number, (entity, of_entity) in enumerate(columns_of(source).items()):
        fragile = [
            column
            for column in of_entity
            if _may_slip(column)
            and (columns is None or column.name in columns)
            and (kinds is None or _SLIPS[column.kind][0] in kinds)
        ]
        if fragile and (entities is None or entity in entities):
            rng = np.random.default_rng([seed, number])
            changes[member(entity)] = _spoiling(member(entity), fragile, rate, rng, planted)
    rewrite(source, target, changes)
    return tuple(planted)


def _may_slip(column: Column) -> bool:
    if column.kind is Kind.STRING:
        return column.required is Required.ALWAYS
    return column.kind in _SLIPS and column.name != "sourcedId"


def _spoiling(
    file: str,
    fragile: Sequence[Column],
    rate: float,
    rng: np.random.Generator,
    planted: list[Planted],
) -> Change:
    def spoil(frame: pd.DataFrame, first_line: int) -> pd.DataFrame:
        slips: dict[Column, list[int]] = {}
        filled = frame[[column.name for column in fragile]].notna().to_numpy()
        for row in np.flatnonzero(rng.random(len(frame)) < rate):
            choices = np.flatnonzero(filled[row])
            if len(choices):
                column = fragile[int(rng.choice(choices))]
                slips.setdefault(column, []).append(int(row))
                kind = _SLIPS[column.kind][0]
                planted.append(Planted(file, first_line + int(row), column.name, kind))
        frame = frame.copy()
        for column, rows in slips.items():
            cells = frame[column.name].copy()
            cells.iloc[rows] = _SLIPS[column.kind][1]
            frame[column.name] = cells
        return frame

    def change(old: BinaryIO, new: BinaryIO) -> None:
        blocks = CsvBlocks(old)
        parts = (spoil(block.frame, int(block.lines[0])) for block in blocks if len(block.lines))
        write_csv(new, blocks.header, parts)

    return change


def path_traversal(source: Source, target: Target) -> tuple[()]:
    """Add a member that would be unpacked outside its folder."""
    with reading(source) as file, opened(target) as out:
        content = io.BytesIO(file.read())
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr(zipfile.ZipInfo("../../outside.csv"), "sourcedId\r\n")
        out.write(content.getvalue())
    return ()


def zip_bomb(source: Source, target: Target, *, inflated: int = 1 << 30) -> tuple[()]:
    """Write a zip whose users.csv inflates a thousandfold."""
    zeros = bytes(_CHUNK)
    with opened(target) as out, ZipWriter(out) as archive, archive.open(member("users")) as users:
        for _ in range(inflated // len(zeros)):
            users.write(zeros)
    return ()


DEVIATIONS: Final[Mapping[str, Accident]] = {
    "reordered-columns": Accident("a report writer with its own order", reordered_columns),
    "misspelt-header": Accident("a vendor's own spelling of column names", misspelt_header),
    "cp1252": Accident("a Windows program that writes its own code page", in_cp1252),
    "bom": Accident("a spreadsheet that marks its UTF-8", with_bom),
    "sloppy-manifest": Accident("a manifest typed by hand", sloppy_manifest),
    "one-cell-too-many": Accident("a title with a comma that nobody quoted", one_cell_too_many),
    "typos": Accident("a year of typing without validation", typos),
    "missing-column": Accident("an export template that lost a column", missing_column),
    "missing-file": Accident("an export that skipped a file", missing_file),
    "utf-16": Accident("a file opened and saved again in a spreadsheet", in_utf16),
    "unknown-version": Accident("a system ahead of its time", unknown_version),
    "path-traversal": Accident("an archive made to write outside its folder", path_traversal),
    "zip-bomb": Accident("an archive made to fill the disk", zip_bomb),
}
