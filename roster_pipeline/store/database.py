"""The ledger's database: SQLite or PostgreSQL, opened, brought up to date, and locked rightly."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from roster_pipeline.store import schema
from roster_pipeline.store.errors import LedgerUnavailable, NoLedger

BUSY_SECONDS: Final = 60
"""How long a writer waits for the others before it gives up; a transaction takes milliseconds."""
# Any number that nothing else in the database uses ("roster" in ASCII).
_MIGRATION_LOCK: Final = 0x726F73746572
_ADDRESSES: Final = (
    "Use sqlite:////path/ledger.db or postgresql+psycopg2://user:password@host/database."
)
# In PostgreSQL. Dagster may live in the same database, and calls tables of its own `snapshots` and
# `alembic_version`.
_SCHEMA: Final = "roster"
_ALEMBIC: Final = sa.table("alembic_version", sa.column("version_num", sa.Text))


class Database:
    """Transactions on a ledger that is at the newest revision."""

    def __init__(self, url: str, *, as_it_is: bool = False) -> None:
        """Open, and create or upgrade what is not at the newest revision; safe in many processes.

        Raises LedgerUnavailable with a sentence that holds no password. `as_it_is` creates and
        upgrades nothing: it raises NoLedger where there is none, and LedgerUnavailable for an old
        one.
        """
        self._url = _parse(url)
        try:
            self._engine = _engine(self._url)
        except (ImportError, sa.exc.NoSuchModuleError):
            raise LedgerUnavailable(
                f"There is no driver here for {self._url.drivername!r}. {_ADDRESSES}"
            ) from None
        self._reads = self._engine.execution_options(ledger_begin="BEGIN")
        self._writes = self._engine.execution_options(ledger_begin="BEGIN IMMEDIATE")
        try:
            if as_it_is:
                self._require_current()
            elif self._engine.dialect.name == "sqlite":
                self._prepare_sqlite(Path(self._url.database or ""))
            else:
                self._prepare_postgres()
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)})"

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state and writes nothing."""
        with self._sentences(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes; in SQLite the only one of its time, from its first moment."""
        with self._sentences(), self._writes.begin() as connection:
            yield connection

    def insert(self, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that can say ON CONFLICT."""
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, DataError):
            raise  # a mistake of ours, not the database's state
        except DBAPIError as error:
            cause = str(error.orig).strip().partition("\n")[0]
            place = self._url.render_as_string(hide_password=True)
            raise LedgerUnavailable(
                f"The ledger at {place} cannot be used now: {cause}. Nothing of this step was"
                " written; run it again once the database answers."
            ) from error

    # An empty file is read by nobody: whoever finds one goes for the lock. So nobody is in the way
    # of the switch to WAL, which does not wait for others as a transaction does.
    def _prepare_sqlite(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerUnavailable(
                f"The ledger {path} cannot be opened: {error.strerror}. Check the path under"
                " `ledger:` in roster.yaml and who may write there."
            ) from None
        if path.stat().st_size > 0 and self._is_current():
            return
        with _file_lock(path.with_name(f"{path.name}.lock")):
            if path.stat().st_size == 0:
                with self._sentences():
                    _switch_to_wal(self._engine)
            with self.writing() as connection:
                _upgrade(connection)

    def _prepare_postgres(self) -> None:
        if self._is_current():
            return
        with self.writing() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            connection.execute(sa.schema.CreateSchema(_SCHEMA, if_not_exists=True))
            _upgrade(connection)

    def _require_current(self) -> None:
        file = Path(self._url.database or "") if self._engine.dialect.name == "sqlite" else None
        # SQLite makes a file that it is asked to open.
        revision = None
        if file is None or (file.exists() and file.stat().st_size > 0):
            with self.reading() as connection:
                revision = _revision(connection)
        place = self._url.render_as_string(hide_password=True)
        if revision is None:
            raise NoLedger(f"There is no ledger at {place} yet.")
        if revision != schema.HEAD:
            from roster_pipeline.store.migrations import require_known

            require_known(revision)
            raise LedgerUnavailable(
                f"The ledger at {place} is of an older roster_pipeline, and a dry run changes"
                " nothing. `roster status` brings it up to date; the older version cannot use it"
                " any more then. To try this one beside it, give the dry run a copy of the ledger"
                " (`ledger:` in roster.yaml)."
            )

    def _is_current(self) -> bool:
        with self.reading() as connection:
            return _revision(connection) == schema.HEAD


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise LedgerUnavailable(
            f"The ledger's address is not a database URL. {_ADDRESSES}"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise LedgerUnavailable(f"A ledger cannot live in {backend!r}. {_ADDRESSES}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise LedgerUnavailable(f"A ledger in SQLite needs a file. {_ADDRESSES}")
    return parsed


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 15, "application_name": "roster_pipeline"},
        )
        sa.event.listen(engine, "connect", _on_postgres_connect, insert=True)
        return engine
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    sa.event.listen(engine, "connect", _on_sqlite_connect)
    sa.event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_postgres_connect(connection: Any, _record: Any) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {_SCHEMA}")


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's driver would begin transactions late and by its own rules; _on_sqlite_begin does it.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _on_sqlite_begin(connection: sa.Connection) -> None:
    # A write begun with plain BEGIN reads first and fails at once if another wrote in between
    # ("database is locked": 473 of 600 concurrent transactions); BEGIN IMMEDIATE waits its turn.
    connection.exec_driver_sql(connection.get_execution_options()["ledger_begin"])


def _switch_to_wal(engine: sa.Engine) -> None:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.select(_ALEMBIC.c.version_num))


def _upgrade(connection: sa.Connection) -> None:
    revision = _revision(connection)
    if revision == schema.HEAD:
        return
    # Alembic costs a fifth of a second to import, and most openings do not need it.
    from roster_pipeline.store.migrations import upgrade

    upgrade(connection, revision)
