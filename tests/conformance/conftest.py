"""The adapters of the index port, each as something that opens an index anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.index import Index, open_index, upkeep_of
from pipeline.settings import Settings
from tests.conformance.wire import WIRE
from tests.conftest import fresh_prefix
from tests.support.elastic import ElasticServer

ADAPTERS = ["embedded", "elasticsearch"]

Open = Callable[[], Index]


def _opener(request: pytest.FixtureRequest, folder: Path) -> Open:
    settings = Settings(data=folder)
    if request.param == "elasticsearch":
        server: ElasticServer = request.getfixturevalue("elasticsearch")
        settings = Settings(data=folder, index=server.url, index_prefix=fresh_prefix())
        upkeep_of(settings).init()
    return lambda: open_index(settings)


@pytest.fixture(scope="module", params=ADAPTERS)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index that holds the wire and is only read."""
    opened = _opener(request, tmp_path_factory.mktemp("index"))()
    opened.upsert(list(WIRE.values()))
    yield opened
    opened.close()


@pytest.fixture(params=ADAPTERS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same index, empty at first, each time it is called: as another process would see it."""
    return _opener(request, tmp_path)
