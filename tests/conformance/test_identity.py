"""Entries are known again by what their feed's setting says: one suite, run on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.feeds.entry import Entry, ParsedFeed
from pipeline.feeds.poll import accept
from pipeline.ledger import Indexed, Ledger, Owed, Retry, open_ledger
from pipeline.ledger.recognition import KEPT
from pipeline.records import Feed, Identity, Page
from tests.support.ledgers import LATER, ME, NOW, make_feed

TITLE = "Tanker and bulk carrier collide off Djibouti"
GUID = "urn:uuid:0f0e8f1c-5d5b-4f2e-9d52-0c9b1a2b3c4d"


def added(ledger: Ledger, identity: Identity, url: str = "http://example.org/feed", source: str = "Harbour") -> Feed:
    feed = replace(make_feed(url), identity=identity, source=source)
    ledger.add_feed(feed)
    return feed


def poll(ledger: Ledger, feed: Feed, *entries: Entry, hours: float = 0) -> int:
    """What a poll of this feed brings: how many entries were new."""
    page = Page(url=feed.url, final_url=feed.url, status=200, headers=(), body=b"", fetched=NOW)
    polled = accept(feed, page, ParsedFeed(entries=entries), NOW + timedelta(hours=hours))
    return ledger.store_poll(polled.sightings, lambda new: polled.feed)


def items(ledger: Ledger) -> int:
    return sum(ledger.counts().values())


def links(ledger: Ledger, hours: float = 0) -> list[str]:
    """The links that are to be fetched; they are let go of again."""
    taken = ledger.claim_items(Owed.FETCH, NOW + timedelta(hours=hours), 50, ME, 60)
    ledger.release(ME)
    return sorted(item.url for item in taken)


def test_a_feed_whose_links_and_guids_change_at_every_poll_brings_each_article_once(ledger: Ledger) -> None:
    feed = added(ledger, Identity.TITLE)
    for n in range(40):
        fresh = Entry(guid=f"g{n}", url=f"http://example.org/{n}?sid={n}", title=TITLE, published=NOW)
        assert poll(ledger, feed, fresh, hours=n * 3) == (n == 0)
    assert items(ledger) == 1
    assert links(ledger) == ["http://example.org/39?sid=39"]  # the newest link, the old ones may lead nowhere


def test_the_same_feed_read_as_others_are_brings_it_again_and_again(ledger: Ledger) -> None:
    feed = added(ledger, Identity.AUTO)
    for n in range(3):
        poll(ledger, feed, Entry(guid=f"g{n}", url=f"http://example.org/{n}", title=TITLE, published=NOW))
    assert items(ledger) == 3


def test_a_headline_that_comes_again_after_the_window_is_another_article(ledger: Ledger) -> None:
    feed = added(ledger, Identity.TITLE)
    for day in range(3):
        column = Entry(
            guid="1", url="http://example.org/brief", title="What to know today", published=NOW + timedelta(days=day)
        )
        assert poll(ledger, feed, column, hours=24 * day) == 1
    assert items(ledger) == 3


def test_two_entries_of_one_poll_under_one_headline_stay_two_at_every_poll(ledger: Ledger) -> None:
    feed = added(ledger, Identity.TITLE)
    for n in range(5):
        two = [Entry(url=f"http://example.org/{part}-{n}", title=TITLE, published=NOW) for part in "ab"]
        assert poll(ledger, feed, *two, hours=n) == (2 if n == 0 else 0)
    assert items(ledger) == 2


def test_headlines_that_say_too_little_are_known_by_their_links(ledger: Ledger) -> None:
    feed = added(ledger, Identity.TITLE)
    assert poll(ledger, feed, *(Entry(url=f"http://example.org/{n}", title="Weather") for n in range(3))) == 3
    assert poll(ledger, feed, *(Entry(url=f"http://example.org/{n}", title="Weather") for n in range(3))) == 0


def test_one_headline_in_two_feeds_of_a_source_is_one_article_and_in_another_source_s_two(ledger: Ledger) -> None:
    for n, source in enumerate(("Harbour", "harbour", "Courier")):
        feed = added(ledger, Identity.TITLE, f"http://example.org/{n}", source)
        poll(ledger, feed, Entry(url=f"http://example.org/{n}/story", title=TITLE, published=NOW))
    assert items(ledger) == 2


def test_a_guid_that_holds_everywhere_is_one_article_in_all_feeds_of_its_source(ledger: Ledger) -> None:
    for n, source in enumerate(("Harbour", "Harbour", "Courier")):
        feed = added(ledger, Identity.GUID, f"http://example.org/{n}", source)
        assert poll(ledger, feed, Entry(guid=GUID, url=f"http://example.org/{n}/story", title=f"Title {n}")) == 1
    assert links(ledger) == ["http://example.org/0/story", "http://example.org/2/story"]


def test_a_guid_such_as_1_joins_nothing_of_two_feeds(ledger: Ledger) -> None:
    for n in range(2):
        feed = added(ledger, Identity.GUID, f"http://example.org/{n}")
        poll(ledger, feed, Entry(guid="1", url=f"http://example.org/{n}/story", title=TITLE))
    assert items(ledger) == 2


def test_a_page_is_asked_for_by_the_newest_link_where_links_change_and_stays_the_article_that_it_was(
    ledger: Ledger,
) -> None:
    feed = added(ledger, Identity.GUID)
    poll(ledger, feed, Entry(guid="1", url="http://example.org/story?sid=a", title=TITLE))
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 1, ME, 60)
    ledger.apply([Indexed(item.id, "the article", NOW)], NOW, ME)
    changed = Entry(guid="1", url="http://example.org/story?sid=b", title=f"{TITLE}, 14 missing")
    assert poll(ledger, feed, changed, hours=1) == 0
    (item,) = ledger.claim_items(Owed.FETCH, LATER, 1, ME, 60)
    assert (item.url, item.article) == ("http://example.org/story?sid=b", "the article")


def test_a_page_that_was_not_had_by_its_link_is_asked_for_by_the_next_one_but_not_for_ever(ledger: Ledger) -> None:
    feed = added(ledger, Identity.GUID)
    asked = 0
    for n in range(10):
        poll(ledger, feed, Entry(guid="1", url=f"http://example.org/story?sid={n}", title=TITLE), hours=n / 10)
        for item in ledger.claim_items(Owed.FETCH, NOW + timedelta(hours=n / 10), 1, ME, 60):
            asked += 1
            again = NOW + timedelta(hours=6)
            ledger.apply([Retry(item.id, Owed.FETCH, again, "http-404", "HTTP 404")], NOW, ME)
    assert asked == 3


def test_a_feed_that_gives_its_guids_to_other_entries_loses_none_of_them_by_link(ledger: Ledger) -> None:
    by_guid, by_link = added(ledger, Identity.AUTO), added(ledger, Identity.URL, "http://example.org/other")
    for feed, expected in ((by_guid, 0), (by_link, 1)):
        poll(ledger, feed, Entry(guid="1", url=f"{feed.url}/monday", title="Monday's news"))
        assert poll(ledger, feed, Entry(guid="1", url=f"{feed.url}/tuesday", title="Tuesday's news")) == expected


def test_a_feed_is_set_otherwise_while_it_is_polled_and_stays_so(ledger: Ledger) -> None:
    feed = added(ledger, Identity.AUTO)
    ledger.set_feed(feed.id, identity=Identity.GUID, source="Harbour Times")
    poll(ledger, feed, Entry(guid=GUID, url="http://example.org/story", title=TITLE))  # by the record of before
    (found,) = ledger.feeds()
    assert (found.identity, found.source) == (Identity.GUID, "Harbour Times")


def test_what_stands_in_a_feed_when_it_is_set_otherwise_is_known_by_it_too(ledger: Ledger) -> None:
    first, second = (added(ledger, Identity.AUTO, f"http://example.org/{n}") for n in range(2))
    poll(ledger, first, Entry(guid=GUID, url="http://example.org/0/story", title=TITLE))
    for feed in (first, second):
        ledger.set_feed(feed.id, identity=Identity.GUID)
    poll(ledger, first, Entry(guid=GUID, url="http://example.org/0/story", title=TITLE), hours=1)
    poll(ledger, second, Entry(guid=GUID, url="http://example.org/1/story", title=TITLE), hours=2)
    assert items(ledger) == 1


def test_what_left_its_feed_long_ago_is_forgotten(ledger: Ledger) -> None:
    first, second = (added(ledger, Identity.GUID, f"http://example.org/{n}") for n in range(2))
    poll(ledger, first, Entry(guid=GUID, url="http://example.org/0/story", title=TITLE))
    other = Entry(guid=GUID.replace("0f", "1f"), url="http://example.org/new", title="Another")
    poll(ledger, first, other, hours=KEPT / timedelta(hours=1) + 1)
    poll(ledger, second, Entry(guid=GUID, url="http://example.org/1/story", title=TITLE), hours=2000)
    assert items(ledger) == 3


def test_feeds_of_one_source_that_are_polled_at_once_make_one_item_of_one_guid(place: Path | str) -> None:
    ledger = open_ledger(place)
    feeds = [added(ledger, Identity.GUID, f"http://example.org/{n}") for n in range(6)]
    together = threading.Barrier(len(feeds))

    def worker(feed: Feed) -> None:
        own = open_ledger(place)
        together.wait()
        poll(own, feed, Entry(guid=GUID, url=f"{feed.url}/story", title=TITLE))
        own.close()

    with ThreadPoolExecutor(len(feeds)) as workers:
        list(workers.map(worker, feeds))
    assert items(ledger) == 1
    ledger.close()
