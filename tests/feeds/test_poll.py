"""Polls of a real server by the real fetcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.feeds import Outcome, Polled, poll
from pipeline.feeds.poll import body_hash
from pipeline.fetch import Fetcher
from pipeline.records import Feed, FeedState, Sighting, feed_id
from pipeline.settings import Settings
from pipeline.urls import normalise
from tests.feeds.conftest import NOW, sample
from tests.support.server import Reply, ScriptedServer

RSS = {"Content-Type": "application/rss+xml"}


def wire(*titles: str, built: str = "Mon, 23 Nov 2026 11:00:00 GMT", extra: str = "") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://wire.example/{title}</link>{extra}</item>" for title in titles
    )
    return (
        f'<rss version="2.0"><channel><title>Wire</title><lastBuildDate>{built}</lastBuildDate>'
        f"<ttl>10</ttl>{items}</channel></rss>"
    ).encode()


def feed_at(server: ScriptedServer, path: str = "/rss") -> Feed:
    url = server.url(path)
    return Feed(id=feed_id(url), url=url, added=NOW)


def read_before(feed: Feed) -> Feed:
    """The feed after an earlier poll, at a number of polls that does ask with conditions."""
    return replace(feed, baseline=False, polls=1, last_new=NOW, last_success=NOW, source="Wire", title="Wire")


def sent(server: ScriptedServer, name: str) -> list[str | None]:
    return [seen.headers.get(name) for seen in server.requests]


def due_in(polled: Polled) -> float:
    assert polled.feed.next_poll is not None
    return (polled.feed.next_poll - NOW).total_seconds()


async def test_the_first_poll_is_a_baseline_and_the_second_is_not(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(wire("a", "b"), headers=RSS), Reply(wire("c", "a", "b"), headers=RSS))
    first = await poll(feed_at(server), fetcher, NOW)
    assert first.outcome is Outcome.READ
    assert [sighting.title for sighting in first.sightings] == ["a", "b"]
    assert all(sighting.baseline for sighting in first.sightings)
    assert (first.feed.title, first.feed.source, first.feed.baseline, first.feed.polls) == ("Wire", "Wire", False, 1)
    assert (first.feed.last_polled, first.feed.last_success) == (NOW, NOW)
    assert first.ttl == 600.0
    assert first.page is not None
    assert first.page.body == wire("a", "b")
    second = await poll(first.feed, fetcher, NOW)
    assert [sighting.title for sighting in second.sightings] == ["c", "a", "b"]
    assert not any(sighting.baseline for sighting in second.sightings)
    assert second.sightings[1].id == first.sightings[0].id


async def test_a_sighting_carries_what_the_entry_says(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(sample("rss20.xml"), headers=RSS))
    polled = await poll(replace(feed_at(server), source="Indus"), fetcher, NOW)
    dam = polled.sightings[0]
    assert dam == Sighting(
        id=dam.id,
        feed=polled.feed.id,
        url=server.url("/news/dam?utm_source=rss&id=7"),
        first_seen=NOW,
        guid="indus-7",
        title="Dam gates opened after record rain",
        text="Engineers opened the gates at dawn.\n\n“We had no choice,” the chief engineer said.",
        authors=("Asha Rao", "Imran Qadir"),
        tags=("Weather", "Rivers"),
        published=datetime(2026, 11, 23, 3, 30, tzinfo=UTC),
        language="en",
        image="https://img.example/dam.jpg",
        source="Indus",
        baseline=True,
    )
    assert polled.hub == "https://hub.example/"
    assert polled.sightings[3].url == ""  # nothing to fetch; the feed's own text is all there is


async def test_robots_txt_is_not_asked_and_feeds_are_asked_for_by_type(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/robots.txt", Reply(b"User-agent: *\nDisallow: /"))
    server.on("/rss", Reply(wire("a"), headers=RSS))
    assert (await poll(feed_at(server), fetcher, NOW)).outcome is Outcome.READ
    assert [seen.path for seen in server.requests] == ["/rss"]
    assert "application/rss+xml" in (sent(server, "Accept")[0] or "")


@pytest.mark.parametrize(
    ("etag", "modified"),
    [
        (b'W/"x;--gzip', b"Monday, 23-Nov-26 08:00:00 gmt"),
        (b"unquoted, with a comma", b"0"),
        ('"né-新"'.encode(), b"never"),
    ],
)
async def test_validators_go_back_byte_for_byte(tmp_path: Path, etag: bytes, modified: bytes) -> None:
    async with (
        raw_server(b"ETag: " + etag + b"\r\nLast-Modified: " + modified) as (host, asked),
        Fetcher(Settings(data=tmp_path, allow_hosts=(host,), host_delay=0.0)) as fetcher,
    ):
        first = await poll(Feed(id="raw", url=f"http://{host}/", added=NOW), fetcher, NOW)
        await poll(first.feed, fetcher, NOW)
    assert first.outcome is Outcome.READ
    assert b"If-None-Match" not in asked[0]
    assert b"\r\nIf-None-Match: " + etag + b"\r\n" in asked[1]
    assert b"\r\nIf-Modified-Since: " + modified + b"\r\n" in asked[1]


@asynccontextmanager
async def raw_server(headers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its address, and the requests as they came, byte for byte."""
    asked: list[bytes] = []
    body = wire("a")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_a_304_without_an_etag_keeps_the_old_one(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=304))
    before = replace(read_before(feed_at(server)), etag='"old"', last_modified="then", failures=2, reason="HTTP 503")
    polled = await poll(before, fetcher, NOW)
    assert (polled.outcome, polled.sightings, polled.page) == (Outcome.NOT_MODIFIED, (), None)
    assert (polled.feed.etag, polled.feed.last_modified) == ('"old"', "then")
    assert (polled.feed.failures, polled.feed.reason, polled.feed.last_success) == (0, None, NOW)
    assert polled.feed.interval > before.interval
    assert due_in(polled) >= before.interval


