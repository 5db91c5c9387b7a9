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


def upgrade(connection: sa.Connection, revision: str | None) -> None:
    """Bring a ledger from `revision` (None: no tables yet) to the newest, in its transaction."""
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise LedgerUnavailable(
            f"This ledger was written by a newer roster_pipeline (revision {revision}). Install"
            " that version or a later one."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
