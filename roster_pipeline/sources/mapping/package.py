"""A drop that is not OneRoster, read as a package of OneRoster by a mapping."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import pandas as pd
import pyarrow as pa

from roster_pipeline.oneroster.container import Container
from roster_pipeline.oneroster.entities import Column
from roster_pipeline.oneroster.findings import FindingGroup, Findings
from roster_pipeline.oneroster.header import METADATA
from roster_pipeline.oneroster.manifest import Mode, Version
from roster_pipeline.oneroster.origins import lines_of, ways_of
from roster_pipeline.oneroster.package import PackageBlock, tables
from roster_pipeline.oneroster.reading_rules import RULES
from roster_pipeline.oneroster.spelling import respell
from roster_pipeline.oneroster.templates import names_in
from roster_pipeline.oneroster.text_faults import readable, unreadable
from roster_pipeline.sources.mapping.config import CsvMapping, Table
from roster_pipeline.sources.mapping.files import Found, look_into, match_members
from roster_pipeline.sources.mapping.firsts import Firsts, People
from roster_pipeline.sources.mapping.names import (
    Meant,
    chosen_by,
    entries,
    joined_columns,
    own_columns,
)
from roster_pipeline.sources.mapping.reading import Joined, no_rows, read_file, read_joined
from roster_pipeline.sources.mapping.rows import Made, columns_told, make_rows
from roster_pipeline.sources.mapping.values import folded_lookups
from roster_pipeline.tables.archive import ArchiveError
from roster_pipeline.tables.arrow import to_frame
from roster_pipeline.tables.csv_blocks import CsvError
from roster_pipeline.tables.keys import distinct
from roster_pipeline.tables.text import TEXT, arrow

# That one of two lists is empty is nobody's fault where the files have only one of them.
_OF_TWO_LISTS: Final = "row.one_list_empty"
_TWO_LISTS: Final = frozenset({"subjects", "subjectCodes"})


@dataclass(frozen=True)
class _Way:
    """One way in which rows are made of a file's."""

    file: str
    columns: Mapping[str, str]
    """Column of the entity → what its cells are made of."""


