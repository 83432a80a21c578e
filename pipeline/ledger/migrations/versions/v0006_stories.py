"""Stories: placements, their keys, versions, claims and what stands against them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.String(27)
ID = sa.String(20)
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "stories",
        sa.Column("id", ID, primary_key=True),
        sa.Column("leads_to", ID),
        sa.Column("created", TIME, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("owed", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.String(120)),
        sa.Column("lease_until", TIME),
    )
    op.create_index("stories_leads_to", "stories", ["leads_to"])
    op.create_index("stories_owed", "stories", ["owed"])
    op.create_table(
        "placements",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("article", ID, nullable=False),
        sa.Column("story", ID, nullable=False),
        sa.Column("text_group", ID, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("seen", TIME, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_key", BIG, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("origin_from", sa.String(16), nullable=False),
        sa.Column("weak", sa.Boolean, nullable=False),
        sa.Column("body_source", sa.String(8), nullable=False),
        sa.Column("fingerprint", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("update_number", sa.Integer, nullable=False),
        sa.Column("kills", BIG),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_at", TIME),
        sa.Column("status_note", sa.Text),
        sa.Column("likeness", sa.LargeBinary, nullable=False),
    )
    op.create_index("placements_story", "placements", ["story"])
    op.create_index("placements_text", "placements", ["text_group"])
    op.create_table(
        "story_keys",
        sa.Column("key", BIG, primary_key=True, autoincrement=False),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "versions",
        sa.Column("article", ID, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("fingerprint", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("warc_file", sa.Text),
        sa.Column("warc_offset", sa.Integer),
        sa.Column("difference", sa.Text),
    )
    op.create_table(
        "claims",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("assertion", ID, nullable=False),
        sa.Column("speaker", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("stance", sa.Integer, nullable=False),
        sa.Column("plain", sa.Boolean, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("cue", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("terms", sa.LargeBinary, nullable=False),
    )
    op.create_index("claims_speaker", "claims", ["last_name", "minute"])
    op.create_index("claims_assertion", "claims", ["assertion"])
    op.create_table(
        "opposites",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("other_number", BIG, primary_key=True, autoincrement=False),
        sa.Column("other_n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("relation", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
    )
    op.create_index("opposites_other", "opposites", ["other_number", "other_n"])


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
