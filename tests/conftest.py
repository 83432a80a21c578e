"""Fixtures of the whole suite: the Elasticsearch that all tests share."""

from __future__ import annotations

import contextlib
import itertools
import os
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.elastic import ElasticServer, NotHadError, shared_server

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
