"""Writing packages: a manifest and the files it names, into a zip."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

import pandas as pd

from roster_pipeline.oneroster.manifest import FILE, HEADER, Mode, Version, manifest_rows
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.csv_write import write_csv
from roster_pipeline.tables.text import TEXT

Frames = Iterator[pd.DataFrame]
Target = str | os.PathLike[str] | BinaryIO
"""Where bytes go: a path, which appears whole or not at all, or an open binary file."""


@contextmanager
def opened(target: Target) -> Iterator[BinaryIO]:
    """A file to write to; a path gets its content only when all is written."""
    if not isinstance(target, str | os.PathLike):
        yield target
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield cast(BinaryIO, file)
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def write_package(
    target: Target,
    version: Version,
    mode: Mode,
    members: Mapping[str, tuple[Sequence[str], Frames]],
    system_name: str,
) -> dict[str, int]:
    """Write a zip of the manifest and those members that have rows; give rows by entity."""
    present = {
        entity: (header, chain([first], frames))
        for entity, (header, frames) in members.items()
        if (first := next(frames, None)) is not None
    }
    counts = dict.fromkeys(members, 0)
    with opened(target) as out, ZipWriter(out) as archive:
        rows = manifest_rows(version, dict.fromkeys(present, mode), system_name)
        with archive.open(FILE) as member:
            write_csv(member, HEADER, [_manifest_frame(rows)])
        for entity, (header, frames) in present.items():
            with archive.open(f"{entity}.csv") as member:
                counts[entity] = write_csv(member, header, frames)
    return counts


def _manifest_frame(rows: Iterable[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(HEADER)).astype(TEXT)
