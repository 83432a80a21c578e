"""Opens the ledger's database, brings an older one up to date, and refuses one made by a newer Wirewatch."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.errors import LedgerError
from pipeline.ledger.store import Ledger

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every revision that this version knows, oldest first; the last is the one it works with."""

MIGRATIONS = Path(__file__).parent / "migrations"

CONNECT_TIMEOUT = 10
"""Seconds to wait for a database server; whoever asks tries again later."""

MIGRATION_LOCK = 0x77697265
"""The key of the advisory lock under which the tables are made."""

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another process's transaction, which take milliseconds each."""


def open_ledger(where: Path | str) -> Ledger:
    """The ledger in this SQLite file, or in the PostgreSQL database at this URL, made or migrated as needed.

    Raises LedgerError where the folder cannot be written, the database cannot be reached or is no ledger, or a newer
    Wirewatch made it.
    """
    return _in_file(where) if isinstance(where, Path) else _on_server(where)


def _in_file(file: Path) -> Ledger:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(str(file), f"cannot make its folder: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": BUSY_TIMEOUT}, pool_size=4, max_overflow=8)
    _use_real_transactions(engine)
    return _ready(engine, str(file), lambda _: _one_at_a_time(file))


def _on_server(url: str) -> Ledger:
    try:
        address = make_url(url)
    except SQLAlchemyError:
        raise LedgerError("ledger", "its address cannot be read; it has the form postgresql+psycopg://…") from None
    where = address.render_as_string(hide_password=True)
    try:
        engine = create_engine(
            address,
            pool_size=4,
            max_overflow=8,
            pool_pre_ping=True,  # a server that was restarted costs a connection, not a batch
            connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "wirewatch"},
        )
    except ImportError as error:
        raise LedgerError(where, "PostgreSQL needs the extra: pip install 'wirewatch[postgres]'") from error
    return _ready(engine, where, _alone_on_server)


def _ready(engine: Engine, where: str, alone: Callable[[Engine], AbstractContextManager[None]]) -> Ledger:
    try:
        _bring_up_to_date(engine, where, alone)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise LedgerError(where, reason_of(error)) from error
    except LedgerError:
        engine.dispose()
        raise
    return Ledger(engine, where)


def reason_of(error: Exception) -> str:
    """The database's own words, without SQLAlchemy's wrapping."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return " ".join(str(error.orig).split())
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


def _bring_up_to_date(engine: Engine, where: str, alone: Callable[[Engine], AbstractContextManager[None]]) -> None:
    if _revision(engine, where) == REVISIONS[-1]:
        return
    with alone(engine):
        if _revision(engine, where) == REVISIONS[-1]:
            return  # another process was quicker
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, REVISIONS[-1])


def _revision(engine: Engine, where: str) -> str | None:
    """The revision of this ledger, ``None`` where the database is empty. Raises LedgerError where it is not ours."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            return None
        # Other programs keep their revision in a table of that name too.
        if "alembic_version" not in tables or "sightings" not in tables:
            raise LedgerError(where, "this is a database, but not a Wirewatch ledger")
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            where,
            f"a newer Wirewatch made it (revision {found}, this one knows up to {REVISIONS[-1]}); upgrade Wirewatch",
        )
    return found


@contextmanager
def _alone_on_server(engine: Engine) -> Iterator[None]:
    """Hold the database's own lock while the tables are made: it goes with the connection, whatever becomes of us."""
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        yield


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    with open(file.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