async def test_a_304_with_a_new_etag_replaces_the_old_one(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=304, headers={"ETag": '"new"'}))
    polled = await poll(replace(read_before(feed_at(server)), etag='"old"', last_modified="then"), fetcher, NOW)
    assert (polled.feed.etag, polled.feed.last_modified) == ('"new"', "then")


async def test_a_full_answer_without_validators_forgets_the_old_ones(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(wire("a"), headers=RSS))
    polled = await poll(replace(read_before(feed_at(server)), etag='"old"', last_modified="then"), fetcher, NOW)
    assert (polled.feed.etag, polled.feed.last_modified) == (None, None)


async def test_the_same_content_again_is_unchanged_though_the_server_says_it_was_built_anew(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    later = wire("a", built="Mon, 23 Nov 2026 11:59:59 GMT")
    server.on("/rss", Reply(wire("a"), headers=RSS), Reply(later, headers={**RSS, "ETag": '"2"'}))
    first = await poll(feed_at(server), fetcher, NOW)
    again = await poll(first.feed, fetcher, NOW)
    assert (again.outcome, again.sightings, again.page) == (Outcome.UNCHANGED, (), None)
    assert (again.feed.etag, again.feed.last_success, again.feed.polls) == ('"2"', NOW, 2)
    assert again.feed.interval > first.feed.interval


def test_an_entrys_date_counts_for_the_content_and_a_channels_does_not() -> None:
    def channel(own: str, entry: str) -> bytes:
        return wire("a", extra=f"<pubDate>{entry}</pubDate>").replace(
            b"<ttl>", f"<pubDate>{own}</pubDate><ttl>".encode()
        )

    assert body_hash(channel("one", "x")) == body_hash(channel("two", "x"))
    assert body_hash(channel("one", "x")) != body_hash(channel("one", "y"))


async def test_a_server_that_says_304_for_ever_is_asked_without_conditions_now_and_then(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/rss", Reply(status=304))
    feed = replace(read_before(feed_at(server)), etag='"stuck"')
    for _ in range(48):
        feed = (await poll(feed, fetcher, NOW)).feed
    assert sent(server, "If-None-Match").count(None) == 1


@pytest.mark.parametrize("status", [301, 308])
async def test_a_feed_that_moved_for_good_is_polled_at_its_new_address(
    server: ScriptedServer, fetcher: Fetcher, status: int
) -> None:
    server.on("/rss", Reply(status=status, headers={"Location": "/new"}))
    server.on("/new", Reply(wire("a"), headers=RSS))
    before = feed_at(server)
    polled = await poll(before, fetcher, NOW)
    assert (polled.feed.url, polled.feed.id) == (server.url("/new"), before.id)


async def test_a_feed_that_moved_for_now_keeps_its_address(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=302, headers={"Location": "/new"}))
    server.on("/new", Reply(wire("a"), headers=RSS))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert (polled.outcome, polled.feed.url) == (Outcome.READ, server.url("/rss"))


async def test_a_move_to_something_that_is_no_feed_is_not_followed(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=301, headers={"Location": "/parked"}))
    server.on(
        "/parked", Reply(b"<html><body>This domain is for sale</body></html>", headers={"Content-Type": "text/html"})
    )
    polled = await poll(feed_at(server), fetcher, NOW)
    assert (polled.outcome, polled.feed.url) == (Outcome.FAILED, server.url("/rss"))


