"""One poll of one feed: asked politely, read, and turned into sightings and the feed record as it stands then."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

from pipeline.errors import FeedError, FetchError
from pipeline.feeds.entry import Entry, ParsedFeed
from pipeline.feeds.parse import parse
from pipeline.feeds.schedule import DAY, MAX_INTERVAL, MIN_INTERVAL, asks_without_conditions, back_off, jitter, settle
from pipeline.fetch import raise_for_status
from pipeline.identity import headline
from pipeline.records import Feed, FeedState, Identity, Page, Sighting, digest
from pipeline.urls import host, normalise

ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_MAX_VALIDATOR: Final = 4_000


class Gets(Protocol):
    """What feeds need of HTTP; ``pipeline.fetch.Fetcher`` is one.

    Any complete response of any status is a Page, redirects followed; everything else raises FetchError.
    """

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, robots: bool = True, accept: str = ...
    ) -> Page: ...


class Outcome(StrEnum):
    """How a poll ended; exactly one of these."""

    READ = "read"
    NOT_MODIFIED = "not-modified"
    UNCHANGED = "unchanged"
    """A full answer with the same content as before."""
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What came of a poll.

    ``feed`` is to be stored as it is. Where ``outcome`` is ``READ``, its interval and next poll still wait for
    ``settle(feed, new, len(sightings), now, ttl=ttl)``, once it is known how many sightings are new; until then it is
    due again after its old interval. In every other case they are final.
    """

    feed: Feed
    outcome: Outcome
    sightings: tuple[Sighting, ...] = ()
    """All entries of the feed, in its order, each id once; only where the outcome is ``READ``."""
    page: Page | None = None
    """The response, for the archive; ``None`` where there was none or it says nothing new (304, same content)."""
    ttl: float | None = None
    hub: str | None = None


async def poll(
    feed: Feed,
    fetcher: Gets,
    now: datetime,
    *,
    min_interval: float = MIN_INTERVAL,
    max_interval: float = MAX_INTERVAL,
) -> Polled:
    """Ask for the feed and read the answer. Never raises for what feed, server or network do: a failure is in the
    returned feed (``failures``, ``reason`` in words, ``next_poll``), and is never final.

    The validators go out byte for byte as they came. robots.txt is not asked: a feed that a user subscribed to is
    fetched as every feed reader does.
    """
    limits = {"min_interval": min_interval, "max_interval": max_interval}
    polled = replace(feed, polls=feed.polls + 1, last_polled=now)
    page: Page | None = None
    try:
        page = await fetcher.get(feed.url, headers=_conditions(feed), robots=False, accept=ACCEPT)
        if page.status == HTTPStatus.NOT_MODIFIED:
            return _not_modified(polled, page, now, limits)
        if page.status == HTTPStatus.GONE:
            return _gone(polled, page, now)
        raise_for_status(page)
        if feed.body_hash is not None and not feed.baseline and body_hash(page.body) == feed.body_hash:
            current = _succeeded(_validated(polled, page), page, now)
            return Polled(feed=settle(current, 0, 0, now, **limits), outcome=Outcome.UNCHANGED)
        # Off the loop: a large feed takes a second, in which nothing else would be fetched.
        parsed = await asyncio.to_thread(parse, page.body, url=page.final_url, headers=page.headers)
    except FetchError as error:
        return _failed(polled, page, error, now, limits, retry_after=error.retry_after)
    except FeedError as error:
        return _failed(polled, page, error, now, limits)
    return _read(polled, page, parsed, now)


def accept(feed: Feed, page: Page, parsed: ParsedFeed, now: datetime) -> Polled:
    """What a poll of ``feed`` would have come to with this page, already fetched and parsed: ``discover`` has asked
    once, and the feed that is added from it need not be asked again."""
    return _read(replace(feed, polls=feed.polls + 1, last_polled=now), page, parsed, now)


def announced(feed: Feed, page: Page, parsed: ParsedFeed, now: datetime) -> tuple[Sighting, ...]:
    """The entries of a feed, or of a part of it, that came otherwise than by a poll."""
    return _sightings(replace(feed, baseline=False), parsed, _source(feed, page, parsed), now)


def body_hash(body: bytes) -> str:
    """A digest of a feed's body without the channel's own dates, which many servers set to now at each request."""
    stable = _VOLATILE.sub(b"", body)
    start = _FIRST_ENTRY.search(stable)
    if start is not None:
        stable = _CHANNEL_DATES.sub(b"", stable[: start.start()]) + stable[start.start() :]
    return hashlib.blake2b(stable, digest_size=16).hexdigest()


_VOLATILE = re.compile(rb"<lastBuildDate>[^<]{0,100}</lastBuildDate>", re.I)
_CHANNEL_DATES = re.compile(rb"<(pubDate|updated|modified|dc:date)>[^<]{0,100}</\1>", re.I)
_FIRST_ENTRY = re.compile(rb"<(?:item|entry)[\s>]", re.I)


def _conditions(feed: Feed) -> dict[str, str]:
    if asks_without_conditions(feed):
        return {}
    headers = {}
    if feed.etag:
        headers["If-None-Match"] = feed.etag
    if feed.last_modified:
        headers["If-Modified-Since"] = feed.last_modified
    return headers


