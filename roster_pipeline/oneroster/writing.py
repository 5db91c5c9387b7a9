"""OneRoster CSV packages written to the letter of the standard.

Files at the root, columns in the order of the table, metadata columns last, UTF-8 without a BOM,
CR LF, no line breaks in cells (they become blanks); a file without rows is declared absent, as the
standard allows none. The same roster gives the same bytes. A `Form` says in what a reader wants it
otherwise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Final

import numpy as np
import pandas as pd

from roster_pipeline.oneroster.delta import Delta, Kind
from roster_pipeline.oneroster.entities import BULK_BLANK, ENTITIES, SECRET, Required
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.layout import Positions
from roster_pipeline.oneroster.manifest import FILE, HEADER, Mode, Version, manifest_rows
from roster_pipeline.oneroster.package import tables
from roster_pipeline.oneroster.roles_of import RolesOf, pieces
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.oneroster.shape import conform
from roster_pipeline.oneroster.versions import downgrade_users, downgrade_words
from roster_pipeline.tables.archive import ZipWriter
from roster_pipeline.tables.csv_write import write_csv
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import TEXT

Frames = Iterator[pd.DataFrame]
_ROLE_COLUMNS: Final = ("userSourcedId", "roleType", "role", "orgSourcedId")
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Form:
    """In what a package is otherwise than the standard says."""

    entities: tuple[str, ...] | None = None
    """The files that are written, all by default; references to rows of others stay blank."""
    manifest: bool = True
    spelling: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By entity and column the name in the header, where it is not the standard's."""
    resource_ids: bool = False
    """Whether users of 1.2 have the empty column `resourceSourcedIds`, which 1.2 demanded and 1.2.1
    took back."""
    newline: str = "\r\n"
    byte_order_mark: bool = False

    def entities_of(self, version: Version) -> tuple[str, ...]:
        """The files of a version that are written."""
        wanted = tables(version) if self.entities is None else self.entities
        return tuple(entity for entity in tables(version) if entity in wanted)


STANDARD: Final = Form()


@dataclass(frozen=True)
class Emptied:
    """Rows that a reader may have, of which a whole roster says nothing."""

    rows: Roster
    modified: datetime
    """What they say of when they were deleted."""

    def frames(self, entity: str, version: Version) -> Frames:
        """They as deleted, with no more than has to be filled: the rest may be hidden by now."""
        said = tables(version)[entity]
        needless = [column.name for column in said if column.required is not Required.ALWAYS]
        for block in _spoken(self.rows, entity, version, self.rows.blocks(entity)):
            yield _with_status(_blank(block, needless), "tobedeleted", self.modified)


def write_bulk(
    roster: Roster,
    out: BinaryIO,
    *,
    version: Version = Version.V1P2,
    system_name: str | None = None,
    system_code: str | None = None,
    form: Form = STANDARD,
    emptied: Emptied | None = None,
) -> dict[str, int]:
    """Write a whole roster as a bulk package and return the rows written per file.

    A file without rows has to be declared absent, and an absent one changes nothing at its reader.
    So where that one may have rows (`emptied`) of an entity of which the roster has none, they are
    told as deleted, in a file that is meant as a delta.
    """
    had = {entity: emptied.rows.counts[entity] if emptied else 0 for entity in ENTITIES}

    def frames(entity: str) -> Frames:
        if emptied is not None and not roster.counts[entity]:
            yield from emptied.frames(entity, version)
            return
        for block in _spoken(roster, entity, version, roster.blocks(entity)):
            yield _blank(block, (*BULK_BLANK, *SECRET))

    written = [e for e in form.entities_of(version) if roster.counts[e] or had[e]]
    headers = {entity: _header(entity, version, form, roster) for entity in written}
    modes = {entity: Mode.BULK if roster.counts[entity] else Mode.DELTA for entity in written}
    rows = manifest_rows(version, modes, system_name, system_code)
    return _write(out, rows, headers, frames, version, form)


