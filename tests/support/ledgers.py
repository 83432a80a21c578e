"""Feeds, sightings and items for tests of the ledger."""

from datetime import UTC, datetime, timedelta

from pipeline.ledger import Ledger
from pipeline.records import Feed, Sighting, digest, feed_id

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ME = "here:1:1"
OTHER = "here:2:2"


def make_feed(url: str = "http://example.org/feed") -> Feed:
    return Feed(id=feed_id(url), url=url, added=NOW, title="Example", source="Example")


def make_sighting(link: str, feed: Feed, seen: datetime = NOW) -> Sighting:
    return Sighting(id=digest("s", feed.id, link), feed=feed.id, url=link, first_seen=seen, title=link, text="A text.")


def with_items(ledger: Ledger, *links: str) -> Feed:
    feed = make_feed()
    ledger.add_feed(feed)
    ledger.store_poll([make_sighting(link, feed) for link in links], lambda new: feed)
    return feed
