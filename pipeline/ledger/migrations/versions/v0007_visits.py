"""Pages are looked at again: their validators, how often a host was asked, and what entries said when last polled."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("etag", sa.Text), ("last_modified", sa.Text), ("page_hash", sa.String(20))):
        op.add_column("items", sa.Column(name, kind))
    op.add_column("sightings", sa.Column("said", sa.String(20)))
    op.add_column("sightings", sa.Column("changes", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "visits",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
