"""Alembic's entry: runs the migrations on the connection that ``pipeline.ledger`` hands over."""

from alembic import context

from pipeline.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
context.run_migrations()
