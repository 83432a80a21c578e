"""How the ledger reads and writes its database: transactions, locks in one order, and rows as records.

On PostgreSQL, transactions that change many rows at once lock them in the order of their ids first, so that two of
them wait for each other and never both for ever; SQLite has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Table, or_, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import LedgerError
from pipeline.ledger import tables as t
from pipeline.ledger.changes import Item, ItemState, Owed
from pipeline.ledger.story_tables import stories
from pipeline.records import Feed, FeedState, Identity, Location, Sighting, from_json
from pipeline.urls import host

CHUNK = 400
"""Values in one IN list, or parts of one UNION: below SQLite's old limit of 999 variables, and its 500 parts."""
T = TypeVar("T")

LEASED = (t.items, t.feeds, t.hosts, t.deliveries, stories)
"""The tables whose rows are leased, in the order in which they are locked."""


class Access:
    """A database that holds a ledger."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self.where = where

    def close(self) -> None:
        self._engine.dispose()

    def _items(self, db: Connection, column: Any, keys: Sequence[str]) -> list[Item]:
        found: list[Item] = []
        for part in chunks(keys):
            rows = db.execute(
                select(t.items, t.sightings.c.record)
                .join(t.sightings, t.sightings.c.id == t.items.c.sighting)
                .where(column.in_(part))
            ).mappings()
            found.extend(item_of(row) for row in rows)
        return found

    def _lock(self, db: Connection, table: Table, where: ColumnElement[bool]) -> None:
        """Lock rows that are to be changed, in the order of their ids."""
        if self._engine.dialect.name != "sqlite":
            key = table.primary_key.columns[0]
            db.execute(select(key).where(where).order_by(key).with_for_update())

    def _lease(self, db: Connection, table: Table, ids: Sequence[str], now: datetime, owner: str, lease: float) -> None:
        values = {"lease_owner": owner, "lease_until": now + timedelta(seconds=lease)}
        for part in chunks(ids):
            db.execute(update(table).where(table.c.id.in_(part)).values(**values))

    def _release(self, db: Connection, owners: Sequence[str]) -> None:
        for table in LEASED:
            mine = table.c.lease_owner.in_(owners)
            self._lock(db, table, mine)
            db.execute(update(table).where(mine).values(lease_owner=None, lease_until=None))

    def _insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT, which SQLAlchemy keeps in the dialects."""
        if self._engine.dialect.name == "postgresql":
            from sqlalchemy.dialects import postgresql  # slow to import, and seldom needed

            return postgresql.insert(table)
        return sqlite.insert(table)

    def take_turns(self, db: Connection, lock: int) -> None:
        """Wait until nobody else is in a transaction that took this lock. SQLite has one writer at a time; elsewhere
        two at once would each not see what the other is about to write."""
        if db.dialect.name == "postgresql":
            db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads, for what keeps tables of its own in this database. Raises LedgerError."""
        with self._read() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite, all others wait for it. Raises LedgerError."""
        with self._write() as db:
            yield db

    def insert(self, table: Table) -> Any:
        """An INSERT into this table that knows ON CONFLICT."""
        return self._insert(table)

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._guard(), self._engine.connect() as db, db.begin():
            yield db

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._guard(), self._engine.connect().execution_options(writes=True) as db, db.begin():
            yield db

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise LedgerError(self.where, str(getattr(error, "orig", None) or error)) from error


def idle(now: datetime) -> Any:
    """The items that nobody has in hand."""
    return or_(t.items.c.lease_until.is_(None), t.items.c.lease_until <= now)


def feed_row(feed: Feed) -> dict[str, Any]:
    row = {f.name: getattr(feed, f.name) for f in fields(feed)}
    row["state"] = feed.state.value
    row["identity"] = feed.identity.value
    row["host"] = host(feed.url)
    return row


def feed_of(row: RowMapping) -> Feed:
    values = {f.name: row[f.name] for f in fields(Feed)}
    values["state"] = FeedState(row["state"])
    values["identity"] = Identity(row["identity"])
    return Feed(**values)


def item_of(row: RowMapping) -> Item:
    location = None
    if row["warc_file"] is not None:
        location = Location(file=row["warc_file"], offset=row["warc_offset"])
    return Item(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        sighting=from_json(row["record"], Sighting),
        state=ItemState(row["state"]),
        owed=None if row["owed"] is None else Owed(row["owed"]),
        due=row["due"],
        fetches=row["fetches"],
        attempts=row["attempts"],
        stage=row["stage"],
        reason=row["reason"],
        code=row["code"],
        body_reason=row["body_reason"],
        location=location,
        article=row["article"],
        indexed=row["indexed"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        page_hash=row["page_hash"],
    )


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in parts that fit one query."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
