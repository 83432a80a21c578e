"""The adapters of the index port, each as something that opens an index anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.index import Index, open_index, upkeep_of
from pipeline.settings import Settings
from tests.conformance.wire import WIRE
from tests.conftest import own_prefix
from tests.support.elastic import ElasticServer

ADAPTERS = ["embedded", "elasticsearch"]

Open = Callable[[], Index]


@contextmanager
def _opener(request: pytest.FixtureRequest, folder: Path) -> Iterator[Open]:
    if request.param == "embedded":
        yield lambda: open_index(Settings(data=folder))
        return
    server: ElasticServer = request.getfixturevalue("elasticsearch")
    with own_prefix(server) as prefix:
        settings = Settings(data=folder, index=server.url, index_prefix=prefix)
        upkeep_of(settings).init()
        yield lambda: open_index(settings)


@pytest.fixture(scope="module", params=ADAPTERS)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index that holds the wire and is only read."""
    with _opener(request, tmp_path_factory.mktemp("index")) as open_:
        opened = open_()
        opened.upsert(list(WIRE.values()))
        yield opened
        opened.close()


@pytest.fixture(params=ADAPTERS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same index, empty at first, each time it is called: as another process would see it."""
    with _opener(request, tmp_path) as open_:
        yield open_
