"""Hosts: which worker asks one now, and until when it wants to be left alone; and the host of every feed."""

import sqlalchemy as sa
from alembic import op

from pipeline.urls import host

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.String(27)


def upgrade() -> None:
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("not_before", TIME),
        sa.Column("lease_owner", sa.String(120)),
        sa.Column("lease_until", TIME),
    )
    op.add_column("feeds", sa.Column("host", sa.Text, nullable=False, server_default=""))
    feeds = sa.table("feeds", sa.column("id"), sa.column("url"), sa.column("host"))
    db = op.get_bind()
    for row in db.execute(sa.select(feeds.c.id, feeds.c.url)).all():
        db.execute(sa.update(feeds).where(feeds.c.id == row.id).values(host=host(row.url)))
