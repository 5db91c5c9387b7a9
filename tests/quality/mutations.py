"""One cell of a clean package changed, and what then became of the roster."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from roster_pipeline.oneroster.entities import Column, Kind
from roster_pipeline.oneroster.findings import Finding, Severity
from roster_pipeline.oneroster.manifest import Version
from roster_pipeline.oneroster.package import open_package, tables
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import Candidate, build_candidate

Cells = dict[str, str | None]
Rows = Mapping[str, Mapping[str, Cells]]
"""Of each entity the rows by sourcedId."""

_FREE_TEXTS: Final = frozenset(
    {"title", "name", "givenName", "familyName", "middleName", "preferredGivenName",
     "preferredMiddleName", "preferredFamilyName", "pronouns", "sms", "phone", "location",
     "courseCode", "description", "birthPlace"}
)  # fmt: skip
"""Columns that say nothing about any other row."""
_ROLES_OF_1P1: Final = ("role", "orgSourcedIds", "sourcedId")


@dataclass(frozen=True)
class Package:
    """Files as header and rows, in a version, judged against what was accepted before."""

    version: Version
    files: Mapping[str, list[list[str]]] = field(repr=False)
    today: date
    base: Roster | None = field(default=None, repr=False)

    def packed(self) -> bytes:
        """The zip."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, rows in self.files.items():
                text = io.StringIO(newline="")
                csv.writer(text).writerows(rows)
                archive.writestr(f"{name}.csv", text.getvalue().encode())
        return out.getvalue()

    def judged(self, into: Path) -> Candidate:
        """What becomes of it."""
        with open_package(io.BytesIO(self.packed())) as opened:
            return build_candidate(opened, self.base, into, today=self.today)

    @classmethod
    def of(cls, package: bytes, version: Version, today: date, base: Roster | None) -> "Package":
        """A package as it was written."""
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            files = {
                name.removesuffix(".csv"): list(
                    csv.reader(io.StringIO(archive.read(name).decode(), newline=""))
                )
                for name in archive.namelist()
            }
        return cls(version, files, today, base)

    def column(self, cell: "Cell") -> Column | None:
        """What the standard says of a cell's column; None for one of the manifest."""
        name = self.files[cell.file][0][cell.place]
        known = tables(self.version).get(cell.file, ())
        return next((column for column in known if column.name == name), None)

    def changed(self, cell: "Cell") -> "Package":
        """The same with one other cell."""
        rows = [list(row) for row in self.files[cell.file]]
        rows[cell.row][cell.place] = cell.text
        return replace(self, files={**self.files, cell.file: rows})


@dataclass(frozen=True)
class Cell:
    """A cell's new text. Rows are counted with the header."""

    file: str
    row: int
    place: int
    text: str

    @property
    def line(self) -> int:
        """The line on which its row begins: no cell before it has a line break."""
        return self.row + 1


def rows_of(roster: Roster) -> Rows:
    """All cells of a roster."""
    return {
        entity: {
            str(row["sourcedId"]): {str(k): None if pd.isna(v) else v for k, v in row.items()}
            for row in roster.frame(entity).to_dict("records")
        }
        for entity, count in roster.counts.items()
        if count
    }


def complaints(clean: Package, before: Rows, cell: Cell, made: Candidate) -> list[str]:
    """Where the change of one cell was neither told nor harmless; empty where all is well."""
    found = list(made.findings)
    here = [finding for finding in found if finding.file == f"{cell.file}.csv"
            and finding.line in (cell.line, None)]  # fmt: skip
    told = [*_cells_shown(cell, found), *_elsewhere(clean, cell, here, found)]
    if made.roster is None:
        # A line break in the cell moves the lines after it.
        stops = {finding.file for finding in found if finding.severity is Severity.STOP}
        return told if f"{cell.file}.csv" in stops else [*told, "stopped unnamed"]
    return [*told, *_rows_changed(clean, before, cell, here, found, rows_of(made.roster))]


