"""The newsroom serves what it promises: checked by plain clients, none of them ours."""

from __future__ import annotations

import gzip
import json
import re
import time
import xml.dom.minidom
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import aiohttp
import feedparser
import lxml.html
import pytest

from pipeline.demo import Newsroom, NewsroomArticle, NewsroomFeed
from pipeline.demo.stories import read_stories
from pipeline.records import PageKind

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def room() -> Iterator[Newsroom]:
    with Newsroom(NOW, slow=0.2) as opened:
        yield opened


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(client: aiohttp.ClientSession, url: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}) as response:
        return response, await response.read()


def links(feed: NewsroomFeed, body: bytes) -> list[str]:
    if feed.dialect == "json":
        return [item["url"] for item in json.loads(body)["items"]]
    parsed = feedparser.parse(body, response_headers={"content-location": feed.moved_to or feed.url})
    return [entry.link for entry in parsed.entries]


def story(room: Newsroom, slug: str) -> NewsroomArticle:
    return next(article for article in room.articles.values() if article.slug == slug)


def text(page: bytes) -> str:
    # A browser takes the label iso-8859-1 for windows-1252 (https://encoding.spec.whatwg.org/#names-and-labels).
    charset = "windows-1252" if b"charset=iso-8859-1" in page else "utf-8"
    return " ".join(lxml.html.fromstring(page.decode(charset)).text_content().split())


async def test_every_feed_but_the_one_that_is_html_announces_its_stories(room, client):
    announced: set[str] = set()
    for feed in room.feeds:
        _, body = await get(client, feed.url)
        found = links(feed, body)
        wanted = {a.link for a in room.articles.values() if feed.url in a.feeds}
        assert set(found) == wanted, feed.title
        assert bool(found) == feed.works, feed.title
        announced |= set(found)
    assert announced == {article.link for article in room.articles.values()}
    assert len(room.articles) >= 36
    assert len([feed for feed in room.feeds if feed.works]) >= 5


async def test_the_feeds_are_of_the_dialects_that_they_say(room, client):
    versions = {}
    for feed in room.feeds:
        _, body = await get(client, feed.url)
        if feed.dialect == "json":
            versions[feed.dialect] = json.loads(body)["version"].rpartition("/")[2]
        else:
            versions[feed.dialect] = feedparser.parse(body).version
    assert versions == {"rss": "rss20", "atom": "atom10", "rdf": "rss10", "json": "1.1", "broken": "rss20", "html": ""}


async def test_all_feeds_are_well_formed_but_the_malformed_one(room, client):
    for feed in room.feeds:
        _, body = await get(client, feed.url)
        if feed.dialect in ("rss", "rdf", "atom"):
            xml.dom.minidom.parseString(body)
        elif feed.dialect == "broken":
            with pytest.raises(xml.parsers.expat.ExpatError):
                xml.dom.minidom.parseString(body)
            assert len(feedparser.parse(body).entries) == 6


async def test_an_unchanged_feed_answers_304_to_what_it_gave_for_that(room, client):
    for feed in room.feeds:
        first, _ = await get(client, feed.url)
        if not feed.works:
            continue
        if etag := first.headers.get("ETag"):
            again, body = await get(client, feed.url, If_None_Match=etag)
            assert (again.status, body) == (304, b""), feed.title
        again, body = await get(client, feed.url, If_Modified_Since=first.headers["Last-Modified"])
        assert (again.status, body) == (304, b""), feed.title
        changed, _ = await get(client, feed.url, If_None_Match='"something else"')
        assert changed.status == 200


async def test_some_feeds_have_no_etag_and_only_a_date(room, client):
    without = []
    for feed in room.feeds:
        response, _ = await get(client, feed.url)
        if "ETag" not in response.headers and "Last-Modified" in response.headers:
            without.append(feed.dialect)
    assert without == ["atom", "atom"]


async def test_one_feed_has_moved_for_good(room):
    moved = [feed for feed in room.feeds if feed.moved_to]
    async with aiohttp.ClientSession() as client, client.get(moved[0].url, allow_redirects=False) as response:
        assert response.status == 301
        assert response.headers["Location"] == moved[0].moved_to
    assert len(moved) == 1


async def test_one_feed_goes_out_compressed_to_those_who_ask(room):
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        packed = []
        for feed in room.feeds:
            response, body = await get(client, feed.url, Accept_Encoding="gzip")
            if response.headers.get("Content-Encoding") == "gzip":
                packed.append(feed.title)
                _, plain = await get(client, feed.url, Accept_Encoding="identity")
                assert gzip.decompress(body) == plain
        assert packed == ["The Yamuna Standard – Top stories"]


