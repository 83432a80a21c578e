"""Alembic migrations of the ledger. They travel in the package, so that opening an old ledger brings it up to date."""