async def test_a_feed_that_is_gone_is_asked_once_a_day_and_may_come_back(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/rss", Reply(status=410), Reply(status=503), Reply(wire("a"), headers=RSS))
    gone = await poll(feed_at(server), fetcher, NOW)
    assert (gone.outcome, gone.feed.state, gone.feed.failures) == (Outcome.GONE, FeedState.GONE, 1)
    assert "410" in (gone.feed.reason or "")
    assert due_in(gone) >= 86_400.0
    still = await poll(gone.feed, fetcher, NOW)
    assert (still.outcome, still.feed.state) == (Outcome.FAILED, FeedState.GONE)
    assert due_in(still) >= 86_400.0
    back = await poll(still.feed, fetcher, NOW)
    assert (back.outcome, back.feed.state, back.feed.failures) == (Outcome.READ, FeedState.ACTIVE, 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 451, 500, 502, 503])
async def test_an_error_backs_off_and_says_why(server: ScriptedServer, fetcher: Fetcher, status: int) -> None:
    server.on("/rss", Reply(status=status))
    before = replace(read_before(feed_at(server)), etag='"e"', body_hash="h")
    once = await poll(before, fetcher, NOW)
    twice = await poll(once.feed, fetcher, NOW)
    assert (once.outcome, once.feed.failures, twice.feed.failures) == (Outcome.FAILED, 1, 2)
    assert str(status) in (once.feed.reason or "")
    assert due_in(twice) > due_in(once) >= 120.0
    assert (twice.feed.etag, twice.feed.body_hash, twice.feed.last_success) == ('"e"', "h", NOW)
    assert twice.feed.interval == before.interval


async def test_too_many_requests_is_a_failure_like_others(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=429))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert (polled.outcome, polled.feed.failures) == (Outcome.FAILED, 1)
    assert "429" in (polled.feed.reason or "")


@pytest.mark.parametrize("wish", ["7200", "Mon, 23 Nov 2099 14:00:00 GMT"])
async def test_retry_after_is_honoured(server: ScriptedServer, fetcher: Fetcher, wish: str) -> None:
    server.on("/rss", Reply(status=503, headers={"Retry-After": wish}))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert 7200.0 <= due_in(polled) <= 86_400.0


@pytest.mark.parametrize("body", [b"", b"<html><body>Maintenance</body></html>", b"{}", b"\x00\x01\x02"])
async def test_an_answer_that_is_no_feed_is_a_failure_that_changes_nothing_else(
    server: ScriptedServer, fetcher: Fetcher, body: bytes
) -> None:
    server.on("/rss", Reply(body, headers={**RSS, "ETag": '"broken"'}))
    before = replace(read_before(feed_at(server)), etag='"good"', body_hash="h")
    polled = await poll(before, fetcher, NOW)
    assert (polled.outcome, polled.feed.failures, polled.sightings) == (Outcome.FAILED, 1, ())
    assert (polled.feed.etag, polled.feed.body_hash, polled.feed.title) == ('"good"', "h", "Wire")
    assert polled.feed.reason
    assert polled.page is not None


