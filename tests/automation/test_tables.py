"""Whole runs with a destination of tables, in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_pipeline.reports.deliveries import confirmed_how
from roster_pipeline.store import Delivery, Outcome
from tests.automation.town import SOURCE, Town

pytestmark = pytest.mark.postgres
VARIABLE = "ROSTER_TEST_WAREHOUSE_URL"


class Warehouse:
    """The town's database, as somebody else sees it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url.replace("+psycopg2", ""))
        self._connection.autocommit = True

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def rows(self) -> dict[str, int]:
        tables = [name for (name,) in self.ask(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'roster'"
            " AND tablename <> 'roster_deliveries' AND tablename NOT LIKE '%\\_past'"
        )]  # fmt: skip
        return {t: self.ask(f'SELECT count(*) FROM roster."{t}"')[0][0] for t in tables}  # noqa: S608

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def warehouse(
    town: Town, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warehouse]:
    """The town's only destination is a database."""
    monkeypatch.setenv(VARIABLE, postgres_database)
    (town.folder / "destinations" / "lms.yaml").unlink()
    town.write(
        "destinations/warehouse.yaml", f"id: warehouse\ntables: {{url: {{env: {VARIABLE}}}}}\n"
    )
    made = Warehouse(postgres_database)
    yield made
    made.close()


def test_what_is_accepted_is_in_the_tables_and_has_a_receipt(
    town: Town, warehouse: Warehouse, tmp_path: Path
) -> None:
    file = town.folder / "destinations" / "warehouse.yaml"
    part = "scope: {roles: [student, teacher]}\nmask: {drop: [users.email, demographics]}\n"
    town.write("destinations/warehouse.yaml", file.read_text() + part)
    town.drop(0)
    done = town.approve(town.sync().hold)

    assert done.outcome is Outcome.DONE
    first = _delivered(town, warehouse)
    said = f"Delivered to warehouse: {sum(warehouse.rows().values()):,} rows in {first.path}."
    assert said in done.sentences

    # The next day, a dry run says what it would write, and writes nothing.
    town.pass_days(1)
    town.drop(8)
    state = "SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2"
    before = warehouse.ask(state)
    out = tmp_path / "out"
    rehearsed = town.sync(dry_run=True, out=out)
    assert rehearsed.outcome is Outcome.DONE
    assert any(s.startswith("Delivered to warehouse: ") for s in rehearsed.sentences)
    assert warehouse.ask(state) == before
    users, orgs = ((out / "warehouse" / SOURCE / f"{e}.csv").read_text() for e in ("users", "orgs"))
    assert orgs.startswith("source,sourcedId,status,")
    assert f"\n{SOURCE}," in orgs
    assert "@" not in users

    assert town.sync().outcome is Outcome.DONE
    second = _delivered(town, warehouse)
    assert second.package_hash != first.package_hash
    assert orgs.count("\n") - 1 == warehouse.rows()["orgs"]
    assert warehouse.ask("SELECT DISTINCT email FROM roster.users_history") == [(None,)]

    # The same once more is nothing new.
    delivered = warehouse.ask("SELECT * FROM roster.roster_deliveries")
    assert town.sync().outcome is Outcome.NOTHING_NEW
    assert warehouse.ask("SELECT * FROM roster.roster_deliveries") == delivered
    with town.ledger() as ledger:
        assert len(ledger.deliveries(SOURCE)) == 2


def _delivered(town: Town, warehouse: Warehouse) -> Delivery:
    """What the ledger says of the tables, which is so."""
    with town.ledger() as ledger:
        accepted, delivery = ledger.accepted(SOURCE), ledger.delivery("warehouse", SOURCE)
        assert ledger.attempts("warehouse", SOURCE) == []
    assert accepted is not None
    assert delivery is not None
    assert delivery.content_hash == accepted.snapshot.content_hash
    assert delivery.path.endswith(", schema roster")
    assert confirmed_how(delivery.receipt) == "committed"
    rows, left_out = warehouse.rows(), delivery.receipt["left_out"]
    assert rows == delivery.receipt["rows"]
    assert left_out["demographics"] == accepted.snapshot.counts["demographics"]
    for entity, count in accepted.snapshot.counts.items():
        assert rows[entity] + left_out.get(entity, 0) == count
    return delivery


@pytest.mark.usefixtures("warehouse")
def test_a_database_that_cannot_be_used_fails_the_run_in_words_and_is_late_only(
    town: Town, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.drop(0)
    held = town.sync().hold
    monkeypatch.setenv(VARIABLE, "postgresql://us:hunter2@127.0.0.1:1/x")

    failed = town.approve(held)

    assert failed.outcome is Outcome.FAILED
    assert "Delivering to warehouse: " in failed.sentences[0]
    assert "cannot be reached" in failed.sentences[0]
    assert "hunter2" not in "\n".join(failed.sentences)
    assert not any(
        b"hunter2" in path.read_bytes() for path in town.folder.rglob("*") if path.is_file()
    )

    monkeypatch.setenv(VARIABLE, postgres_database)
    assert town.sync().outcome is Outcome.DONE
    with town.ledger() as ledger:
        assert ledger.delivery("warehouse", SOURCE) is not None
