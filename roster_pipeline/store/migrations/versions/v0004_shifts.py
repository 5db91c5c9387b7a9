"""What each accepted roster changed, so that days can be added up."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of rosters accepted before, nothing is known."""
    op.add_column("accepted", sa.Column("shift", sa.JSON(), nullable=True))
    op.add_column("accepted", sa.Column("windows", sa.JSON(), nullable=True))
