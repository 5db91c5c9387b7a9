"""The ledger's tables. `migrations/` builds them; a test demands that both say the same."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

HEAD: Final = "0006"
"""The newest revision in `migrations/versions`; a ledger that is at it opens without Alembic."""


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment: aware in Python, `timestamptz` in PostgreSQL, UTC without a zone in SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time for the ledger must carry its zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, primary_key=key)


def _moment(name: str, *, null: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime, nullable=null)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _snapshot(column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["source", column], ["snapshots.source", "snapshots.content_hash"]
    )


snapshots = sa.Table(
    "snapshots",
    metadata,
    _text("source", key=True),
    _text("content_hash", key=True),
    sa.Column("counts", sa.JSON, nullable=False),
    _text("url"),
)

landed = sa.Table(
    "landed",
    metadata,
    _number(),
    _text("source"),
    sa.Column("date", sa.Date, nullable=False),
    _text("original_hash"),
    _text("stored_hash"),
    _text("remote_path"),
    _moment("modified"),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("url"),
    _moment("at"),
    sa.Column("files", sa.JSON, nullable=True),
    _moment("accepted_at", null=True),
    sa.UniqueConstraint("source", "date", "original_hash"),
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _number(),
    _text("source"),
    _text("candidate_hash"),
    _text("base_hash", null=True),
    sa.Column("date", sa.Date, nullable=False),
    _text("verdict"),
    sa.Column("reasons", sa.JSON, nullable=False),
    _moment("at"),
    _snapshot("candidate_hash"),
    sa.Index(None, "source", "candidate_hash"),
)

holds = sa.Table(
    "holds",
    metadata,
    _number(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("source"),
    sa.Column("date", sa.Date, nullable=False),
    _text("candidate_hash"),
    _text("base_hash", null=True),
    sa.Column("reasons", sa.JSON, nullable=False),
    _text("status"),
    _moment("opened_at"),
    _text("decided_by", null=True),
    _text("why", null=True),
    _moment("decided_at", null=True),
    _moment("closed_at", null=True),
    _text("closed_because", null=True),
    _snapshot("candidate_hash"),
    sa.Index(None, "source", "status"),
)

accepted = sa.Table(
    "accepted",
    metadata,
    _text("source", key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    _text("content_hash"),
    _text("base_hash", null=True),
    sa.Column("date", sa.Date, nullable=False),
    sa.Column("confirmed", sa.Date, nullable=False),
    _moment("at"),
    sa.Column("hold_name", sa.Text, sa.ForeignKey("holds.name"), nullable=True),
    sa.Column("shift", sa.JSON, nullable=True),
    sa.Column("windows", sa.JSON, nullable=True),
    _snapshot("content_hash"),
)


def _sent(name: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        _number(),
        _text("destination"),
        _text("source"),
        _text("content_hash"),
        _text("package_hash"),
        _text("path"),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.JSON, nullable=False),
        _moment("at"),
        sa.Index(None, "destination", "source"),
    )


deliveries = _sent("deliveries")
attempts = _sent("attempts")

syncs = sa.Table(
    "syncs",
    metadata,
    _number(),
    _text("source"),
    sa.Column("date", sa.Date, nullable=False),
    _text("outcome"),
    sa.Column("summary", sa.JSON, nullable=False),
    _text("run_id", null=True),
    _moment("at"),
    sa.Index(None, "source"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    _text("product", key=True),
    _text("source", key=True),
    _text("sourced_id", key=True),
    _text("remote_id", null=True),
    _text("origin"),
    _text("state"),
    _text("external_id"),
    _text("user_name"),
    _text("content_hash"),
    sa.Column("missing_since", sa.Date, nullable=True),
    _moment("at"),
)

course_decisions = sa.Table(
    "course_decisions",
    metadata,
    _number(),
    _text("product"),
    _text("source"),
    _text("course"),
    _text("decision"),
    _text("who"),
    _text("why"),
    _moment("at"),
    sa.Index(None, "product", "source", "course"),
)

leases = sa.Table(
    "leases",
    metadata,
    _text("name", key=True),
    sa.Column("fencing", sa.BigInteger, nullable=False),
    _text("host"),
    _text("boot"),
    sa.Column("pid", sa.BigInteger, nullable=False),
    _text("started"),
    _text("run_id", null=True),
    _moment("taken_at"),
    _moment("heartbeat_at"),
    _moment("released_at", null=True),
)
