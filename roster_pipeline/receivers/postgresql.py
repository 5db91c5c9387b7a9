"""The tables of a destination in PostgreSQL: made on first use, renewed source by source.

Whoever reads meanwhile sees the rows as they were until the one commit; an error, a lost connection
or a killed process leaves them so.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import psycopg2
from psycopg2 import errorcodes, extensions
from psycopg2.extras import Json
from psycopg2.sql import SQL, Composable, Identifier

from roster_pipeline.crashpoints import reached
from roster_pipeline.oneroster.delta import diff
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.config import TablesConfig
from roster_pipeline.receivers.hiding import NOTHING_HIDDEN, Hidden
from roster_pipeline.receivers.postgresql_rows import SourceRows, listed
from roster_pipeline.receivers.tables import (
    KEY,
    VALID_FROM,
    VALID_TO,
    Check,
    Filled,
    Kept,
    TableColumn,
    current_columns,
    history,
    past,
    past_columns,
)
from roster_pipeline.transport.errors import CredentialsUnusable

RECEIPTS: Final = "roster_deliveries"
"""The table that says of each source which roster the others have."""

_RECEIPT_COLUMNS: Final = (
    TableColumn("source", "text"),
    TableColumn("destination", "text"),
    TableColumn("content_hash", "text"),
    TableColumn("rows", "jsonb"),
    TableColumn("bytes", "bigint"),
    TableColumn("delivered_at", "timestamp with time zone"),
    TableColumn("masked", "jsonb"),
)
# Tables of an earlier release are without it, and nothing was masked then.
_NEWER: Final = "masked"
# Tables of the ledger, which lives in a schema of its own and may share the database.
_OF_THE_LEDGER: Final = {"landed", "leases"}
_SESSION: Final = {
    "connect_timeout": 15,
    "application_name": "roster_pipeline",
    "client_encoding": "UTF8",
    "options": "-c lock_timeout=60s",
}
_NEXT: Final = timedelta(microseconds=1)
_HOW: Final = (
    "Write postgresql://user:password@host:5432/database, with %40, %2F, %3A for @, / and : in a "
    "password."
)
_STAYS: Final = "What was there before stays."
# Classes of SQLSTATE that pass by themselves: the connection, a deadlock, somebody's lock, an
# administrator's shutdown.
_PASSING: Final = ("08", "40", "55", "57")
# Classes whose messages speak of tables, rights and disks, and never repeat a row.
_TELLING: Final = (*_PASSING, "25", "28", "3D", "3F", "42", "53", "54", "58")
_COPIED: Final = re.compile(r"COPY (\w+), line \d+(?:, column (\w+))?")


class TablesError(Exception):
    """The tables of a destination cannot be filled.

    The message is for people and holds neither cells nor passwords.
    """

    def __init__(self, sentence: str, *, transient: bool = False) -> None:
        super().__init__(sentence)
        self.transient = transient
        """Whether trying again later may help without anybody changing anything."""


@dataclass(frozen=True)
class _There:
    """What the receipt of a source says."""

    content_hash: str
    rows: Mapping[str, int]
    size: int
    at: datetime
    hidden: Hidden


@dataclass(frozen=True)
class _Shape:
    """A table as it is."""

    columns: Mapping[str, str]
    """Types by name."""
    key: tuple[str, ...]


def open_tables(
    destination: str, config: TablesConfig, *, base: Path, environ: Mapping[str, str]
) -> "PostgresTables":
    """The tables that a destination's file describes; nothing is connected yet.

    `base` is what a relative path of a secret's file is relative to. Raises `TablesError`.
    """
    try:
        url = config.url.reveal(environ, base)
    except CredentialsUnusable as error:
        raise TablesError(f"Delivering to {destination}: {error}") from None
    return PostgresTables(destination, url, config.schema_name)


class PostgresTables:
    """The tables of one destination in one schema of a database. See `receivers.tables.Tables`."""

    def __init__(self, destination: str, url: str, schema: str) -> None:
        """Raises `TablesError` where `url` is no address of a PostgreSQL database."""
        self._destination = destination
        self._schema = schema
        self._dsn = self._parsed(url)

    def __repr__(self) -> str:
        return f"PostgresTables({self._destination!r}, {self.place!r})"

    @property
    def place(self) -> str:
        """See `Tables.place`."""
        said = extensions.parse_dsn(self._dsn)
        server = f"{said.get('host', 'localhost')}:{said.get('port', 5432)}"
        return f"{server}/{said.get('dbname', said.get('user', ''))}, schema {self._schema}"

    def replace(
        self,
        source: str,
        roster: Roster,
        *,
        at: datetime,
        check: Check,
        kept: Kept,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Filled:
        """See `Tables.replace`. Raises `TablesError`, and what `check` raises."""
        with self._sentences(), closing(self._connected()) as connection:
            with connection, connection.cursor() as cursor:
                self._make(cursor)
            with connection, connection.cursor() as cursor:
                self._lock(cursor, source)
                there = self._receipt(cursor, source)
                was = NOTHING_HIDDEN if there is None else there.hidden
                if there is not None:
                    if there.content_hash == roster.content_hash and was == hidden:
                        return Filled(there.rows, there.size, written=False)
                    # A clock that went back may not end a row before it began.
                    at = max(at, there.at + _NEXT)
                rows = SourceRows(cursor, self._schema, source, at)
                forgotten = rows.hide(hidden.besides(was))
                size = self._bring(rows, there, roster, kept if was == hidden else _nothing)
                filled = Filled(roster.counts, size, written=True, forgotten=forgotten)
                self._put_receipt(cursor, source, roster.content_hash, filled, at, hidden)
                reached("tables.before-commit")
                check()
                return filled

    @staticmethod
    def _bring(rows: SourceRows, there: "_There | None", roster: Roster, kept: Kept) -> int:
        """Bring the rows to a roster: how many bytes were sent for it."""
        counts = rows.counts()
        if not any(counts.values()):
            return rows.fill(roster)
        # Somebody may have taken rows away by hand.
        as_noted = there is not None and there.rows == counts
        old = kept(there.content_hash) if there is not None and as_noted else None
        return rows.compare(roster) if old is None else rows.change(diff(old, roster))

    # ---- receipts ----

    def _receipt(self, cursor: Any, source: str) -> "_There | None":
        """What the tables were last given of a source."""
        query = SQL(
            "SELECT destination, content_hash, rows, bytes, delivered_at, masked FROM {} "
            "WHERE source = %s"
        )
        cursor.execute(query.format(self._name(RECEIPTS)), [source])
        found = cursor.fetchone()
        if found is None:
            return None
        owner, content_hash, rows, size, at, hidden = found
        if owner != self._destination:
            self._refuse(
                f"the rows of {source} in {self.place} are those of the destination {owner}. "
                "Name another schema under `tables`; if that destination is called "
                f"{self._destination} now, say so in the column `destination` of {RECEIPTS}."
            )
        return _There(content_hash, rows, size, at, Hidden.read(hidden))

    def _put_receipt(
        self,
        cursor: Any,
        source: str,
        content_hash: str,
        filled: Filled,
        at: datetime,
        hidden: Hidden,
    ) -> None:
        name = self._name(RECEIPTS)
        cursor.execute(SQL("DELETE FROM {} WHERE source = %s").format(name), [source])
        cursor.execute(
            SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s, %s)").format(
                name, listed(column.name for column in _RECEIPT_COLUMNS)
            ),
            [
                *(source, self._destination, content_hash, Json(filled.rows), filled.size, at),
                Json(hidden.document()) if hidden else None,
            ],
        )

    # ---- tables ----

    def _make(self, cursor: Any) -> None:
        """Make what is missing; refuse what is there and is no roster's."""
        wanted = {RECEIPTS: _Shape(_types(_RECEIPT_COLUMNS), KEY[:1])}
        for entity in ENTITIES:
            wanted[entity] = _Shape(_types(current_columns(entity)), KEY)
            wanted[past(entity)] = _Shape(_types(past_columns(entity)), (*KEY, VALID_FROM))
            wanted[history(entity)] = _Shape(_types(past_columns(entity)), ())
        if wanted.keys() - self._there(cursor).keys():
            self._lock(cursor, "")
            cursor.execute("SELECT to_regnamespace(%s) IS NULL", [f'"{self._schema}"'])
            if cursor.fetchone()[0]:
                cursor.execute(SQL("CREATE SCHEMA {}").format(Identifier(self._schema)))
        there = self._there(cursor)
        if there.keys() >= _OF_THE_LEDGER:
            self._refuse(f"{self.place} is where the ledger lives; name another under `tables`.")
        if self._is_older(there.get(RECEIPTS), wanted[RECEIPTS]):
            cursor.execute(
                SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} jsonb").format(
                    self._name(RECEIPTS), Identifier(_NEWER)
                )
            )
            there = self._there(cursor)
        for table, shape in wanted.items():
            if table not in there:
                self._create(cursor, table, shape)
            elif difference := _difference(there[table], shape):
                self._refuse(
                    f"the table {table} in {self.place} is not what a roster needs: {difference}. "
                    "Name another schema under `tables`, or drop the table (with CASCADE, for a "
                    "view looks at it): the next delivery makes both again."
                )

    @staticmethod
    def _is_older(receipts: "_Shape | None", wanted: _Shape) -> bool:
        """Whether these are the receipts of an earlier release."""
        if receipts is None or _NEWER in receipts.columns:
            return False
        newer = {**receipts.columns, _NEWER: wanted.columns[_NEWER]}
        return not _difference(_Shape(newer, receipts.key), wanted)

    def _there(self, cursor: Any) -> dict[str, _Shape]:
        """Everything in the schema that has columns."""
        cursor.execute(_COLUMNS, [self._schema])
        columns: dict[str, dict[str, str]] = {}
        for table, name, kind in cursor.fetchall():
            columns.setdefault(table, {})[name] = kind
        cursor.execute(_KEYS, [self._schema])
        keys = dict(cursor.fetchall())
        return {name: _Shape(found, tuple(keys.get(name, ()))) for name, found in columns.items()}

    def _create(self, cursor: Any, table: str, shape: _Shape) -> None:
        if not shape.key:
            cursor.execute(self._view(table.removesuffix(history("")), list(shape.columns)))
            return
        columns = SQL(", ").join(
            SQL("{} " + kind).format(Identifier(name)) for name, kind in shape.columns.items()
        )
        cursor.execute(
            SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
                self._name(table), columns, listed(shape.key)
            )
        )

    def _view(self, entity: str, columns: list[str]) -> Composable:
        return SQL(
            "CREATE VIEW {} AS SELECT {}, NULL::timestamptz AS {} FROM {} "
            "UNION ALL SELECT {} FROM {}"
        ).format(
            self._name(history(entity)),
            listed(columns[:-1]),
            Identifier(VALID_TO),
            self._name(entity),
            listed(columns),
            self._name(past(entity)),
        )

    def _name(self, table: str) -> Composable:
        return Identifier(self._schema, table)

    def _lock(self, cursor: Any, what: str) -> None:
        """Keep out, until the transaction ends, whoever would do the same in this schema."""
        pair = [
            zlib.crc32(f"{text}/{RECEIPTS}".encode()) - (1 << 31) for text in (self._schema, what)
        ]
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", pair)

    # ---- connection and errors ----

    def _parsed(self, url: str) -> str:
        scheme, _, rest = url.strip().partition("://")
        dsn = f"postgresql://{rest}"
        try:
            said = extensions.parse_dsn(dsn)
        except psycopg2.Error:
            said = {}
        # An @ or / that stands as itself in a password would put a part of it among these.
        misread = any("@" in said.get(part, "") for part in ("host", "port", "dbname", "user"))
        if scheme.partition("+")[0] not in ("postgresql", "postgres") or not said or misread:
            self._refuse(f"what `tables.url` refers to is no address of a PostgreSQL. {_HOW}")
        return dsn

    def _connected(self) -> Any:
        try:
            return psycopg2.connect(self._dsn, None, None, **_SESSION)
        except psycopg2.OperationalError as error:
            said = _first_line(error)
            # FATAL is what a server answers that is there.
            reason = "does not let us in" if "FATAL" in said else "cannot be reached"
            self._refuse(
                f"the database at {self.place} {reason}: {said}. Check what `tables.url` refers "
                "to, and the server.",
                transient="FATAL" not in said,
            )

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            code = error.pgcode or "08000"
            self._refuse(_reason(error, code, self.place), transient=code[:2] in _PASSING)

    def _refuse(self, reason: str, *, transient: bool = False) -> NoReturn:
        raise TablesError(
            f"Delivering to {self._destination}: {reason}", transient=transient
        ) from None


