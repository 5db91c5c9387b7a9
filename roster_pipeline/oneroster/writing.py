"""OneRoster CSV packages written to the letter of the standard.

Files at the root, columns in the order of the table, metadata columns last, UTF-8 without a BOM,
CR LF; a file without rows is declared absent, as the standard allows none. The same
roster gives the same bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO, Final

import pandas as pd

from roster_pipeline.oneroster.delta import Delta, Kind
from roster_pipeline.oneroster.entities import BULK_BLANK, SECRET
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import FILE, HEADER, Mode, Version, manifest_rows
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.shape import conform
from roster_pipeline.oneroster.versions import downgrade_users, downgrade_words
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.csv_write import write_csv
from roster_pipeline.tables.text import TEXT

Frames = Iterator[pd.DataFrame]
_ROLE_COLUMNS: Final = ("userSourcedId", "roleType", "role", "orgSourcedId")


def write_bulk(
    roster: Roster,
    out: BinaryIO,
    *,
    version: Version = Version.V1P2,
    system_name: str | None = None,
    system_code: str | None = None,
) -> dict[str, int]:
    """Write a whole roster as a bulk package and return the rows written per file."""

    def frames(entity: str) -> Frames:
        for block in _spoken(roster, entity, version, roster.blocks(entity)):
            yield _blank(block, (*BULK_BLANK, *SECRET))

    filled = {entity: roster.counts[entity] > 0 for entity in tables(version)}
    modes = {entity: Mode.BULK for entity, any_rows in filled.items() if any_rows}
    headers = {entity: _header(entity, version, roster) for entity in modes}
    rows = manifest_rows(version, modes, system_name, system_code)
    return _write(out, rows, headers, frames)


def write_delta(
    delta: Delta,
    out: BinaryIO,
    *,
    modified: datetime,
    version: Version = Version.V1P2,
    system_name: str | None = None,
    system_code: str | None = None,
) -> dict[str, int]:
    """Write the difference of two rosters as a delta package and return the rows per file.

    Each row carries `modified` (UTC) and `active`, or `tobedeleted` with the row's last content.
    A delta without any change is a package that holds only its manifest ("no updates").
    """
    stamp = (
        modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{modified.microsecond // 1000:03d}Z"
    )

    def frames(entity: str) -> Frames:
        said: tuple[tuple[Kind, Roster, str], ...] = (
            ("alive", delta.new, "active"),
            ("removed", delta.old or Roster.empty(), "tobedeleted"),
        )
        for kind, roster, status in said:
            for block in _spoken(roster, entity, version, delta.blocks(entity, kind)):
                yield _blank(block, SECRET).assign(
                    status=_constant(status, block), dateLastModified=_constant(stamp, block)
                )

    moved = {entity: _moved(delta, entity) for entity in tables(version)}
    modes = {entity: Mode.DELTA for entity, any_rows in moved.items() if any_rows}
    headers = {entity: _header(entity, version, delta.new, delta.old) for entity in modes}
    rows = manifest_rows(version, modes, system_name, system_code)
    return _write(out, rows, headers, frames)


def _write(
    out: BinaryIO,
    manifest: list[tuple[str, str]],
    headers: Mapping[str, list[str]],
    frames: Callable[[str], Frames],
) -> dict[str, int]:
    written = {}
    with ZipWriter(out) as archive:
        with archive.open(FILE) as member:
            table = pd.DataFrame(manifest, columns=list(HEADER)).replace("", None).astype(TEXT)
            write_csv(member, HEADER, [table])
        for entity, header in headers.items():
            with archive.open(f"{entity}.csv") as member:
                aligned = (conform(frame, header) for frame in frames(entity))
                written[entity] = write_csv(member, header, aligned)
    return written


def _header(entity: str, version: Version, *rosters: Roster | None) -> list[str]:
    table = [column.name for column in tables(version)[entity]]
    metadata = {
        name
        for roster in rosters
        if roster is not None
        for name in roster.header(entity)
        if name.startswith(METADATA)
    }
    return [*table, *sorted(metadata)]


def _spoken(
    roster: Roster, entity: str, version: Version, blocks: Iterable[pd.DataFrame]
) -> Frames:
    """The blocks in the words of a version."""
    if version is Version.V1P2:
        yield from blocks
        return
    roles = roster.columns("roles", [*_ROLE_COLUMNS, "_role"]) if entity == "users" else None
    for block in blocks:
        said = block if roles is None else downgrade_users(block, roles).users
        yield downgrade_words(said, entity)


def _blank(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    present = [name for name in columns if name in frame.columns and frame[name].notna().any()]
    return frame.assign(**{name: _constant(None, frame) for name in present})


def _constant(text: str | None, frame: pd.DataFrame) -> pd.Series:
    return pd.Series([text] * len(frame), dtype=TEXT, index=frame.index)


def _moved(delta: Delta, entity: str) -> bool:
    changes = delta.entities[entity]
    return bool(len(changes.added) + len(changes.changed) + len(changes.removed))