def write_delta(
    delta: Delta,
    out: BinaryIO,
    *,
    modified: datetime,
    version: Version = Version.V1P2,
    system_name: str | None = None,
    system_code: str | None = None,
    form: Form = STANDARD,
) -> dict[str, int]:
    """Write the difference of two rosters as a delta package and return the rows per file.

    Each row carries `modified` (UTC) and `active`, or `tobedeleted` with the row's last content; in
    each file these come first.
    In 1.1 a person whose roles changed is a changed user. A delta without any change is a package
    that holds only its manifest ("no updates").
    """
    alive = {e: _alive(delta, e, version) for e in form.entities_of(version)}

    def frames(entity: str) -> Frames:
        old = delta.old or Roster.empty()
        same = np.array_equal(alive[entity], delta.entities[entity].alive)
        now = delta.blocks(entity, "alive") if same else delta.new.select(entity, alive[entity])
        # Who goes is told first: who comes may have their username, or their id in other letters.
        said = (
            (delta.blocks(entity, "removed"), old, "tobedeleted"),
            (now, delta.new, "active"),
        )
        for blocks, roster, status in said:
            for block in _spoken(roster, entity, version, blocks):
                yield _with_status(_blank(block, SECRET), status, modified)

    written = [e for e, rows in alive.items() if len(rows) or len(delta.entities[e].removed)]
    headers = {e: _header(e, version, form, delta.new, delta.old) for e in written}
    modes = dict.fromkeys(written, Mode.DELTA)
    rows = manifest_rows(version, modes, system_name, system_code)
    return _write(out, rows, headers, frames, version, form)


def _write(
    out: BinaryIO,
    manifest: list[tuple[str, str]],
    headers: Mapping[str, list[str]],
    frames: Callable[[str], Frames],
    version: Version,
    form: Form,
) -> dict[str, int]:
    written = {}
    mark = _MARK if form.byte_order_mark else b""
    with ZipWriter(out) as archive:
        if form.manifest:
            with archive.open(FILE) as member:
                table = pd.DataFrame(manifest, columns=list(HEADER)).replace("", None).astype(TEXT)
                member.write(mark)
                write_csv(member, HEADER, [table], newline=form.newline)
        for entity, header in headers.items():
            spelt = form.spelling.get(entity, {})
            names = [spelt.get(name, name) for name in header]
            homeless = _homeless(entity, version, form)
            with archive.open(f"{entity}.csv") as member:
                aligned = (
                    conform(_blank(frame, homeless), header).set_axis(names, axis="columns")
                    for frame in frames(entity)
                )
                member.write(mark)
                written[entity] = write_csv(
                    member, names, aligned, newline=form.newline, breaks=False
                )
    return written


def _homeless(entity: str, version: Version, form: Form) -> list[str]:
    """The columns that refer to files which are not written."""
    if form.entities is None:
        return []
    table = tables(version)[entity]
    return [column.name for column in table if column.target not in (None, *form.entities)]


def _header(entity: str, version: Version, form: Form, *rosters: Roster | None) -> list[str]:
    table = [column.name for column in tables(version)[entity]]
    if form.resource_ids and entity == "users" and version is Version.V1P2:
        table.insert(table.index("userMasterIdentifier") + 1, "resourceSourcedIds")
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
    roles_of = RolesOf(roster, (*_ROLE_COLUMNS, "_role")) if entity == "users" else None
    for block in blocks:
        for piece in pieces(block) if roles_of is not None else [block]:
            roles = None if roles_of is None else roles_of(piece["sourcedId"])
            said = piece if roles is None else downgrade_users(piece, roles).users
            yield downgrade_words(said, entity)


def _with_status(block: pd.DataFrame, status: str, modified: datetime) -> pd.DataFrame:
    moment = modified.astimezone(UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    said = {"status": status, "dateLastModified": stamp}
    return block.assign(**{name: _constant(text, block) for name, text in said.items()})


def _blank(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    present = [name for name in columns if name in frame.columns and frame[name].notna().any()]
    return frame.assign(**{name: _constant(None, frame) for name in present})


def _constant(text: str | None, frame: pd.DataFrame) -> pd.Series:
    return pd.Series([text] * len(frame), dtype=TEXT, index=frame.index)


def _alive(delta: Delta, entity: str, version: Version) -> Positions:
    """The rows of the new roster that a delta says anew."""
    alive = delta.entities[entity].alive
    if entity != "users" or version is Version.V1P2:
        return alive
    kinds: tuple[Kind, ...] = ("alive", "gone")
    people = [
        block["userSourcedId"]
        for kind in kinds
        for block in delta.blocks("roles", kind, columns=["userSourcedId"])
    ]
    if not people:
        return alive
    changed = delta.new.find("users", pd.concat(people, ignore_index=True).drop_duplicates())
    return distinct(np.concatenate([alive, changed[changed >= 0]]))
