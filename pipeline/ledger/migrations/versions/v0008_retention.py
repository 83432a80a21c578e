"""Quarantine is tried again unasked: when it began has to be known, and how often that was done."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("items", sa.Column("quarantined", sa.String(27)))
    op.add_column("items", sa.Column("tries", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
