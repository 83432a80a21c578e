"""Moves a ledger to another database, whole: from the file that one machine began with to a server for several."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, Table, func, insert, select, text

from pipeline.errors import LedgerError
from pipeline.ledger.store import Ledger
from pipeline.ledger.tables import metadata

ROWS = 1000
"""Rows in one statement: below a second of work, and few enough to hold."""


def copy_ledger(source: Ledger, target: Ledger, tell: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Copy all of a ledger into an empty one, in one transaction. Returns how many rows of each table.

    Nobody may work on either meanwhile; what was in hand is owed again. ``tell`` is told of rows as they are copied.
    Raises LedgerError where the target is not empty or one of them cannot be used; the target is then as it was.
    """
    counts: dict[str, int] = {}
    with source._read() as old, target._write() as new:
        for table in metadata.sorted_tables:
            if new.execute(select(func.count()).select_from(table)).scalar():
                raise LedgerError(target.where, f"it holds {table.name} already; copy into an empty database")
        for table in metadata.sorted_tables:
            counts[table.name] = 0
            leases = {name: None for name in ("lease_owner", "lease_until") if name in table.c}
            rows = old.execution_options(yield_per=ROWS).execute(select(table)).mappings()
            for part in rows.partitions(ROWS):
                new.execute(insert(table), [dict(row) | leases for row in part])
                counts[table.name] += len(part)
                if tell is not None:
                    tell(table.name, len(part))
            for column in _numbered(table):
                if new.dialect.name == "postgresql":  # it counts apart from the table
                    highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                    sequence = func.pg_get_serial_sequence(table.name, column.name)
                    new.execute(select(func.setval(sequence, highest, text("false"))))
    return counts


def _numbered(table: Table) -> list[Column[int]]:
    """The columns whose values the database counts up itself."""
    column = table.autoincrement_column
    return [] if column is None else [column]