def _cells_shown(cell: Cell, found: list[Finding]) -> Iterator[str]:
    if len(cell.text) < 12 or cell.text.isascii():
        return
    for finding in found:
        if cell.text in finding.message + finding.fix:
            yield f"{finding.code} shows the cell"


def _elsewhere(
    clean: Package, cell: Cell, here: list[Finding], found: list[Finding]
) -> Iterator[str]:
    """A finding about another row names its cause, or this cell has a say about that row."""
    column = clean.column(cell)
    if column is None or column.name not in _FREE_TEXTS:
        return
    for finding in found:
        if finding.cause is None and not any(finding is other for other in here):
            yield f"no cause: {finding}"


def _rows_changed(
    clean: Package,
    before: Rows,
    cell: Cell,
    here: list[Finding],
    found: list[Finding],
    after: Rows,
) -> Iterator[str]:
    column = clean.column(cell)
    assert column is not None
    old_id = clean.files[cell.file][cell.row][clean.files[cell.file][0].index("sourcedId")]
    new_id = cell.text.strip() if column.name == "sourcedId" else old_id
    named = {(finding.entity, finding.sourced_id) for finding in found}
    for entity in before.keys() | after.keys():
        was, now = before.get(entity, {}), after.get(entity, {})
        for key in was.keys() | now.keys():
            if entity == cell.file and key in (old_id, new_id):
                continue
            if was.get(key) == now.get(key) or (entity, key) in named:
                continue
            if clean.version is Version.V1P1 and entity == "roles":
                person = (now.get(key) or was[key])["userSourcedId"]
                if _moves_roles(cell, column, person in (old_id, new_id)):
                    continue
                if ("users", person) in named or (cell.file == "users" and person == old_id):
                    continue
            yield f"{entity}/{key} changed unnamed: {_difference(was.get(key), now.get(key))}"
    yield from _row_itself(column, cell, here, before[cell.file].get(old_id),
                           after.get(cell.file, {}).get(new_id))  # fmt: skip


def _moves_roles(cell: Cell, column: Column, own: bool) -> bool:
    """In 1.1 a user's roles are made of a users row and of the types of its orgs."""
    if cell.file == "orgs":
        return column.name in ("type", "sourcedId")
    return own and cell.file == "users" and column.name in _ROLES_OF_1P1


def _row_itself(
    column: Column, cell: Cell, here: list[Finding], was: Cells | None, now: Cells | None
) -> Iterator[str]:
    worst = {finding.severity for finding in here}
    if worst & {Severity.HOLD, Severity.STOP}:
        return
    if was is None:
        return  # it deletes, and was not there
    deletes = column.name == "status" and cell.text.strip().casefold() in _DELETES
    if now is None:
        if not deletes and not here:
            yield "the row is gone, and no finding says so"
        return
    if column.name not in now:
        return  # a column of 1.1
    dropped = {f.column for f in here if f.severity is Severity.DROP}
    others = {name for name in now if was.get(name) != now[name]} - {column.name, *dropped}
    if others:
        yield f"other cells of the row changed: {sorted(others)}"
    if not here and now[column.name] != (cell.text or None):
        yield "the cell is not what was sent, and no finding says so"
    told = worst - {Severity.WARN} or column.kind in _RESPELT
    if not told and _letters(now[column.name]) != _letters(cell.text):
        yield "the cell means something else than what was sent"


_RESPELT: Final = (Kind.WORD, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME)
_DELETES: Final = ("tobedeleted", "inactive")


def _letters(text: str | None) -> list[str]:
    """The items of a cell without blanks: no others are left out with a warning."""
    return [item for item in "".join((text or "").split()).split(",") if item]


def _difference(was: Cells | None, now: Cells | None) -> str:
    if was is None or now is None:
        return "appeared" if was is None else "gone"
    return f"in {sorted(name for name in was if was[name] != now.get(name))}"
