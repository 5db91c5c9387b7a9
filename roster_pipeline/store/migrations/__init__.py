"""The ledger's history of shapes, as Alembic revisions that ship with the package."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from roster_pipeline.store.errors import LedgerUnavailable


def configuration() -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def require_known(revision: str) -> None:
    """Raise LedgerUnavailable if a ledger's revision is of a version to come."""
    scripts = ScriptDirectory.from_config(configuration())
    if revision not in {script.revision for script in scripts.walk_revisions()}:
        raise LedgerUnavailable(
            f"This ledger was written by a newer roster_pipeline (revision {revision}). Install"
            " that version or a later one."
        )


def upgrade(connection: sa.Connection, revision: str | None) -> None:
    """Bring a ledger from `revision` (None: no tables yet) to the newest, in its transaction."""
    if revision is not None:
        require_known(revision)
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
