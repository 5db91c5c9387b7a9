"""The rows of one source in the tables of a schema, brought to a roster within a transaction.

What comes is sent by COPY, block by block. What goes, or is otherwise now, is moved to the table of
the past. Rows that stay as they are are not touched.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import pandas as pd
from psycopg2.sql import SQL, Composable, Identifier

from roster_pipeline.oneroster.delta import Delta
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.header import METADATA as PREFIX
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.hiding import Hidden
from roster_pipeline.receivers.mask_config import EXTENSIONS
from roster_pipeline.receivers.masking import plain
from roster_pipeline.receivers.tables import (
    METADATA,
    SOURCE,
    VALID_TO,
    as_rows,
    current_columns,
    past,
)
from roster_pipeline.tables.ahead import ahead
from roster_pipeline.tables.csv_write import write_csv

# Some 10 MB of CSV are copied at a time, handed to the driver in pieces of a megabyte.
_ROWS: Final = 1 << 16
_BYTES: Final = 1 << 20
_IDS: Final = 10_000
"""So many rows are moved by one statement."""
_SOURCED_ID: Final = Identifier("sourcedId")
_TEMPORARY: Final = "pg_temp"
_OVERLOOKED: Final = (SOURCE, "status", "dateLastModified")
"""No difference here makes a row another one."""
# By the names of `masking.plain`, which are of the letters A to Z alone, too.
_WITHOUT_KEYS: Final = SQL(
    "metadata = (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(metadata) "
    'AS m WHERE lower(m.key COLLATE "C") <> ALL (%s))'
)
_HAS_KEYS: Final = SQL(
    'EXISTS (SELECT FROM jsonb_object_keys(metadata) AS k WHERE lower(k COLLATE "C") = ANY (%s))'
)


class SourceRows:
    """The rows of one source. `at` is the moment from which those that come are valid."""

    def __init__(self, cursor: Any, schema: str, source: str, at: datetime) -> None:
        self._cursor = cursor
        self._schema = schema
        self._source = source
        self._at = at

    def counts(self) -> dict[str, int]:
        """How many rows of each entity there are."""
        return {entity: self._count(entity) for entity in ENTITIES}

    def fill(self, roster: Roster) -> int:
        """Put a roster where nothing is: how many bytes it came as."""
        return sum(
            self._copy(entity, roster.blocks(entity), self._name(entity)) for entity in ENTITIES
        )

    def change(self, delta: Delta) -> int:
        """Bring what is there, which is the old roster of a delta, to the new one: how many bytes
        that came as."""
        size = 0
        for entity in ENTITIES:
            for block in delta.blocks(entity, "gone", columns=["sourcedId"]):
                self._end(entity, block["sourcedId"].tolist())
            size += self._copy(entity, delta.blocks(entity, "alive"), self._name(entity))
        return size

    def compare(self, roster: Roster) -> int:
        """Bring what is there, whatever it is, to a roster: how many bytes that came as."""
        # Nobody has counted what was staged, and what the planner believes of it is far off.
        self._cursor.execute("SET LOCAL enable_nestloop = off")
        return sum(self._compare(entity, roster) for entity in ENTITIES)

    def hide(self, hidden: Hidden) -> tuple[str, ...]:
        """Take out of all rows, those of the past too, what is to be hidden in them. Entities are
        told of which rows of the past are gone by that."""
        forgotten = []
        for entity in ENTITIES:
            if hidden.has_no_row(entity):
                if self._forget(entity):
                    forgotten.append(entity)
            elif columns := hidden.columns(entity):
                self._empty(entity, columns)
        return tuple(forgotten)

    def _forget(self, entity: str) -> bool:
        """Remove all rows, without a trace; whether some were of the past."""
        for table in (entity, past(entity)):
            query = SQL("DELETE FROM {} WHERE source = %s").format(self._name(table))
            self._cursor.execute(query, [self._source])
        return bool(self._cursor.rowcount)

    def _empty(self, entity: str, columns: list[str]) -> None:
        """Empty columns where they are, so that a row which differs in nothing else stays."""
        there = [
            Identifier(name) for name in columns if name in _names(entity) and name != METADATA
        ]
        changes: list[Composable] = [SQL("{} = NULL").format(name) for name in there]
        filled: list[Composable] = [SQL("{} IS NOT NULL").format(name) for name in there]
        values: list[Any] = [self._source]
        if EXTENSIONS in columns:
            changes.append(SQL("metadata = '{}'"))
            filled.append(SQL("metadata <> '{}'"))
        elif keys := [plain(n.removeprefix(PREFIX)) for n in columns if n.startswith(PREFIX)]:
            changes.append(_WITHOUT_KEYS)
            filled.append(_HAS_KEYS)
            values = [keys, self._source, keys]
        if not changes:
            return
        for table in (entity, past(entity)):
            self._cursor.execute(
                SQL("UPDATE {} SET {} WHERE source = %s AND ({})").format(
                    self._name(table), SQL(", ").join(changes), SQL(" OR ").join(filled)
                ),
                values,
            )

    def _compare(self, entity: str, roster: Roster) -> int:
        table, staged = self._name(entity), Identifier(_TEMPORARY, entity)
        self._run("CREATE TABLE {} (LIKE {}) ON COMMIT DROP", staged, table)
        size = self._copy(entity, roster.blocks(entity), staged)
        names = [n for n in _names(entity)[:-1] if n not in _OVERLOOKED]
        ours, theirs = (_of(alias, names) for alias in ("t", "s"))
        same = SQL(
            "t.source = %s AND NOT EXISTS (SELECT FROM {} AS s WHERE s.{} = t.{} AND "
            "ROW({}) IS NOT DISTINCT FROM ROW({}))"
        ).format(staged, _SOURCED_ID, _SOURCED_ID, ours, theirs)
        self._move(entity, same, [self._source])
        self._cursor.execute(
            SQL(
                "INSERT INTO {0} ({1}) SELECT {1} FROM {2} AS s WHERE NOT EXISTS "
                "(SELECT FROM {0} AS t WHERE t.source = %s AND t.{3} = s.{3})"
            ).format(table, listed(_names(entity)), staged, _SOURCED_ID),
            [self._source],
        )
        self._run("DROP TABLE {}", staged)
        return size

    def _end(self, entity: str, sourced_ids: list[str]) -> None:
        """Move rows to the past."""
        which = SQL("t.source = %s AND t.{} = ANY (%s)").format(_SOURCED_ID)
        for start in range(0, len(sourced_ids), _IDS):
            self._move(entity, which, [self._source, sourced_ids[start : start + _IDS]])

    def _move(self, entity: str, which: Composable, values: list[Any]) -> None:
        names = _names(entity)
        self._cursor.execute(
            SQL(
                "WITH gone AS (DELETE FROM {table} AS t WHERE {which} RETURNING {ours}) "
                "INSERT INTO {past} ({names}, {end}) SELECT {names}, %s FROM gone"
            ).format(
                table=self._name(entity),
                which=which,
                ours=_of("t", names),
                past=self._name(past(entity)),
                names=listed(names),
                end=Identifier(VALID_TO),
            ),
            [*values, self._at],
        )

    def _copy(self, entity: str, blocks: Iterable[pd.DataFrame], into: Composable) -> int:
        names = _names(entity)
        copy = SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv, HEADER)").format(into, listed(names))
        rows = as_rows(blocks, entity, self._source, self._at)
        size = 0
        with closing(ahead(_csv_blocks(rows, names))) as made:
            for block in made:
                self._cursor.copy_expert(copy, block, _BYTES)
                size += block.tell()
        return size

    def _count(self, entity: str) -> int:
        query = SQL("SELECT count(*) FROM {} WHERE source = %s").format(self._name(entity))
        self._cursor.execute(query, [self._source])
        return int(self._cursor.fetchone()[0])

    def _run(self, statement: str, *names: Composable) -> None:
        self._cursor.execute(SQL(statement).format(*names))

    def _name(self, table: str) -> Composable:
        return Identifier(self._schema, table)


def listed(names: Iterable[str]) -> Composable:
    """Names of columns, with commas between them."""
    return SQL(", ").join(map(Identifier, names))


def _of(table: str, names: Iterable[str]) -> Composable:
    return SQL(", ").join(Identifier(table, name) for name in names)


def _names(entity: str) -> list[str]:
    return [column.name for column in current_columns(entity)]


def _csv_blocks(frames: Iterable[pd.DataFrame], names: list[str]) -> Iterator[io.BytesIO]:
    for frame in frames:
        for start in range(0, len(frame), _ROWS):
            block = io.BytesIO()
            write_csv(block, names, [frame.iloc[start : start + _ROWS]], newline="\n")
            block.seek(0)
            yield block
