"""Opening the ledger: its shape, its safety, what it says when it cannot."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError, StatementError

from roster_pipeline.store import LedgerUnavailable, NoLedger, schema
from roster_pipeline.store.database import Database
from roster_pipeline.store.ledger import Ledger
from roster_pipeline.store.migrations import configuration
from tests.store import children
from tests.store.scene import DAY1, START, Scene, snapshot


def test_the_migrations_build_the_tables_that_the_code_speaks_of(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    with sa.create_engine(ledger_url).connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD


@pytest.mark.postgres
def test_a_ledger_keeps_out_of_the_way_of_others_in_its_database(postgres_database: str) -> None:
    with sa.create_engine(postgres_database).begin() as connection:
        for table in ("snapshots", "alembic_version"):
            connection.execute(sa.text(f"CREATE TABLE {table} (dagster INTEGER)"))
    for _ in range(2):
        with Ledger.open(postgres_database) as ledger:
            assert ledger.holds() == []
    assert sa.inspect(sa.create_engine(postgres_database)).get_table_names() == [
        "snapshots",
        "alembic_version",
    ]


def test_there_is_one_newest_revision_and_the_code_knows_it() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [schema.HEAD]


def test_many_processes_may_open_a_new_ledger_at_once(ledger_url: str) -> None:
    together = children.barrier(4)
    openers = [(children.open_ledger, ledger_url, together)] * 4
    assert children.run(*openers) == [0] * 4
    assert Ledger.open(ledger_url).accepted("springfield") is None


def test_opening_a_current_ledger_needs_no_alembic(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    code = (
        "import sys; from roster_pipeline.store.ledger import Ledger; "
        "Ledger.open(sys.argv[1]).holds(); "
        "print([m for m in ('alembic', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, ledger_url], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_ledger_of_a_newer_version_is_left_alone(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    with sa.create_engine(ledger_url).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerUnavailable, match=r"newer roster_pipeline \(revision 9999\)"):
        Ledger.open(ledger_url)


def test_what_is_to_be_opened_as_it_is_is_neither_made_nor_upgraded(ledger_url: str) -> None:
    with pytest.raises(NoLedger):
        Database(ledger_url, as_it_is=True)
    with pytest.raises(NoLedger):
        Database(ledger_url, as_it_is=True)

    Ledger.open(ledger_url).close()
    Database(ledger_url, as_it_is=True).close()

    with sa.create_engine(ledger_url).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    with pytest.raises(LedgerUnavailable, match="is of an older roster_pipeline"):
        Database(ledger_url, as_it_is=True)
    with sa.create_engine(ledger_url).begin() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0003"
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerUnavailable, match="newer roster_pipeline"):
        Database(ledger_url, as_it_is=True)


@pytest.mark.postgres
def test_a_database_of_others_that_is_opened_as_it_is_gets_no_schema(
    postgres_database: str,
) -> None:
    with pytest.raises(NoLedger):
        Database(postgres_database, as_it_is=True)

    assert "roster" not in sa.inspect(sa.create_engine(postgres_database)).get_schema_names()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ledger.db", "not a database URL"),
        ("mysql://root@localhost/ledger", "cannot live in 'mysql'"),
        ("sqlite://", "needs a file"),
        ("postgresql+nodriver://localhost/ledger", "no driver here for 'postgresql\\+nodriver'"),
        ("sqlite:////proc/no/ledger.db", "/proc/no/ledger.db cannot be opened"),
    ],
)
def test_an_address_that_cannot_hold_a_ledger_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(LedgerUnavailable, match=sentence):
        Ledger.open(url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    url = "postgresql+psycopg2://roster:s3cret@127.0.0.1:1/ledger"
    with pytest.raises(LedgerUnavailable) as refused:
        Ledger.open(url)
    assert "127.0.0.1:1/ledger cannot be used now" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("sourcedId,status\n" * 100)
    with pytest.raises(LedgerUnavailable, match="file is not a database"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def test_a_ledgers_text_shows_no_password(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        assert repr(ledger) == f"Ledger(Database(sqlite:///{tmp_path}/ledger.db))"


def test_only_its_owner_can_read_the_sqlite_ledger(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/new/ledger.db"):
        files = list((tmp_path / "new").iterdir())
        assert len(files) >= 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_sqlite_keeps_references_and_a_write_ahead_log(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        with ledger._database.reading() as connection:
            assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        orphan = sa.text(
            "INSERT INTO accepted VALUES"
            " ('s', 1, 'h', NULL, '2026-08-24', '2026-08-24', '2026-08-24', NULL, NULL, NULL)"
        )
        with (
            pytest.raises(IntegrityError, match="FOREIGN KEY"),
            ledger._database.writing() as connection,
        ):
            connection.execute(orphan)


def test_a_time_without_a_zone_is_refused(scene: Scene) -> None:
    naive = scene.clock().replace(tzinfo=None)
    with pytest.raises(StatementError, match="must carry its zone"):
        scene.ledger.record_sync("springfield", DAY1, "done", {}, naive)


def test_looking_leaves_the_sqlite_ledger_byte_equal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger.open(url) as ledger:
        ledger.record_sync("springfield", DAY1, "done", {}, START)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with Ledger.open(url) as ledger:
        assert ledger.last_sync("springfield")
        assert ledger.may_accept("springfield", snapshot("a"), None, DAY1, "pass") is None
        assert ledger.holds() == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {"ledger.db", "ledger.db.lock"}