async def test_every_page_that_can_be_had_holds_its_gold(room, client):
    for url, article in room.articles.items():
        response, body = await get(client, article.link)
        assert response.status == article.status, url
        if article.status != 200 or article.kind is not PageKind.ARTICLE:
            continue
        page = text(body)
        assert article.title in page, url
        for paragraph in article.body.split("\n\n"):
            assert paragraph in page, url
        for name in article.authors:
            assert name in page, url


async def test_pages_name_their_canonical_address_and_their_feeds(room, client):
    for url, article in room.articles.items():
        _, body = await get(client, article.link)
        if article.status != 200 or article.outlet == "The Potohar Post":  # its pages are from before that was usual
            continue
        page = lxml.html.fromstring(body)
        assert page.xpath("//link[@rel='canonical']/@href") == [url]
        assert page.xpath(
            "//link[@rel='alternate'][contains(@type, 'rss') or contains(@type, 'atom') or contains(@type, 'json')]"
        )


async def test_pages_refer_to_nothing_outside_the_newsroom(room, client):
    for article in room.articles.values():
        _, body = await get(client, article.link)
        for address in re.findall(rb"""(?:src|href|content)=["'](https?://[^"']+)""", body):
            assert urlsplit(address.decode()).netloc in room.hosts


async def test_a_published_time_can_be_read_to_the_second_in_page_or_feed(room, client):
    for feed in room.feeds:
        _, body = await get(client, feed.url)
        if feed.dialect in ("json", "html"):
            continue
        parsed = feedparser.parse(body, response_headers={"content-location": feed.moved_to or feed.url})
        gold = {article.link: article.published for article in room.articles.values()}
        for entry in parsed.entries:
            assert (
                datetime(*(entry.get("published_parsed") or entry.updated_parsed)[:6], tzinfo=UTC) == gold[entry.link]
            ), entry.link


async def test_a_page_that_is_forbidden_has_its_text_in_the_feed(room, client):
    forbidden = [a for a in room.articles.values() if a.status == 403]
    behind_robots = [a for a in room.articles.values() if not a.robots]
    assert len(forbidden) == len(behind_robots) == 1
    for article in forbidden + behind_robots:
        _, body = await get(client, article.feeds[0])
        entry = next(
            e
            for e in feedparser.parse(body, response_headers={"content-location": article.url}).entries
            if e.link == article.link
        )
        value = entry.content[0].value if "content" in entry else entry.summary
        assert [
            p.text_content() for p in lxml.html.fromstring(f"<div>{value}</div>").xpath("//p")
        ] == article.body.split("\n\n")


async def test_robots_txt_shuts_out_exactly_what_the_gold_says(room, client):
    for article in room.articles.values():
        _, body = await get(client, f"http://{urlsplit(article.url).netloc}/robots.txt")
        robots = RobotFileParser()
        robots.parse(body.decode().splitlines())
        assert robots.can_fetch("Wirewatch", article.url) == article.robots


async def test_the_slow_page_takes_the_time_that_was_set(room, client):
    slow = story(room, "poll-register")
    began = time.monotonic()
    response, _ = await get(client, slow.link)
    assert response.status == 200
    assert time.monotonic() - began >= 0.2


async def test_a_click_is_led_to_the_canonical_page(room, client):
    clicked = story(room, "drought-wells")
    assert "utm_source" in clicked.link
    response, _ = await get(client, clicked.link)
    assert str(response.url).partition("?")[0] == clicked.url != clicked.link
    assert response.history[0].status == 302


async def test_a_page_is_a_video_and_another_a_login_wall(room, client):
    kinds = {a.kind: a for a in room.articles.values() if a.kind is not PageKind.ARTICLE}
    assert set(kinds) == {PageKind.VIDEO, PageKind.LOGIN}
    _, video = await get(client, kinds[PageKind.VIDEO].link)
    assert lxml.html.fromstring(video).xpath("//video")
    _, wall = await get(client, kinds[PageKind.LOGIN].link)
    assert lxml.html.fromstring(wall).xpath("//input[@type='password']")


async def test_the_old_pages_are_windows_1252_that_call_itself_latin_1(room, client):
    article = story(room, "wheat")
    response, body = await get(client, article.link)
    assert response.headers["Content-Type"] == "text/html"
    assert b"charset=iso-8859-1" in body
    assert b"\x93There is no shortage." in body


async def test_a_site_without_a_feed_address_can_be_discovered(room, client):
    for feed in room.feeds:
        _, body = await get(client, feed.site)
        found = lxml.html.fromstring(body).xpath("//link[@rel='alternate']/@href")
        assert bool(found) == feed.works


async def test_the_opml_names_every_feed(room, client):
    _, body = await get(client, room.url + "feeds.opml")
    assert re.findall(r'xmlUrl="([^"]+)"', body.decode()) == [feed.url for feed in room.feeds]


