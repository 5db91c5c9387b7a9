"""Packages copied with some of their members changed: what every accident is made of."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from roster_pipeline.oneroster.entities import ENTITIES, Column, columns, columns_1p1
from roster_pipeline.oneroster.manifest import FILE, Version, read_manifest
from roster_pipeline.simulator.packages import Target, opened
from roster_pipeline.tables.archive import ZipReader, ZipWriter
from roster_pipeline.tables.csv_blocks import CsvBlocks
from roster_pipeline.tables.csv_write import write_csv

Source = str | os.PathLike[str] | BinaryIO
"""Where a package comes from: a path or an open, seekable binary file."""
Change = Callable[[BinaryIO, BinaryIO], None]
"""Reads a member's old content and writes its new one."""
Edit = Callable[[pd.DataFrame], pd.DataFrame]
"""Takes some rows of a member, with any index, and gives what shall stand in their place."""


@dataclass(frozen=True)
class Planted:
    """One thing that was put into a package, at the place where a reader should find it."""

    file: str
    line: int
    column: str | None
    """None for a whole row."""
    kind: str


@dataclass(frozen=True)
class Accident:
    """Something that happens to packages."""

    imitates: str
    apply: Callable[..., tuple[Planted, ...]]
    """Called with source, target and options by name; gives what was planted at single places."""


@contextmanager
def reading(source: Source) -> Iterator[BinaryIO]:
    """The source as a seekable file, closed afterwards if it was opened here."""
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


def rewrite(source: Source, target: Target, changes: Mapping[str, Change | None]) -> None:
    """Copy a zip; members named in `changes` are changed, or left out where that is None."""
    with (
        reading(source) as file,
        ZipReader(file) as archive,
        opened(target) as out,
        ZipWriter(out) as copy,
    ):
        for name in archive.names:
            change = changes.get(name, _untouched)
            if change is _untouched:
                copy.copy(archive, name)
            elif change is not None:
                with archive.open(name) as old, copy.open(name) as new:
                    change(old, new)


def _untouched(old: BinaryIO, new: BinaryIO) -> None:
    raise AssertionError("copied without being read")


def rows(edit: Edit) -> Change:
    """A change that edits a member's rows, part by part."""

    def change(old: BinaryIO, new: BinaryIO) -> None:
        blocks = CsvBlocks(old)
        write_csv(new, blocks.header, (edit(block.frame) for block in blocks))

    return change


def members(source: Source) -> tuple[str, ...]:
    """The names of a package's data files."""
    with reading(source) as file, ZipReader(file) as archive:
        return tuple(name for name in archive.names if name != FILE)


def parts(source: Source, entity: str) -> Iterator[pd.DataFrame]:
    """The rows of an entity of a package, part by part; none if it has no such file."""
    with reading(source) as file, ZipReader(file) as archive:
        if member(entity) in archive.names:
            with archive.open(member(entity)) as stream:
                yield from (block.frame for block in CsvBlocks(stream))


def version_of(source: Source) -> Version:
    """The version that a package's manifest states. Raises ValueError if it states none."""
    with reading(source) as file, ZipReader(file) as archive, archive.open(FILE) as stream:
        version = read_manifest(stream).version
    if version is None:
        raise ValueError("the package's manifest names no version that is known")
    return version


def columns_of(source: Source) -> dict[str, tuple[Column, ...]]:
    """The standard's columns for each entity that a package has, in its version."""
    of_version = columns_1p1 if version_of(source) is Version.V1P1 else columns
    present = members(source)
    return {entity: of_version(entity) for entity in ENTITIES if member(entity) in present}


def member(entity: str) -> str:
    """The file name of an entity."""
    return f"{entity}.csv"
