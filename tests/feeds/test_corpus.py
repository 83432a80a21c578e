"""The feeds beside the project: 1,850 small ones, well and ill formed, and 53 real ones."""

from __future__ import annotations

import io
import re
from pathlib import Path

import feedparser
import pytest

from pipeline.errors import FeedError
from pipeline.feeds import ParsedFeed, parse

FEEDS = Path(__file__).parents[3] / "shared" / "data" / "feeds"
_HEADER = re.compile(rb"^Header:\s*([^:\r\n]+):\s*([^\r\n]+)", re.M)

pytestmark = pytest.mark.skipif(not FEEDS.is_dir(), reason="the feeds in ../shared/data/feeds are not here")


def headers_in(body: bytes) -> list[tuple[str, str]]:
    """The response headers that a small feed's own comment asks for."""
    return [(name.decode().strip(), value.decode("latin-1").strip()) for name, value in _HEADER.findall(body)]


def ours(body: bytes) -> ParsedFeed | FeedError:
    try:
        return parse(body, url="https://feeds.example/main", headers=headers_in(body))
    except FeedError as error:
        return error


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_small_feed_gives_the_entries_that_feedparser_finds() -> None:
    files = sorted((FEEDS / "feedparser").rglob("*.xml"))
    assert len(files) >= 1_850
    missed = []
    for file in files:
        body = file.read_bytes()
        sent = {name.lower(): value for name, value in headers_in(body)}
        theirs = feedparser.parse(io.BytesIO(body), response_headers=sent).entries
        feed = ours(body)
        found = feed.entries if isinstance(feed, ParsedFeed) else ()
        if len(found) != len(theirs):
            missed.append(f"{file.relative_to(FEEDS)}: {len(found)} of {len(theirs)}")
        missed += [
            f"{file.relative_to(FEEDS)}: id {entry.guid!r} for {their['id']!r}"
            for entry, their in zip(found, theirs, strict=False)
            if their.get("id") and not sent.get("content-location") and entry.guid != their["id"]
        ]
    assert missed == []


def test_every_real_feed_is_read_whole() -> None:
    files = sorted((FEEDS / "real").iterdir())
    assert len(files) >= 53
    for file in files:
        body = file.read_bytes()
        feed = ours(body)
        assert isinstance(feed, ParsedFeed), f"{file.name}: {feed}"
        theirs = feedparser.parse(io.BytesIO(body)).entries
        assert len(feed.entries) == len(theirs), file.name
        for entry, their in zip(feed.entries, theirs, strict=True):
            assert bool(entry.title) == bool(their.get("title", "").strip()), file.name
            assert entry.url is not None or not their.get("link", "").startswith("http"), file.name
            assert "<p>" not in entry.text, file.name
            assert not their.get("published_parsed") or entry.published is not None, file.name
