"""The first shape of the ledger: feeds, items, sightings, articles, notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.String(27)
ID = sa.String(20)


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("added", TIME, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("site", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.Column("body_hash", sa.Text),
        sa.Column("interval", sa.Float, nullable=False),
        sa.Column("next_poll", TIME),
        sa.Column("last_polled", TIME),
        sa.Column("last_success", TIME),
        sa.Column("last_new", TIME),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("polls", sa.Integer, nullable=False),
        sa.Column("baseline", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.String(120)),
        sa.Column("lease_until", TIME),
    )
    op.create_index("feeds_due", "feeds", ["next_poll"])
    op.create_table(
        "items",
        sa.Column("id", ID, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("sighting", ID, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owed", sa.String(16)),
        sa.Column("due", TIME),
        sa.Column("fetches", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("stage", sa.String(16)),
        sa.Column("reason", sa.Text),
        sa.Column("code", sa.String(40)),
        sa.Column("body_reason", sa.Text),
        sa.Column("fetch_again", TIME),
        sa.Column("warc_file", sa.Text),
        sa.Column("warc_offset", sa.Integer),
        sa.Column("article", ID),
        sa.Column("indexed", TIME),
        sa.Column("lease_owner", sa.String(120)),
        sa.Column("lease_until", TIME),
    )
    op.create_index("items_owed", "items", ["owed", "due"])
    op.create_index("items_state", "items", ["state"])
    op.create_index("items_lease", "items", ["lease_owner"])
    op.create_index("items_article", "items", ["article"])
    op.create_table(
        "sightings",
        sa.Column("id", ID, primary_key=True),
        sa.Column("feed", ID, nullable=False),
        sa.Column("item", ID, sa.ForeignKey("items.id"), nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("baseline", sa.Boolean, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("sightings_item", "sightings", ["item"])
    op.create_index("sightings_volume", "sightings", ["feed", "first_seen"])
    op.create_table(
        "articles",
        sa.Column("id", ID, primary_key=True),
        sa.Column("item", ID, sa.ForeignKey("items.id"), nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("since", TIME, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
