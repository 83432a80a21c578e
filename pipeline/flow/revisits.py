"""When an article's page is asked for again, and what becomes of it then: pure, so that it is tested with tables.

A page changes most in its first hours, and hardly ever after a week. Each look is a conditional request, and a host is
asked at most so often a day, whatever it publishes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from isal import isal_zlib

from pipeline.errors import FetchError
from pipeline.ledger import Item, ItemState
from pipeline.records import Page

AGES = tuple(timedelta(minutes=minutes) for minutes in (30, 120, 360, 1440, 4320, 10080))
"""How old an article is when it is looked at again: half an hour, two and six hours, a day, three days, a week. Most
corrections of a wire come within the first hours; later ones are mostly those that a feed announces (2026-11-25)."""
STALE = timedelta(days=7)
"""What was this old when we first saw it is not looked at again: it was there before us, and has settled."""
SOON = timedelta(minutes=10)
"""Between two looks at one page, however often its feed says that it was changed."""
TOMORROW = timedelta(hours=20)
"""When a host whose day is full is asked again."""


def next_visit(first_seen: datetime, published: datetime | None, now: datetime) -> datetime | None:
    """When to look at a page again; ``None`` for never."""
    if published is not None and first_seen - published > STALE:
        return None
    return next((first_seen + age for age in AGES if first_seen + age > now), None)


def conditions(item: Item) -> dict[str, str]:
    """The headers of a conditional request for a page that was had before: validators byte for byte."""
    headers = {}
    if item.etag:
        headers["If-None-Match"] = item.etag
    if item.last_modified:
        headers["If-Modified-Since"] = item.last_modified
    return headers


def is_revisit(item: Item) -> bool:
    """Whether this item's page is in the index already, and is asked for to see whether it was changed."""
    return item.state is ItemState.INDEXED and item.body_reason is None and item.location is not None


def page_hash(page: Page) -> str:
    """Tells whether a page's bytes are the same, which then need not be read again: two checksums and the length.

    No secret hangs on it: who would have us miss a change of their page could as well answer 304. Of a page of 330 KB
    they take 24 us, blake2b 340 (2026-11-26).
    """
    return f"{isal_zlib.crc32(page.body):08x}{isal_zlib.adler32(page.body):08x}{len(page.body) & 0xFFFF:04x}"


def has_vanished(item: Item, error: FetchError) -> bool:
    """Whether a page that was there is gone for good: 410, or 404 for the second time. A link that tells nothing of its
    article tells not that either."""
    if not is_revisit(item) or not item.by_link:
        return False
    return error.status == 410 or (error.status == 404 and item.fetches > 0 and item.code == error.code)
