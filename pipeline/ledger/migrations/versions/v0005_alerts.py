"""Alerts: the rules in force, silences, every match, and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.String(27)
ID = sa.String(20)
RULE = sa.String(80)


def upgrade() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", RULE, primary_key=True),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
    )
    op.create_table(
        "silences",
        sa.Column("rule", RULE, primary_key=True),
        sa.Column("until", TIME, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", RULE, nullable=False),
        sa.Column("story", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("article", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("need", sa.Integer, nullable=False),
        sa.Column("channels", sa.Text, nullable=False),
        sa.Column("fired", TIME, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("alerts_story", "alerts", ["story"])
    op.create_index("alerts_rule", "alerts", ["rule", "fired"])
    op.create_table(
        "deliveries",
        sa.Column("alert", ID, sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
        sa.Column("rule", RULE, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due", TIME),
        sa.Column("held", sa.String(16)),
        sa.Column("message", ID),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_attempt", TIME),
        sa.Column("last_attempt", TIME),
        sa.Column("delivered", TIME),
        sa.Column("reason", sa.Text),
        sa.Column("lease_owner", sa.String(120)),
        sa.Column("lease_until", TIME),
    )
    op.create_index("deliveries_due", "deliveries", ["state", "due"])
    op.create_index("deliveries_message", "deliveries", ["message"])
    op.create_index("deliveries_rule", "deliveries", ["rule", "channel"])


def downgrade() -> None:
    raise NotImplementedError("a ledger is never taken back to an older shape; keep a copy of the folder instead")
