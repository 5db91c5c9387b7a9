"""Tables that get a part of a roster, some of it hidden: what they hold, and what they held."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from roster_pipeline.oneroster.entities import ENTITIES
from roster_pipeline.oneroster.scoping.scope import ScopeError
from roster_pipeline.receivers import postgresql_rows
from roster_pipeline.receivers.config import Destination
from roster_pipeline.receivers.filling import Brought, Filler
from roster_pipeline.receivers.hiding import Hidden
from roster_pipeline.receivers.mask_config import Mask
from roster_pipeline.receivers.postgresql import PostgresTables, TablesError
from roster_pipeline.receivers.tables import table_columns
from roster_pipeline.reports.deliveries import confirmed_how
from roster_pipeline.store.lease import Lease
from tests.receivers.conftest import Ask
from tests.receivers.desk import SOURCE, Desk, live

pytestmark = pytest.mark.postgres
KEY, OTHER = b"a key of twenty bytes", b"another key of 24 bytes!"
_MASK = {"drop": ["users.email", "users.metadata.bus"], "hash": ["users.sourcedId"]}
MASK: Any = {"mask": _MASK, "mask_key": {"env": "MASK_KEY"}}
BLANK: Any = {"mask": {"blank": ["users.email", "users.metadata.bus"]}}


@dataclass
class Warehouse:
    """One source and its tables, filled as a sync would."""

    desk: Desk
    url: str
    ask: Ask
    sent: list[bytes] = field(default_factory=list)
    """What was sent by COPY."""

    def bring(self, key: bytes = KEY, *, compare: bool = False, **keys: Any) -> Brought:
        """Accept the rows as they are, and bring them."""
        accepted = self.desk.accepted().snapshot
        self.sent.clear()
        with self.desk.ledger.lease(SOURCE, lambda: self.desk.now) as lease:
            return self.filler(lease, key, keys).bring(accepted, compare=compare)

    def filler(
        self, lease: Lease, key: bytes, keys: Mapping[str, Any], *, schema: str = "roster"
    ) -> Filler:
        """As a sync makes it."""
        data = {"id": "warehouse", "tables": {"url": {"env": "WAREHOUSE"}}, **keys}
        destination = Destination.model_validate(data)
        return Filler(
            destination,
            SOURCE,
            self.desk.ledger,
            lease,
            self.desk.snapshots,
            self.desk.outbox,
            PostgresTables(destination.id, self.url, schema),
            lambda: self.desk.now,
            key if "mask_key" in keys else None,
        )

    def next_day(self) -> None:
        """A day later a user has another name."""
        self.desk.day()
        self.desk.rows["users"][0]["givenName"] += "a"

    def past(self, entity: str) -> int:
        """How many rows of the past there are."""
        return int(self.ask(f'SELECT count(*) FROM roster."{entity}_past"')[0][0])  # noqa: S608

    def everything(self) -> str:
        """All that is in the tables."""
        tables = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'roster'")
        return "".join(str(self.ask(f'SELECT * FROM roster."{name}"')) for (name,) in tables)  # noqa: S608

    def cells(self, name: str) -> set[str]:
        """The filled cells of a hidden column (`users.email`), now and before; of an entity the
        ids."""
        entity, _, column = name.partition(".")
        if column == "metadata":
            cell = "nullif(metadata, '{}')::text"
        elif column.startswith("metadata."):
            cell = "metadata ->> 'Bus'"
        else:
            cell = f"""array_to_string(ARRAY["{column or "sourcedId"}"]::text[], ',')"""
        found = self.ask(f'SELECT {cell} FROM roster."{entity}_history"')  # noqa: S608
        return {item.strip("{}") for (text,) in found if text for item in text.split(",")}

    def compared(self, schema: str) -> list[list[str]]:
        """All rows of now, in the columns that count."""
        found = []
        for entity in ENTITIES:
            names = [column.name for column in table_columns(entity)]
            listed = ", ".join(f'"{n}"' for n in names if n not in ("status", "dateLastModified"))
            rows = self.ask(f'SELECT {listed} FROM {schema}."{entity}"')  # noqa: S608
            found.append(sorted(map(repr, rows)))
        return found

    def compared_anew(self, keys: Mapping[str, Any], key: bytes) -> list[list[str]]:
        """What these would be in tables that are new."""
        self.ask("DROP SCHEMA IF EXISTS anew CASCADE")
        accepted, name = self.desk.accepted().snapshot, f"anew-{self.desk.sequence}"
        with self.desk.ledger.lease(SOURCE, lambda: self.desk.now) as lease:
            self.filler(lease, key, {"id": name, **keys}, schema="anew").bring(accepted)
        return self.compared("anew")


@pytest.fixture
def warehouse(
    tmp_path: Path, warehouse: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warehouse]:
    made = Warehouse(Desk(tmp_path / "desk", {}), warehouse, ask)
    for user in made.desk.rows["users"]:
        user |= {"metadata.Bus": "line-7", "username": f"name-of-{user['givenName']}"}
    blocks = postgresql_rows._csv_blocks

    def watched(*given: Any) -> Iterator[Any]:
        for block in blocks(*given):
            made.sent.append(block.getvalue())
            yield block

    monkeypatch.setattr(postgresql_rows, "_csv_blocks", watched)
    yield made
    made.desk.ledger.close()


def test_tables_get_a_part_of_the_roster_and_no_cell_that_is_masked_is_ever_sent(
    warehouse: Warehouse,
) -> None:
    everybody = {user["sourcedId"] for user in warehouse.desk.rows["users"]}
    brought = warehouse.bring(scope={"roles": ["student"]}, **MASK)

    assert brought.sent.remarks == ()
    receipt = brought.sent.delivery.receipt
    assert brought.sent.news
    assert receipt["left_out"] == {"users": 2, "roles": 2, "enrollments": 2}
    assert receipt["rows"]["users"] == warehouse.ask("SELECT count(*) FROM roster.users")[0][0] == 3
    sent = b"".join(warehouse.sent).decode()
    assert "Evergreen" in sent
    for text in ("example.org", "line-7", *(f",{user}," for user in everybody)):
        assert text not in sent.replace('"', "")
    people = set(warehouse.ask('SELECT "sourcedId" FROM roster.users'))
    assert people == set(warehouse.ask('SELECT "userSourcedId" FROM roster.enrollments'))
    [(masked,)] = warehouse.ask("SELECT masked FROM roster.roster_deliveries")
    assert "users.email" in masked["empty"]
    assert "enrollments.userSourcedId" in masked["hashed"]

    # The next day only what differs is sent, and the same again is not.
    warehouse.next_day()
    brought = warehouse.bring(scope={"roles": ["student"]}, compare=True, **MASK)
    assert brought.sent.difference is not None
    moved = {entity: n["changed"] for entity, n in brought.sent.difference.items() if n["changed"]}
    assert moved == {"users": 1}
    rows = [block for block in warehouse.sent if block.count(b"\n") > 1]
    assert [block.count(b"\n") for block in rows] == [2]
    assert not warehouse.bring(scope={"roles": ["student"]}, **MASK).sent.news
    assert warehouse.past("users") == 1
    assert "example.org" not in warehouse.everything()


def test_what_is_hidden_from_now_on_is_taken_out_of_the_past_too(warehouse: Warehouse) -> None:
    warehouse.bring()
    warehouse.next_day()
    warehouse.bring()
    assert "line-7" in warehouse.everything()
    assert warehouse.past("users") == 1

    # Columns are emptied where they stand: a row that differs in nothing else is no other row.
    valid_from = warehouse.ask('SELECT "sourcedId", "validFrom" FROM roster.users ORDER BY 1')
    warehouse.desk.day()
    mask = {"blank": [*BLANK["mask"]["blank"], "users.metadata.van"]}
    blanked = warehouse.bring(mask=mask)
    assert blanked.sent.remarks == (
        "`mask` names users.metadata.van, and the roster has no such column; it has "
        "users.metadata.Bus.",
    )
    assert blanked.sent.news
    assert blanked.forgotten == ()
    assert "line-7" not in warehouse.everything()
    assert "example.org" not in warehouse.everything()
    now = warehouse.ask('SELECT "sourcedId", "validFrom" FROM roster.users ORDER BY 1')
    assert now == valid_from
    assert warehouse.past("users") == 1

    # Rows that were known by ids which are hashed now have no past.
    hashed = warehouse.bring(**MASK)
    assert hashed.forgotten == ("users",)
    assert warehouse.past("users") == 0
    assert "'u1'" not in warehouse.everything()

    # Nor have those that were hashed with another key.
    warehouse.next_day()
    warehouse.bring(**MASK)
    before = set(warehouse.ask('SELECT "sourcedId" FROM roster.users_history'))
    assert warehouse.past("users") == 1
    again = warehouse.bring(OTHER, **MASK)
    assert again.sent.news
    assert again.forgotten == ("users",)
    assert before.isdisjoint(warehouse.ask('SELECT "sourcedId" FROM roster.users_history'))

    # What is not hidden any more comes back, and what was hidden stays so.
    warehouse.bring()
    assert "line-7" in warehouse.everything()
    assert not warehouse.ask("SELECT FROM roster.users_past WHERE metadata ? 'Bus'")


def test_a_mask_of_what_only_the_past_says_is_no_mask_of_nothing(warehouse: Warehouse) -> None:
    warehouse.bring()
    for user in warehouse.desk.rows["users"]:
        del user["email"], user["metadata.Bus"]
    warehouse.desk.day()
    brought = warehouse.bring()
    assert "example.org" in warehouse.everything()

    masked = warehouse.bring(mask={"blank": ["users.email", "users.metadata"]})

    assert masked.sent.delivery.content_hash == brought.sent.delivery.content_hash
    assert "example.org" not in warehouse.everything()
    assert "line-7" not in warehouse.everything()


def test_a_narrower_scope_ends_rows_and_one_that_does_not_fit_changes_nothing(
    warehouse: Warehouse,
) -> None:
    warehouse.bring()
    warehouse.desk.day()
    warehouse.bring(scope={"roles": ["student"]})

    ended = warehouse.ask(
        """SELECT "sourcedId", "validTo" FROM roster.users_past ORDER BY "sourcedId\""""
    )
    assert ended == [("u4", warehouse.desk.now), ("u5", warehouse.desk.now)]
    with pytest.raises(ScopeError, match=r"destinations/warehouse\.yaml: `scope\.schools`"):
        warehouse.bring(scope={"schools": ["nowhere"]})
    assert warehouse.ask("SELECT count(*) FROM roster.users") == [(3,)]


