"""Accounts in the ledger: one row for a person, source and product."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from roster_pipeline.store.records import Account, AccountState, Origin
from roster_pipeline.store.schema import accounts

TABLE: Final = accounts


def listed(connection: sa.Connection, product: str, source: str | None) -> list[Account]:
    """The accounts of a product, or of one source in it."""
    query = sa.select(accounts).where(accounts.c.product == product)
    if source is not None:
        query = query.where(accounts.c.source == source)
    # Sorted here: the collations of the two databases differ.
    found = [_account(row) for row in connection.execute(query)]
    return sorted(found, key=lambda account: (account.source, account.sourced_id))


def remember(
    connection: sa.Connection,
    insert: "sqlite.Insert | postgresql.Insert",
    these: Sequence[Account],
) -> None:
    """Insert accounts, or replace what was known of them; `insert` is one into `TABLE`."""
    if not these:
        return
    new = {c.name: c for c in insert.excluded if c.name not in accounts.primary_key.columns}
    statement = insert.on_conflict_do_update(
        index_elements=[*accounts.primary_key.columns], set_=new
    )
    connection.execute(statement, [asdict(account) for account in these])


def forget(connection: sa.Connection, these: Sequence[Account]) -> None:
    """Delete what is known of accounts."""
    key = ("product", "source", "sourced_id")
    which = sa.and_(*(accounts.c[name] == sa.bindparam(f"of_{name}") for name in key))
    rows = [{f"of_{name}": getattr(account, name) for name in key} for account in these]
    if rows:
        connection.execute(sa.delete(accounts).where(which), rows)


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        product=row.product,
        source=row.source,
        sourced_id=row.sourced_id,
        remote_id=row.remote_id,
        origin=Origin(row.origin),
        state=AccountState(row.state),
        external_id=row.external_id,
        user_name=row.user_name,
        content_hash=row.content_hash,
        missing_since=row.missing_since,
        at=row.at,
    )
