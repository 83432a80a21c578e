"""Batches: in which round an item was last claimed for tasks that hand it on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("items", sa.Column("batch", sa.String(40)))
    op.create_index("items_batch", "items", ["batch"])


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
