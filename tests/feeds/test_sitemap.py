"""News sitemaps: read as feeds, with a cap; what lists no news says so."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from pipeline.errors import FeedError
from pipeline.feeds import parse
from pipeline.feeds.sitemap import MAX_NEWS, MAX_UNPACKED

URL = "https://herald.example/sitemap-news.xml"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">'
)


def entry(number: int, day: int = 24, more: str = "") -> str:
    return (
        f"<url><loc>https://herald.example/{number}</loc><lastmod>2026-11-{day:02}T12:30:00Z</lastmod><news:news>"
        "<news:publication><news:name>The Herald</news:name><news:language>en</news:language></news:publication>"
        f"<news:publication_date>2026-11-{day:02}T10:{number % 60:02}:00+01:00</news:publication_date>"
        f"<news:title>Story &amp; number {number}</news:title><news:keywords>ferry, strike,ferry</news:keywords>"
        f"</news:news><image:image><image:loc>/p/{number}.jpg</image:loc></image:image>{more}</url>"
    )


def sitemap(*urls: str) -> bytes:
    return f"{HEAD}{''.join(urls)}</urlset>".encode()


@pytest.mark.parametrize("packed", [False, True])
def test_a_news_sitemap_is_a_feed(packed: bool) -> None:
    body = sitemap(entry(1))
    feed = parse(gzip.compress(body) if packed else body, url=URL)
    assert (feed.format, feed.title, feed.language) == ("news-sitemap", "The Herald", "en")
    [one] = feed.entries
    assert (one.url, one.guid) == ("https://herald.example/1", "https://herald.example/1")
    assert (one.title, one.source, one.tags) == ("Story & number 1", "The Herald", ("ferry", "strike"))
    assert one.published == datetime(2026, 11, 24, 9, 1, tzinfo=UTC)
    assert one.updated == datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
    assert one.image == "https://herald.example/p/1.jpg"


def test_pages_that_are_no_news_are_left_out() -> None:
    feed = parse(sitemap("<url><loc>https://herald.example/about</loc></url>", entry(1)), url=URL)
    assert [one.url for one in feed.entries] == ["https://herald.example/1"]


def test_of_a_long_sitemap_the_newest_count() -> None:
    days = [1 + number % 24 for number in range(MAX_NEWS + 500)]
    feed = parse(sitemap(*(entry(number, day) for number, day in enumerate(days))), url=URL)
    assert len(feed.entries) == MAX_NEWS
    oldest = min(one.published for one in feed.entries if one.published)
    assert oldest.day == sorted(days, reverse=True)[MAX_NEWS - 1]


def test_an_empty_news_sitemap_is_a_feed_without_entries() -> None:
    assert parse(sitemap(), url=URL).entries == ()


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (sitemap("<url><loc>https://herald.example/about</loc></url>"), "not-a-feed", "no news"),
        (
            b"<sitemapindex><sitemap><loc>/all.xml</loc></sitemap><sitemap><loc>/news.xml</loc></sitemap></sitemapindex>",
            "sitemap-index",
            "add one of them: https://herald.example/news.xml",
        ),
        (gzip.compress(b" " * (MAX_UNPACKED + 1)), "too-large", "unpacked"),
        (gzip.compress(sitemap(entry(1)))[:-20], "encoding", "too early"),
    ],
    ids=["no news", "index", "bomb", "cut off"],
)
def test_what_is_no_source_of_news_says_why(body: bytes, code: str, words: str) -> None:
    with pytest.raises(FeedError, match=words) as caught:
        parse(body, url=URL)
    assert caught.value.code == code


def test_a_damaged_sitemap_gives_what_can_be_read() -> None:
    feed = parse(sitemap(entry(1), entry(2, more="<b>&nbsp;"), entry(3)), url=URL)
    assert "https://herald.example/1" in {one.url for one in feed.entries}


def test_entities_of_a_sitemap_do_not_expand() -> None:
    doctype = '<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>'
    body = doctype + sitemap(entry(1).replace("Story", "&b;&c;")).decode().partition("?>")[2]
    assert "aaaaaaaaaaaaaaaaaaaa" not in parse(body.encode(), url=URL).entries[0].title
