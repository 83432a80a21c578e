"""From an address to a feed, with no more requests than it takes."""

from __future__ import annotations

import pytest

from pipeline.errors import FeedError, FetchError
from pipeline.feeds import Outcome, accept, discover
from pipeline.fetch import Fetcher
from pipeline.records import Feed, feed_id
from tests.feeds.conftest import NOW, sample
from tests.support.server import Reply, ScriptedServer

RSS = Reply(sample("rss20.xml"), headers={"Content-Type": "application/rss+xml", "ETag": '"1"'})
ATOM = Reply(sample("atom10.xml"), headers={"Content-Type": "application/atom+xml"})


def page(head: str = "", body: str = "") -> Reply:
    text = f"<!DOCTYPE html><html><head><title>Site</title>{head}</head><body>{body}</body></html>"
    return Reply(text.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def announce(href: str, kind: str = "application/rss+xml", title: str = "") -> str:
    return f'<link rel="alternate" type="{kind}" href="{href}" title="{title}">'


async def test_a_feeds_own_address_takes_one_request_and_its_first_poll_no_other(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/rss", RSS)
    found = await discover(server.url("/rss"), fetcher)
    assert (found.feed_url, found.requests) == (server.url("/rss"), 1)
    feed = Feed(id=feed_id(found.feed_url), url=found.feed_url, added=NOW)
    polled = accept(feed, found.page, found.parsed, NOW)
    assert polled.outcome is Outcome.READ
    assert (polled.feed.etag, polled.feed.polls, polled.feed.baseline) == ('"1"', 1, False)
    assert len(polled.sightings) == 5
    assert all(sighting.baseline for sighting in polled.sightings)
    assert server.paths == ["/rss"]


async def test_a_page_that_announces_its_feed_takes_two(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/", page(announce("feeds/main")))
    server.on("/feeds/main", RSS)
    found = await discover(server.url("/"), fetcher)
    assert (found.feed_url, found.requests) == (server.url("/feeds/main"), 2)
    assert found.parsed.title == "The Indus Courier & Post"
    assert server.paths == ["/", "/feeds/main"]


@pytest.mark.parametrize(
    ("asked", "head"),
    [
        pytest.param("/", announce("/comments/feed", title="Comments") + announce("/rss"), id="not the comments' feed"),
        pytest.param("/", announce("/x.xml", "text/xml") + announce("/rss"), id="a feed's own type before plain XML"),
        pytest.param("/", '<base href="/deep/">' + announce("../rss"), id="against the page's base"),
        pytest.param("/", '<LINK TYPE="Application/RSS+XML" REL="home ALTERNATE" HREF="/rss">', id="in capitals"),
        pytest.param("/", announce("https://[bad/") + announce("/rss"), id="past an address that cannot be read"),
        pytest.param("/", announce("/rss", "application/feed+json"), id="a JSON Feed's type"),
        pytest.param("/world", announce("/feed") + announce("/world/../rss") + announce("/x"), id="in order"),
    ],
)
async def test_the_best_announced_feed_is_taken(
    server: ScriptedServer, fetcher: Fetcher, asked: str, head: str
) -> None:
    server.on(asked, page(head))
    server.on("/rss", RSS)
    server.on("/feed", RSS)
    found = await discover(server.url(asked), fetcher)
    assert found.feed_url in {server.url("/rss"), server.url("/feed")}
    assert found.requests == 2


async def test_a_sections_own_feed_comes_before_the_sites(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/world/", page(announce("/rss") + announce("/world/rss")))
    server.on("/world/rss", RSS)
    assert (await discover(server.url("/world/"), fetcher)).feed_url == server.url("/world/rss")


async def test_a_broken_announced_feed_is_passed_over_for_the_next(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/", page(announce("/gone") + announce("/atom")))
    server.on("/atom", ATOM)
    found = await discover(server.url("/"), fetcher)
    assert (found.feed_url, found.requests) == (server.url("/atom"), 3)


async def test_a_plain_link_to_a_feed_is_found_before_common_paths_are_tried(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/", page(body='<a href="/about">About</a> <a href="/syndication/world.rss">RSS</a>'))
    server.on("/syndication/world.rss", RSS)
    found = await discover(server.url("/"), fetcher)
    assert (found.feed_url, found.requests) == (server.url("/syndication/world.rss"), 2)


async def test_common_paths_are_the_last_resort(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/", page())
    server.on("/rss.xml", RSS)
    found = await discover(server.url("/"), fetcher)
    assert (found.feed_url, found.requests) == (server.url("/rss.xml"), 3)


async def test_where_there_is_none_all_that_was_looked_for_is_told(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/", page(announce("/broken")))
    server.on("/broken", page())
    with pytest.raises(FeedError) as caught:
        await discover(server.url("/"), fetcher)
    assert caught.value.code == "no-feed"
    for words in ("HTML page", "/broken", "/feed", "/rss.xml", "404"):
        assert words in caught.value.reason
    assert len(server.paths) == 4


async def test_a_permanent_move_is_taken_over_and_a_temporary_one_is_not(
    server: ScriptedServer, fetcher: Fetcher
) -> None:
    server.on("/moved", Reply(status=301, headers={"Location": "/rss"}))
    server.on("/away", Reply(status=302, headers={"Location": "/rss"}))
    server.on("/rss", RSS)
    assert (await discover(server.url("/moved"), fetcher)).feed_url == server.url("/rss")
    assert (await discover(server.url("/away"), fetcher)).feed_url == server.url("/away")


async def test_a_feed_scheme_is_http(server: ScriptedServer, fetcher: Fetcher) -> None:
    server.on("/rss", RSS)
    address = server.url("/rss").removeprefix("http:")
    assert (await discover(f"feed:{address}", fetcher)).feed_url == server.url("/rss")
    assert (await discover(f"feed:http:{address}", fetcher)).feed_url == server.url("/rss")


async def test_an_address_that_cannot_be_had_is_a_fetch_error(server: ScriptedServer, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as caught:
        await discover(server.url("/nothing"), fetcher)
    assert caught.value.code == "http-404"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://files.example/rss",
        "javascript:alert(1)",
        "mailto:desk@wire.example",
        "http://[bad",
        "http://",
        "file:///etc/passwd",
    ],
)
async def test_what_is_no_web_address_is_asked_of_nobody(fetcher: Fetcher, address: str) -> None:
    with pytest.raises(FeedError) as caught:
        await discover(address, fetcher)
    assert caught.value.code == "no-feed"


async def test_the_other_feeds_that_a_page_announces_are_named(server: ScriptedServer, fetcher: Fetcher) -> None:
    head = announce("/rss") + announce("/world.xml") + announce("/rss") + announce("/comments/feed") + announce("/atom")
    server.on("/", page(head))
    server.on("/rss", RSS)
    found = await discover(server.url("/"), fetcher)
    assert found.feed_url == server.url("/rss")
    assert found.others == (server.url("/world.xml"), server.url("/atom"))
    assert (await discover(server.url("/rss"), fetcher)).others == ()
    assert server.paths == ["/", "/rss", "/rss"]