_COLUMNS: Final = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum"""
_KEYS: Final = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
    GROUP BY c.relname"""


def _types(columns: tuple[TableColumn, ...]) -> dict[str, str]:
    return {column.name: column.type for column in columns}


def _difference(there: _Shape, wanted: _Shape) -> str:
    """What is wrong with a table's shape; empty where nothing is."""
    for name, kind in wanted.columns.items():
        if name not in there.columns:
            return f"it has no column {name}"
        if there.columns[name] != kind:
            return f"its column {name} is {there.columns[name]} and should be {kind}"
    if more := sorted(there.columns.keys() - wanted.columns.keys()):
        return f"it has a column more, {more[0]}"
    return "" if there.key == wanted.key else f"its primary key is not ({', '.join(wanted.key)})"


def _nothing(_: str) -> None:
    """Keeps no roster."""


def _reason(error: Any, code: str, place: str) -> str:
    """What a failed statement comes to. The text of most errors repeats a row, and is withheld."""
    if code[:2] in _TELLING:
        said = error.diag.message_primary or _first_line(error)
        return f"the database at {place} gave up: {said}. {_STAYS}"
    found = _COPIED.search(error.diag.context or "")
    table, column = found.groups() if found else (error.diag.table_name, None)
    where = f"column {column} of {table}" if column else f"the table {table}"
    encoding = " Its encoding must be UTF8." if code in ("22P05", "22021") else ""
    said = errorcodes.lookup(code).lower().replace("_", " ")
    return f"the database at {place} does not take what is for {where} ({said}).{encoding} {_STAYS}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or "no reason given"