class MappedPackage:
    """See `Package`. Of each entity that a table of the mapping makes, the drop has all rows; of
    one whose files are all missing, and may be, it says nothing."""

    def __init__(self, container: Container, mapping: CsvMapping) -> None:
        self._container = container
        self._mapping = mapping
        self._lookups = folded_lookups(mapping.lookups)
        self._members, self.findings = match_members(container.names, mapping)
        self._looked: dict[str, Found] = {}
        self._filled: set[str] = set()
        """Files of which rows were read."""
        self.version: Version | None = Version(mapping.version)
        self._tables = tables(self.version)
        self.modes = {entity: Mode.BULK for entity in self._tables if self._is_made(entity)}
        self.absent = tuple(entity for entity in self._tables if entity not in self.modes)

    def file(self, entity: str) -> str:
        """The files of whose rows an entity is made, as they are called in the drop."""
        files = dict.fromkeys(table.rows_of for table in self._mapping.tables.of(entity))
        called = [self._members[key].member or self._mapping.files[key].name for key in files]
        return ", ".join(called) or f"{entity}.csv"

    def blocks(
        self, entity: str, *, findings: Findings | None = None, block_bytes: int = 32 << 20
    ) -> Iterator[PackageBlock]:
        """See `Package.blocks`."""
        findings = self.findings if findings is None else findings
        if entity not in self.modes:
            return
        made_of = self._mapping.tables.of(entity)
        compared = [column.name for column in self._tables[entity]]
        people = People() if entity == "users" and len(made_of) > 1 else None
        firsts = Firsts(compared, people) if any(table.first for table in made_of) else None
        for number, table in enumerate(made_of):
            way = self._first_ways[entity, number]
            yield from self._rows(entity, table, way, firsts, findings, block_bytes)

    def without_rows(self, entity: str) -> tuple[str, ...]:
        """See `Package.without_rows`."""
        keys = dict.fromkeys(table.rows_of for table in self._mapping.tables.of(entity))
        files = [self._mapping.files[key] for key in keys if key not in self._filled]
        return tuple(file.name.casefold() for file in files)

    def without_columns(self, entity: str) -> Mapping[int, tuple[str, str]]:
        """See `Package.without_columns`."""
        lacking: dict[int, tuple[str, str]] = {}
        for number, table in enumerate(self._mapping.tables.of(entity)):
            for way, words in enumerate(entries(table), self._first_ways[entity, number]):
                for meant in chosen_by(table, words):
                    if (file := self._lacks(table, meant)) is not None:
                        lacking[way] = file, meant.column
        return lacking

    def _lacks(self, table: Table, meant: Meant) -> str | None:
        """The file in which a column should be and is not; None where it is, or where its file was
        not looked into."""
        key = table.rows_of if meant.join is None else table.join[meant.join].file
        found = self._looked.get(key)
        if found is None or found.stopped or found.places.get(meant.column) is not None:
            return None
        return found.member or self._mapping.files[key].name

    def located(self, findings: Findings) -> Findings:
        """The findings with the files, lines and columns of the drop. What is wrong with a file
        that several entities are made of is told once."""
        told = set()
        located = Findings()
        for group in findings.groups:
            if (ways_of(group.lines) > 0).any():
                located.extend(self._by_way(group))
                continue
            said = (group.code, group.file, group.column, group.message, group.lines.tobytes())
            if said not in told:
                told.add(said)
                located.add(group)
        return located

    # ---- which files ----

    def _is_made(self, entity: str) -> bool:
        """Whether there is any file of which an entity is made, or one that has to be."""
        return any(
            found.member is not None or found.stopped
            for table in self._mapping.tables.of(entity)
            for found in (self._members[table.rows_of],)
        )

    def _look_into(self, key: str) -> Found:
        if key not in self._looked:
            found = self._members[key]
            self._looked[key] = look_into(self._container, key, found, self._mapping)
        return self._looked[key]

    # ---- rows ----

    def _rows(
        self,
        entity: str,
        table: Table,
        way: int,
        firsts: Firsts | None,
        findings: Findings,
        block_bytes: int,
    ) -> Iterator[PackageBlock]:
        """The rows that one table makes."""
        keys = [table.rows_of, *(join.file for join in table.join.values())]
        files = {key: self._look_into(key) for key in dict.fromkeys(keys)}
        for found in files.values():
            findings.extend(found.findings)
        rows_of = files[table.rows_of]
        if rows_of.member is None or any(found.stopped for found in files.values()):
            return
        reading = rows_of.member
        try:
            joins = {}
            for name, join in table.join.items():
                reading = files[join.file].member or reading
                joins[name] = self._joined(entity, table, name, files, findings, block_bytes)
            reading = rows_of.member
            wanted = own_columns(table)
            for read in read_file(
                self._container, rows_of, wanted, entity, findings, block_bytes=block_bytes
            ):
                if len(read.lines) or read.broken:
                    self._filled.add(table.rows_of)
                made = make_rows(table, read, joins, self._lookups, way)
                block = self._block(entity, table, way, reading, made, firsts)
                block.findings.extend(read.findings)
                yield replace(block, broken=read.broken * len(entries(table)))
        except (CsvError, ArchiveError) as error:
            findings.add(unreadable(error, reading))

    def _joined(
        self,
        entity: str,
        table: Table,
        name: str,
        files: Mapping[str, Found],
        findings: Findings,
        block_bytes: int,
    ) -> Joined:
        join, columns = table.join[name], joined_columns(table, name)
        if files[join.file].member is None:
            return no_rows(columns)
        return read_joined(
            self._container,
            files[join.file],
            join,
            columns,
            names_in(join.key),
            entity,
            findings,
            block_bytes=block_bytes,
        )

    def _block(
        self,
        entity: str,
        table: Table,
        way: int,
        member: str,
        made: Made,
        firsts: Firsts | None,
    ) -> PackageBlock:
        frame, places, findings = _whole(made.cells, self._tables[entity]), made.places, Findings()
        # The files are not of the standard: that they have not its spelling is nobody's fault.
        frame, _ = respell(frame, self._tables[entity], places, member, entity)
        if firsts is not None:
            first, differing = firsts.look(frame, way)
            if table.first:
                if differing.any():
                    ids = arrow(frame["sourcedId"]).filter(pa.array(differing))
                    at = places[differing]
                    findings.add(
                        RULES["mapping.differs"].at(
                            member, None, at, entity=entity, sourced_ids=readable(ids)
                        )
                    )
                frame, places = frame[first].reset_index(drop=True), places[first]
        return PackageBlock(entity, member, frame, places, (), -1, findings, bulk_or_delta=False)

    # ---- places ----

    @cached_property
    def _first_ways(self) -> Mapping[tuple[str, int], int]:
        """Entity and table → the number of the first way in which it makes rows."""
        ways, number = {}, 1
        for entity in self._tables:
            for place, table in enumerate(self._mapping.tables.of(entity)):
                ways[entity, place] = number
                number += len(entries(table))
        return ways

    @cached_property
    def _ways(self) -> tuple[_Way, ...]:
        """The ways in which rows are made; the first is number 1."""
        return tuple(
            _Way(self._members[table.rows_of].member or "", columns)
            for entity in self._tables
            for table in self._mapping.tables.of(entity)
            for columns in columns_told(table)
        )

    def _by_way(self, group: FindingGroup) -> Iterator[FindingGroup]:
        ways = ways_of(group.lines)
        group = group.on(lines_of(group.lines))
        for number in distinct(ways).tolist():
            some = group.some(ways == number)
            if 0 < number <= len(self._ways):
                way = self._ways[number - 1]
                if group.code == _OF_TWO_LISTS and not way.columns.keys() >= _TWO_LISTS:
                    continue
                column = some.column and way.columns.get(some.column, some.column)
                some = replace(some, file=way.file or some.file, column=column)
            yield some


def _whole(cells: pa.Table, columns: tuple[Column, ...]) -> pd.DataFrame:
    """A frame with all columns of the standard in their order, then metadata columns by name."""
    made = to_frame(cells)
    metadata = sorted(name for name in made.columns if name.startswith(METADATA))
    empty = pd.Series([None] * len(made), dtype=TEXT, index=made.index)
    wanted = [*(column.name for column in columns), *metadata]
    return pd.DataFrame({name: made.get(name, empty) for name in wanted})
