"""Fixtures of the whole suite: the Elasticsearch that all tests share, and the databases under the ledger."""

from __future__ import annotations

import contextlib
import itertools
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.ledger import Ledger, open_ledger
from tests.support.elastic import ElasticServer, NotHadError, shared_server
from tests.support.postgres import PostgresServer, unavailable

_PREFIXES = itertools.count(1)


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[ElasticServer]:
    """A running Elasticsearch, begun when a test first needs it; skips where there can be none."""
    try:
        server = shared_server()
    except NotHadError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture
def elastic_prefix(elasticsearch: ElasticServer) -> Iterator[str]:
    """A prefix for indices that no other test on the shared server has; what it then has goes with the test."""
    with own_prefix(elasticsearch) as prefix:
        yield prefix


@contextlib.contextmanager
def own_prefix(server: ElasticServer) -> Iterator[str]:
    """A prefix that no other test has. Its indices and templates are deleted behind it, or each test on the server
    would be slower than the one before."""
    prefix = f"t{os.getpid()}x{next(_PREFIXES)}"
    try:
        yield prefix
    finally:
        for path in (f"{prefix}-*", f"_index_template/{prefix}-*", f"_component_template/{prefix}-*"):
            request = urllib.request.Request(f"{server.url}/{path}", method="DELETE")
            with contextlib.suppress(urllib.error.HTTPError):  # there is none
                urllib.request.urlopen(request, timeout=60).close()


DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL; skips where there can be none."""
    if reason := unavailable():
        pytest.skip(reason)
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def empty_ledger(postgres: PostgresServer) -> str:
    """A database on it with the ledger's tables, to be copied: that is much quicker than making them."""
    name = postgres.database()
    open_ledger(postgres.url(name)).close()
    return name


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new ledger is to be."""
    if request.param == "sqlite":
        return tmp_path / "new" / "ledger.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.database())


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    """A new ledger."""
    opened = open_ledger(place)
    yield opened
    opened.close()


@pytest.fixture(params=DATABASES)
def new_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Makes a new ledger each time it is called."""
    opened: list[Ledger] = []

    def make() -> Ledger:
        if request.param == "sqlite":
            opened.append(open_ledger(tmp_path / f"{len(opened)}.sqlite"))
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            opened.append(open_ledger(server.url(server.database(request.getfixturevalue("empty_ledger")))))
        return opened[-1]

    yield make
    for ledger in opened:
        ledger.close()
