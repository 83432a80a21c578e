"""Feeds say why they failed in a word, too, and which hub pushes their entries; what hubs were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.String(27)


def upgrade() -> None:
    op.add_column("feeds", sa.Column("code", sa.String(40)))
    op.add_column("feeds", sa.Column("hub", sa.Text))
    op.add_column("feeds", sa.Column("topic", sa.Text))
    op.create_table(
        "subscriptions",
        sa.Column("feed", sa.String(20), primary_key=True),
        sa.Column("hub", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked", TIME),
        sa.Column("next_ask", TIME),
        sa.Column("expires", TIME),
        sa.Column("reason", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_push", TIME),
    )
    op.create_index("subscriptions_token", "subscriptions", ["token"])