def test_one_wire_story_is_carried_by_four_outlets_each_in_its_own_way(room):
    wire = story(room, "tanker-collision")
    copies = [a for a in room.articles.values() if a.carries == wire.url]
    assert {copy.edit for copy in copies} == {"verbatim", "cut", "lede", "insert"}
    assert len({copy.outlet for copy in copies}) == 4
    original = set(wire.body.split("\n\n"))
    for copy in copies:
        shared = original & set(copy.body.split("\n\n"))
        assert len(shared) >= 5, copy.url
        assert copy.published > wire.published
        assert copy.agency == wire.agency == "Meridian"
    also = [a for a in room.articles.values() if a.event == wire.event and a.language == "es"]
    assert [a.carries for a in also] == [None]


def test_kashmir_runs_over_days_with_a_denial_and_its_reversal(room):
    run = sorted((a for a in room.articles.values() if a.event == "kashmir-crossing"), key=lambda a: a.published)
    assert len(run) >= 5
    assert run[-1].published - run[0].published > timedelta(days=2)
    headlines = [a.title for a in run if a.outlet == "Meridian News Agency"]
    assert "sources say" in headlines[0]
    assert "India denies" in headlines[1]
    assert "India confirms" in headlines[2]
    denied, confirmed = (a for a in run if "Raghav Sethuraman" in a.speakers and a.outlet == "Meridian News Agency")
    assert "on Sunday that its officials had met" in denied.body  # three days before NOW
    assert "on Tuesday that its officials had met" in confirmed.body


def test_every_named_speaker_is_in_the_text(room):
    for article in room.articles.values():
        words = article.body.casefold().replace("capt. ", "")
        for speaker in article.speakers:
            last = speaker.casefold().split()[-1]
            assert last in words, (article.slug, speaker)


def test_texts_are_as_long_as_wire_stories(room):
    for article in room.articles.values():
        if article.kind is PageKind.ARTICLE and article.event != "castelbranco":
            assert 100 <= len(article.body.split()) <= 450, article.slug


def test_nothing_is_published_in_the_future(room):
    while True:
        assert all(a.published <= room.now and (a.updated or NOW) <= room.now for a in room.articles.values())
        if not room.advance():
            break


async def test_the_next_edition_corrects_updates_adds_and_withdraws(room, client):
    before = dict(room.articles)
    etags = {f.url: (await get(client, f.url))[0].headers.get("ETag") for f in room.feeds}
    assert room.advance()
    assert room.now == NOW + timedelta(minutes=30)

    ferry = story(room, "ferry-fire-cebu")
    assert ferry.version == 2
    assert ferry.title.startswith("CORRECTED-")
    assert ferry.updated == room.now
    assert ferry.published == before[ferry.url].published
    _, page = await get(client, ferry.link)
    assert "killing at least seven people" in text(page)
    assert ferry.correction in text(page)

    tanker = story(room, "tanker-collision")
    assert tanker.title.startswith("UPDATE 1-")
    copy = story(room, "tanker-collision-potohar")
    assert copy.body == before[copy.url].body  # a copy stays as it was made

    withdrawn = story(room, "castelbranco-resigns")
    response, _ = await get(client, withdrawn.link)
    assert response.status == withdrawn.status == 410
    for feed in room.feeds:
        response, body = await get(client, feed.url, If_None_Match=etags[feed.url] or '""')
        if response.status == 200 and feed.works:
            assert withdrawn.link not in links(feed, body)
    new = {a.slug for a in room.articles.values()} - {a.slug for a in before.values()}
    assert new == {"kill-castelbranco", "kashmir-bus-date", "sailors-families"}

    assert room.advance()
    assert story(room, "kashmir-bus-date").version == 2
    assert not room.advance()
    assert room.edition == room.editions == 3


def test_the_same_moment_gives_the_same_news():
    def told(room: Newsroom) -> list[tuple[object, ...]]:
        return [(a.slug, a.title, a.published, a.body, urlsplit(a.url).path) for a in room.articles.values()]

    assert told(Newsroom(NOW)) == told(Newsroom(NOW))


def test_a_story_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "broken.md").write_text("+++\nheadline = \n+++\nText", encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken\.md"):
        read_stories(tmp_path)


def test_datelines_are_gold_for_what_is_printed(room):
    verbatim = story(room, "tanker-collision-potohar").dateline
    assert verbatim is not None
    assert (verbatim.text, verbatim.place, verbatim.agency) == (
        "DJIBOUTI, March 11 (Meridian):",
        "DJIBOUTI",
        "Meridian",
    )
    assert verbatim.date == "2026-03-11"
    local = story(room, "tanker-collision-rift").dateline
    assert local is not None
    assert (local.text, local.date, local.agency) == ("MOMBASA, Kenya —", None, None)
    for article in room.articles.values():
        assert article.dateline is None or article.body.startswith(article.dateline.text)