async def test_a_server_that_is_not_there_is_a_failure_in_words(server: ScriptedServer, fetcher: Fetcher) -> None:
    polled = await poll(replace(feed_at(server), url="http://127.0.0.1:1/rss"), fetcher, NOW)
    assert (polled.outcome, polled.feed.failures, polled.page) == (Outcome.FAILED, 1, None)
    assert polled.feed.reason
    assert polled.feed.baseline


async def test_the_baseline_waits_for_the_first_poll_that_succeeds(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", Reply(status=500), Reply(wire("a"), headers=RSS))
    failed = await poll(feed_at(server), fetcher, NOW)
    assert failed.feed.baseline
    read = await poll(failed.feed, fetcher, NOW)
    assert read.sightings[0].baseline
    assert not read.feed.baseline


async def test_an_entry_is_known_by_guid_then_link_then_title_and_date(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    def channel(items: str) -> Reply:
        return Reply(f'<rss version="2.0"><channel><title>W</title>{items}</channel></rss>'.encode(), headers=RSS)

    server.on(
        "/rss",
        channel(
            '<item><guid isPermaLink="false">1</guid><title>old</title><link>https://w.example/1</link></item>'
            "<item><title>old</title><link>https://w.example/2?utm_source=rss</link></item>"
            "<item><title>no link</title><pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item>"
            "<item><title>no link</title><pubDate>Mon, 23 Nov 2026 09:00:00 GMT</pubDate></item>"
            "<item/>"
        ),
        channel(
            '<item><guid isPermaLink="false">1</guid><title>new</title><link>https://w.example/moved</link></item>'
            "<item><title>new</title><link>https://w.example/2</link></item>"
            "<item><title>no link</title><pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate></item>"
        ),
    )
    first = await poll(feed_at(server), fetcher, NOW)
    ids = [sighting.id for sighting in first.sightings]
    assert len(ids) == len(set(ids)) == 4
    second = await poll(first.feed, fetcher, NOW)
    assert [sighting.id for sighting in second.sightings] == ids[:3]


async def test_one_guid_for_all_entries_loses_none_and_a_repeated_entry_counts_once(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    extra = '<guid isPermaLink="false">https://wire.example/</guid>'
    server.on("/rss", Reply(wire("a", "b", "b", extra=extra), headers=RSS))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert [normalise(sighting.url) for sighting in polled.sightings] == [
        "https://wire.example/a",
        "https://wire.example/b",
    ]


async def test_a_date_in_a_far_future_is_none(server: ScriptedServer, fetcher: Fetcher) -> None:
    extra = "<pubDate>Mon, 23 Nov 2062 08:00:00 GMT</pubDate>"
    server.on("/rss", Reply(wire("a", extra=extra), headers=RSS))
    assert (await poll(feed_at(server), fetcher, NOW)).sightings[0].published is None


async def test_a_feed_that_was_read_falls_due_again_even_if_it_is_never_settled(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/rss", Reply(wire("a"), headers=RSS))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert timedelta(seconds=810) <= (polled.feed.next_poll or NOW) - NOW <= timedelta(seconds=990)


@pytest.mark.parametrize(
    ("link", "site"), [("<link>https://www.Indus.example/news</link>", "indus.example"), ("", "127.0.0.1")]
)
async def test_a_feed_without_a_title_is_called_after_its_site(
    server: ScriptedServer, fetcher: Fetcher, link: str, site: str
) -> None:
    body = f"<rss version='2.0'><channel>{link}<title> </title><item><title>a</title></item></channel></rss>"
    server.on("/rss", Reply(body.encode(), headers=RSS))
    polled = await poll(feed_at(server), fetcher, NOW)
    assert polled.feed.source.partition(":")[0] == site
    assert [sighting.source for sighting in polled.sightings] == [polled.feed.source]
    named = await poll(replace(feed_at(server), title="As the list has it"), fetcher, NOW)
    assert named.feed.source == "As the list has it"