def _read(polled: Feed, page: Page, parsed: ParsedFeed, now: datetime) -> Polled:
    source = _source(polled, page, parsed)
    sightings = _sightings(polled, parsed, source, now)
    current = replace(
        _succeeded(polled, page, now),
        title=parsed.title or polled.title,
        source=source,
        site=parsed.site or polled.site,
        etag=_validator(page, "ETag"),
        last_modified=_validator(page, "Last-Modified"),
        body_hash=body_hash(page.body),
        hub=parsed.hub,
        topic=parsed.topic or page.moved_to or polled.url if parsed.hub else None,
        next_poll=now + timedelta(seconds=polled.interval * jitter(polled)),
        baseline=False,
    )
    return Polled(feed=current, outcome=Outcome.READ, sightings=sightings, page=page, ttl=parsed.ttl, hub=parsed.hub)


def _source(feed: Feed, page: Page, parsed: ParsedFeed) -> str:
    """The outlet; of an untitled feed the name of its site: readers must be told of some."""
    return feed.source or parsed.title or feed.title or host(parsed.site or page.final_url).removeprefix("www.")


def _succeeded(polled: Feed, page: Page, now: datetime) -> Feed:
    """The feed after an answer that is known to be a feed; only such an answer may move it to another address."""
    return replace(
        polled,
        url=page.moved_to or polled.url,
        state=FeedState.ACTIVE,
        last_success=now,
        failures=0,
        reason=None,
        code=None,
    )


def _not_modified(polled: Feed, page: Page, now: datetime, limits: Mapping[str, float]) -> Polled:
    well = replace(_validated(polled, page), state=FeedState.ACTIVE, failures=0, reason=None, code=None)
    current = replace(well, last_success=now)
    return Polled(feed=settle(current, 0, 0, now, **limits), outcome=Outcome.NOT_MODIFIED)


def _validated(polled: Feed, page: Page) -> Feed:
    """The feed with the validators that the answer brings, keeping those that it does not mention."""
    return replace(
        polled,
        etag=_validator(page, "ETag") or polled.etag,
        last_modified=_validator(page, "Last-Modified") or polled.last_modified,
    )


def _validator(page: Page, name: str) -> str | None:
    value = page.header(name)
    return value if value and len(value) <= _MAX_VALIDATOR else None


def _gone(polled: Feed, page: Page, now: datetime) -> Polled:
    feed = replace(
        polled,
        state=FeedState.GONE,
        failures=polled.failures + 1,
        code="http-410",
        reason="HTTP 410 (Gone): the publisher has taken this feed down",
        next_poll=now + timedelta(seconds=DAY * max(1.0, jitter(polled))),
    )
    return Polled(feed=feed, outcome=Outcome.GONE, page=page)


def _failed(
    polled: Feed,
    page: Page | None,
    error: FetchError | FeedError,
    now: datetime,
    limits: Mapping[str, float],
    *,
    retry_after: float | None = None,
) -> Polled:
    feed = replace(polled, failures=polled.failures + 1, reason=error.reason, code=error.code)
    due = back_off(feed, now, retry_after=retry_after, **limits)
    if feed.state is FeedState.GONE:
        due = max(due, now + timedelta(seconds=DAY))
    feed = replace(feed, next_poll=due)
    return Polled(feed=feed, outcome=Outcome.FAILED, page=page)


def _sightings(feed: Feed, parsed: ParsedFeed, source: str, now: datetime) -> tuple[Sighting, ...]:
    found: dict[str, Sighting] = {}
    shared = _shared_guids(parsed)
    for entry in parsed.entries:
        key = _key(entry, shared, feed.identity)
        if key is None:
            continue
        identity = digest("sighting", feed.id, key)
        if identity in found:
            continue
        found[identity] = Sighting(
            id=identity,
            feed=feed.id,
            url=entry.url or "",  # without a page, the feed's own text is the article
            first_seen=now,
            guid=entry.guid,
            title=entry.title,
            text=entry.text,
            authors=entry.authors,
            tags=entry.tags,
            published=_not_from_the_future(entry.published, now),
            updated=_not_from_the_future(entry.updated, now),
            language=entry.language,
            image=entry.image,
            source=entry.source or source,
            baseline=feed.baseline,
        )
    return tuple(found.values())


def _key(entry: Entry, shared: frozenset[str], identity: Identity) -> str | None:
    """What tells the entry from the feed's others: its guid, else its link, else title and date; where the guid tells
    nothing, the link first, and where the link tells nothing either, all of them together."""
    link = normalise(entry.url) if entry.url else ""
    dated = f"{entry.title or entry.text[:200]}\x1f{entry.published.isoformat() if entry.published else ''}"
    if identity is Identity.TITLE and headline(entry.title):
        return f"{entry.guid or ''}\x1f{link}\x1f{dated}"
    if identity is Identity.URL and link:
        return link
    if entry.guid and entry.guid not in shared:
        return entry.guid
    if link:
        return link
    return dated if entry.title or entry.text else None


def _shared_guids(parsed: ParsedFeed) -> frozenset[str]:
    """Guids that the feed gives to entries with different links: they tell nothing apart."""
    links: defaultdict[str, set[str]] = defaultdict(set)
    for entry in parsed.entries:
        if entry.guid and entry.url:
            links[entry.guid].add(normalise(entry.url))
    return frozenset(guid for guid, urls in links.items() if len(urls) > 1)


def _not_from_the_future(moment: datetime | None, now: datetime) -> datetime | None:
    """A date beyond next year is a slip of the keyboard; a day ahead may be an embargo or a wrong zone, and stays."""
    return moment if moment is None or moment.year <= now.year + 1 else None
