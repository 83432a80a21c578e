"""What the feed tests share: the folder of feeds, a fetcher that may reach the scripted server, and a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.fetch import Fetcher
from pipeline.settings import Settings
from tests.support.server import ScriptedServer

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as started:
        yield started


@pytest.fixture
async def fetcher(server: ScriptedServer, tmp_path: Path) -> AsyncIterator[Fetcher]:
    settings = Settings(data=tmp_path, allow_hosts=server.hosts, host_delay=0.0, read_timeout=5.0)
    async with Fetcher(settings) as started:
        yield started
