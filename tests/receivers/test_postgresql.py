"""Rosters in a real PostgreSQL."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.config import TablesConfig
from roster_pipeline.receivers.postgresql import PostgresTables, TablesError, open_tables
from roster_pipeline.receivers.tables import Filled, table_columns
from tests.examples import examples
from tests.oneroster.strategies import Frames, rosters, stored
from tests.receivers.conftest import Ask, Make, Rows

pytestmark = pytest.mark.postgres
AT = datetime(2026, 8, 24, 7, tzinfo=UTC)


def nobody() -> None:
    """Nothing stands against the commit."""


def fill(
    url: str,
    roster: Roster,
    source: str = "springfield",
    *,
    destination: str = "warehouse",
    schema: str = "roster",
    at: datetime = AT,
    check: Callable[[], None] = nobody,
    kept: Sequence[Roster] = (),
) -> Filled:
    by_hash = {each.content_hash: each for each in kept}
    tables = PostgresTables(destination, url, schema)
    return tables.replace(source, roster, at=at, check=check, kept=by_hash.get)


def refusal(url: str, roster: Roster, **options: Any) -> TablesError:
    with pytest.raises(TablesError) as error:
        fill(url, roster, **options)
    assert str(error.value).startswith("Delivering to warehouse: ")
    return error.value


def renamed(rows: Rows) -> None:
    rows["orgs"][1]["name"] = "Nevergreen"
    rows["enrollments"].pop()


# ---- what is there afterwards ----


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=rosters(), block=st.integers(1, 4))
def test_the_database_has_every_cell(warehouse: str, ask: Ask, frames: Frames, block: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        roster = stored(frames, Path(folder) / "roster", block=block)
        fill(warehouse, roster)
        for entity in ENTITIES:
            listed = ", ".join(f'"{column.name}"' for column in table_columns(entity))
            found = ask(f'SELECT {listed} FROM roster."{entity}" ORDER BY "sourcedId"')  # noqa: S608
            assert sorted(map(repr, found)) == sorted(map(repr, expected(roster, entity)))


def expected(roster: Roster, entity: str) -> Iterator[tuple[Any, ...]]:
    """The rows by the plainest means."""
    for row in roster.frame(entity).to_dict("records"):
        texts = {str(name): None if pd.isna(cell) else str(cell) for name, cell in row.items()}
        made = [_value(column.type, texts.get(column.name)) for column in table_columns(entity)]
        metadata = {
            name.removeprefix("metadata."): text
            for name, text in sorted(texts.items(), key=lambda item: (len(item[0]), item[0]))
            if name.startswith("metadata.") and text is not None
        }
        yield ("springfield", *made[1:-1], metadata)


def _value(kind: str, text: str | None) -> Any:
    if text is None:
        return None
    if kind == "text[]":
        return text.split(",")
    if kind == "boolean":
        return text == "true"
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "smallint":
        return int(text)
    return text


def test_moments_are_moments(warehouse: str, make: Make, ask: Ask) -> None:
    def stamp(rows: Rows) -> None:
        rows["orgs"][0] |= {"status": "active", "dateLastModified": "2026-08-01T22:15:00.500Z"}

    fill(warehouse, make(stamp))

    query = """SELECT status, "dateLastModified" FROM roster.orgs WHERE "sourcedId" = 'd1'"""
    [(status, moment)] = ask(query)
    assert (status, moment) == ("active", datetime(2026, 8, 1, 22, 15, 0, 500_000, tzinfo=UTC))


def test_the_rows_of_a_source_are_replaced_and_those_of_others_are_not(
    warehouse: str, make: Make, ask: Ask
) -> None:
    fill(warehouse, make())
    fill(warehouse, make(), "shelbyville")
    filled = fill(warehouse, make(renamed))

    assert filled.written
    assert filled.rows["enrollments"] == 4
    query = """SELECT source, name FROM roster.orgs WHERE "sourcedId" = 's1' ORDER BY source"""
    assert ask(query) == [("shelbyville", "Evergreen"), ("springfield", "Nevergreen")]
    query = "SELECT source, count(*) FROM roster.enrollments GROUP BY source ORDER BY source"
    assert ask(query) == [("shelbyville", 5), ("springfield", 4)]


def test_beside_the_tables_stands_what_they_have(warehouse: str, make: Make, ask: Ask) -> None:
    roster = make()
    filled = fill(warehouse, roster)

    [(destination, content, rows, size, at)] = ask(
        "SELECT destination, content_hash, rows, bytes, delivered_at FROM roster.roster_deliveries"
    )
    assert (destination, content, at) == ("warehouse", roster.content_hash, AT)
    assert rows == roster.counts == filled.rows
    assert size == filled.size > 0


def test_the_same_roster_again_writes_nothing(warehouse: str, make: Make, ask: Ask) -> None:
    roster = make()
    first = fill(warehouse, roster)
    state = "SELECT xmin::text, ctid::text FROM roster.{} ORDER BY 2"
    before = [ask(state.format(table)) for table in ("users", "roster_deliveries")]

    again = fill(warehouse, roster, at=AT.replace(day=25))

    assert (again.written, again.rows, again.size) == (False, first.rows, first.size)
    assert [ask(state.format(table)) for table in ("users", "roster_deliveries")] == before


# ---- what was there before ----

TUESDAY = AT.replace(day=25)
WEDNESDAY = AT.replace(day=26)


def moved(rows: Rows) -> None:
    renamed(rows)
    rows["users"][0]["middleName"] = "Q"
    rows["enrollments"].append({**rows["enrollments"][0], "sourcedId": "e-new"})
    rows["orgs"][0]["dateLastModified"] = "2026-08-25T01:00:00.000Z"


HISTORY = """SELECT "sourcedId", name, "validFrom", "validTo" FROM roster.orgs_history
             WHERE source = 'springfield' ORDER BY 1, 3"""


@pytest.mark.parametrize("knows_the_old_one", [True, False])
def test_a_row_that_changes_or_goes_stays_with_the_time_it_was_valid(
    warehouse: str, make: Make, ask: Ask, knows_the_old_one: bool
) -> None:
    first, second = make(), make(moved)
    kept = [first, second] if knows_the_old_one else []
    fill(warehouse, make(), "shelbyville")
    fill(warehouse, first)
    filled = fill(warehouse, second, at=TUESDAY, kept=kept)
    fill(warehouse, first, at=WEDNESDAY, kept=kept)

    assert filled.rows == second.counts
    assert ask(HISTORY) == [
        ("d1", ask("SELECT name FROM roster.orgs WHERE \"sourcedId\" = 'd1'")[0][0], AT, None),
        ("s1", "Evergreen", AT, TUESDAY),
        ("s1", "Nevergreen", TUESDAY, WEDNESDAY),
        ("s1", "Evergreen", WEDNESDAY, None),
    ]
    at_noon = """SELECT count(*) FROM roster.enrollments_history WHERE source = 'springfield' AND
                 "validFrom" <= %(at)s AND ("validTo" > %(at)s OR "validTo" IS NULL)"""
    counts = [ask(at_noon, {"at": day.replace(hour=12)}) for day in (AT, TUESDAY, WEDNESDAY)]
    assert counts == [[(roster.counts["enrollments"],)] for roster in (first, second, first)]
    assert ask("SELECT count(*) FROM roster.orgs_past WHERE source = 'shelbyville'") == [(0,)]


def test_rows_that_stay_are_not_touched(warehouse: str, make: Make, ask: Ask) -> None:
    first, second = make(), make(moved)
    state = """SELECT "sourcedId", xmin::text FROM roster.users ORDER BY 1"""
    fill(warehouse, first)
    before: dict[str, str] = dict(ask(state))
    filled = fill(warehouse, second, at=TUESDAY, kept=[first])

    changed = {user for user, xmin in ask(state) if xmin != before[user]}
    assert changed == {second.frame("users")["sourcedId"][0]}
    assert filled.size < 2000


def test_rows_that_somebody_took_away_come_back(warehouse: str, make: Make, ask: Ask) -> None:
    first, second = make(), make(moved)
    fill(warehouse, first)
    ask("DELETE FROM roster.classes")
    fill(warehouse, second, at=TUESDAY, kept=[first])

    assert ask("SELECT count(*) FROM roster.classes") == [(second.counts["classes"],)]


def test_a_clock_that_went_back_ends_no_row_before_it_began(
    warehouse: str, make: Make, ask: Ask
) -> None:
    first, second = make(), make(moved)
    fill(warehouse, first, at=TUESDAY)
    fill(warehouse, second, at=AT, kept=[first])

    assert ask('SELECT count(*) FROM roster.orgs_history WHERE "validTo" <= "validFrom"') == [(0,)]


@pytest.mark.soak
@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=rosters(), later=rosters(), knows_the_old_one=st.booleans())
def test_whatever_was_there_before_the_roster_is_there_afterwards(
    warehouse: str, ask: Ask, frames: Frames, later: Frames, knows_the_old_one: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        old = stored(frames, Path(folder) / "old", block=3)
        new = stored(later, Path(folder) / "new", block=3)
        fill(warehouse, old)
        fill(warehouse, new, kept=[old] if knows_the_old_one else [])
        for entity in ENTITIES:
            compared = [
                column.name
                for column in table_columns(entity)
                if column.name not in ("status", "dateLastModified")
            ]
            places = [[c.name for c in table_columns(entity)].index(name) for name in compared]
            listed = ", ".join(f'"{name}"' for name in compared)
            found = ask(f'SELECT {listed} FROM roster."{entity}"')  # noqa: S608
            wanted = [tuple(row[place] for place in places) for row in expected(new, entity)]
            assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def test_indexes_and_views_that_people_made_stay(warehouse: str, make: Make, ask: Ask) -> None:
    fill(warehouse, make())
    ask('CREATE INDEX by_user ON roster.enrollments (source, "userSourcedId")')
    ask("CREATE VIEW schools AS SELECT source, name FROM roster.orgs WHERE type = 'school'")
    fill(warehouse, make(renamed))

    assert ask("SELECT * FROM schools") == [("springfield", "Nevergreen")]
    assert ask("SELECT to_regclass('roster.by_user') IS NOT NULL") == [(True,)]


def test_a_schema_that_somebody_made_is_enough(warehouse: str, make: Make, ask: Ask) -> None:
    ask("CREATE SCHEMA school_data")
    ask("CREATE TABLE school_data.notes (note text)")
    fill(warehouse, make(), schema="school_data")

    assert ask("SELECT count(*) FROM school_data.users") == [(5,)]


# ---- meanwhile ----


def test_a_reader_sees_the_old_rows_until_the_new_ones_are_there(
    warehouse: str, make: Make, ask: Ask
) -> None:
    query = """SELECT (SELECT name FROM roster.orgs WHERE "sourcedId" = 's1'),
                      (SELECT count(*) FROM roster.enrollments)"""
    fill(warehouse, make())
    seen: list[Any] = []

    fill(warehouse, make(renamed), check=lambda: seen.extend(ask(query)))

    assert seen == [("Evergreen", 5)]
    assert ask(query) == [("Nevergreen", 4)]


def test_who_may_no_longer_write_leaves_the_old_rows(warehouse: str, make: Make, ask: Ask) -> None:
    def lost() -> None:
        raise RuntimeError("the lease is lost")

    fill(warehouse, make())
    with pytest.raises(RuntimeError, match="the lease is lost"):
        fill(warehouse, make(renamed), check=lost)

    assert ask("SELECT count(*) FROM roster.enrollments") == [(5,)]


_CHILD = """\
import sys
from datetime import UTC, datetime
from roster_pipeline.oneroster.roster import Roster
from roster_pipeline.receivers.postgresql import PostgresTables
url, folder = sys.argv[1:]
PostgresTables("warehouse", url, "roster").replace(
    "springfield", Roster.open(folder), at=datetime.now(UTC), check=lambda: None,
    kept=lambda _: None,
)
"""


def test_a_process_killed_in_the_middle_leaves_the_old_rows(
    warehouse: str, make: Make, ask: Ask
) -> None:
    fill(warehouse, make())
    later = make(renamed)

    ended = subprocess.run(
        [sys.executable, "-c", _CHILD, warehouse, later.url],
        env={**os.environ, "ROSTER_CRASH_AT": "tables.before-commit"},
        check=False,
    )

    assert ended.returncode == -signal.SIGKILL
    assert ask("SELECT count(*) FROM roster.enrollments") == [(5,)]
    assert fill(warehouse, later).written
    assert ask("SELECT count(*) FROM roster.enrollments") == [(4,)]


def test_a_connection_that_is_cut_leaves_the_old_rows_and_is_worth_another_try(
    warehouse: str, make: Make, ask: Ask
) -> None:
    def cut() -> None:
        ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'roster_pipeline' AND datname = current_database()"
        )

    fill(warehouse, make())
    error = refusal(warehouse, make(renamed), check=cut)

    assert error.transient
    assert "What was there before stays" in str(error)
    assert ask("SELECT count(*) FROM roster.enrollments") == [(5,)]


def test_sources_may_come_at_once_to_a_database_that_has_nothing_yet(
    warehouse: str, make: Make, ask: Ask
) -> None:
    roster, together = make(), threading.Barrier(4)

    def bring(source: str) -> Filled:
        together.wait()
        return fill(warehouse, roster, source)

    with ThreadPoolExecutor(4) as workers:
        filled = list(workers.map(bring, "abcd"))

    assert all(one.written for one in filled)
    assert ask("SELECT count(*) FROM roster.users") == [(20,)]


class _Watched(Roster):
    """Counts how many of its blocks are alive at once."""

    alive = most = 0

    def blocks(
        self, entity: str, columns: Sequence[str] | None = None, provenance: bool = False
    ) -> Iterator[pd.DataFrame]:
        for block in super().blocks(entity, columns, provenance):
            self.alive += 1
            self.most = max(self.most, self.alive)
            weakref.finalize(block, self._gone)
            yield block

    def _gone(self) -> None:
        self.alive -= 1


def test_a_roster_is_never_held_as_a_whole(
    warehouse: str, tmp_path: Path, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roster_pipeline.oneroster.roster._FEWEST_ROWS", 10)
    monkeypatch.setattr("roster_pipeline.oneroster.roster._MOST_ROWS", 10)

    def many(rows: Rows) -> None:
        rows["users"] = [
            {**rows["users"][0], "sourcedId": f"u{n}", "username": f"u{n}"} for n in range(300)
        ]

    roster = make(many, block=10)
    assert len(roster.tables["users"].parts) == 30
    watched = _Watched(roster.url, roster.tables)
    fill(warehouse, watched)

    assert ask("SELECT count(*) FROM roster.users") == [(300,)]
    assert watched.most <= 3


# ---- what is refused ----


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("ALTER TABLE roster.users DROP COLUMN email", "it has no column email"),
        (
            'ALTER TABLE roster.users ALTER "enabledUser" TYPE text',
            "its column enabledUser is text and should be boolean",
        ),
        ("ALTER TABLE roster.users ADD shoe_size int", "it has a column more, shoe_size"),
        (
            "ALTER TABLE roster.users DROP CONSTRAINT users_pkey",
            "its primary key is not (source, sourcedId)",
        ),
        (
            "DROP TABLE roster.users; CREATE VIEW roster.users AS SELECT 1 AS one",
            "it has no column source",
        ),
    ],
)
def test_a_table_of_another_shape_is_refused_and_left_alone(
    warehouse: str, make: Make, ask: Ask, harm: str, sentence: str
) -> None:
    fill(warehouse, make())
    ask("DROP VIEW roster.users_history")
    ask(harm)
    error = refusal(warehouse, make(renamed))

    assert "the table users in" in str(error)
    assert sentence in str(error)
    assert not error.transient
    assert ask("SELECT count(*) FROM roster.enrollments") == [(5,)]


def test_a_table_of_somebody_else_is_found_before_anything_is_made(
    warehouse: str, make: Make, ask: Ask
) -> None:
    ask("CREATE SCHEMA roster")
    ask("CREATE TABLE roster.users (id int)")

    assert "it has no column source" in str(refusal(warehouse, make()))
    assert ask("SELECT tablename FROM pg_tables WHERE schemaname = 'roster'") == [("users",)]


def test_the_rows_of_another_destination_are_refused(warehouse: str, make: Make) -> None:
    fill(warehouse, make(), destination="lake")

    assert fill(warehouse, make(), "shelbyville").written
    assert "are those of the destination lake" in str(refusal(warehouse, make(renamed)))


def test_the_schema_of_the_ledger_is_refused(
    warehouse: str, postgres_database: str, make: Make, ask: Ask
) -> None:
    from roster_pipeline.store.ledger import Ledger

    Ledger.open(postgres_database).close()

    assert "is where the ledger lives" in str(refusal(warehouse, make()))
    assert ask("SELECT to_regclass('roster.users') IS NULL") == [(True,)]
    assert fill(warehouse, make(), schema="people").written


def test_a_cell_that_a_type_does_not_take_is_told_by_its_column_only(
    warehouse: str, make: Make, ask: Ask
) -> None:
    def spoil(rows: Rows) -> None:
        rows["users"][1]["enabledUser"] = "Zaphod"

    fill(warehouse, make())
    error = refusal(warehouse, make(spoil))

    assert "column enabledUser of users (invalid text representation)" in str(error)
    assert "Zaphod" not in str(error)
    assert not error.transient
    assert ask("SELECT count(*) FROM roster.users") == [(5,)]


def test_a_sourcedid_that_stands_twice_is_told_without_it(warehouse: str, make: Make) -> None:
    def spoil(rows: Rows) -> None:
        for row in rows["users"][:2]:
            row["sourcedId"] = "Zaphod"

    said = str(refusal(warehouse, make(spoil)))

    assert "does not take what is for the table users (unique violation)" in said
    assert "Zaphod" not in said


def test_a_database_that_cannot_hold_every_letter_is_told_apart(
    warehouse: str, make: Make, ask: Ask
) -> None:
    def far(rows: Rows) -> None:
        rows["users"][0]["givenName"] = "小龙"

    ask("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        said = str(refusal(_to(warehouse, "latin"), make(far)))
    finally:
        ask("DROP DATABASE latin WITH (FORCE)")

    assert "Its encoding must be UTF8" in said
    assert "小龙" not in said


def test_rights_that_lack_are_named(warehouse: str, make: Make, ask: Ask) -> None:
    ask("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN")
    try:
        error = refusal(warehouse.replace("postgres:@", "reader:@"), make())
    finally:
        ask("DROP ROLE reader")

    assert "permission denied for database" in str(error)
    assert not error.transient


# ---- addresses ----


@pytest.mark.parametrize(
    "url",
    [
        "warehouse",
        "mysql://us:hunter2@db/x",
        "postgresql://",
        "postgresql://us:hunter2@db:5432x/y?nonsense=1",
        "postgresql://us:hun@ter2@db/x",
        "postgresql://us:hun/ter2@db/x",
        "host=db user=us password=hunter2",
        "sqlite:////tmp/x.db",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(TablesError) as error:
        PostgresTables("warehouse", url, "roster")

    assert "is no address of a PostgreSQL" in str(error.value)
    assert "Delivering to warehouse" in str(error.value)
    assert "ter2" not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_an_address_is_shown_without_user_and_password(scheme: str) -> None:
    tables = PostgresTables("warehouse", f"{scheme}://us:hunter2@db.example/x", "roster")

    assert tables.place == "db.example:5432/x, schema roster"
    assert "hunter2" not in repr(tables)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    config = TablesConfig.model_validate({"url": {"env": "WAREHOUSE_URL"}})

    with pytest.raises(TablesError, match=r"Delivering to warehouse: .* WAREHOUSE_URL is not set"):
        open_tables("warehouse", config, base=tmp_path, environ={})


def test_a_server_that_is_not_there_is_worth_another_try(make: Make) -> None:
    error = refusal("postgresql://us:hunter2@127.0.0.1:1/x", make())

    assert "the database at 127.0.0.1:1/x, schema roster cannot be reached" in str(error)
    assert error.transient
    assert "hunter2" not in str(error)


def test_a_wrong_password_is_not_tried_again(warehouse: str, make: Make, ask: Ask) -> None:
    [(file,)] = ask("SHOW hba_file")
    rules = Path(file).read_text()
    ask("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right'")
    try:
        Path(file).write_text(f"local all guarded scram-sha-256\n{rules}")
        ask("SELECT pg_reload_conf()")
        error = refusal(warehouse.replace("postgres:@", "guarded:hunter2@"), make())
    finally:
        Path(file).write_text(rules)
        ask("SELECT pg_reload_conf()")
        ask("DROP ROLE guarded")

    assert "does not let us in" in str(error)
    assert "password authentication failed" in str(error)
    assert not error.transient
    assert "hunter2" not in str(error)


def test_a_database_that_is_not_there_is_named(warehouse: str, make: Make) -> None:
    error = refusal(_to(warehouse, "nowhere"), make())

    assert 'database "nowhere" does not exist' in str(error)
    assert not error.transient


def _to(url: str, database: str) -> str:
    before, _, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/{database}?{query}"
