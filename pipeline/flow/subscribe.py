"""Adds a feed by its address or a site's, and tells how much each feed brings: for the command line and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.feeds import OpmlFeed, Volume, accept, discover
from pipeline.fetch import Archive, Fetcher
from pipeline.flow.outcomes import settling
from pipeline.flow.shift import utc_now
from pipeline.ledger import Ledger
from pipeline.records import Feed, FeedState, Identity, feed_id
from pipeline.settings import Settings

USUAL_DAYS = 14
"""Two weeks hold every weekday twice."""
LEAST_DAYS = 3
"""A feed watched for less has no usual day yet."""


async def subscribe(
    settings: Settings,
    ledger: Ledger,
    archive: Archive,
    fetcher: Fetcher,
    address: str,
    source: str = "",
    *,
    identity: Identity = Identity.AUTO,
    clock: Callable[[], datetime] = utc_now,
) -> tuple[Feed, int | None]:
    """Add one feed. Returns it with the number of its entries, or with ``None`` where it was there already.

    Raises FeedError where there is no feed at the address, FetchError where it cannot be had.
    """
    if "://" not in address:
        address = f"https://{address}"
    known = ledger.find_feeds(address)
    if known and known[0].state is FeedState.ACTIVE:
        return known[0], None
    found = await discover(address, fetcher)
    now = clock()
    feed = (
        known[0]
        if known
        else Feed(id=feed_id(found.feed_url), url=found.feed_url, added=now, source=source, identity=identity)
    )
    there = ledger.find_feeds(found.feed_url)
    if there and not known:
        return there[0], None
    polled = accept(replace(feed, state=FeedState.ACTIVE), found.page, found.parsed, now)
    if not known:
        ledger.add_feed(feed)
    archive.append(found.page)
    archive.flush()
    new = ledger.store_poll(polled.sightings, settling(polled, settings, now))
    return polled.feed, new


def feed_listed(outline: OpmlFeed, now: datetime) -> Feed:
    """The feed of an OPML list, which is polled first by the next run."""
    return Feed(
        id=feed_id(outline.url),
        url=outline.url,
        added=now,
        title=outline.title,
        source=outline.source,
        site=outline.site,
        identity=outline.identity,
    )


def recent_volumes(ledger: Ledger, feeds: Sequence[Feed], now: datetime) -> dict[str, Volume]:
    """What each feed brought in the last day, and on a usual day of the two weeks before, where it was watched so."""
    yesterday = now - timedelta(days=1)
    fresh = ledger.volume(yesterday, now)
    before = ledger.volume(yesterday - timedelta(days=USUAL_DAYS), yesterday)
    volumes = {}
    for feed in feeds:
        watched = min((yesterday - feed.added) / timedelta(days=1), USUAL_DAYS)
        usual = sum(before.get(feed.id, {}).values()) / watched if watched >= LEAST_DAYS else None
        volumes[feed.id] = Volume(day=sum(fresh.get(feed.id, {}).values()), usual=usual)
    return volumes
