"""Opens the ledger's database, brings an older one up to date, and refuses one made by a newer Wirewatch."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.errors import LedgerError
from pipeline.ledger.store import Ledger

REVISIONS = ("0001", "0002")
"""Every revision that this version knows, oldest first; the last is the one it works with."""

MIGRATIONS = Path(__file__).parent / "migrations"

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another process's transaction, which take milliseconds each."""


def open_ledger(file: Path) -> Ledger:
    """The SQLite ledger in this file, made or migrated as needed.

    Raises LedgerError where the folder cannot be written, the file is no ledger, or a newer Wirewatch made it.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(str(file), f"cannot make its folder: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": BUSY_TIMEOUT}, pool_size=4, max_overflow=8)
    _use_real_transactions(engine)
    try:
        _bring_up_to_date(engine, file)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise LedgerError(str(file), reason_of(error)) from error
    except LedgerError:
        engine.dispose()
        raise
    return Ledger(engine, str(file))


def reason_of(error: Exception) -> str:
    """The database's own words, without SQLAlchemy's wrapping."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return str(error.orig)
    return str(error)


def _use_real_transactions(engine: Engine) -> None:
    """Take transactions out of sqlite3's hands: writers begin IMMEDIATE, so two of them wait and neither fails."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # NORMAL survives kill -9; a power cut may lose the last commits, which are then done again.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(engine: Engine, file: Path) -> None:
    if _revision(engine, file) == REVISIONS[-1]:
        return
    with _one_at_a_time(file):
        if _revision(engine, file) == REVISIONS[-1]:
            return  # another process was quicker
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, REVISIONS[-1])


def _revision(engine: Engine, file: Path) -> str | None:
    """The revision of the ledger in this file, ``None`` where it is empty. Raises LedgerError where it is not ours."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables:
            raise LedgerError(str(file), "this is a database, but not a Wirewatch ledger")
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            str(file),
            f"a newer Wirewatch made it (revision {found}, this one knows up to {REVISIONS[-1]}); upgrade Wirewatch",
        )
    return found


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    with open(file.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
