"""Feeds say by what their entries are known to be one article, and entries are kept under what they are known by."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feeds", sa.Column("identity", sa.String(8), nullable=False, server_default="auto"))
    op.create_table(
        "identities",
        sa.Column("key", sa.String(20), primary_key=True),
        sa.Column("sighting", sa.String(20), primary_key=True),
        sa.Column("feed", sa.String(20), nullable=False),
        sa.Column("item", sa.String(20), nullable=False),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("seen", sa.String(27), nullable=False),
    )
    op.create_index("identities_seen", "identities", ["seen"])


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
