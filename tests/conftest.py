"""Fixtures of the whole suite: the Elasticsearch that all tests share."""

from __future__ import annotations

import itertools
import os
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


def fresh_prefix() -> str:
    """A prefix for indices that no other test on the shared server has."""
    return f"t{os.getpid()}x{next(_PREFIXES)}"
