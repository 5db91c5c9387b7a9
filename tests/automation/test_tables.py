"""Whole runs with a destination of tables, in a real PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from roster_pipeline.reports.deliveries import confirmed_how
from roster_pipeline.store import Outcome
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
    town: Town, warehouse: Warehouse
) -> None:
    town.drop(0)
    done = town.approve(town.sync().hold)

    assert done.outcome is Outcome.DONE
    with town.ledger() as ledger:
        accepted = ledger.accepted(SOURCE)
        delivery = ledger.delivery("warehouse", SOURCE)
    assert accepted is not None
    assert delivery is not None
    assert warehouse.rows() == accepted.snapshot.counts == delivery.receipt["rows"]
    assert delivery.content_hash == accepted.snapshot.content_hash
    assert delivery.path.endswith(", schema roster")
    assert confirmed_how(delivery.receipt) == "committed"
    said = f"Delivered to warehouse: {sum(warehouse.rows().values()):,} rows in {delivery.path}."
    assert said in done.sentences


def test_the_next_day_replaces_and_the_same_day_again_does_not(
    town: Town, warehouse: Warehouse
) -> None:
    town.drop(0)
    town.approve(town.sync().hold)
    first = warehouse.ask("SELECT content_hash, delivered_at FROM roster.roster_deliveries")
    town.pass_days(1)
    town.drop(8)
    assert town.sync().outcome is Outcome.DONE
    second = warehouse.ask("SELECT content_hash, delivered_at FROM roster.roster_deliveries")
    assert second != first

    assert town.sync().outcome is Outcome.NOTHING_NEW
    again = warehouse.ask("SELECT content_hash, delivered_at FROM roster.roster_deliveries")
    assert again == second
    with town.ledger() as ledger:
        assert len(ledger.deliveries(SOURCE)) == 2


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(
    town: Town, warehouse: Warehouse, tmp_path: Path
) -> None:
    file = town.folder / "destinations" / "warehouse.yaml"
    masked = "scope: {roles: [student, teacher]}\nmask: {drop: [users.email, demographics]}\n"
    town.write("destinations/warehouse.yaml", file.read_text() + masked)
    town.drop(0)
    town.approve(town.sync().hold)
    town.pass_days(1)
    town.drop(8)
    before = warehouse.ask("SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2")
    out = tmp_path / "out"

    rehearsed = town.sync(dry_run=True, out=out)

    assert rehearsed.outcome is Outcome.DONE
    assert any(s.startswith("Delivered to warehouse: ") for s in rehearsed.sentences)
    assert warehouse.ask("SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2") == before
    lines = (out / "warehouse" / SOURCE / "orgs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("source,sourcedId,status,")
    assert lines[1].startswith(f"{SOURCE},")
    assert "@" not in (out / "warehouse" / SOURCE / "users.csv").read_text(encoding="utf-8")

    town.sync()
    assert len(lines) - 1 == warehouse.rows()["orgs"]
    assert warehouse.ask("SELECT DISTINCT email FROM roster.users_history") == [(None,)]
    with town.ledger() as ledger:
        accepted, delivery = ledger.accepted(SOURCE), ledger.delivery("warehouse", SOURCE)
        assert ledger.attempts("warehouse", SOURCE) == []
    assert accepted is not None
    assert delivery is not None
    assert delivery.content_hash == accepted.snapshot.content_hash
    left_out = delivery.receipt["left_out"]
    assert left_out["demographics"] == accepted.snapshot.counts["demographics"]
    rows = warehouse.rows()
    for entity, count in accepted.snapshot.counts.items():
        assert rows[entity] + left_out.get(entity, 0) == count


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://us:hunter2@127.0.0.1:1/x", "cannot be reached"),
        ("mysql://us:hunter2@db/x", "is no address of a PostgreSQL"),
        (None, f"the environment variable {VARIABLE} is not set"),
    ],
)
@pytest.mark.usefixtures("warehouse")
def test_a_database_that_cannot_be_used_fails_the_run_in_words_and_is_late_only(
    town: Town, postgres_database: str, monkeypatch: pytest.MonkeyPatch,
    url: str | None, sentence: str,
) -> None:  # fmt: skip
    town.drop(0)
    held = town.sync().hold
    if url is None:
        monkeypatch.delenv(VARIABLE)
    else:
        monkeypatch.setenv(VARIABLE, url)

    failed = town.approve(held)

    assert failed.outcome is Outcome.FAILED
    assert sentence.casefold() in failed.sentences[0].casefold()
    said = "\n".join(failed.sentences)
    assert "Delivering to warehouse: " in said
    assert sentence.casefold() in said.casefold()
    assert "hunter2" not in said
    assert not any(
        b"hunter2" in path.read_bytes() for path in town.folder.rglob("*") if path.is_file()
    )

    monkeypatch.setenv(VARIABLE, postgres_database)
    assert town.sync().outcome is Outcome.DONE
    with town.ledger() as ledger:
        assert ledger.delivery("warehouse", SOURCE) is not None


def test_a_receipt_that_was_lost_is_written_again_without_the_rows(
    town: Town, warehouse: Warehouse
) -> None:
    from roster_pipeline.receivers.postgresql import PostgresTables
    from roster_pipeline.store.snapshots import Snapshots

    town.drop(0)
    held = town.sync().hold
    assert held is not None
    with town.ledger() as ledger:
        candidate = ledger.hold(held).candidate
    roster = Snapshots(town.workspace.storage_url).open(candidate)
    tables = PostgresTables("warehouse", os.environ[VARIABLE], "roster")
    tables.replace(SOURCE, roster, at=town.now, check=lambda: None, kept=lambda _: None)
    before = warehouse.ask("SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2")

    assert town.approve(held).outcome is Outcome.DONE

    assert warehouse.ask("SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2") == before
    with town.ledger() as ledger:
        delivery = ledger.delivery("warehouse", SOURCE)
    assert delivery is not None
    assert (delivery.receipt["sent"], delivery.receipt["rows"]) == (False, roster.counts)
    assert confirmed_how(delivery.receipt) == "committed before"
