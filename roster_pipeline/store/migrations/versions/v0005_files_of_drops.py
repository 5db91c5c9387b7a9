"""Which files on a server a package was made of, and when its roster was accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of packages landed before, nothing is known."""
    op.add_column("landed", sa.Column("files", sa.JSON(), nullable=True))
    op.add_column("landed", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
