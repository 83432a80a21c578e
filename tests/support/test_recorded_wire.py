"""The recorded wire and the scripted server do what the tests that use them take for granted."""

from __future__ import annotations

import json
import subprocess
import sys

import aiohttp
import feedparser
import pytest

from tests.support.recorded_wire import SKIP, RecordedWire, wire_available
from tests.support.server import Reply, ScriptedServer

needs_wire = pytest.mark.skipif(not wire_available(), reason=SKIP)


@needs_wire
async def test_every_page_is_announced_once_and_served_as_recorded() -> None:
    async with RecordedWire() as wire, aiohttp.ClientSession() as session:
        announced = []
        for feed in wire.feeds:
            async with session.get(feed.url) as response:
                parsed = feedparser.parse(await response.read())
            assert not parsed.bozo, feed.url
            announced += [entry.link for entry in parsed.entries]
        assert len(announced) == 257
        assert set(announced) == set(wire.articles)
        some = announced[::40]
        for url in some:
            async with session.get(url) as response:
                assert await response.read() == wire.articles[url].html()
            async with session.get(url, headers={"Accept-Encoding": "identity"}) as response:
                assert "Content-Encoding" not in response.headers
                assert await response.read() == wire.articles[url].html()
        assert all(wire.counts[url] == 2 for url in some)


@needs_wire
async def test_an_unchanged_recorded_feed_is_not_sent_twice() -> None:
    async with RecordedWire(limit=20) as wire, aiohttp.ClientSession() as session:
        async with session.get(wire.feeds[0].url) as first:
            etag = first.headers["ETag"]
        async with session.get(wire.feeds[0].url, headers={"If-None-Match": etag}) as again:
            assert again.status == 304


@needs_wire
async def test_a_scripted_failure_passes_and_the_page_is_back() -> None:
    async with RecordedWire(limit=3, sites=1) as wire, aiohttp.ClientSession() as session:
        url = next(iter(wire.articles))
        path = url.removeprefix(f"http://{wire.hosts[0]}")
        wire.script.once(path, Reply(status=503, headers={"Retry-After": "1"}), Reply(status=500))
        statuses = []
        for _ in range(3):
            async with session.get(url) as response:
                statuses.append(response.status)
        assert statuses == [503, 500, 200]


@needs_wire
def test_copies_are_the_same_pages_at_other_addresses() -> None:
    with RecordedWire(limit=5, copies=3) as wire:
        assert len(wire.articles) == 15
        assert len({article.file for article in wire.articles.values()}) == 5


@needs_wire
def test_the_recorded_wire_runs_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.support.recorded_wire", "--limit", "3", "--sites", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        assert feedparser.parse(said["feeds"][0]).version == "rss20"
        assert feedparser.parse(said["feeds"][1]).version == "atom10"
        server.communicate()
    assert server.returncode == 0


async def test_a_scripted_server_gives_its_replies_in_order_and_keeps_the_last() -> None:
    async with ScriptedServer() as server, aiohttp.ClientSession() as session:
        server.on("/page", Reply(status=429), Reply(b"<p>here</p>", headers={"Content-Type": "text/html"}))
        statuses = []
        for _ in range(3):
            async with session.get(server.url("/page?utm_source=x"), headers={"X-Try": "1"}) as response:
                statuses.append(response.status)
        async with session.get(server.url("/other")) as response:
            statuses.append(response.status)
        assert statuses == [429, 200, 200, 404]
        assert server.paths == ["/page?utm_source=x"] * 3 + ["/other"]
        assert server.requests[0].headers["x-try"] == "1"