def test_tables_that_a_killed_process_filled_are_not_taken_for_what_they_were(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = warehouse.desk.rows["users"][0]["givenName"]
    warehouse.bring()
    warehouse.next_day()
    with monkeypatch.context() as patch:
        patch.setattr(Filler, "_record", _killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.bring()
    name = """SELECT "givenName" FROM roster.users WHERE "sourcedId" = 'u1'"""
    assert warehouse.ask(name) == [(f"{was}a",)]

    # What is accepted next is what the ledger believes that the tables have.
    warehouse.desk.rows["users"][0]["givenName"] = was
    assert warehouse.bring().sent.news
    assert warehouse.ask(name) == [(was,)]
    assert not warehouse.bring().sent.news


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_receipt_that_was_lost_is_written_again_without_the_rows(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Filler, "_record", _killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.bring()
    state = "SELECT xmin::text, ctid::text FROM roster.users ORDER BY 2"
    before = warehouse.ask(state)

    sent = warehouse.bring().sent

    assert warehouse.ask(state) == before
    assert warehouse.sent == []
    assert confirmed_how(sent.delivery.receipt) == "committed before"
    assert warehouse.desk.ledger.attempts("warehouse", SOURCE) == []


def test_receipts_of_an_earlier_release_get_the_column_that_they_lack(warehouse: Warehouse) -> None:
    warehouse.bring()
    warehouse.ask("ALTER TABLE roster.roster_deliveries DROP COLUMN masked")
    assert warehouse.bring(**BLANK).sent.news
    assert warehouse.ask("SELECT masked IS NOT NULL FROM roster.roster_deliveries") == [(True,)]

    warehouse.ask("ALTER TABLE roster.roster_deliveries DROP COLUMN masked, DROP COLUMN bytes")
    with pytest.raises(TablesError, match="it has no column"):
        warehouse.bring()


_MASKS: list[Any] = [
    {},
    MASK,
    BLANK,
    {"mask": {"drop": ["users.email"]}},
    {"mask": {"drop": ["demographics", "users.metadata"]}},
    {"mask": {"hash": ["classes.sourcedId", "users.metadata.bus"]}, "mask_key": {"env": "A"}},
    {
        "mask": {"hash": ["users.givenName", "orgs.sourcedId"], "drop": ["demographics.sex"]},
        "mask_key": {"env": "A"},
    },
]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_however_masks_and_scopes_change_nothing_hidden_is_in_any_table(
    warehouse: Warehouse, seed: int
) -> None:
    random, texts = Random(seed), set[str]()  # noqa: S311
    rows, keys, key = warehouse.desk.rows, dict[str, Any](), KEY
    for day in range(20):
        live(rows, random, day)
        rows["demographics"] = [
            {"sourcedId": user["sourcedId"], "sex": "female"} for user in rows["users"]
        ]
        texts |= {cell for listed in rows.values() for row in listed for cell in row.values()}
        if random.random() < 0.6:
            keys = random.choice(_MASKS) | random.choice([{}, {"scope": {"roles": ["student"]}}])
        key = random.choice([key, key, KEY, OTHER])
        warehouse.desk.day()
        warehouse.bring(key, **keys)

        hidden = Hidden.by(*_mask(keys, key))
        hashes = {hmac.digest(key, text.encode(), "sha256").hex()[:32] for text in texts}
        for name in hidden.empty:
            assert warehouse.cells(name) == set(), (seed, day, name)
        for name in hidden.hashed:
            assert warehouse.cells(name) <= hashes, (seed, day, name)
        assert warehouse.compared("roster") == warehouse.compared_anew(keys, key), (seed, day)


def _mask(keys: Any, key: bytes) -> tuple[Mask | None, bytes | None]:
    mask = Mask.model_validate(keys["mask"]) if "mask" in keys else None
    return mask, key if "mask_key" in keys else None
