"""What becomes of a run while Elasticsearch is gone or fails: fetching goes on, indexing waits, nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.demo import Newsroom
from pipeline.errors import IndexUnavailableError
from pipeline.flow import Flow, utc_now
from pipeline.flow import work as stage
from pipeline.index import Index, Kind, open_index, upkeep_of
from pipeline.index.elastic import index as adapter
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import Settings, load_settings
from tests.support.elastic import ElasticServer, NotHadError
from tests.support.elastic.proxy import Fault, SpoilingProxy

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATIENCE = 120.0
"""Seconds until what is waited for must have come; far more than it takes."""


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.1)):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come about")


def desk(
    folder: Path, room: Newsroom, url: str, prefix: str = "wire", **more: object
) -> tuple[Settings, Ledger, Index]:
    settings = load_settings(
        folder,
        allow_hosts=room.hosts,
        host_delay=0.0,
        per_host=8,
        enrich=False,
        batch=10,
        index=url,
        index_prefix=prefix,
        **more,
    )
    ledger = open_ledger(settings.ledger_file)
    for feed in room.feeds:
        ledger.add_feed(Feed(id=feed_id(feed.url), url=feed.url, added=utc_now()))
    return settings, ledger, open_index(settings)


@asynccontextmanager
async def resident(settings: Settings, ledger: Ledger, index: Index) -> AsyncIterator[Flow]:
    flow = Flow(settings, ledger, index)
    running = asyncio.create_task(flow.run())
    try:
        yield flow
    finally:
        flow.stop()
        await running


def waits(ledger: Ledger) -> bool:
    return any(key == "index" and "waiting" in text for key, text, _ in ledger.notes())


def all_done(ledger: Ledger, room: Newsroom) -> bool:
    counts = ledger.counts()
    return sum(counts.values()) == len(room.articles) and not counts["seen"] and not counts["fetched"]


def assert_whole(ledger: Ledger, index: Index) -> None:
    counts = ledger.counts()
    assert counts["quarantined"] == 0
    assert index.count(Kind.ARTICLES) == counts["indexed"] > 20
    assert {item.article for item in ledger.indexed_items()} == set(index.ids())
    assert index.check() == []


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "LONGEST_PAUSE", 1.0)
    monkeypatch.setattr(adapter, "BUSY_PAUSE", 0.01)


async def test_a_server_that_dies_in_mid_run_stops_the_indexing_alone_and_on_its_return_all_drains(
    tmp_path: Path,
) -> None:
    try:
        server = ElasticServer()
        await asyncio.to_thread(server.start)
    except NotHadError as error:
        pytest.skip(str(error))
    try:
        with Newsroom(NOW, slow=0.2) as room:
            settings, ledger, index = desk(tmp_path, room, server.url)
            await asyncio.to_thread(upkeep_of(settings).init)
            async with resident(settings, ledger, index):
                await until(lambda: ledger.counts()["indexed"] >= 5)
                server.stop()
                await until(lambda: waits(ledger))
                await until(lambda: not ledger.counts()["seen"])  # all is fetched, and in the archive
                assert ledger.counts()["fetched"] > 0
                assert "cannot be reached" in str(ledger.notes())
                await asyncio.to_thread(server.start)
                await until(lambda: all_done(ledger, room))
            assert not waits(ledger)
            assert_whole(ledger, index)
            index.close()
            ledger.close()
    finally:
        server.close()


async def test_a_run_through_every_kind_of_failure_loses_and_doubles_nothing(
    elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path
) -> None:
    chance = random.Random(20261125)
    with Newsroom(NOW, slow=0.0) as room, SpoilingProxy(elasticsearch.url) as proxy:
        settings, ledger, index = desk(tmp_path, room, proxy.url, elastic_prefix, index_timeout=1.0)
        await asyncio.to_thread(upkeep_of(settings).init)
        kinds = [fault for fault in Fault if fault is not Fault.HANG]
        several = [[fault] * chance.choice((1, 4)) for fault in (*kinds, *kinds, Fault.HANG)]
        chance.shuffle(several)
        proxy.faults.extend(itertools.chain.from_iterable(several))
        async with resident(settings, ledger, index):
            await until(lambda: all_done(ledger, room))
        assert set(proxy.hit) == set(Fault)
        assert_whole(ledger, index)
        index.close()
        ledger.close()


async def test_one_pass_without_a_server_fetches_all_that_is_due_and_then_says_what_is_wrong(tmp_path: Path) -> None:
    with Newsroom(NOW, slow=0.0) as room:
        settings, ledger, index = desk(tmp_path, room, "http://127.0.0.1:9")
        with pytest.raises(IndexUnavailableError, match="cannot be reached"):
            await Flow(settings, ledger, index).run_once()
        counts = ledger.counts()
        assert counts["seen"] == counts["indexed"] == 0
        assert counts["fetched"] > 20
        assert waits(ledger)
        ledger.close()
